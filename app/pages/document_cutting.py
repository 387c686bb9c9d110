"""How the documents of a new collection are cut is chosen before they are added, and shown with its effect on a sample of the chosen files.

The sample is read once; each change of the numbers cuts it again, off the UI thread, and what was cut before that is dropped. Nothing is kept
until the files are added.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from app.bridge.operations import Failure, Handle
from app.bridge.screening import count
from app.pages.page import Shell
from app.pages.screening_form import chosen, value
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.basic import column, label, row
from app.widgets.buttons import Button
from app.widgets.forms import Field, line_edit, required
from app.widgets.sizes_plot import SizesPlot
from app.widgets.table import Cell, Column, Table
from core.documents.cutting import STRATEGIES
from core.documents.previewing import Preview, PreviewPassage, Sample
from core.documents.records import Chunking, CuttingChoice
from core.errors import BadInput

STRATEGY_WORDS = {"structure": "By structure, then size", "size": "By size alone"}
AFTER = 300
"""Milliseconds after the last key before the sample is cut again."""
FIRST = "documents"
"""The name that the first collection is offered."""
SHOWN = 3
"""Chunks that are seen without scrolling."""


class PreviewView(QFrame):
    """What would come of it, or why that isn't known. `stop_asked` and `again_asked` are for the sample and its cutting alike."""

    stop_asked = Signal()
    again_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Effect on a sample")
        self.status = label("", tone="secondary", wrap=True)
        self.stop = Button("Stop", kind="link", small=True)
        self.stop.setAccessibleName("Stop the preview")
        self.again = Button("Try again", kind="link", small=True)
        self.again.setAccessibleName("Show the effect again")
        self.figures = {word: label("–", type="heading") for word in ("Chunks", "Smallest", "Median", "Largest")}
        figures = row(space=24)
        for word, shown in self.figures.items():
            shown.setAccessibleName(word if word == "Chunks" else f"{word} chunk in tokens")
            note = word if word == "Chunks" else f"{word}, tokens"
            figures.addLayout(column(shown, label(note, type="small", tone="tertiary"), space=0))
        figures.addStretch(1)
        self.plot = SizesPlot()
        self.table = Table(
            [
                Column("The first chunks, from … to", _ends),
                Column("Where", _where, 190, spare=1),
                Column("Tokens", lambda one: Cell(f"{one.tokens:,}"), 66, right=True),
                Column("Repeats", _repeated, 88, right=True, spare=2),
            ],
            "The first chunks",
            height=52,
        )
        self.table.setFixedHeight(look().px(34 + 52 * SHOWN))
        self.effect = QWidget()
        self.effect.setProperty("plain", True)
        self.effect.setLayout(column(figures, self.plot, self.table, space=8))
        said = row(space=8)
        said.addWidget(self.status, 1)
        said.addWidget(self.stop)
        said.addWidget(self.again)
        self.setLayout(column(label("On a sample of the files", type="heading"), said, self.effect, space=6))
        self.stop.clicked.connect(self.stop_asked)
        self.again.clicked.connect(self.again_asked)
        self.effect.setEnabled(False)

    def work(self, words: str) -> None:
        """Something is being computed; what is shown is of other numbers."""
        self._say(words, stop=True)

    def fail(self, words: str, again: bool = True) -> None:
        """Nothing is known, and why."""
        self._say(words, again=again)

    def show_preview(self, found: Preview) -> None:
        read = (
            f"{count(found.documents, 'document')} of {count(found.files, 'file')} read, {count(found.pages, 'page')}."
        )
        if found.refused:
            read += (
                f" {count(len(found.refused), 'file')} of the sample can’t be read: {Path(found.refused[0].file).name}"
            )
            read += f" and {len(found.refused) - 1:,} more." if len(found.refused) > 1 else "."
        self._say(read)
        self.effect.setEnabled(True)
        for word, number in zip(self.figures, (found.chunks, found.smallest, found.median, found.largest), strict=True):
            self.figures[word].setText(f"{number:,}")
        self.plot.show_sizes(found.sizes, found.rules.limit, found.rules.target)
        self.table.show_rows(found.passages)

    def _say(self, words: str, stop: bool = False, again: bool = False) -> None:
        self.status.setText(words)
        self.stop.setVisible(stop)
        self.again.setVisible(again)
        if stop or again:
            self.effect.setEnabled(False)


class CuttingForm(ActForm):
    """`acted` says that the files shall be added to `collection`, cut by `choice`. `begin` reads the sample."""

    def __init__(
        self, shell: Shell, paths: Sequence[str], collection: str, usual: Chunking, taken: Sequence[str]
    ) -> None:
        self._shell, self._paths, self._usual = shell, tuple(paths), usual
        self._name = collection
        self._sample: Sample | None = None
        self._handle: Handle | None = None
        self._wrong = ""

        def free(text: str) -> str:
            name = " ".join(text.split())
            return required("Name")(text) or (
                f"{name} has documents already. Choose it in the list." if name in taken else ""
            )

        self.name = Field("Name", line_edit(text=collection or (FIRST if not taken else "")), "", free, beside=True)
        self.strategy = chosen(
            STRATEGY_WORDS, tuple(STRATEGIES), usual.strategy, "How it is cut", STRATEGIES[usual.strategy] + "."
        )
        self.size = Field("Size", _number(usual.target), "Tokens up to which a chunk is filled.", _tokens)
        self.overlap = Field(
            "Overlap", _number(usual.overlap), "Tokens of the longest sentence in two chunks.", _tokens
        )
        numbers = QWidget()
        beside = row(self.size, self.overlap, space=16)
        beside.setAlignment(Qt.AlignmentFlag.AlignTop)
        numbers.setLayout(beside)
        self.preview = PreviewView()
        super().__init__(
            "Add",
            "A collection keeps to how it was first cut. The embedder counts the tokens.",
            (self.name, self.strategy, numbers, self.preview),
            title=f"Add to {collection}" if collection else "New collection",
        )
        self.fields = [self.name, self.size, self.overlap]
        self.name.setVisible(not collection)
        self.name.edit.selectAll()
        self.name.edit.returnPressed.connect(self._act)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(AFTER)
        self._soon.timeout.connect(self._cut)
        self.strategy.edit.currentIndexChanged.connect(lambda _: self._changed())
        for field in (self.size, self.overlap):
            field.edit.textChanged.connect(lambda _: self._changed())
        self.preview.stop_asked.connect(self._stop)
        self.preview.again_asked.connect(self._again)
        self.setFocusProxy(self.size.edit if collection else self.name.edit)

    @property
    def collection(self) -> str:
        return self._name or " ".join(self.name.text.split())

    @property
    def choice(self) -> CuttingChoice:
        """What differs from what is usual; nothing where nothing does."""
        strategy, size, overlap = value(self.strategy), int(self.size.text), int(self.overlap.text)
        if (strategy, size, overlap) == (self._usual.strategy, self._usual.target, self._usual.overlap):
            return CuttingChoice()
        return CuttingChoice(strategy=strategy, size=size, overlap=overlap)

    def begin(self) -> None:
        """Read a sample of the files, and show how it would be cut."""
        self._run(
            "Reading a sample",
            "A sample of the files is being read.",
            lambda bench, job: bench.documents.sample(self._paths, job),
            self._read,
        )

    def end(self) -> None:
        """Let go of whatever is being computed."""
        self._soon.stop()
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.cancel()

    def check(self) -> str:
        return self._wrong

    def _read(self, found: Sample) -> None:
        self._sample = found
        self._cut()

    def _changed(self) -> None:
        self.strategy.say_note(STRATEGIES[value(self.strategy)] + ".")  # type: ignore[index]
        self._wrong = ""
        for field in (self.size, self.overlap):
            field.fail("")
        if self._sample is not None:
            self.end()
            self.preview.work("The sample is being cut.")
            self._soon.start()

    def _cut(self) -> None:
        sample = self._sample
        if sample is None:
            return
        if not (self.size.good() and self.overlap.good()):
            self.preview.fail("There is no effect to show until the numbers are right.", again=False)
            return
        choice, name = self.choice, self._name
        self._run(
            "Cutting a sample",
            "The sample is being cut.",
            lambda bench, job: bench.documents.preview(sample, choice, job, name),
            self.preview.show_preview,
        )

    def _run(self, title: str, words: str, work: Callable[[Any, Any], Any], done: Callable[[Any], None]) -> None:
        """The last that is run counts; what ran before is cancelled, and nothing of it is shown."""
        self.end()
        self.preview.work(words)

        def current(then: Callable[[Any], None]) -> Callable[[Any], None]:
            def take(found: Any) -> None:
                if self._handle is handle:
                    self._handle = None
                    then(found)

            return take

        handle = self._shell.operations.run(title, work, current(done), current(self._failed), lambda: None)
        self._handle = handle

    def _failed(self, found: Failure) -> None:
        source = found.error.fields.get("source") if isinstance(found.error, BadInput) else None
        field = {"size": self.size, "overlap": self.overlap}.get(str(source))
        if field is not None:
            self._wrong = found.sentence
            field.fail(found.sentence.partition(": ")[2] or found.sentence)
            self.preview.fail("There is no effect to show until the numbers are right.", again=False)
        else:
            self.preview.fail(found.sentence)

    def _stop(self) -> None:
        self.end()
        self.preview.fail("Stopped. The files can be added all the same.")

    def _again(self) -> None:
        if self._sample is None:
            self.begin()
        else:
            self._cut()


def ask_cutting(
    shell: Shell,
    paths: Sequence[str],
    collection: str,
    usual: Chunking,
    taken: Sequence[str],
    then: Callable[[str, CuttingChoice], None],
) -> None:
    """Ask how a collection without documents is cut; without a name, for that too."""
    form = CuttingForm(shell, paths, collection, usual, taken)

    def act() -> None:
        name, choice = form.collection, form.choice
        form.end()
        shell.close_overlay()
        then(name, choice)

    def leave() -> None:
        form.end()
        shell.close_overlay()

    form.acted.connect(act)
    form.cancelled.connect(leave)
    shell.open_dialog(form, 720)
    form.begin()


def _number(start: int) -> QLineEdit:
    made = line_edit(text=str(start))
    made.setMaxLength(6)
    return made


def _tokens(text: str) -> str:
    return "" if text.strip().isdecimal() and text.isascii() else "Write a whole number of tokens."


def _ends(one: PreviewPassage) -> Cell:
    second = "" if one.begins == one.ends else f"… {one.ends}"
    return Cell(one.begins, second=second, spoken=f"From “{one.begins}” to “{one.ends}”")


def _where(one: PreviewPassage) -> Cell:
    place = one.place or f"page {one.page}"
    return Cell(f"{place} › {one.heading}" if one.heading else place, tone="text.secondary", second=one.document)


def _repeated(one: PreviewPassage) -> Cell:
    return Cell(f"{one.repeated:,} chars" if one.repeated else "–", spoken=f"{one.repeated:,} characters")
