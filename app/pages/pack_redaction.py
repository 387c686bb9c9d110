"""Withholding parts of a pack: choose what shall go, see what that takes with it and what can still be worked out, and write another pack.

No vault and no signature is needed: what remains verifies under the signatures that are there. The pack itself is never changed.
"""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QWidget

from app.bridge.operations import Failure
from app.pages.pack_check import fact_row
from app.pages.pack_words import LOST, share_of
from app.pages.page import Shell, scrolled
from app.pages.redaction_work import (
    Choices,
    choices_of,
    preview,
    proposed,
    rows_of,
    scores_of,
    sentences_of,
    warnings_of,
    write,
)
from app.theme.look import look
from app.widgets.announcing import announce
from app.widgets.basic import clear, column, frame, label, line, row
from app.widgets.buttons import button
from app.widgets.drop_zone import DropZone
from app.widgets.empty_state import EmptyState
from app.widgets.forms import Check, Field, line_edit
from app.widgets.giving_way import give_way
from app.widgets.tick_list import TickList
from core.evidence.redaction import Preview, Request
from core.jobs import Job, Progress

PAUSE = 350
"""Milliseconds of quiet before a choice is worked out."""
NOTHING = "Choose on the left what shall go. Here stands what that takes with it, before anything is written."
STAYS = (
    "Criteria, counts, scores, digests, names of signers and times can’t be withheld. The signatures stay valid. Your pack isn’t changed: "
    "a second one is written."
)


class _Group(QWidget):
    """Choices of which any may hold. `turned` says that another holds."""

    turned = Signal()

    def __init__(self, heading: str, note: str = "") -> None:
        super().__init__()
        self._boxes: dict[str, Check] = {}
        self._list = column(space=1)
        layout = column(label(heading, strong=True), space=3)
        if note:
            layout.addWidget(label(note, type="small", tone="tertiary", wrap=True))
        layout.addLayout(self._list)
        self.setLayout(layout)
        self.setAccessibleName(heading)

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        clear(self._list)
        self._boxes = {}
        for name, words in choices:
            box = Check(words)
            box.setAccessibleName(words)
            box.toggled.connect(lambda _: self.turned.emit())
            self._boxes[name] = box
            self._list.addWidget(box)
        self.setVisible(bool(choices))

    def box(self, name: str) -> Check:
        return self._boxes[name]

    def chosen(self) -> tuple[str, ...]:
        return tuple(name for name, box in self._boxes.items() if box.isChecked())


class RedactView(QWidget):
    """`written` gives the path of a redacted pack; `failed` a `Failure`."""

    written = Signal(str)
    failed = Signal(object)

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self.choices: Choices | None = None
        self.told: Preview | None = None
        self._number = 0
        self._asked = 0
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(PAUSE)
        self._typing.timeout.connect(self._work_out)
        whole = row(self._build_left(), line(vertical=True), self._build_right(), space=0)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self.setAccessibleName("Redact a pack")
        self._show_nothing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        give_way(self.left, self.width(), 320, 252)

    def open_pack(self, path: str, data: bytes | None = None) -> None:
        """Take a pack to be redacted."""
        self._forget_work()
        self._title.setText(Path(path).name)
        self._note.setText("Reading")

        def refused(found: Failure) -> None:
            self._note.setText("")
            self._title.setText("" if self.choices is None else Path(self.choices.path).name)
            self.failed.emit(found)

        self._number = self._shell.operations.run_alone(
            "Read a pack", lambda job: choices_of(Path(path), data, job), self._take, refused
        ).number

    def request(self) -> Request:
        """What is chosen now."""
        texts = tuple(part.strip() for part in self.texts.text.split(";") if part.strip())
        return Request(
            fields=self.fields.chosen(),
            samples=self.samples.chosen(),
            tags=self.tags.chosen(),
            documents=self.documents.chosen(),
            kinds=self.kinds.chosen(),
            texts=texts,
        )

    def said(self) -> str:
        """All that the preview says."""
        layouts = (self._fields_said, self._rest, self._warnings)
        found = [layout.itemAt(n).widget() for layout in layouts for n in range(layout.count())]
        return " ".join(widget.accessibleName() for widget in found if widget is not None)

    @property
    def state(self) -> str:
        """How the preview stands, in a sentence."""
        return self._state.text()

    def choose_place(self) -> None:
        """Ask where the redacted pack shall be written, and write it."""
        choices, request = self.choices, self.request()
        if choices is None or self.told is None:
            return
        path, _ = QFileDialog.getSaveFileName(self, "Write the redacted pack", proposed(choices), "Packs (*.pack)")
        if not path:
            return
        out = Path(path if Path(path).suffix else f"{path}.pack")

        def done(made: Path) -> None:
            self._shell.toast(f"Wrote {made.name}. It is being checked.")
            self.written.emit(str(made))

        self._shell.operations.run_alone(
            f"Write {out.name}", lambda job: write(choices, request, out, job), done, self.failed.emit, shown=True
        )

    # working it out

    def _take(self, choices: Choices) -> None:
        self.choices = choices
        self._title.setText(Path(choices.path).name)
        before = f" {choices.withheld:,} fields are withheld in it already." if choices.withheld else ""
        self._note.setText(f"{choices.title}.{before}")
        self.fields.offer(choices.fields)
        self.kinds.offer(choices.kinds)
        self.tags.offer([(tag, f"{tag} ({count:,})") for tag, count in choices.tags])
        self.samples.offer([(name, f"{name}: {words}") for name, words in choices.samples])
        self.documents.offer([(name, name) for name in choices.documents])
        self._within.setVisible(bool(choices.tags or choices.samples))
        self.texts.edit.clear()
        self._options.show()
        self._show_nothing()

    def _turn(self) -> None:
        self.told = None
        self.write_out.refuse("What goes is being worked out.")
        self._typing.start()

    def _work_out(self) -> None:
        self._forget_work()
        choices, request = self.choices, self.request()
        if choices is None:
            return
        if request == Request():
            self._show_nothing()
            return
        self._asked += 1
        asked = self._asked
        self._state.setText("Working out what goes")
        self._busy.show()

        def done(told: Preview) -> None:
            if asked == self._asked:
                self._show(told)

        def refused(found: Failure) -> None:
            if asked == self._asked:
                self._show_nothing(found.sentence)

        def work(job: Job) -> Preview:
            return preview(choices, request, job)

        handle = self._shell.operations.run_alone("Work out a redaction", work, done, refused)
        handle.progress.connect(lambda progress: self._say(asked, progress))
        self._number = handle.number

    def _say(self, asked: int, progress: Progress) -> None:
        """How much of the pack has been read; it is read twice, before and after."""
        if asked == self._asked and (share := share_of(progress)):
            self._state.setText(f"Working out what goes, {share}")

    def _forget_work(self) -> None:
        self._shell.operations.cancel(self._number)
        self._number = 0

    def _stop(self) -> None:
        self._asked += 1
        self._forget_work()
        self._show_nothing("Stopped. Change what is chosen to work it out again.")

    def _show_nothing(self, why: str = "") -> None:
        self.told = None
        self._busy.hide()
        for layout in (self._fields_said, self._rest, self._warnings):
            clear(layout)
        none = self.choices is None
        self._head.setText("What would go" if not none else "")
        self._state.setText(why or NOTHING)
        self._about.hide()
        self._warned.hide()
        self.write_out.refuse("Choose a pack first." if none else why or "Choose first what shall go.")
        self._right.setCurrentWidget(self._none if none else self._page)

    def _show(self, told: Preview) -> None:
        self._show_nothing()
        if not told.openings:
            self._state.setText("The pack holds nothing of that, or it is withheld already.")
            self.write_out.refuse(self._state.text())
            return
        self.told = told
        self._state.setText(f"{told.openings:,} fields would be withheld. {told.left:,} that could be stay open.")
        for name, count in rows_of(told):
            self._fields_said.addWidget(fact_row(name, count))
        for words in sentences_of(told):
            self._rest.addWidget(_said(words))
        lost = scores_of(told)
        self._rest.addWidget(_said(LOST if lost else "Every score could still be worked out again."))
        for name, count in lost:
            self._rest.addWidget(fact_row(name, count))
        for words in warnings_of(told):
            self._warnings.addWidget(_said(words, "primary"))
        self._about.show()
        self._warned.setVisible(bool(told.warnings))
        self.write_out.refuse("")
        warned = f" {len(told.warnings)} warnings." if told.warnings else ""
        announce(self, f"{self._state.text()}{warned}")

    # building

    def _build_left(self) -> QWidget:
        self.drop = DropZone("Drop the pack here", "No vault is needed to redact it", "pack")
        self.drop.dropped.connect(lambda paths: self.open_pack(paths[0]))
        self._title = label("", strong=True, wrap=True)
        self._note = label("", type="small", tone="secondary", wrap=True)
        self.fields = _Group("What shall go", "Everywhere, or only of the samples below.")
        self.kinds = _Group(
            "Fields with personal data", "A rule finds forms, not people: it doesn’t see names or diagnoses."
        )
        self.texts = Field(
            "Fields with these words", line_edit("A name; another name"), "Separate several by semicolons."
        )
        self.texts.edit.textChanged.connect(lambda _: self._turn())  # type: ignore[union-attr]
        self.documents = TickList("What tells of a document", "", "Find a document")
        self._within = label("Only of these samples", type="heading")
        self.tags = _Group("With a tag")
        self.samples = TickList("Samples", "With nothing chosen above, everything of theirs goes.", "Find a sample")
        for part in (self.fields, self.kinds, self.documents, self.tags, self.samples):
            part.turned.connect(self._turn)
        self._options = QWidget()
        self._options.setLayout(
            column(
                self.fields,
                self.kinds,
                self.texts,
                self.documents,
                line(),
                self._within,
                self.tags,
                self.samples,
                space=14,
            )
        )
        self._options.hide()
        inside = QWidget()
        layout = column(self.drop, self._title, self._note, 4, self._options, None, space=6, margins=(12, 12, 12, 16))
        inside.setLayout(layout)
        self.left = QFrame()
        self.left.setProperty("surface", "window")
        outer = column(scrolled(inside), space=0)
        self.left.setLayout(outer)
        self.left.setFixedWidth(look().px(320))
        return self.left

    def _build_right(self) -> QWidget:
        self._head = label("", type="heading")
        self._state = label("", tone="secondary", wrap=True)
        self.stop = button("Cancel", "close", "quiet", small=True)
        self.stop.setAccessibleName("Stop working it out")
        self.stop.clicked.connect(self._stop)
        self._busy = QWidget()
        self._busy.setLayout(row(self.stop, None))
        self._warnings = column(space=6)
        self._warned = QFrame()
        self._warned.setProperty("surface", "warned")
        warned = column(label("Can still be worked out", strong=True), space=6, margins=(14, 12, 14, 12))
        warned.addLayout(self._warnings)
        self._warned.setLayout(warned)
        self._warned.setAccessibleName("Can still be worked out")
        self._fields_said, self._rest = column(space=4), column(space=8)
        self._about = QWidget()
        about = column(space=10)
        about.addLayout(self._fields_said)
        about.addWidget(line())
        about.addLayout(self._rest)
        self._about.setLayout(about)
        inner = column(
            self._head, self._state, self._busy, self._warned, self._about, line(), space=10, margins=(24, 20, 24, 20)
        )
        inner.addWidget(label(STAYS, type="small", tone="secondary", wrap=True))
        inner.addStretch(1)
        inside = QWidget()
        inside.setMaximumWidth(look().px(760))
        inside.setLayout(inner)
        holder = QWidget()
        holder.setLayout(row(inside, space=0))
        holder.layout().setStretch(0, 1)
        holder.layout().addStretch(0)
        self.write_out = button("Write the redacted pack…", "hidden", "primary")
        self.write_out.clicked.connect(self.choose_place)
        foot = frame("panel")
        foot.setLayout(row(None, self.write_out, margins=(24, 12, 24, 12)))
        self._page = frame("panel")
        layout = column(scrolled(holder), line(), foot, space=0)
        layout.setStretch(0, 1)
        self._page.setLayout(layout)
        self.empty = EmptyState(
            "Drop a pack, choose what its reader must not see, and write a second pack without it. The signatures stay valid.",
            "Open a pack…",
            "folder-open",
        )
        self.empty.acted.connect(self._choose)
        none = frame("panel")
        none.setLayout(column(self.empty))
        self._none = none
        self._right = QStackedWidget()
        for widget in (none, self._page):
            self._right.addWidget(widget)
        return self._right

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose the pack", "", "Packs (*.pack *.zip);;All files (*)")
        if path:
            self.open_pack(path)


def _said(words: str, tone: str = "secondary") -> QWidget:
    made = label(words, tone=tone, wrap=True)
    made.setAccessibleName(words)
    return made
