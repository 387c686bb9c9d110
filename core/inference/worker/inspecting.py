"""A prompt token by token: what the model sees, and which message each token came from.

The prompt is rendered a second time with marks around each message's content, characters that occur nowhere else. Only where that gives the
same text, once the marks are taken out, do tokens name their messages: a template that looks into a content, cuts it or changes it gives
tokens without one, never wrong ones.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from core.inference.records import Message, PromptToken
from core.inference.worker.vocabulary import Vocabulary

_MARKS: Final = 0xF0000
"""The first of 65,534 private characters; a message takes two."""
_MOST: Final = 32_000

Render = Callable[[Sequence[Message]], str]


def tokens(
    vocabulary: Vocabulary, messages: Sequence[Message], text: str, mark: str, render: Render
) -> tuple[PromptToken, ...]:
    """The tokens of `text`, which `render` made of `messages`; both hold `mark` where `Vocabulary.guard` put it."""
    owners = _owners(messages, text, render)
    found = []
    at = 0
    for part in text.split(mark):
        owned = owners[at : at + len(part)]
        found += list(_part(vocabulary, part, owned))
        at += len(part) + len(mark)
    if vocabulary.starts and vocabulary.first >= 0 and [token.id for token in found[:1]] != [vocabulary.first]:
        found.insert(0, _token(vocabulary, vocabulary.first, None))
    return tuple(found)


def _owners(messages: Sequence[Message], text: str, render: Render) -> list[int | None]:
    """Of each character of the text, the message that it came from."""
    nobody: list[int | None] = [None] * len(text)
    taken = set().union(text, *(message.content for message in messages))
    if len(messages) > _MOST or any(_MARKS <= ord(sign) < _MARKS + 2 * len(messages) for sign in taken):
        return nobody
    marked = tuple(msgspec.structs.replace(m, content=_marked(m.content, number)) for number, m in enumerate(messages))
    owners: list[int | None] = []
    plain: list[str] = []
    owner: int | None = None
    for sign in render(marked):
        code = ord(sign) - _MARKS
        if not 0 <= code < 2 * len(messages):
            owners.append(owner)
            plain.append(sign)
        elif code % 2:
            owner = None
        else:
            owner = code // 2
    return owners if "".join(plain) == text else nobody


def _marked(content: str, number: int) -> str:
    """The marks stand inside white space, which templates may cut off."""
    core = content.strip()
    if not core:
        return content
    start = content.index(core)
    first, last = chr(_MARKS + 2 * number), chr(_MARKS + 2 * number + 1)
    return content[:start] + first + core + last + content[start + len(core) :]


def _part(vocabulary: Vocabulary, part: str, owned: Sequence[int | None]) -> Iterator[PromptToken]:
    """The tokens of a text between two marks. Each takes its bytes from the text; from the first one that doesn't fit there on, as where a
    vocabulary changes letters, no message is named."""
    ids = vocabulary.pieces(part)
    data = part.encode("utf-8", "replace")
    whose = [owner for sign, owner in zip(part, owned, strict=True) for _ in sign.encode("utf-8", "replace")]
    at, lost = 0, False
    for token in ids:
        piece = vocabulary.piece(token, special=True)
        start = -1 if lost else _place(data, at, piece)
        lost = start < 0
        if lost:
            yield _token(vocabulary, token, None)
            continue
        at = start + len(piece if data.startswith(piece, start) else piece.removeprefix(b" "))
        yield _token(vocabulary, token, next((owner for owner in whose[start:at] if owner is not None), None))


def _place(data: bytes, at: int, piece: bytes) -> int:
    """Where a piece begins: here, here without the space that a vocabulary adds before the first word, or after white space that a special
    token took; -1 for nowhere."""
    for start in range(at, len(data) + 1):
        if data.startswith(piece, start) or data.startswith(piece.removeprefix(b" "), start):
            return start
        if data[start : start + 1].strip():
            break
    return -1


def _token(vocabulary: Vocabulary, token: int, message: int | None) -> PromptToken:
    text = vocabulary.piece(token, special=True).decode("utf-8", "backslashreplace")
    return PromptToken(id=token, text=text, special=vocabulary.steers(token), message=message)
