"""What a model answered at its checkpoints, and what it learned by heart: cards of a run's page.

Answers are texts of the vault: they are shown as plain text and go nowhere else.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.theme.look import look
from app.widgets.basic import Card, IconLabel, column, frame, label, row
from app.widgets.forms import Choice
from app.widgets.table import Cell, Column, Table
from core.training.canaries import WARNING
from core.training.worker.recall import Exposure, Memorised, Sampled, Verbatim

MOST = 8
"""Rows of a table without scrolling."""
INPUT = 80
"""Characters of an input in the list of them."""


class SamplesCard(Card):
    """`show_samples` takes the answers of all checkpoints until now; what is looked at stays."""

    def __init__(self) -> None:
        super().__init__(
            "Answers at checkpoints", "Held-out inputs, which aren’t learned from, answered as it goes on."
        )
        self._found: tuple[Sampled, ...] = ()
        self.which = Choice()
        self.which.setAccessibleName("Input that is shown")
        self.which.setSizeAdjustPolicy(Choice.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.which.setMinimumContentsLength(20)
        self.which.currentIndexChanged.connect(lambda _: self._show())
        self.table = Table(
            [
                Column("After step", lambda one: Cell(f"{one[0]:,}"), 92, right=True),
                Column("Answer", lambda one: Cell(one[1].replace("\n", " ") or "Nothing", tone=_tone(one[1]))),
            ],
            "Answers at checkpoints",
        )
        self.table.chosen.connect(lambda _: self._say())
        self.asked, self.answer, self.wanted = (label("", wrap=True) for _ in range(3))
        self.body.addWidget(self.which)
        self.body.addWidget(self.table)
        for what, shown in (("Asked", self.asked), ("Answered", self.answer), ("In the data", self.wanted)):
            left = label(what, tone="secondary")
            left.setFixedWidth(look().px(84))
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            shown.setAccessibleName(what)
            line = row(left, space=8)
            line.setAlignment(left, Qt.AlignmentFlag.AlignTop)
            line.addWidget(shown, 1)
            self.body.addLayout(line)
        self.hide()

    def show_samples(self, found: Sequence[Sampled]) -> None:
        """Show the answers; hidden where there are none."""
        found = tuple(found)
        if found == self._found:
            return
        following = self.table.current() is None or self._newest(self.table.current()[0])
        self._found = found
        self.setVisible(any(one.shown for one in found))
        inputs = [_short(one.asked) for one in (found[0].shown if found else ())]
        if inputs != [self.which.itemData(place) for place in range(self.which.count())]:
            self.which.blockSignals(True)
            self.which.clear()
            for number, text in enumerate(inputs, 1):
                self.which.addItem(f"Input {number} of {len(inputs)}: {text}", text)
            self.which.blockSignals(False)
        self.which.setVisible(len(inputs) > 1)
        self._show(following)

    def _newest(self, step: int) -> bool:
        return not self._found or step == self._found[-1].step

    def _show(self, following: bool = True) -> None:
        place = max(0, self.which.currentIndex())
        rows = [(one.step, one.shown[place].answer) for one in self._found if place < len(one.shown)]
        self.table.setFixedHeight(look().px(34 + 36 * min(MOST, max(1, len(rows)))))
        self.table.show_rows(rows, keep=lambda one: one[0])
        if rows and (following or self.table.current() is None):
            self.table.choose(len(rows) - 1)
        self._say()

    def _say(self) -> None:
        place, now = max(0, self.which.currentIndex()), self.table.current()
        one = next((found for found in self._found if now is not None and found.step == now[0]), None)
        if one is None or place >= len(one.shown):
            return
        shown = one.shown[place]
        for text, into in ((shown.asked, self.asked), (shown.answer, self.answer), (shown.wanted, self.wanted)):
            into.setText(text.strip() or "Nothing")


class MemorisedCard(Card):
    """`show_memorised` shows what a run found about itself; None hides the card."""

    def __init__(self) -> None:
        super().__init__("Learned by heart")
        self._warned = frame("warned")
        self._warns = label(f"{WARNING} Train again without them.", wrap=True)
        warned = row(IconLabel("warning", "warn.fg", 18), space=10, margins=(14, 10, 14, 10))
        warned.addWidget(self._warns, 1)
        self._warned.setLayout(warned)
        self._words = label("", type="small", tone="secondary", wrap=True)
        self.verbatim = Table(
            [
                Column("Texts", lambda one: Cell("Learned" if one.of == "learned" else "Held out")),
                Column("Model", lambda one: Cell(self._model(one.model), tone="text.secondary"), 110),
                Column("Word for word", self._copied, 130, right=True),
                Column("Longest run", _longest, 200, right=True, spare=1),
            ],
            "Texts that come out word for word",
        )
        self._planted = label("", type="small", tone="secondary", wrap=True)
        self.canaries = Table(
            [
                Column("Planted sentence", lambda one: Cell(one.name)),
                Column("Base, bits", lambda one: Cell(f"{one.base:.1f}", tone="text.secondary"), 96, right=True),
                Column("After it, bits", lambda one: Cell(f"{one.adapter:.1f}", strong=True), 116, right=True),
                Column("Rank", self._rank, 110, right=True, spare=1),
            ],
            "Exposure of the planted sentences",
        )
        self._full = False
        self._candidates = 0
        self._exposed = QWidget()
        self._exposed.setLayout(column(self._planted, self.canaries, space=6))
        self._repeated = QWidget()
        self._repeated.setLayout(column(self._words, self.verbatim, space=6))
        for part in (self._warned, self._repeated, self._exposed):
            self.body.addWidget(part)
        self.hide()

    def show_memorised(self, found: Memorised | None, full: bool = False) -> None:
        """Show it; `full` where all weights were trained."""
        self.setVisible(found is not None and bool(found.verbatim or found.canaries))
        if found is None:
            return
        self._full, self._candidates = full, found.candidates
        self._warned.setVisible(bool(found.canaries))
        self._repeated.setVisible(bool(found.verbatim))
        self._words.setText(
            f"{_verdict(found.verbatim)} Counted are greedy answers that repeat {found.tokens} tokens or {found.characters} "
            "characters of what comes next. Held-out texts show what comes out without being learned."
        )
        self.verbatim.show_rows(found.verbatim)
        self._exposed.setVisible(bool(found.canaries))
        top = (found.candidates + 1).bit_length() - 1
        self._planted.setText(
            f"Exposure of {len(found.canaries):,} sentences, each {found.repeats:,} times among the examples of an epoch, ranked "
            f"among {found.candidates:,} other numbers: {top} bits at most, and about 1.4 for a number that was never seen."
        )
        self.canaries.show_rows(found.canaries)
        for table, count in ((self.verbatim, len(found.verbatim)), (self.canaries, len(found.canaries))):
            table.setFixedHeight(look().px(34 + 36 * min(MOST, max(1, count))))

    def _model(self, name: str) -> str:
        return "Base" if name == "base" else "Trained" if self._full else "Adapter"

    def _copied(self, one: Verbatim) -> Cell:
        raised = one.of == "learned" and one.model == "adapter" and one.copied > 0
        return Cell(f"{one.copied:,} of {one.n:,}", "alert" if raised else "", icon_tone="warn.fg", strong=raised)

    def _rank(self, one: Exposure) -> Cell:
        return Cell(f"{one.rank:,} of {self._candidates + 1:,}", tone="text.secondary")


def _verdict(found: Sequence[Verbatim]) -> str:
    counts = {(one.of, one.model): one for one in found}
    learned = counts.get(("learned", "adapter"))
    if learned is None or not learned.n:
        return ""
    before = counts.get(("learned", "base"))
    than = f", {before.copied:,} of {before.n:,} from its base" if before is not None else ""
    return f"{learned.copied:,} of {learned.n:,} learned texts come out word for word{than}."


def _longest(one: Verbatim) -> Cell:
    return Cell(f"{one.longest_tokens:,} tokens, {one.longest_characters:,} characters", tone="text.secondary")


def _tone(text: str) -> str:
    return "text.primary" if text.strip() else "text.tertiary"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= INPUT else f"{plain[:INPUT]} …"
