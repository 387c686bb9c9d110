"""One training worker at work: opened for a base, given its examples and its checkpoint, and listened to.

The worker sees the base's files, its own storage in memory, and what comes through its pipe; it holds no key, and what it sends is kept by
this process alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from core.errors import Unavailable, WorkerFailed
from core.jobs import Job
from core.paths import runtime_folder
from core.records import Record
from core.training.settings import Settings
from core.training.worker.recall import Canary, Plant, Planted
from core.training.worker.records import (
    Encode,
    Encoded,
    Example,
    Foresee,
    GoOn,
    More,
    OpenBase,
    Opened,
    PauseRun,
    Probe,
    Probed,
    Problem,
    TakeCheckpoint,
    Taken,
    Train,
    TrainPart,
)
from core.training.worker.showing import ShowExamples, ShownExample, ShownExamples
from core.workers import addons
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker

AT_ONCE: Final = 500
"""Examples in one message."""
PIECE: Final = 4 * 1024 * 1024
LOT: Final = 1.0
"""Seconds of a run between two places where it can be paused."""
TITLE: Final = "The training worker"
KEPT: Final = "The last checkpoint is kept, and the run can go on from it."


class Trainer:
    """A worker with a base that is open."""

    def __init__(self, worker: Worker, opened: Opened) -> None:
        self._worker = worker
        self.opened = opened

    def probe(self, settings: Settings, job: Job) -> Probed:
        """What a few steps took."""
        return self._worker.call(Probe(settings=settings), Probed, job)

    def foresee(self, settings: Settings, job: Job) -> Probed:
        """What a run would hold by formula, without its time."""
        return self._worker.call(Foresee(settings=settings), Probed, job)

    def give(self, examples: Sequence[Example], longest: int, job: Job) -> tuple[list[int], int, tuple[Problem, ...]]:
        """Hand examples over. (tokens of each that was kept, tokens that are learned, what is wrong with the others)."""
        lengths: list[int] = []
        learned = 0
        problems: list[Problem] = []
        for start in range(0, len(examples), AT_ONCE):
            some = tuple(examples[start : start + AT_ONCE])
            told = self._worker.call(Encode(examples=some, longest=longest), Encoded, job)
            lengths += told.lengths
            learned += sum(told.learned)
            problems += told.problems
        return lengths, learned, tuple(problems)

    def show(self, examples: Sequence[Example], job: Job) -> tuple[ShownExample, ...]:
        """The examples' tokens, and which of them are learned."""
        return self._worker.call(ShowExamples(examples=tuple(examples)), ShownExamples, job).examples

    def plant(self, canaries: Sequence[Canary], repeats: int, text: bool, job: Job) -> None:
        """Have sentences learned beside the examples. Raises `BadInput` where they don't fit."""
        self._worker.call(Plant(canaries=tuple(canaries), repeats=repeats, text=text), Planted, job)

    def give_checkpoint(self, state: bytes, job: Job) -> None:
        """Hand over what the run goes on from."""
        for start in range(0, len(state), PIECE):
            piece = TakeCheckpoint(at=start, size=len(state), data=state[start : start + PIECE])
            self._worker.call(piece, Taken, job)

    def parts(self, request: Record, job: Job, pausing: Callable[[], bool] = lambda: False) -> Iterator[TrainPart]:
        """The run, which ends at its present step, with a checkpoint, soon after `pausing` says so. Raises as the worker does; a worker that died
        says that the checkpoint is kept."""
        asked: Record | None = replace(request, lot=LOT) if isinstance(request, Train) else request
        try:
            while asked is not None:
                more = False
                parts: Iterator[TrainPart] = self._worker.stream(asked, TrainPart, job)
                for part in parts:
                    if isinstance(part, More):
                        more = True
                    else:
                        yield part
                asked = (PauseRun() if pausing() else GoOn(lot=LOT)) if more else None
        except WorkerFailed as error:
            raise WorkerFailed(worker=TITLE, reason=str(error.fields.get("reason", "it ended")), safe=KEPT) from error


@contextmanager
def trainer(supervisor: Supervisor, request: OpenBase, memory: int, job: Job) -> Iterator[Trainer]:
    """A worker for the block. Raises `Unavailable` where the training libraries aren't installed, and as `OpenBase`'s handler."""
    check_installed()
    with runtime_folder("training") as folder:
        spec = WorkerSpec(
            module="core.training.worker.training",
            readable=(request.path,),
            writable=(str(folder),),
            hidden=(str(folder),),
            imports=imports(),
            memory=memory,
            title=TITLE,
        )
        with supervisor.start(spec, job) as worker:
            yield Trainer(worker, worker.call(request, Opened, job))


def check_installed(find: Callable[[str], object] | None = None) -> None:
    """Raises `Unavailable` where a library that training needs isn't there; `Unsupported` or `Damaged` for an add-on that can't be used."""
    missing = _missing(find)
    if missing and not addons.imports(addons.TRAINING):
        raise Unavailable(
            what=f"Training needs {', '.join(missing)}, which aren't installed here",
            step="Install the training add-on (assay addon install FILE), or Assay with its train extra.",
        )


def imports() -> tuple[str, ...]:
    """The add-on's folders that a training worker imports from; none where the libraries are installed with the program."""
    return addons.imports(addons.TRAINING) if _missing() else ()


def _missing(find: Callable[[str], object] | None = None) -> list[str]:
    from importlib.util import find_spec

    return [name for name in ("torch", "transformers", "peft", "accelerate") if (find or find_spec)(name) is None]


def free_memory() -> int:
    """Bytes that are free on this machine; 0 where the system doesn't say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
