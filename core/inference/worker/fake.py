"""The built-in model `fake`: no weights, always the same answer to the same request.

It answers the same requests as the llama.cpp worker. With numbered passages in the prompt (lines that begin with `[n]`), it quotes the
first sentence of the passage that shares most words with the question, followed by ` [n]`; where none shares a word it says that it can't
tell. Without passages it writes words chosen by a hash of the prompt. A vector is a hashed bag of words. A token is a word or a sign.
"""

import hashlib
import re
import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from core.errors import BadInput, ContextExceeded, Unsupported
from core.inference.records import (
    Complete,
    Count,
    Counted,
    Embed,
    Embedded,
    EmbedTokens,
    Finished,
    Generate,
    Load,
    Message,
    PromptToken,
    PromptTokens,
    Ready,
    ShowTokens,
    Token,
    TokensEmbedded,
)
from core.inference.worker import templates
from core.inference.worker.streaming import Emitter
from core.inference.worker.whole import whole
from core.records import Record
from core.workers.serving import Call, Handler

CONTEXT: Final = 4096
DIMENSIONS: Final = 64
BACKEND: Final = "fake 1"
UNKNOWN: Final = "The passages do not say."
_TOKEN: Final = re.compile(r"\s*(?:\w+|[^\w\s])")
_WORD: Final = re.compile(r"\w+")
_PASSAGE: Final = re.compile(r"^\[(\d+)\][ \t]*(.+(?:\n(?!\[\d+\])[^\n]*\S[^\n]*)*)", re.MULTILINE)
_SENTENCE: Final = re.compile(r".*?[.!?](?=\s|$)", re.DOTALL)
_QUESTION: Final = re.compile(r"^question:\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_COMMON: Final = frozenset(
    "a an and are as at be by can do does for from has have how if in is it may must of on or shall that the this to was what when "
    "where which who why will with within".split()
)
_WORDS: Final = (
    "amber basin cedar delta ember field grove harbour inlet juniper kernel lantern meadow north orchard pebble quarry river stone timber "
    "upland valley willow yarrow"
).split()


def load(request: Load, call: Call) -> Ready:
    """Nothing to load."""
    return Ready(context=CONTEXT, dimensions=DIMENSIONS, backend=BACKEND)


def generate(request: Generate, call: Call) -> Iterator[Token | Finished]:
    """The answer word by word, then `Finished`. Raises `ContextExceeded`, `TemplateError`."""
    began = time.monotonic()
    if request.grammar or request.schema is not None or request.log_probabilities >= 0 or request.tools:
        raise Unsupported(
            source="fake", reason="it follows no grammar, has no probabilities and calls no tools. Choose a chat model."
        )
    messages = _rendered(request)
    prompt = _prompt(messages)
    size = len(_TOKEN.findall(prompt))
    if size + request.max_tokens > CONTEXT:
        raise ContextExceeded(prompt=size, answer=request.max_tokens, window=CONTEXT)
    words = _TOKEN.findall(answer(messages, request.seed if request.temperature > 0 else 0))
    emitter = Emitter(request.stop)
    first, tokens = 0.0, 0
    for word in words[: request.max_tokens]:
        call.check()
        first = first or time.monotonic() - began
        tokens += 1
        if text := emitter.feed(word.encode()):
            yield Token(text=text)
        if emitter.stopped:
            break
    if text := emitter.finish():
        yield Token(text=text)
    yield Finished(
        reason="length" if tokens < len(words) and not emitter.stopped else "stop",
        prompt=prompt,
        prompt_tokens=size,
        tokens=tokens,
        first_token_seconds=first,
        seconds=time.monotonic() - began,
        backend=BACKEND,
    )


def show_tokens(request: ShowTokens, call: Call) -> PromptTokens:
    """Words and signs of the prompt; their numbers come from a hash. Raises `TemplateError`."""
    messages = _rendered(request.request)
    prompt = _prompt(messages)
    owners: list[int | None] = []
    for number, message in enumerate(messages):
        owners += [None] * len(f"{message.role}: ") + [number] * len(message.content) + [None]
    found = []
    for match in _TOKEN.finditer(prompt):
        hashed = int.from_bytes(hashlib.sha256(match[0].encode()).digest()[:2], "big")
        found.append(PromptToken(id=hashed, text=match[0], special=False, message=owners[match.end() - 1]))
    return PromptTokens(prompt=prompt, tokens=tuple(found), window=CONTEXT)


def _rendered(request: Generate) -> tuple[Message, ...]:
    if request.variables is None:
        return request.messages
    return templates.render_messages(request.messages, request.variables)


def _prompt(messages: tuple[Message, ...]) -> str:
    return "".join(f"{message.role}: {message.content}\n" for message in messages)


def answer(messages: tuple[Message, ...], seed: int) -> str:
    """What the model says."""
    text = "\n".join(message.content for message in messages)
    passages = [(int(number), body) for number, body in _PASSAGE.findall(text)]
    if not passages:
        return _invented(text, seed)
    asked = _words(_question(messages))
    number, body = max(passages, key=lambda passage: (len(asked & _words(passage[1])), -passage[0]))
    if not asked & _words(body):
        return UNKNOWN
    body = " ".join(body.split())
    sentence = _SENTENCE.match(body)
    return f"{sentence.group(0) if sentence else body} [{number}]"


def _question(messages: tuple[Message, ...]) -> str:
    """The last line that says "Question: …", or the last line of the last message that belongs to no passage."""
    last = messages[-1].content
    if named := _QUESTION.findall(last):
        return str(named[-1])
    lines = [line for line in _PASSAGE.sub("", last).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower())) - _COMMON


def _invented(text: str, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    return " ".join(_WORDS[byte % len(_WORDS)] for byte in digest[: 8 + digest[0] % 16]).capitalize() + "."


def embed(request: Embed, call: Call) -> Embedded:
    """Hashed bags of words, of signs where there are no words. Raises `BadInput` for a text without either."""
    vectors = np.zeros((len(request.texts), DIMENSIONS), dtype=np.float32)
    for row, text in enumerate(request.texts):
        call.check()
        for word in _WORD.findall(text.lower()) or _TOKEN.findall(text):
            hashed = hashlib.sha256(word.encode()).digest()
            vectors[row, hashed[0] % DIMENSIONS] += 1.0 if hashed[1] & 1 else -1.0
            vectors[row, hashed[2] % DIMENSIONS] += 0.5
        length = float(np.linalg.norm(vectors[row]))
        if length == 0.0:
            raise BadInput(source=f"Text {row + 1}", problem="fake finds no token in it. Leave it out.")
        vectors[row] /= length
    return Embedded(count=len(vectors), dimensions=DIMENSIONS, vectors=vectors.astype("<f4").tobytes())


def embed_tokens(request: EmbedTokens, call: Call) -> TokensEmbedded:
    """Each word's own vector, wherever it stands."""
    words = [_WORD.findall(text.lower()) or _TOKEN.findall(text) for text in request.texts]
    some = tuple(word for found in words for word in found)
    vectors = embed(Embed(texts=some), call).vectors
    return TokensEmbedded(
        counts=tuple(map(len, words)), dimensions=DIMENSIONS, words=bytes([1]) * len(some), vectors=vectors
    )


def count(request: Count, call: Call) -> Counted:
    """Words and signs of each text."""
    return Counted(tokens=tuple(len(_TOKEN.findall(text)) for text in request.texts))


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {
        Load: load,
        Generate: generate,
        Complete: whole(generate),
        Embed: embed,
        EmbedTokens: embed_tokens,
        Count: count,
        ShowTokens: show_tokens,
    }
