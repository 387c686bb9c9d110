"""The dialogs of the datasets page: one sample to edit, a split to make, and what changed."""

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.theme.look import look
from app.widgets.basic import column, label, row
from app.widgets.buttons import Button
from app.widgets.diff_view import DiffView
from app.widgets.forms import Check, Choice, Field, line_edit, required
from app.widgets.table import Cell, Column, Table
from core.datasets.changes import Change
from core.datasets.records import Sample, Splitting, Turn
from core.prompts.diff import diff_words


class Dialog(QFrame):
    """A panel that Escape leaves. `left` says that nothing shall be done."""

    left = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(title)
        self.body = column(label(title, type="title", wrap=True), space=10, margins=(24, 20, 24, 20))
        self.setLayout(self.body)

    def end(self, *buttons: Button, word: str = "Cancel") -> None:
        """The row of buttons below."""
        self.cancel = Button(word, hint="Esc")
        self.cancel.clicked.connect(self.left)
        self.body.addLayout(row(None, self.cancel, *buttons))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


def text_edit(text: str, lines: int) -> QPlainTextEdit:
    made = QPlainTextEdit(text)
    made.setTabChangesFocus(True)
    made.setFixedHeight(look().px(18 * lines + 14))
    return made


class SampleFields(QWidget):
    """The fields of a sample that a person writes."""

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        self._sample = sample
        self.input = Field("Question", text_edit(sample.input, 4), check=required("Question"))
        self.target = Field("Target", line_edit(text=sample.target or ""), "What a right answer holds, word for word.")
        self.answer = Field("Whole answer", text_edit(sample.answer, 3))
        self.tags = Field("Tags", line_edit(text="; ".join(sample.tags)), "Parted by semicolons.")
        self.group = Field("Group", line_edit(text=sample.group), "What stays together when the dataset is split.")
        self.setLayout(column(self.input, self.target, self.answer, row(self.tags, self.group, space=12), space=8))
        self.setFocusProxy(self.input.edit)

    def sample(self) -> Sample | None:
        """The sample as it is written, or None where something is missing."""
        if not self.input.good():
            return None
        was, asked = self._sample, self.input.text.strip()
        target, answer = self.target.text.strip(), self.answer.text.strip()
        if not (target or answer or was.chosen or was.rejected or was.unanswerable):
            self.target.fail("Give a target or a whole answer.")
            return None
        return msgspec.structs.replace(
            was,
            input=asked,
            turns=_with_last(was.turns, asked),
            target=target or None,
            answer=answer,
            tags=tuple(dict.fromkeys(tag.strip() for tag in self.tags.text.split(";") if tag.strip())),
            group=self.group.text.strip(),
        )


class SampleForm(Dialog):
    """`kept` gives the sample as it was written."""

    kept = Signal(object)

    def __init__(self, sample: Sample) -> None:
        super().__init__(f"Edit {sample.id}")
        self.fields = SampleFields(sample)
        self.body.addWidget(self.fields)
        self.take = Button("Keep the change", kind="primary", hint="Ctrl+Enter")
        self.take.clicked.connect(self._take)
        self.end(self.take)
        self.setFocusProxy(self.fields)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._take()
        else:
            super().keyPressEvent(event)

    def _take(self) -> None:
        found = self.fields.sample()
        if found is not None:
            self.kept.emit(found)


class SplitForm(Dialog):
    """`asked` gives the splitting, and whether its parts become datasets."""

    asked = Signal(object, bool)

    def __init__(self) -> None:
        super().__init__("Split the samples")
        self.by = Choice()
        self.by.setAccessibleName("What stays together")
        for name, word in (("sample", "Each question"), ("document", "Each document"), ("group", "Each group")):
            self.by.addItem(word, name)
        self.train = Field("Train, per cent", line_edit(text="80"), check=_share)
        self.seed = Field("Seed", line_edit(text="0"), "The same seed gives the same parts.", check=_whole)
        self.apart = Check("Keep each part as a dataset of its own too")
        self.take = Button("Split", kind="primary")
        self.take.clicked.connect(self._take)
        self.body.addWidget(
            label("What stays together is in one part only, and so is what asks the same.", tone="secondary", wrap=True)
        )
        self.body.addWidget(Field("What stays together", self.by))
        self.body.addLayout(row(self.train, self.seed, space=12))
        self.body.addWidget(self.apart)
        self.end(self.take)
        self.setFocusProxy(self.by)

    def _take(self) -> None:
        if self.train.good() and self.seed.good():
            share = round(int(self.train.text) / 100, 2)
            shares = {"train": share, "test": round(1 - share, 2)}
            splitting = Splitting(shares=shares, by=self.by.currentData(), seed=int(self.seed.text))
            self.asked.emit(splitting, self.apart.isChecked())


class ChangesView(Dialog):
    """What a version changed, sample by sample, with the words that differ."""

    WORDS = {"added": "Added", "removed": "Removed", "changed": "Changed"}  # noqa: RUF012

    def __init__(self, title: str, changes: Sequence[Change], keep: Callable[[], None] | None = None) -> None:
        super().__init__(title)
        counted = {kind: sum(one.kind == kind for one in changes) for kind in self.WORDS}
        said = ", ".join(f"{count:,} {kind}" for kind, count in counted.items() if count) or "Nothing changed"
        self.body.addWidget(label(f"{said}.", tone="secondary"))
        self.table = Table(
            [
                Column("Change", lambda one: Cell(self.WORDS[one.kind]), 84),
                Column("Sample", lambda one: Cell(one.id, mono=True), 100),
                Column("Question", lambda one: Cell(" ".join((one.after or one.before).input.split()))),
            ],
            "Changes",
        )
        self.table.setFixedHeight(look().px(200))
        self.diff = DiffView()
        self.diff.setMinimumHeight(look().px(150))
        self.table.chosen.connect(self._show)
        self.body.addWidget(self.table)
        self.body.addWidget(self.diff, 1)
        self.table.show_rows(changes)
        buttons = []
        if keep is not None:
            self.keep = Button("Save as the next version", kind="primary")
            self.keep.clicked.connect(keep)
            buttons.append(self.keep)
        self.end(*buttons, word="Close" if keep is None else "Go on editing")
        if changes:
            self.table.choose(0)
        self.setFocusProxy(self.table)

    def _show(self, one: Change) -> None:
        self.diff.show_parts([(part.kind, part.text) for part in diff_words(told(one.before), told(one.after))])


def told(sample: Sample | None) -> str:
    """A sample as lines of text, to be compared."""
    if sample is None:
        return ""
    lines = [f"Question: {sample.input}"]
    pairs = (
        ("Target", sample.target or ("the documents don’t say" if sample.unanswerable else "")),
        ("Answer", sample.answer),
        ("Better answer", sample.chosen),
        ("Worse answer", sample.rejected),
        ("Choices", "; ".join(sample.choices)),
        ("Document", f"{sample.document} {sample.page or ''}".strip()),
        ("Quote", sample.quote),
        ("Tags", "; ".join(sample.tags)),
        ("Group", sample.group),
        ("Part", sample.split),
    )
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in pairs if value)])


def _with_last(turns: tuple[Turn, ...], asked: str) -> tuple[Turn, ...]:
    """The conversation with another last turn of the user."""
    places = [place for place, turn in enumerate(turns) if turn.role == "user"]
    if not places:
        return turns
    last = places[-1]
    return (*turns[:last], Turn(role="user", content=asked), *turns[last + 1 :])


def _share(text: str) -> str:
    return "" if text.strip().isdigit() and 0 < int(text) < 100 else "Give a number from 1 to 99."


def _whole(text: str) -> str:
    return "" if text.strip().isdigit() and len(text) < 10 else "Give a whole number."
