"""Long work: its progress, its cancelling, and a queue that runs it beside the window.

A job is cancelled politely: `cancel` raises a flag, and the work meets it at its next `check`. What was recorded before that stays.
Listeners are called on the thread that does the work.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from core.errors import Cancelled
from core.records import Record

T = TypeVar("T")
WORKERS = 8
"""Jobs that run at once; they wait for child processes most of the time."""


class Progress(Record, frozen=True, kw_only=True):
    """How far a job is: `done` of `total` (None while unknown), counted in `unit` ("files", "samples")."""

    title: str
    done: int
    total: int | None
    unit: str
    note: str = ""
    """What else is known, in words: pages, chunks, the time left."""


class Job:
    """One piece of long work as seen by whoever does it (`report`, `check`) and whoever waits (`cancel`)."""

    def __init__(self, title: str, listener: Callable[[Progress], None] | None = None) -> None:
        self.title = title
        self.progress = Progress(title=title, done=0, total=None, unit="")
        self._listener = listener
        self._cancelled = threading.Event()
        self._on_cancel: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def report(self, done: int, total: int | None, unit: str, note: str = "") -> None:
        """Say how far the work is; also a place where cancelling takes effect."""
        self.check()
        self.progress = Progress(title=self.title, done=done, total=total, unit=unit, note=note)
        if self._listener is not None:
            self._listener(self.progress)

    def check(self) -> None:
        """Raise `Cancelled` if somebody asked the work to stop."""
        if self._cancelled.is_set():
            raise Cancelled(what=self.title)

    def cancel(self) -> None:
        """Ask the work to stop. Safe from any thread, more than once."""
        with self._lock:
            self._cancelled.set()
            callbacks, self._on_cancel = self._on_cancel, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` once when the job is cancelled (at once if it is already); returns how to take it back."""
        with self._lock:
            if not self._cancelled.is_set():
                self._on_cancel.append(callback)

                def take_back() -> None:
                    with self._lock:
                        if callback in self._on_cancel:
                            self._on_cancel.remove(callback)

                return take_back
        callback()
        return lambda: None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()


class Visitor(Protocol):
    """Work that somebody does in this process from another one."""

    user: str | None
    code: int | None
    """The exit code, once the work has ended."""

    @property
    def busy(self) -> Job | None:
        """The long work that is under way; None while there is none, or while it waits for its person's answer."""

    def stop(self) -> None:
        """End it politely. Returns at once."""


def nobody() -> Sequence[Visitor]:
    """Where nobody is let in."""
    return ()


class JobQueue:
    """Runs jobs on a few threads, in the order in which they were started."""

    def __init__(self, listener: Callable[[Progress], None] | None = None) -> None:
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="job")
        self._listener = listener
        self._running: dict[int, Job] = {}
        self._lock = threading.Lock()

    def start(self, title: str, work: Callable[[Job], T], job: Job | None = None) -> "Future[T]":
        """Run `work` with a job of that title (or with `job`, when the caller wants to watch it)."""
        its = job or Job(title, self._listener)
        future: Future[T] = self._pool.submit(work, its)
        with self._lock:
            self._running[id(its)] = its
        future.add_done_callback(lambda _: self._forget(its))
        return future

    def running(self) -> list[Job]:
        """The jobs that wait or run, oldest first."""
        with self._lock:
            return list(self._running.values())

    def close(self) -> None:
        """Cancel what runs and wait until it has met its `check`."""
        for job in self.running():
            job.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _forget(self, job: Job) -> None:
        with self._lock:
            self._running.pop(id(job), None)
