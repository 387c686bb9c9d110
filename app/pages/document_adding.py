"""Adding to a collection on the documents page: how far it is, what was refused and why, and passwords that are kept nowhere."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.bridge.operations import Failure, Handle
from app.bridge.screening import count, said_of
from app.pages.page import Shell
from app.pages.refused_files import RefusedFiles, sentence
from app.widgets.banner import Banner
from app.widgets.basic import column
from app.widgets.long_work import LongWork, parted
from core.documents.rebuilding import Rebuild, Rebuilt
from core.documents.records import AddDocuments, AddedDocuments, CuttingChoice, Refusal
from core.documents.refreshing import Refreshed
from core.jobs import Progress

AS_USUAL = CuttingChoice()
IN = "What was read until then is in."
READY = "It is searched as before, and what was made anew until then is kept: it goes on where it was."
SHOWN = 3
"""Refused files that the banner names; the list has all."""


class Adding(QObject):
    """At most one import or refresh runs. `turned` says that one began or ended, `read_again` that what is there changed."""

    turned = Signal()
    read_again = Signal()

    def __init__(self, shell: Shell, banner: Banner, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell, self._banner = shell, banner
        self.handle: Handle | None = None
        self.work = LongWork()
        self.strip = QWidget()
        self.strip.setLayout(column(self.work, margins=(20, 14, 20, 14)))
        self.strip.hide()
        self.work.cancelled.connect(self._stop)
        self._refused: tuple[Refusal, ...] = ()
        self._again: Callable[[list[str]], None] = lambda passwords: None
        self._collection, self._safe = "", IN
        banner.acted.connect(self.show_refused)

    def add(
        self,
        collection: str,
        paths: Sequence[str],
        passwords: Sequence[str] = (),
        cutting: CuttingChoice = AS_USUAL,
    ) -> None:
        """Read files and folders into a collection; `cutting` says how a new one is cut."""
        request = AddDocuments(collection=collection, paths=tuple(paths), cutting=cutting)
        what = Path(paths[0]).name if len(paths) == 1 else f"{len(paths)} files"
        given = tuple(passwords)
        self._again = lambda asked: self.add(collection, paths, asked, cutting)
        self._begin(
            f"Adding “{what}”", collection, lambda bench, job: bench.documents.add(request, job, given), self._added
        )

    def refresh(self, collection: str, follow: Sequence[str] = ()) -> None:
        """Bring a collection in step with its folders, after `follow` joined them, to be watched."""
        folders = tuple(follow)

        def work(bench: Any, job: Any) -> Refreshed:
            if folders:
                bench.watched.begin(collection, folders)
            return bench.watched.refresh(collection, job)

        self._begin(f"Refreshing {collection}", collection, work, self._refreshed)

    def rebuild(self, request: Rebuild, passwords: Sequence[str] = ()) -> None:
        """Make a collection anew, or go on with that."""
        name, given = request.collection, tuple(passwords)
        self._again = lambda asked: self.rebuild(request, asked)
        title = f"Reading {name} again" if request.older else f"Making {name} anew"
        self._begin(title, name, lambda bench, job: bench.rebuilding.rebuild(request, job, given), self._rebuilt)
        self.work.note("It is searched as before until all is ready")
        self._safe = READY

    def show_refused(self) -> None:
        """List the files that the last import refused."""
        form = RefusedFiles(self._collection, self._refused)
        form.cancelled.connect(self._shell.close_overlay)
        form.saved.connect(lambda name: self._shell.toast(f"The list is in {name}"))

        def act() -> None:
            passwords = form.take_secrets()
            shut = form.shut
            self._shell.close_overlay()
            if shut and self.handle is None:
                self._again(passwords)

        form.acted.connect(act)
        self._shell.open_dialog(form, 680)

    def _begin(self, title: str, collection: str, work: Callable[[Any, Any], Any], done: Callable[[Any], None]) -> None:
        self._collection, self._safe = collection, IN
        self.strip.show()
        self._banner.hide()
        to = "" if collection in title else f" to {collection}"
        self.work.begin(f"{title}{to}", "You can ask what is in already")
        self.handle = self._shell.operations.run(title, work, done, self._failed, self._stopped, shown=True)
        self.handle.progress.connect(self._say)
        self.turned.emit()

    def _say(self, progress: Progress) -> None:
        """Files, pages, chunks and the time left."""
        self.work.say(progress.done, progress.total, progress.unit, progress.note)
        if said := parted(progress.note)[0]:
            self.work.note(f"{said} are in and can be asked")

    def _added(self, found: AddedDocuments) -> None:
        screened = said_of(found)
        rest = f"The other {found.added + found.unchanged:,} are in."
        if not found.added and not found.unchanged:
            rest = "" if found.held else "Nothing else was there to read."
        words = f"{count(found.added, 'document')} added" if found.added else ""
        if not words and not screened:
            words = "Nothing new: everything was in already"
        self._tell(found.refused, rest, ". ".join(part for part in (words, screened) if part), screened)

    def _refreshed(self, found: Refreshed) -> None:
        self._again = lambda asked: self.add(found.collection, found.folders, asked)
        new = found.added - found.replaced
        parts = [
            (new, "new"), (found.replaced, "changed"), (found.renamed, "renamed"), (found.removed, "gone"),
        ]  # fmt: skip
        said = ", ".join(f"{number:,} {word}" for number, word in parts if number)
        words = (
            f"{said[:1].upper()}{said[1:]}" if said else f"Nothing changed; {count(found.unchanged, 'file')} as before"
        )
        held = f"A legal hold keeps {', '.join(found.held)} in search." if found.held else ""
        self._tell(found.refused, f"{words}.", ". ".join(part for part in (words, held.rstrip(".")) if part), held)

    def _rebuilt(self, found: Rebuilt) -> None:
        if not found.done:
            self._tell(found.refused, "It is searched as before; the others are ready.", "", "")
            return
        parts = f"{count(found.documents, 'document')} made anew, {found.unchanged:,} unchanged"
        self._tell((), "", f"{parts}, {count(found.embedded, 'chunk')} embedded", "")

    def _tell(self, refused: tuple[Refusal, ...], rest: str, words: str, safe: str) -> None:
        self._end()
        self._refused = refused
        if refused:
            what = f"{count(len(refused), 'file')} {'was' if len(refused) == 1 else 'were'} refused. {rest}".strip()
            details = [(Path(one.file).name, sentence(one.file, one.reason)) for one in refused[:SHOWN]]
            if len(refused) > SHOWN:
                details.append((f"and {len(refused) - SHOWN} more", ""))
            self._banner.say(what, safe, "Show them", details)
        else:
            self._shell.toast(words)
        self.read_again.emit()

    def _failed(self, found: Failure) -> None:
        self._end()
        self._banner.say(found.sentence, found.safe or self._safe)
        self.read_again.emit()

    def _stopped(self) -> None:
        self._end()
        self._shell.toast(f"Stopped. {self._safe}")
        self.read_again.emit()

    def _stop(self) -> None:
        if self.handle is not None:
            self.handle.cancel()

    def _end(self) -> None:
        self.handle = None
        self.strip.hide()
        self.turned.emit()
