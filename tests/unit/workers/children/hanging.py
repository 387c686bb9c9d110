"""The workers of models, whose native code never comes back where a text says so. The watch then ends them in a tenth of a second, not in minutes."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.inference.worker import embedding, legacy, llama, reranking, seeing, vocabulary, watching
from core.models.worker.library import open_library
from core.records import Record
from core.workers.serving import Handler

WORD = "hang"
TOKENS = 40
"""A row of more tokens hangs."""
LOADING, MEASURING = "hangs-loading", "hangs-measuring"
"""Files of these names hang."""
NEVER = 2**60


def never_comes_back() -> None:
    """As native code would, with Python's other threads going on."""
    watching.WATCH._most = 10
    while True:
        ctypes.CDLL(None).usleep(10_000)


def patient() -> None:
    """Until something hangs, the watch ends nothing, however slow the machine is."""
    watching.WATCH._pause, watching.WATCH._most = 0.01, NEVER


def handlers() -> dict[type[Record], Handler]:
    patient()
    for owner, name in (
        (embedding._Lane, "vector"),
        (embedding._OnnxLane, "vector"),
        (reranking._Lane, "score"),
        (reranking._OnnxLane, "score"),
    ):
        _replace(owner, name, lambda given, *rest: len(given[0] if isinstance(given, tuple) else given) > TOKENS)
    _replace(vocabulary.Vocabulary, "count", lambda text: text == WORD)
    decoded = seeing.decoded

    def looked_at(number: int, data: bytes) -> tuple[bytes, int, int]:
        if data == WORD.encode():
            never_comes_back()
        return decoded(number, data)

    seeing.decoded = looked_at
    library = open_library()
    read, decode = library.llama_model_load_from_file, library.llama_decode

    def opened(path: bytes, settings: Any) -> Any:
        if Path(os.fsdecode(path)).stem == (MEASURING if settings.no_alloc else LOADING):
            never_comes_back()
        return read(path, settings)

    def decoding(context: Any, batch: Any) -> Any:
        if batch.n_tokens > TOKENS:
            never_comes_back()
        return decode(context, batch)

    library.llama_model_load_from_file, library.llama_decode = opened, decoding
    return llama.handlers()


def _replace(owner: type, name: str, hangs: Callable[..., bool]) -> None:
    usual = getattr(owner, name)

    def method(self: Any, *given: Any, **named: Any) -> Any:
        if hangs(*given):
            never_comes_back()
        return usual(self, *given, **named)

    setattr(owner, name, method)


class SlowLibrary:
    """The library of old files, which never comes back from tokenizing `WORD`."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        usual = getattr(self._library, name)
        if not name.endswith("_tokenize"):
            return usual

        def tokenize(handle: Any, data: bytes, *rest: Any) -> int:
            if data == WORD.encode():
                never_comes_back()
            return int(usual(handle, data, *rest))

        return tokenize


def legacy_handlers() -> dict[type[Record], Handler]:
    patient()
    usual = legacy._library
    legacy._library = lambda: SlowLibrary(usual())
    return legacy.handlers()
