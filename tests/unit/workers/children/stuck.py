"""A worker whose native code hangs, or runs into a check of llama.cpp's, for the tests."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import nullcontext

from core.inference.worker.computing import Computer
from core.inference.worker.library import context
from core.inference.worker.watching import Watch
from core.models.worker.library import open_library
from core.records import Record
from core.workers.serving import Call, Handler


class Work(Record, frozen=True, kw_only=True):
    """Steps of so many seconds each."""

    steps: tuple[float, ...]


class Done(Record, frozen=True, kw_only=True):
    number: int


class Abort(Record, frozen=True, kw_only=True):
    """Let llama.cpp stop the process, by asking for fewer outputs than sequences."""

    path: str


_computer = Computer(nullcontext(), Watch(1.0))


def work(request: Work, call: Call) -> Iterator[Done]:
    def steps() -> Iterator[int]:
        for number, seconds in enumerate(request.steps):
            ctypes.CDLL(None).usleep(int(seconds * 1_000_000))
            yield number

    for lot in _computer.lots("a", steps(), call):
        for number in lot:
            yield Done(number=number)


def abort(request: Abort, call: Call) -> Done:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(request.path), library.llama_model_default_params())
    context(library, model, "stories", 64, 64, 1, n_seq_max=16, n_outputs_max=1)
    return Done(number=0)


def handlers() -> dict[type[Record], Handler]:
    return {Work: work, Abort: abort}
