"""Looks at the folders of watched collections while a vault is open, off the UI thread, and has what is due refreshed as a job that the tray shows.

A refresh that goes wrong is said on the collection's card and tried again at the next look, without another line in the tray. One that a person
cancels pauses the watching. `hold` keeps everything still while documents are added otherwise. The lock ends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.bridge.operations import Failure, Operations
from core.documents.watching import EVERY

if TYPE_CHECKING:
    from core.documents.records import Document
    from core.documents.refreshing import Refreshed
    from core.documents.watched import Following, Seen
    from core.jobs import Job
    from core.records import Digest
    from core.workbench import Workbench


@dataclass(frozen=True)
class Sight:
    """What is known of a watched collection since the vault was opened."""

    looked: str = ""
    """When its folders were looked at last, RFC 3339; empty before the first time."""
    waiting: int = 0
    """Files that changed and are still being written."""
    busy: bool = False
    problem: str = ""
    last: "Refreshed | None" = None


@dataclass(frozen=True)
class Standing:
    """How a collection stands to its folders, as the vault has it."""

    following: "Following"
    gone: "tuple[tuple[Digest, Document, str], ...]"


def standing(bench: "Workbench", collection: str) -> Standing:
    """Read it."""
    return Standing(bench.watched.following(collection), tuple(bench.documents.gone(collection)))


class FolderWatch(QObject):
    """`turned` names a collection of which something else is known now."""

    turned = Signal(str)

    def __init__(self, operations: Operations, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._operations = operations
        self._sights: dict[str, Sight] = {}
        self._asking = self._held = False
        self._timer = QTimer(self)
        self._timer.setInterval(round(EVERY * 1000))
        self._timer.timeout.connect(self.look)

    def begin(self) -> None:
        """A vault is open."""
        self._timer.start()

    def end(self) -> None:
        """It is being locked, or the window closes: nothing is known any more."""
        self._timer.stop()
        self._sights.clear()
        self._asking = self._held = False

    def hold(self, held: bool) -> None:
        """Whether documents are being added otherwise."""
        self._held = held

    def sight(self, collection: str) -> Sight:
        """What is known of a collection."""
        return self._sights.get(collection, Sight())

    def forget(self, collection: str) -> None:
        """It is watched no more, or anew."""
        self._sights.pop(collection, None)

    def look(self) -> None:
        """Look at all folders now; the timer does it."""
        bench = self._operations.workbench
        if self._asking or self._held or not hasattr(bench, "watched"):
            return
        self._asking = True

        def look(bench: "Workbench", job: "Job") -> "tuple[Seen, ...]":
            return bench.watched.look(job)

        self._operations.run("Look at the folders", look, self._saw, self._missed, self._over)

    def _over(self) -> None:
        self._asking = False

    def _missed(self, found: Failure) -> None:
        self._over()

    def _saw(self, found: "Sequence[Seen]") -> None:
        self._over()
        for seen in found:
            before = self.sight(seen.collection)
            if before.busy:
                continue
            problem = seen.problem or (before.problem if seen.due else "")
            self._keep(
                seen.collection, replace(before, looked=seen.time, waiting=seen.waiting, problem=problem), before
            )
            if seen.due and not self._held:
                self._refresh(seen.collection)

    def _refresh(self, collection: str) -> None:
        before = self.sight(collection)
        self._keep(collection, replace(before, busy=True), before)

        def work(bench: "Workbench", job: "Job") -> "Refreshed":
            return bench.watched.refresh(collection, job)

        def done(found: "Refreshed") -> None:
            self._end(collection, last=found)

        def failed(found: Failure) -> None:
            self._end(collection, problem=found.sentence)

        def stopped() -> None:
            self._end(collection)
            self._operations.run(
                f"Pause the watching of {collection}",
                lambda bench, job: bench.watched.pause(collection),
                lambda _: self.turned.emit(collection),
            )

        self._operations.run(f"Refreshing {collection}", work, done, failed, stopped, shown=not before.problem)

    def _end(self, collection: str, problem: str = "", last: "Refreshed | None" = None) -> None:
        before = self.sight(collection)
        self._keep(
            collection,
            replace(before, busy=False, waiting=0, problem=problem, last=last or before.last),
            before,
        )

    def _keep(self, collection: str, after: Sight, before: Sight) -> None:
        self._sights[collection] = after
        if after != before:
            self.turned.emit(collection)
