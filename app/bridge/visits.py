"""The work that people do from other processes in the vault that this window has open, among the window's own jobs.

It is looked at, a few times a second, on the UI thread: a command that is over before the next look leaves no row. One that waits for its
person's answer is no work, and keeps no vault open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import Cancelled
from core.jobs import Progress, Visitor, nobody

LOOK_EVERY = 300
"""Milliseconds."""
WAITS = "waits for an answer there"


@dataclass(frozen=True)
class JobNews:
    """How a job stands, for the tray: `state` is "running", "done", "failed" or "stopped"."""

    number: int
    title: str
    state: str
    words: str = ""
    share: float | None = None


def running(number: int, title: str, progress: Progress) -> JobNews:
    """How far a job is."""
    share = progress.done / progress.total if progress.total else None
    words = f"{progress.done:,} of {progress.total:,}" if progress.total is not None else f"{progress.done:,}"
    words = f"{words} {progress.unit}".rstrip()
    return JobNews(number, title, "running", f"{words}, {progress.note}" if progress.note else words, share)


@dataclass
class _Seen:
    number: int
    visitor: Visitor
    title: str
    told: JobNews


class Visits(QObject):
    """`changed` carries `JobNews`, with numbers below 0."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._visitors: Callable[[], Sequence[Visitor]] = nobody
        self._seen: dict[int, _Seen] = {}
        self._numbers = 0
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY)
        self._timer.timeout.connect(self.look)

    def begin(self, visitors: Callable[[], Sequence[Visitor]]) -> None:
        """Look at these from now on."""
        self._visitors = visitors
        self._timer.start()

    def end(self) -> None:
        """The vault is being locked; nothing is told any more."""
        self._timer.stop()
        self._visitors = nobody
        self._seen.clear()

    def busy(self) -> tuple[str, ...]:
        """The titles of what is under way now."""
        return tuple(_title(one) for one in self._visitors() if one.busy is not None)

    def cancel(self, number: int) -> None:
        """Ask the work of that number to stop, if it is one of these."""
        if number in self._seen:
            self._seen[number].visitor.stop()

    def look(self) -> None:
        """See who is at work; the timer does it."""
        known = {id(seen.visitor) for seen in self._seen.values()}
        for visitor in self._visitors():
            job = visitor.busy
            if job is not None and id(visitor) not in known:
                self._numbers -= 1
                title = _title(visitor)
                news = running(self._numbers, title, job.progress)
                self._seen[self._numbers] = _Seen(self._numbers, visitor, title, news)
                self.changed.emit(news)
        for seen in list(self._seen.values()):
            self._follow(seen)

    def _follow(self, seen: _Seen) -> None:
        job = seen.visitor.busy
        if seen.visitor.code is not None:
            del self._seen[seen.number]
            self.changed.emit(JobNews(seen.number, seen.title, _ended(seen.visitor.code)))
            return
        news = JobNews(seen.number, seen.title, "running", WAITS, seen.told.share)
        if job is not None:
            news = running(seen.number, seen.title, job.progress)
        if news != seen.told:
            seen.told = news
            self.changed.emit(news)


def _title(visitor: Visitor) -> str:
    job = visitor.busy
    return f"{job.title if job is not None else 'A command'}, by {visitor.user} at the command line"


def _ended(code: int) -> str:
    if code == Cancelled.exit_code:
        return "stopped"
    return "failed" if code > 1 else "done"
