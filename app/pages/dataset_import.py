"""Importing a file into a dataset: what it holds, which column becomes what, and what is wrong with it, before anything is stored."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame

from app.bridge.operations import Failure
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.basic import column, label, row
from app.widgets.buttons import Button
from app.widgets.forms import Check, Choice, Field, line_edit, required
from app.widgets.table import Cell, Column, Table
from core.datasets.files import ReadFile
from core.datasets.records import AddDataset
from core.datasets.worker.forms import FIELDS
from core.datasets.worker.records import ColumnUse

METADATA = "metadata"
OUT = "(left out)"


class ImportForm(QFrame):
    """`asked` gives a request to look at the file in another way, `taken` the one to store, `left` says that nothing shall be done."""

    asked = Signal(object)
    taken = Signal(object)
    left = Signal()

    def __init__(self, path: str, name: str = "") -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Import samples")
        self._path = path
        self._columns: dict[str, str] = {}
        self.name = Field(
            "Dataset",
            line_edit(text=name or Path(path).stem.replace(" ", "-")),
            "Under a known name it becomes the next version.",
            required("Dataset"),
        )
        self.found = label("Reading the file…", tone="secondary", wrap=True)
        self.columns = Table(
            [
                Column("Column", lambda use: Cell(use.name), 150),
                Column("Becomes", lambda use: Cell(use.field or OUT, tone="text.secondary"), 120),
                Column("For example", lambda use: Cell(" ".join(use.example.split()), tone="text.tertiary")),
            ],
            "Columns of the file",
        )
        self.columns.setFixedHeight(look().px(142))
        self.columns.chosen.connect(self._offer)
        self.field = Choice()
        self.field.setAccessibleName("What the chosen column becomes")
        self.field.addItems([*FIELDS, OUT])
        self.field.activated.connect(self._map)
        self.samples = Table(
            [
                Column("Sample", lambda one: Cell(one.id, mono=True, tone="text.tertiary"), 84),
                Column("Input", lambda one: Cell(" ".join(one.input.split()), second=_answer(one))),
            ],
            "The first samples",
            height=52,
        )
        self.samples.setFixedHeight(look().px(86))
        self.problems = Table(
            [
                Column("Where", lambda one: Cell(one.place, mono=True), 90),
                Column("What is wrong", lambda one: Cell(one.problem, tone="fail.fg")),
            ],
            "Rows that can’t be read",
        )
        self.problems.setFixedHeight(look().px(106))
        self.leave_out = Check("Leave these rows out")
        self.leave_out.toggled.connect(self._allow)
        self.cancel = Button("Cancel", hint="Esc")
        self.cancel.clicked.connect(self.left)
        self.take = Button("Import", kind="primary")
        self.take.clicked.connect(self._take)
        self.take.refuse("The file is being read.")
        self._bad = QFrame()
        self._bad.setLayout(column(self.problems, self.leave_out, space=6))
        self._mapping = QFrame()
        self._mapping.setLayout(
            column(self.columns, row(label("The chosen column becomes", tone="secondary"), self.field, None), space=6)
        )
        self.setLayout(
            column(
                label(f"Import {Path(path).name}", type="title", wrap=True),
                self.found,
                self._mapping,
                self.samples,
                self._bad,
                self.name,
                row(None, self.cancel, self.take),
                space=8,
                margins=(24, 16, 24, 16),
            )
        )
        for part in (self._mapping, self.samples, self._bad):
            part.hide()
        self._read: ReadFile | None = None
        self.setFocusProxy(self.name.edit)

    def request(self) -> AddDataset:
        """What is asked for as the form stands."""
        return AddDataset(
            name=self.name.text.strip(), path=self._path, columns=self._columns, leave_out=self.leave_out.isChecked()
        )

    def show_read(self, found: ReadFile) -> None:
        """Show what the file holds."""
        self._read = found
        wrong = f" {found.wrong:,} rows can’t be read." if found.wrong else ""
        form = "" if found.form == "samples" else f", written as {found.form}"
        self.found.setText(f"{found.kind}{form}: {len(found.samples):,} samples.{wrong} Nothing is stored yet.")
        self.columns.show_rows(found.columns, keep=lambda use: use.name)
        self._mapping.setVisible(found.form == "samples" and bool(found.columns))
        if self.columns.current() is None and found.columns:
            self.columns.choose(0)
        self.samples.show_rows(found.samples[:50])
        self.samples.setVisible(bool(found.samples))
        self.problems.show_rows(found.problems)
        self._bad.setVisible(bool(found.problems))
        self._allow()

    def show_failure(self, sentence: str) -> None:
        """Say why the file can't be read."""
        self.found.setText(sentence)
        self.take.refuse(sentence)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _offer(self, use: ColumnUse) -> None:
        self.field.setCurrentText(use.field or OUT)

    def _map(self) -> None:
        use = self.columns.current()
        if use is None:
            return
        field = self.field.currentText()
        self._columns = {**self._columns, use.name: "" if field == OUT else field}
        for other, its in list(self._columns.items()):
            if other != use.name and its == field and field not in (METADATA, OUT):
                self._columns[other] = METADATA
        self.take.refuse("The file is being read.")
        self.asked.emit(self.request())

    def _allow(self) -> None:
        found = self._read
        if found is None or not found.samples:
            self.take.refuse("The file has no samples.")
        elif found.wrong and not self.leave_out.isChecked():
            self.take.refuse("Some rows can’t be read. Correct the file, or leave these rows out.")
        else:
            self.take.refuse("")
        self.take.setText(f"Import {len(found.samples):,} samples" if found is not None and found.samples else "Import")

    def _take(self) -> None:
        if self.name.good():
            self.taken.emit(self.request())


def _answer(sample: object) -> str:
    found = getattr(sample, "target", "") or getattr(sample, "answer", "") or getattr(sample, "chosen", "")
    return " ".join(str(found or "").split())


def ask_import(shell: Shell, path: str, taken: Callable[[AddDataset], None]) -> ImportForm:
    """Open the form on a file; `taken` gets the request to store it."""
    form = ImportForm(path)
    form.left.connect(shell.close_overlay)
    form.taken.connect(taken)

    def read(request: AddDataset) -> None:
        def failed(found: Failure) -> None:
            form.show_failure(found.sentence)

        def done(found: ReadFile) -> None:
            form.show_read(found)

        shell.operations.run(
            f"Reading {Path(path).name}", lambda bench, job: bench.datasets.preview(request, job), done, failed
        )

    form.asked.connect(read)
    shell.open_dialog(form, 680)
    read(form.request())
    return form
