"""A model's tokens: text to numbers and back.

Text that a person or a document brought is only ever text. A chat template's own special tokens are parsed, but the same characters inside
a message's content are not: `guard` puts a mark, a character that occurs nowhere else, after the first character of each, and `tokens`
cuts at the marks and drops them, so that no special token can form across a cut. A content without such characters gives exactly the
tokens that it would give otherwise.
"""

import ctypes
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from types import ModuleType
from typing import Any, Final

from core.errors import BadInput

_MARKS: Final = (*range(0xFDD0, 0xFDF0), *range(0xE000, 0xF8FF))
_MARKUP: Final = re.compile(r"[<\[].*[>\]]", re.DOTALL)
_PIECE: Final = 256
_ANCHORS: Final = ("\n", "\x02", "~")


class Vocabulary:
    """The vocabulary of a loaded model."""

    def __init__(self, library: ModuleType, model: Any) -> None:
        self._library = library
        self._vocab = library.llama_model_get_vocab(model)
        self.handle = self._vocab
        """llama.cpp's own."""
        self.size: int = library.llama_vocab_n_tokens(self._vocab)
        self.starts: bool = library.llama_vocab_get_add_bos(self._vocab)
        """Whether the model wants its first token before every text."""
        self.first: int = library.llama_vocab_bos(self._vocab)
        self.last: int = library.llama_vocab_eos(self._vocab)
        self._special: re.Pattern[str] | None = None

    def text(self, token: int) -> str:
        """How a special token is written; empty where the model has none."""
        if token < 0:
            return ""
        found: bytes | None = self._library.llama_vocab_get_text(self._vocab, token)
        return (found or b"").decode("utf-8", "replace")

    def ends(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""
        return bool(self._library.llama_vocab_is_eog(self._vocab, token))

    def steers(self, token: int) -> bool:
        """Whether it is one of the tokens that no text of a person may become."""
        library = self._library
        kind = library.llama_vocab_get_attr(self._vocab, token)
        if kind & (library.LLAMA_TOKEN_ATTR_CONTROL | library.LLAMA_TOKEN_ATTR_UNKNOWN):
            return True
        return bool(kind & library.LLAMA_TOKEN_ATTR_USER_DEFINED and _MARKUP.fullmatch(self.text(token)))

    def piece(self, token: int, special: bool = False) -> bytes:
        """The bytes that a token stands for; of a special one nothing, or with `special` its name."""
        buffer = ctypes.create_string_buffer(_PIECE)
        size = self._library.llama_token_to_piece(self._vocab, token, buffer, _PIECE, 0, special)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = self._library.llama_token_to_piece(self._vocab, token, buffer, -size, 0, special)
        return buffer.raw[: max(size, 0)]

    def plain(self, text: str) -> list[int]:
        """Tokens of a text with what the model adds around it; nothing in it is special."""
        return self._tokenize(text, add=True, parse=False)

    def bare(self, text: str) -> list[int]:
        """Tokens of a text that goes on from another: nothing is added, nothing in it is special.

        Some vocabularies put a space before whatever they see first, so the text is read behind an anchor that no token bridges."""
        for anchor in _ANCHORS:
            before = self._tokenize(anchor, add=False, parse=False)
            found = self._tokenize(anchor + text, add=False, parse=False)
            if before and found[: len(before)] == before:
                return found[len(before) :]
        return self._tokenize(text, add=False, parse=False)

    def count(self, text: str) -> int:
        """How many tokens `plain` gives."""
        data = text.encode("utf-8", "replace")
        return -int(self._library.llama_tokenize(self._vocab, data, len(data), None, 0, True, False))

    def tokens(self, text: str, mark: str) -> list[int]:
        """Tokens of a rendered prompt: special tokens are parsed, cut at each `mark`. The model's first token stands before them once."""
        found = [token for part in text.split(mark) for token in self.pieces(part)]
        if self.starts and self.first >= 0 and found[:1] != [self.first]:
            found.insert(0, self.first)
        return found

    def begun(self, ids: Sequence[int]) -> list[int]:
        """Tokens that somebody else made of a text, with the model's first token before them if it wants one. Raises `BadInput`."""
        if not ids or not all(0 <= token < self.size for token in ids):
            raise BadInput(source="The tokens", problem=f"give one or more numbers from 0 to {self.size - 1}.")
        return list(ids) if not self.starts or self.first < 0 or ids[0] == self.first else [self.first, *ids]

    def written(self, ids: Sequence[int]) -> str:
        """The text that tokens stand for."""
        return b"".join(self.piece(token) for token in self.begun(ids)).decode("utf-8", "replace")

    def pieces(self, text: str) -> list[int]:
        """Tokens of a part of a rendered prompt: special tokens are parsed, nothing is added."""
        return self._tokenize(text, add=False, parse=True)

    def guard(self, content: str, mark: str) -> str:
        """A content in which no special token is whole any more, for `tokens`."""
        return self._specials().sub(lambda match: match.group(1) + mark, content)

    def _specials(self) -> re.Pattern[str]:
        if self._special is None:
            names = sorted({name for name in self._special_names() if len(name) > 1}, key=len, reverse=True)
            self._special = re.compile(f"(?={'|'.join(map(re.escape, names))})(.)" if names else r"(?!)(.)", re.DOTALL)
        return self._special

    def _special_names(self) -> Iterator[str]:
        return (self.text(token) for token in range(self.size) if self.steers(token))

    def _tokenize(self, text: str, add: bool, parse: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 16
        buffer = (self._library.llama_token * room)()
        count = self._library.llama_tokenize(self._vocab, data, len(data), buffer, room, add, parse)
        if count < 0:
            buffer = (self._library.llama_token * -count)()
            count = self._library.llama_tokenize(self._vocab, data, len(data), buffer, -count, add, parse)
        return list(buffer[:count])


def free_mark(texts: Iterable[str]) -> str:
    """A character that occurs in none of the texts (noncharacters first, then private ones)."""
    used = set(chain.from_iterable(texts))
    return next(chr(code) for code in _MARKS if chr(code) not in used)
