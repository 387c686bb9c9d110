"""Two documents, or two versions of one, beside each other: aligned passages, what differs in words, from difference to difference, and export."""

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.bridge import document_comparing as bridge
from app.bridge.screening import count
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.announcing import announce
from app.widgets.basic import Elided, SearchField, column, frame, label, line, row
from app.widgets.beside_text import BesideRow, BesideText
from app.widgets.buttons import Button
from app.widgets.forms import Check
from app.widgets.table import Cell, Column, Table
from core.documents.comparing import Comparison, Row
from core.documents.comparison_report import WORDS, export, place, sides, summary
from core.documents.records import Document
from core.records import Digest

PORTION = 200
"""Rows that are laid out at once: a text of thousands of rows takes seconds."""
ENDINGS = (("html", "As HTML…"), ("txt", "As text…"))


class CompareForm(ActForm):
    """What to compare a document with: `choice` is the chosen one."""

    def __init__(self, name: str, others: tuple[bridge.Other, ...]) -> None:
        self._others = others
        self.find = SearchField("Find a document")
        self.find.textChanged.connect(self._narrow)
        self.table = Table(
            [
                Column("Document", lambda one: Cell(one.name, "history" if one.version else "file")),
                Column("Which", lambda one: Cell(one.what, tone="text.secondary"), 262),
            ],
            "Documents to compare with",
        )
        self.table.setFixedHeight(look().px(34 + 36 * min(max(len(others), 2), 8)))
        super().__init__(
            "Compare",
            "Its earlier versions come first. Passages that are alike are put beside each other; the log says that both were shown.",
            (self.find, self.table),
            title=f"Compare {name} with",
        )
        self._narrow()
        self.setFocusProxy(self.find)

    @property
    def choice(self) -> bridge.Other | None:
        found = self.table.current()
        return found if isinstance(found, bridge.Other) else None

    def check(self) -> str:
        return "" if self.choice is not None else "No document is chosen."

    def _narrow(self) -> None:
        wanted = self.find.text().casefold()
        self.table.show_rows([one for one in self._others if wanted in f"{one.name} {one.what}".casefold()])
        self.table.choose(0)


class ComparisonView(QWidget):
    """`closed` says that the documents are wanted again, `save_asked` gives the path of a file to write."""

    closed = Signal()
    save_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Two documents compared")
        self.found: Comparison | None = None
        self._rows: tuple[Row, ...] = ()
        self._portion = 0
        self.at = -1
        """The row that the person is at."""
        self.back = Button("Back to the documents", "left", "quiet")
        self.back.clicked.connect(self.closed)
        self.export = Button("Export", "save").with_caret()
        menu = QMenu(self.export)
        for ending, words in ENDINGS:
            menu.addAction(words).triggered.connect(lambda _=False, which=ending: self._ask(which))
        self.export.clicked.connect(lambda: menu.popup(self.export.mapToGlobal(self.export.rect().bottomLeft())))
        self.before = Button("Previous", "up", hint="P")
        self.before.setAccessibleName("Previous difference")
        self.after = Button("Next", "down", "primary", hint="N")
        self.after.setAccessibleName("Next difference")
        self.before.clicked.connect(lambda: self.step(-1))
        self.after.clicked.connect(lambda: self.step(1))
        self.same = Check("Show what is the same")
        self.same.setChecked(True)
        self.same.toggled.connect(lambda _: self._choose())
        self._heading = Elided("", type="heading")
        self._count = label("", type="small", tone="secondary", wrap=True)
        self.where = label("", tone="secondary")
        self.text = BesideText()
        head = frame("panel")
        first = row(self.back, space=8)
        first.addWidget(self._heading, 1)
        first.addWidget(self.export)
        second = row(self.same, space=16)
        second.addStretch(1)
        for item in (self.where, self.before, self.after):
            second.addWidget(item)
        head.setLayout(column(first, self._count, second, margins=(16, 8, 16, 8), space=8))
        body = frame("panel")
        inside = column(self.text, margins=(16, 8, 4, 8))
        body.setLayout(inside)
        layout = column(head, line(), body, space=0)
        layout.setStretch(2, 1)
        self.setLayout(layout)

    def show_comparison(self, found: Comparison) -> None:
        """Show one, at its first difference."""
        self.found = found
        self._heading.say(f"{found.first_name} and {found.second_name}")
        self._count.setText(summary(found))
        self._choose()
        self.step(1)

    def step(self, way: int) -> None:
        """Go to the next difference (1) or the one before (-1); none further than the last."""
        places = self._places()
        further = [at for at in places if (at > self.at if way > 0 else at < self.at)]
        if further:
            self._go(further[0] if way > 0 else further[-1])
        self._judge()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_N: 1, Qt.Key.Key_P: -1}
        if event.key() in ways:
            self.step(ways[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _places(self) -> list[int]:
        return [at for at, one in enumerate(self._rows) if one.kind != "same"]

    def _choose(self) -> None:
        rows = self.found.rows if self.found is not None else ()
        here = self._rows[self.at] if 0 <= self.at < len(self._rows) else None
        self._rows = tuple(one for one in rows if one.kind != "same" or self.same.isChecked())
        self.at = -1
        self._lay(0)
        if here in self._rows:
            self._go(self._rows.index(here))
        self._judge()

    def _go(self, at: int) -> None:
        self.at = at
        if at // PORTION != self._portion:
            self._lay(at // PORTION)
        self.text.mark(at % PORTION)
        places = self._places()
        one = self._rows[at]
        words = " ".join(run.text for side in sides(one) for run in side if run.kind != "same") or "the same words"
        announce(self, f"Difference {places.index(at) + 1} of {len(places)}, {WORDS[one.kind].lower()}: {words}")

    def _lay(self, portion: int) -> None:
        self._portion = portion
        if self.found is not None:
            some = self._rows[portion * PORTION : (portion + 1) * PORTION]
            self.text.show_rows((self.found.first_name, self.found.second_name), [_shown(one) for one in some])

    def _judge(self) -> None:
        places = self._places()
        self.where.setText(
            f"Difference {places.index(self.at) + 1:,} of {len(places):,}"
            if self.at in places
            else count(len(places), "difference")
        )
        self.after.refuse("" if any(at > self.at for at in places) else "No difference comes after this one.")
        self.before.refuse("" if any(at < self.at for at in places) else "No difference comes before this one.")

    def _ask(self, ending: str) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Export the comparison", f"comparison.{ending}", f"{ending.upper()} (*.{ending})"
        )
        if path:
            chosen = Path(path)
            self.save_asked.emit(chosen if chosen.suffix.lower() == f".{ending}" else Path(f"{path}.{ending}"))


class DocumentComparison(QObject):
    """Comparing on the documents page. `turned` says that the view is wanted (True) or the documents again; `told` carries a failure."""

    turned = Signal(bool)
    told = Signal(object)

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell = shell
        self.view = ComparisonView()
        self.view.hide()
        self.view.closed.connect(self._close)
        self.view.save_asked.connect(self.save)

    def ask(self, digest: Digest, document: Document) -> None:
        """Ask what a document shall be compared with, then compare."""

        def show(others: tuple[bridge.Other, ...]) -> None:
            form = CompareForm(document.name, others)
            form.acted.connect(lambda: self._compare(form, digest))
            form.cancelled.connect(self._shell.close_overlay)
            self._shell.open_dialog(form, 620)

        self._shell.operations.run(
            "Read the versions",
            lambda bench, job: bridge.others(bench, job, document.collection, document.name, digest),
            show,
            self.told.emit,
        )

    def _compare(self, form: CompareForm, digest: Digest) -> None:
        choice = form.choice
        if choice is None:
            return
        # of two versions the earlier one stands at the left
        first, second = (choice.digest, digest) if choice.version else (digest, choice.digest)
        form.wait("They are being compared.")

        def done(found: Comparison) -> None:
            self._shell.close_overlay()
            self.view.show_comparison(found)
            self.turned.emit(True)
            self.view.after.setFocus()

        handle = self._shell.operations.run(
            f"Comparing with {choice.name}",
            lambda bench, job: bench.comparing.compare(first, second, job),
            done,
            lambda found: form.refuse(found.sentence),
            lambda: form.refuse("Stopped. Nothing was changed."),
            shown=True,
        )
        form.cancelled.connect(handle.cancel)

    def save(self, path: Path) -> None:
        """Write the shown comparison to a file; the log says so."""
        found, every = self.view.found, self.view.same.isChecked()
        if found is None:
            return

        self._shell.operations.run(
            "Export a comparison",
            lambda bench, job: export(bench.vault, found, path, every=every),
            lambda _: self._shell.toast(f"The comparison is in {path.name}"),
            self.told.emit,
        )

    def _close(self) -> None:
        self.turned.emit(False)


def _shown(one: Row) -> BesideRow:
    first, second = (tuple((run.kind, run.text) for run in side) for side in sides(one))
    where = tuple("" if piece is None else place(piece) for piece in (one.first, one.second))
    return BesideRow(WORDS[one.kind], (where[0], where[1]), (first, second))
