"""Runs the core's operations off the UI thread and brings what they give back onto it. The only file of the window with threads.

A page calls `run` with work that takes the workbench and a job; it gets back a handle, and later `done` with the result, or `failed` with one
sentence. `stream` does the same for work that gives its result piece by piece: the pieces come in batches, at most 30 times a second.
Progress comes at most 20 times a second. Cancelling is quiet: `stopped` is called, and no error is shown. What belonged to a vault
that was locked meanwhile is dropped. `changed` repeats the vault's events on the UI thread.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from core.errors import AssayError, Cancelled
from core.jobs import Job, JobQueue, Progress

if TYPE_CHECKING:
    from core.workbench import Workbench

T = TypeVar("T")
P = TypeVar("P")
PROGRESS_EVERY = 1 / 20
BATCH_EVERY = 1 / 30
log = logging.getLogger("assay.window")


@dataclass(frozen=True)
class Failure:
    """What a person is told. `error` is there for pages that answer to a kind of error; `known` says whether the sentence is the core's."""

    sentence: str
    error: BaseException
    known: bool

    @property
    def safe(self) -> str:
        """What is safe, where the core's sentence doesn't say it."""
        return "" if self.known else "What was recorded is kept. Lock the vault and open it again if this comes back."


def failure(error: BaseException) -> Failure:
    """An error as it is told: the core's own sentence, or a general one that holds nothing of the content."""
    if isinstance(error, AssayError):
        return Failure(str(error), error, known=True)
    return Failure(f"Assay met an error of its own ({type(error).__name__}).", error, known=False)


class Handle(QObject):
    """Work that was started. `progress` carries a `core.jobs.Progress`; `ended` comes last, whatever happened."""

    progress = Signal(object)
    ended = Signal()

    def __init__(self, number: int, title: str, job: Job) -> None:
        super().__init__()
        self.number, self.title, self._job = number, title, job
        self.running = True

    def cancel(self) -> None:
        """Ask the work to stop; what was recorded until then stays."""
        self._job.cancel()


@dataclass(frozen=True)
class JobNews:
    """How a job stands, for the tray: `state` is "running", "done", "failed" or "stopped"."""

    number: int
    title: str
    state: str
    words: str = ""
    share: float | None = None


class _Batch(Generic[P]):
    """Pieces on their way to the UI thread; a delivery is asked for when the first of a batch comes in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: list[P] = []
        self._asked = False

    def add(self, piece: P) -> bool:
        """Keep a piece; says whether a delivery must be asked for."""
        with self._lock:
            self._pieces.append(piece)
            ask, self._asked = not self._asked, True
            return ask

    def take(self) -> list[P]:
        with self._lock:
            pieces, self._pieces = self._pieces, []
            self._asked = False
            return pieces


class Operations(QObject):
    """The bridge of one window. `failed` carries a `Failure` that no caller wanted; `jobs_changed` carries `JobNews`."""

    changed = Signal(object)
    failed = Signal(object)
    jobs_changed = Signal(object)
    _arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._queue = JobQueue()
        self._workbench: Workbench | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._handles: dict[int, Handle] = {}
        self._numbers = 0
        self._generation = 0
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def workbench(self) -> "Workbench | None":
        """The open vault's services, for records that are at hand at once; whatever may wait goes through `run`."""
        return self._workbench

    def attach(self, workbench: "Workbench") -> None:
        """Use an opened workbench from now on."""
        self._workbench = workbench
        self._unsubscribe = workbench.events.subscribe(self._changed)

    def detach(self) -> "Workbench | None":
        """Let go of the workbench: cancel what runs, drop what is on its way; the caller closes it."""
        self._generation += 1
        for handle in list(self._handles.values()):
            handle.cancel()
            self._forget(handle, shown=False, state="stopped", words="")
            handle.deleteLater()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        workbench, self._workbench = self._workbench, None
        return workbench

    def close(self) -> None:
        """Cancel everything and wait for it; the end of the program."""
        self._generation += 1
        self._queue.close()

    def running(self) -> int:
        """How many jobs wait or run."""
        return len(self._handles)

    def cancel(self, number: int) -> None:
        handle = self._handles.get(number)
        if handle is not None:
            handle.cancel()

    def run(
        self,
        title: str,
        work: "Callable[[Workbench, Job], T]",
        done: Callable[[T], None],
        failed: Callable[[Failure], None] | None = None,
        stopped: Callable[[], None] | None = None,
        shown: bool = False,
    ) -> Handle:
        """Run `work` with the workbench; `shown` puts it into the tray of jobs. Without `failed`, the window's banner tells."""
        workbench = self._workbench
        if workbench is None:
            raise RuntimeError("no vault is open")
        return self.run_alone(title, lambda job: work(workbench, job), done, failed, stopped, shown)

    def run_alone(
        self,
        title: str,
        work: Callable[[Job], T],
        done: Callable[[T], None],
        failed: Callable[[Failure], None] | None = None,
        stopped: Callable[[], None] | None = None,
        shown: bool = False,
    ) -> Handle:
        """Run work that needs no vault: opening one, checking a pack."""
        generation = self._generation
        handle, job = self._begin(title, shown)

        def task(job: Job) -> None:
            try:
                result = work(job)
            except Cancelled:
                self._send(generation, lambda: self._end(handle, shown, "stopped", stopped))
            except BaseException as error:  # noqa: BLE001 (whatever it is, the person is told on the UI thread)
                self._send(generation, lambda found=error: self._fail(handle, shown, found, failed))
            else:
                self._send(generation, lambda: self._finish(handle, shown, result, done))

        self._queue.start(title, task, job)
        return handle

    def stream(
        self,
        title: str,
        work: "Callable[[Workbench, Job], Iterator[P]]",
        parts: Callable[[list[P]], None],
        done: Callable[[], None],
        failed: Callable[[Failure], None] | None = None,
        stopped: Callable[[], None] | None = None,
        shown: bool = False,
    ) -> Handle:
        """Run work that gives pieces; `parts` gets them in order and in batches, the last before `done`."""

        def through(workbench: "Workbench", job: Job, watch: Callable[[P], None]) -> None:
            for piece in work(workbench, job):
                job.check()
                watch(piece)

        return self.watch(title, through, parts, lambda _: done(), failed, stopped, shown)

    def watch(
        self,
        title: str,
        work: "Callable[[Workbench, Job, Callable[[P], None]], T]",
        parts: Callable[[list[P]], None],
        done: Callable[[T], None],
        failed: Callable[[Failure], None] | None = None,
        stopped: Callable[[], None] | None = None,
        shown: bool = False,
    ) -> Handle:
        """Run work that calls back with each piece and returns a result; `parts` gets the pieces as `stream` gives them."""
        batch: _Batch[P] = _Batch()
        generation = self._generation

        def flush() -> None:
            pieces = batch.take()
            if pieces and generation == self._generation:
                parts(pieces)

        def ask() -> None:
            QTimer.singleShot(round(BATCH_EVERY * 1000), self, flush)

        def tell(piece: P) -> None:
            if batch.add(piece):
                self._send(generation, ask)

        def finished(result: T) -> None:
            flush()
            done(result)

        def ended() -> None:
            flush()
            if stopped is not None:
                stopped()

        def told(found: Failure) -> None:
            flush()
            if failed is not None:
                failed(found)
            else:
                self.failed.emit(found)

        return self.run(title, lambda workbench, job: work(workbench, job, tell), finished, told, ended, shown)

    def _begin(self, title: str, shown: bool) -> tuple[Handle, Job]:
        self._numbers += 1
        number, generation = self._numbers, self._generation
        sent = 0.0

        def listen(progress: Progress) -> None:
            nonlocal sent
            moment = time.monotonic()
            last = progress.total is not None and progress.done >= progress.total
            if last or moment - sent >= PROGRESS_EVERY:
                sent = moment
                self._send(generation, lambda: self._progress(handle, shown, progress))

        job = Job(title, listen)
        handle = Handle(number, title, job)
        handle.setParent(self)
        self._handles[number] = handle
        if shown:
            self.jobs_changed.emit(JobNews(number, title, "running"))
        return handle, job

    def _send(self, generation: int, act: Callable[[], None]) -> None:
        self._arrived.emit((generation, act))

    def _deliver(self, news: tuple[int, Callable[[], None]]) -> None:
        generation, act = news
        if generation == self._generation:
            act()

    def _progress(self, handle: Handle, shown: bool, progress: Progress) -> None:
        if not handle.running:
            return
        handle.progress.emit(progress)
        if shown:
            share = progress.done / progress.total if progress.total else None
            words = f"{progress.done:,} of {progress.total:,}" if progress.total is not None else f"{progress.done:,}"
            self.jobs_changed.emit(JobNews(handle.number, handle.title, "running", f"{words} {progress.unit}", share))

    def _finish(self, handle: Handle, shown: bool, result: T, done: Callable[[T], None]) -> None:
        self._forget(handle, shown, "done", "")
        done(result)
        handle.ended.emit()
        handle.deleteLater()

    def _end(self, handle: Handle, shown: bool, state: str, then: Callable[[], None] | None) -> None:
        self._forget(handle, shown, state, "")
        if then is not None:
            then()
        handle.ended.emit()
        handle.deleteLater()

    def _fail(
        self, handle: Handle, shown: bool, error: BaseException, failed: Callable[[Failure], None] | None
    ) -> None:
        found = failure(error)
        if not found.known:
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            spot = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where is not None else "?"
            log.error("%s in %s", type(error).__name__, spot)  # neither message nor content
        self._forget(handle, shown, "failed", found.sentence)
        if failed is not None:
            failed(found)
        else:
            self.failed.emit(found)
        handle.ended.emit()
        handle.deleteLater()

    def _forget(self, handle: Handle, shown: bool, state: str, words: str) -> None:
        handle.running = False
        self._handles.pop(handle.number, None)
        if shown:
            self.jobs_changed.emit(JobNews(handle.number, handle.title, state, words))

    def _changed(self, event: Any) -> None:
        self._send(self._generation, lambda: self.changed.emit(event))
