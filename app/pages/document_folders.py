"""The folders of a collection: chosen, watched, paused, looked at now; what changed in them, and what is gone from them and stays readable."""

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge.folder_watch import FolderWatch, Sight, Standing, standing
from app.bridge.screening import count
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.announcing import announce
from app.widgets.basic import Card, IconLabel, clear, column, label, row
from app.widgets.buttons import Button
from app.widgets.table import Cell, Column, Table
from core.documents.records import Document
from core.documents.watched import Following
from core.documents.watching import EVERY
from core.records import Digest

NONE = "None yet. Watch one, and what is new or changed in it is read by itself."
NOT_ALLOWED = "Only somebody who may add and remove documents may do this."
Gone = tuple[Digest, Document, str]


def clock(time: str) -> str:
    """A time of day here, with the date where it isn't today's."""
    here = datetime.fromisoformat(time).astimezone()
    today = datetime.now().astimezone().date()
    return f"{here:%H:%M}" if here.date() == today else f"{here.day} {here:%B}, {here:%H:%M}"


def said(following: Following, sight: Sight) -> tuple[str, str, str]:
    """How the watching stands: a sentence, the name of its icon, and the tone of that."""
    if not following.folders:
        return "", "", ""
    if not following.watched:
        return "Not watched. What changes is read when you look.", "hidden", "text.tertiary"
    if not following.may:
        return "Watched while somebody who may add and remove documents has the vault open.", "shown", "text.secondary"
    if sight.busy:
        return "Watched. What changed is being read.", "again", "info.fg"
    if sight.problem:
        return f"Watched, but nothing can be read now. {sight.problem}", "alert", "warn.fg"
    if not sight.looked:
        return f"Watched every {EVERY:.0f} seconds. Not looked at yet.", "shown", "text.secondary"
    if sight.waiting:
        return (
            f"Watched. {count(sight.waiting, 'file')} changed, to be read as soon as nothing writes to them.",
            "again",
            "info.fg",
        )
    return f"Watched. Looked at {clock(sight.looked)}; nothing is new.", "check", "pass.fg"


class Folders(Card):
    """The card. `added` gives another folder to watch, `refreshed` asks for a look now, `left` that none is followed, `read` for an old version."""

    added = Signal(str)
    refreshed = Signal()
    left = Signal()
    read = Signal(str)

    def __init__(self, shell: Shell, watch: FolderWatch, parent: QWidget | None = None) -> None:
        super().__init__("Folders")
        self._shell, self._watch, self._collection = shell, watch, ""
        self._standing = Standing(Following(), ())
        self._refusal = ""
        self._list = column(space=4)
        self._icon = IconLabel("shown")
        self._said = label("", type="small", tone="secondary", wrap=True)
        state = row(self._icon, space=6)
        state.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop)
        state.addWidget(self._said, 1)
        self._state = QWidget()
        self._state.setLayout(state)
        self._changes = label("", type="small", tone="secondary", wrap=True)
        self.refresh = Button("Look now", "again")
        self.turn = Button("Pause", kind="quiet")
        self.follow = Button("Watch a folder", "folder-plus", "quiet")
        self.leave = Button("Stop following", kind="quiet")
        self.gone = Button("", kind="link")
        self.refresh.clicked.connect(self.refreshed)
        self.turn.clicked.connect(self._turn)
        self.follow.clicked.connect(self._choose)
        self.leave.clicked.connect(self.left)
        self.gone.clicked.connect(self._list_gone)
        self.body.addLayout(self._list)
        for part in (self._state, self._changes):
            self.body.addWidget(part)
        self.body.addLayout(row(self.gone, None))
        self.body.addLayout(row(self.refresh, self.turn, None, margins=(0, 4, 0, 0)))
        self.body.addLayout(row(self.follow, None))
        self.body.addLayout(row(self.leave, None))
        watch.turned.connect(self._turned)
        self.hide()

    def show_collection(self, name: str) -> None:
        """Read how another collection stands, or the same one again."""
        self._collection = name
        if not name:
            self.hide()
            return

        def show(found: Standing) -> None:
            if name == self._collection:
                self._standing = found
                self._say()

        self._shell.operations.run("Read the folders", lambda bench, job: standing(bench, name), show, lambda _: None)

    def refuse(self, reason: str) -> None:
        """Why nothing can be done now; empty where it can."""
        self._refusal = reason
        self._say()

    def _say(self) -> None:
        following, sight = self._standing.following, self._watch.sight(self._collection)
        clear(self._list)
        for one in following.folders or (NONE,):
            self._list.addWidget(label(one, type="small", tone="secondary", wrap=True))
        words, icon, tone = said(following, sight)
        self._state.setVisible(bool(words))
        if icon == "alert" and words != self._said.text():
            announce(self, words)
        self._said.setText(words)
        if words:
            self._icon.show_icon(icon, tone)
        changes = following.changes
        self._changes.setText(f"Last change {clock(changes.time)}: {changes.said}." if changes else "")
        self._changes.setVisible(changes is not None)
        refused = len(sight.last.refused) if sight.last else 0
        if refused:
            self._changes.setText(f"{self._changes.text()} {count(refused, 'file')} refused.".strip())
            self._changes.show()
        gone = len(self._standing.gone)
        self.gone.setText(f"{count(gone, 'document')} no longer searched")
        self.gone.setAccessibleName(self.gone.text())
        self.gone.setVisible(bool(gone))
        for act in (self.refresh, self.turn, self.leave):
            act.setVisible(bool(following.folders))
        self.turn.setText("Pause" if following.watched else "Watch")
        self.turn.setAccessibleName("Pause the watching" if following.watched else "Watch these folders")
        refusal = self._refusal or ("" if following.may else NOT_ALLOWED)
        for act in (self.refresh, self.turn, self.follow, self.leave):
            act.refuse(refusal or ("They are being read already." if sight.busy and act is self.refresh else ""))
        self.show()

    def _turned(self, collection: str) -> None:
        if collection == self._collection:
            self.show_collection(collection)

    def _turn(self) -> None:
        name, watched = self._collection, self._standing.following.watched

        def work(bench: object, job: object) -> None:
            watching = bench.watched  # type: ignore[attr-defined]
            (watching.pause if watched else watching.begin)(name)

        def done(_: None) -> None:
            self._watch.forget(name)
            self.show_collection(name)
            if not watched:
                self._watch.look()

        self._shell.operations.run("Pause the watching" if watched else "Watch the folders", work, done)

    def _choose(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Watch a folder")
        if found:
            self.added.emit(found)

    def _list_gone(self) -> None:
        form = GoneDocuments(self._collection, self._standing.gone)
        form.cancelled.connect(self._shell.close_overlay)

        def read() -> None:
            chosen = form.table.current()
            self._shell.close_overlay()
            if chosen is not None:
                self.read.emit(chosen[0])

        form.acted.connect(read)
        self._shell.open_dialog(form, 640)


class GoneDocuments(ActForm):
    """What was taken out of a collection. `acted` says that the chosen one shall be read."""

    def __init__(self, collection: str, gone: Sequence[Gone]) -> None:
        name: Callable[[Gone], Cell] = lambda one: Cell(one[1].name, "file", icon_tone="text.secondary")  # noqa: E731
        self.table = Table(
            [
                Column("Document", name),
                Column("Taken out", lambda one: Cell(clock(one[2]), tone="text.secondary"), 170),
            ],
            "Documents that are no longer searched",
        )
        self.table.setFixedHeight(look().px(min(34 + 36 * max(len(gone), 1), 320)))
        super().__init__(
            "Read it",
            "Their files are gone, or somebody took them out. They can’t be found any more, and stay readable for the answers that cite them.",
            parts=(self.table,),
            title=f"No longer searched in {collection}",
        )
        self.cancel.setText("Close")
        self.table.opened.connect(lambda _: self.acted.emit())
        self.table.show_rows(tuple(gone))
        self.table.choose(0)
        self.setFocusProxy(self.table)
