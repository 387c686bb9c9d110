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
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.bridge.collecting import collect_on_ui_thread
from app.bridge.visits import JobNews as JobNews
from app.bridge.visits import Visits, running
from core.errors import AssayError, Cancelled
from core.jobs import Job, JobQueue, Progress, nobody

if TYPE_CHECKING:
    from core.vault.sittings import Sitting
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
        self.number, self.title, self.job = number, title, job
        self.running = True

    def cancel(self) -> None:
        """Ask the work to stop; what was recorded until then stays."""
        self.job.cancel()


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


@dataclass
class _Waiting:
    """What belongs to the UI thread of work that runs: nothing of it is ever held by the thread that works, since a widget that is let go
    there would be taken apart there."""

    handle: Handle
    shown: bool
    done: Callable[[Any], None]
    failed: Callable[[Failure], None] | None
    stopped: Callable[[], None] | None
    flush: Callable[[], None] | None = None


@contextmanager
def _gone() -> Iterator[None]:
    """Whoever asked may be a dialog that was closed meanwhile: then nobody is left to be told."""
    try:
        yield
    except RuntimeError as error:
        if "already deleted" not in str(error):
            raise


class Operations(QObject):
    """The bridge of one window. `failed` carries a `Failure` that no caller wanted; `jobs_changed` carries `JobNews`."""

    changed = Signal(object)
    failed = Signal(object)
    jobs_changed = Signal(object)
    _arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        collect_on_ui_thread()
        self._queue = JobQueue()
        self._workbench: Workbench | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = 0
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._visits = Visits(self)
        self._visits.changed.connect(self.jobs_changed)

    @property
    def workbench(self) -> "Workbench | None":
        """The open vault's services, for records that are at hand at once; whatever may wait goes through `run`."""
        return self._workbench

    def sitting(self) -> "Sitting":
        """The open vault's series of signings, which ends with the lock."""
        workbench = self._workbench
        if workbench is None:
            raise RuntimeError("no vault is open")
        return workbench.vault.sitting

    def touch(self) -> None:
        """Somebody is at work: a sitting of signing goes on."""
        sitting = getattr(getattr(self._workbench, "vault", None), "sitting", None)
        if sitting is not None:
            sitting.touch()

    def attach(self, workbench: "Workbench") -> None:
        """Use an opened workbench from now on."""
        self._workbench = workbench
        self._unsubscribe = workbench.events.subscribe(self._changed)
        self._visits.begin(getattr(workbench, "visitors", nobody))

    def detach(self) -> "Workbench | None":
        """Let go of the workbench: cancel what runs, drop what is on its way; the caller closes it."""
        self._visits.end()
        for waiting in list(self._waiting.values()):
            waiting.handle.cancel()
            self._forget(waiting, "stopped", "")
            waiting.handle.deleteLater()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        workbench, self._workbench = self._workbench, None
        return workbench

    def close(self) -> None:
        """Cancel everything and wait for it; the end of the program."""
        self._waiting.clear()
        self._queue.close()

    def running(self) -> int:
        """How many jobs wait or run."""
        return len(self._waiting)

    def busy(self) -> tuple[str, ...]:
        """The titles of the long work that runs, also for other processes: what the tray shows."""
        own = tuple(waiting.handle.title for waiting in self._waiting.values() if waiting.shown)
        return own + self._visits.busy()

    def cancel(self, number: int) -> None:
        self._visits.cancel(number)
        waiting = self._waiting.get(number)
        if waiting is not None:
            waiting.handle.cancel()

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
        number = self._next()
        return self._start(number, title, work, _Waiting(self._handle(number, title), shown, done, failed, stopped))

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
        workbench = self._workbench
        if workbench is None:
            raise RuntimeError("no vault is open")
        return self.watch_alone(
            title, lambda job, tell: work(workbench, job, tell), parts, done, failed, stopped, shown
        )

    def watch_alone(
        self,
        title: str,
        work: Callable[[Job, Callable[[P], None]], T],
        parts: Callable[[list[P]], None],
        done: Callable[[T], None],
        failed: Callable[[Failure], None] | None = None,
        stopped: Callable[[], None] | None = None,
        shown: bool = False,
    ) -> Handle:
        """The same for work that needs no vault."""
        batch: _Batch[P] = _Batch()
        number = self._next()

        def flush() -> None:
            pieces = batch.take()
            if pieces:
                parts(pieces)

        def tell(piece: P) -> None:
            if batch.add(piece):
                self._arrived.emit((number, "pieces", None))

        waiting = _Waiting(self._handle(number, title), shown, done, failed, stopped, flush)
        return self._start(number, title, lambda job: work(job, tell), waiting)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _handle(self, number: int, title: str) -> Handle:
        sent = 0.0

        def listen(progress: Progress) -> None:
            nonlocal sent
            moment = time.monotonic()
            last = progress.total is not None and progress.done >= progress.total
            if last or moment - sent >= PROGRESS_EVERY:
                sent = moment
                self._arrived.emit((number, "progress", progress))

        handle = Handle(number, title, Job(title, listen))
        handle.setParent(self)
        return handle

    def _start(self, number: int, title: str, work: Callable[[Job], Any], waiting: _Waiting) -> Handle:
        self._waiting[number] = waiting
        if waiting.shown:
            self.jobs_changed.emit(JobNews(number, title, "running"))
        arrived = self._arrived

        def task(job: Job) -> None:
            try:
                result = work(job)
            except Cancelled:
                arrived.emit((number, "stopped", None))
            except BaseException as error:  # noqa: BLE001 (whatever it is, the person is told on the UI thread)
                arrived.emit((number, "failed", told(error)))
            else:
                arrived.emit((number, "done", result))

        self._queue.start(title, task, waiting.handle.job)
        return waiting.handle

    def _deliver(self, news: tuple[int, str, Any]) -> None:
        number, what, value = news
        if what == "changed":
            if self._workbench is not None:
                self.changed.emit(value)
            return
        waiting = self._waiting.get(number)
        if waiting is None:
            return
        if what == "progress":
            self._progress(waiting, value)
            return
        if what == "pieces":
            QTimer.singleShot(round(BATCH_EVERY * 1000), self, lambda: self._flush(number))
            return
        self._flush(number)
        self._forget(waiting, what, value.sentence if what == "failed" else "")
        with _gone():
            if what == "done":
                waiting.done(value)
            elif what == "stopped":
                if waiting.stopped is not None:
                    waiting.stopped()
            elif waiting.failed is not None:
                waiting.failed(value)
            else:
                self.failed.emit(value)
        waiting.handle.ended.emit()
        waiting.handle.deleteLater()

    def _flush(self, number: int) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None and waiting.flush is not None:
            waiting.flush()

    def _progress(self, waiting: _Waiting, progress: Progress) -> None:
        handle = waiting.handle
        handle.progress.emit(progress)
        if waiting.shown:
            self.jobs_changed.emit(running(handle.number, handle.title, progress))

    def _forget(self, waiting: _Waiting, state: str, words: str) -> None:
        handle = waiting.handle
        handle.running = False
        self._waiting.pop(handle.number, None)
        if waiting.shown:
            self.jobs_changed.emit(JobNews(handle.number, handle.title, state, words))

    def _changed(self, event: Any) -> None:
        self._arrived.emit((0, "changed", event))


def told(error: BaseException) -> Failure:
    """The failure of an error, and a line in the program's log for one that is a bug: where it was, with neither message nor content."""
    found = failure(error)
    if not found.known:
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        spot = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where is not None else "?"
        log.error("%s in %s", type(error).__name__, spot)
    error.__traceback__ = None  # its frames hold the work's locals
    return found
