"""The data of a training run: where it comes from, what is wrong with it by line, how long its examples are, and what is learned of each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QFileDialog, QWidget

from app.pages.training_examined import ExaminedView
from app.theme.look import look
from app.widgets.basic import Card, Elided, column, label, row
from app.widgets.buttons import Segments, button
from app.widgets.forms import Check, Choice, Field, line_edit
from app.widgets.learned_view import LearnedView
from app.widgets.length_plot import LengthPlot
from app.widgets.table import Cell, Column, Table
from app.widgets.views import Views
from core.training.looking import AT_ONCE, Looked
from core.training.records import Source
from core.training.worker.records import Problem

KINDS = (("dataset", "Dataset of the vault"), ("file", "File"), ("collection", "Documents"))
FILES = "Examples (*.jsonl *.json);;All files (*)"


class DataCard(Card):
    """`looked` asks for a look at the data, from an example on, `examined` for what is suspicious in it; `changed` says that other data is chosen,
    `turned` of which kind."""

    looked = Signal(int)
    examined = Signal()
    turned = Signal(str)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__("Data")
        self.kind = Segments(KINDS, "Where the examples come from")
        self.kind.chosen.connect(self._turn)
        self.dataset = Field(
            "Dataset", Choice(), check=lambda text: "" if text else "There is no dataset yet. Take a file."
        )
        self.dataset.edit.currentTextChanged.connect(lambda _: self._forget())  # type: ignore[union-attr]
        self.file = Field(
            "File",
            line_edit("examples.jsonl"),
            "Chat, Alpaca, ShareGPT or samples, as JSON Lines or one list.",
            check=_file,
        )
        self.file.edit.textChanged.connect(lambda _: self._forget())  # type: ignore[union-attr]
        choose = button("Choose…", "folder", small=True)
        choose.setAccessibleName("Choose the file of examples")
        choose.clicked.connect(self._choose)
        self._file = QWidget()
        self._file.setLayout(column(self.file, row(choose, None), space=6))
        self.collection = Field(
            "Collection",
            Choice(),
            "All words of its documents are learned, for a field’s language. Facts are better looked up than learned.",
            lambda text: "" if text else "There are no documents yet. Add some on their page.",
        )
        self.collection.edit.currentTextChanged.connect(lambda _: self._forget())  # type: ignore[union-attr]
        self._views = Views(self.dataset, self._file, self.collection)
        self.system = Field(
            "System text", line_edit("None"), "Stands before each conversation that has none of its own."
        )
        self.look_button = button("Check the data", "search")
        self.look_button.clicked.connect(lambda: self.looked.emit(0))
        self.examine_button = button("Look for what is suspicious", "filter")
        self.examine_button.clicked.connect(self.examined)
        self.findings = ExaminedView()
        self._said = label("", tone="secondary", wrap=True)
        self.plot = LengthPlot()
        self.problems = Table(
            [
                Column("Example", lambda one: Cell(one.line, middle=True), 190),
                Column("Can’t be learned", lambda one: Cell(sentence(one.problem), "alert", icon_tone="warn.fg")),
            ],
            "What can’t be learned",
        )
        self.problems.setFixedHeight(look().px(150))
        self.leave_out = Check("Train without these, and record which they were")
        self.leave_out.toggled.connect(lambda _: self.changed.emit())
        self._wrong = QWidget()
        self._wrong.setLayout(column(self.problems, self.leave_out, space=6))
        self.number = line_edit(text="1")
        self.number.setAccessibleName("Number of the example that is shown")
        self.number.setFixedWidth(look().px(64))
        self.number.setValidator(QIntValidator(1, 99_999_999, self))
        self.number.returnPressed.connect(lambda: self.show_example(int(self.number.text() or 1) - 1))
        self.before = button("Before", "left", small=True)
        self.after = button("Next", "right", small=True)
        self.before.setAccessibleName("Example before")
        self.after.setAccessibleName("Next example")
        self.before.clicked.connect(lambda: self.show_example(self.place - 1))
        self.after.clicked.connect(lambda: self.show_example(self.place + 1))
        self._of = label("", tone="secondary")
        self._line = Elided("", middle=True, type="small", tone="secondary")
        self.tokens = LearnedView()
        self._found = QWidget()
        across = row(label("Example"), self.number, self._of, self.before, self.after, self._line, space=8)
        across.setStretch(5, 1)
        legend = label(
            "Only what is underlined on yellow is learned: the assistant’s words and the token that ends them.",
            type="small",
            tone="secondary",
            wrap=True,
        )
        self._found.setLayout(column(self._said, self.plot, self._wrong, across, self.tokens, legend, space=10))
        self.looked_at: Looked | None = None
        self.place = 0
        self._wanted = 0
        for part in (self.kind, self._views, self.system):
            self.body.addWidget(part)
        self.body.addLayout(row(self.look_button, self.examine_button, None))
        self.body.addWidget(self.findings)
        self.body.addWidget(self._found)
        self._found.hide()

    def offer(self, datasets: Sequence[tuple[str, int]], collections: Sequence[tuple[str, int]] = ()) -> None:
        """The datasets of the vault, each with its number of samples, and its collections with theirs of documents."""
        before = self.dataset.edit.currentData()  # type: ignore[union-attr]
        for field, rows, unit in ((self.dataset, datasets, "sample"), (self.collection, collections, "document")):
            edit: Any = field.edit
            chosen = edit.currentData()
            edit.blockSignals(True)
            edit.clear()
            for name, count in rows:
                edit.addItem(f"{name}, {count:,} {unit}{'' if count == 1 else 's'}", name)
            edit.setCurrentIndex(max(0, edit.findData(chosen)))
            edit.blockSignals(False)
        if not datasets and self.kind.current() == "dataset" and not before:
            self.kind.choose("file")
            self._turn("file")

    def source(self) -> Source | None:
        """Where the examples come from; None where the fields don't say, which is shown."""
        if self.kind.current() == "collection":
            return Source(collection=self.collection.edit.currentData()) if self.collection.good() else None  # type: ignore[union-attr]
        system = self.system.text.strip()
        if self.kind.current() == "file":
            return (
                Source(file=str(Path(self.file.text.strip()).expanduser()), system=system) if self.file.good() else None
            )
        return Source(dataset=self.dataset.edit.currentData(), system=system) if self.dataset.good() else None  # type: ignore[union-attr]

    def take_file(self, path: str) -> None:
        """Train from this file."""
        self.kind.choose("file")
        self._turn("file")
        self.file.edit.setText(path)  # type: ignore[union-attr]
        self.file.good()

    def show_looked(self, found: Looked) -> None:
        """Show what a look found."""
        self.looked_at = found
        self._found.show()
        lengths = [one.tokens for one in found.lengths]
        wrong = len(found.problems)
        tail = f" {wrong:,} can’t be learned." if wrong else " Nothing is wrong with them."
        self._said.setText(
            f"{len(lengths):,} example{'' if len(lengths) == 1 else 's'}, {found.learned:,} tokens learned in an epoch.{tail}"
        )
        self.plot.show_lengths(lengths, found.window)
        self.say_problems(found.problems)
        self.show_example(self._wanted)

    def stops(self) -> bool:
        """Whether examples are shown that can't be learned, and the person hasn't said to leave them out; then that is asked."""
        if self.leave_out.isChecked() or not self.problems.rows.all() or self._found.isHidden():
            return False
        self.leave_out.setFocus()
        return True

    def say_problems(self, problems: Sequence[Problem]) -> None:
        self.problems.show_rows(list(problems))
        self._wrong.setVisible(bool(problems))

    def show_example(self, place: int) -> None:
        """Show an example's tokens; those further on are asked for."""
        found = self.looked_at
        if found is None:
            return
        place = max(0, min(found.examples - 1, place))
        if not found.start <= place < found.start + len(found.shown):
            if found.shown or place != self._wanted:
                self._wanted = place
                self.looked.emit(place - place % AT_ONCE)
            return
        one = found.shown[place - found.start]
        self.place = self._wanted = place
        self.number.setText(str(place + 1))
        self._of.setText(f"of {found.examples:,}")
        self._line.say(one.line if not one.problem else f"{one.line}: {one.problem}")
        self.tokens.show_parts([(part.text, part.learned) for part in one.parts])
        self.before.refuse("" if place else "This is the first.")
        self.after.refuse("" if place + 1 < found.examples else "This is the last.")

    def _forget(self) -> None:
        self.looked_at, self._wanted = None, 0
        self._found.hide()
        self.findings.hide()
        self.changed.emit()

    def _turn(self, kind: str) -> None:
        views = {"file": self._file, "collection": self.collection}
        self._views.setCurrentWidget(views.get(kind, self.dataset))
        self.system.setVisible(kind != "collection")
        self.turned.emit(kind)
        self._forget()

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Examples to learn from", "", FILES)
        if path:
            self.take_file(path)


def sentence(text: str) -> str:
    """What is wrong with a line, as it stands by itself."""
    return text[:1].upper() + text[1:]


def _file(text: str) -> str:
    if not text.strip():
        return "The file is missing."
    return "" if Path(text.strip()).expanduser().is_file() else "There is no such file."
