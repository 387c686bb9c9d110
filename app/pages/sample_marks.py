"""What people say of one answer, and the place to say it: a mark on the scale of one of the run's scorers, with a reason."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal

from app.pages.evaluation_matrix import scorer_word
from app.pages.signatures import moment
from app.widgets.basic import Card, clear, column, label, row
from app.widgets.buttons import button
from app.widgets.forms import Choice, line_edit
from core.evals.marks import LONGEST, Mark, MarkOutcome, Scale
from core.evals.records import Outcome

NOBODY = "No people have marked this yet."
UNCHOSEN = "Your mark"
ALONE = "The other variants are compared with this one. Mark one of them."


class MarksCard(Card):
    """`given` brings a `MarkOutcome` that the person wants to keep."""

    given = Signal(object)

    def __init__(self) -> None:
        super().__init__("People’s marks", "A mark changes no score. It shows how far judges agree with people.")
        self._outcome: Outcome | None = None
        self._scales: Mapping[str, Scale] = {}
        self._first = ""
        self._refused = ""
        self._rows = column(space=4)
        self.which = Choice()
        self.which.setAccessibleName("Scorer that the mark is for")
        self.which.currentIndexChanged.connect(lambda _: self._offer())
        self.mark = Choice()
        self.mark.setAccessibleName("Your mark")
        self.mark.currentIndexChanged.connect(lambda _: self._allow())
        self.reason = line_edit("Why, if you like")
        self.reason.setAccessibleName("Reason for your mark")
        self.reason.setMaxLength(LONGEST)
        self.keep = button("Mark", "check")
        self.keep.clicked.connect(self._give)
        self.body.addLayout(self._rows)
        self.body.addWidget(self.which)
        self.body.addWidget(self.mark)
        self.body.addLayout(row(self.reason, self.keep, space=8))
        self.hide()

    def show_marks(
        self,
        outcome: Outcome | None,
        scales: Sequence[Scale],
        marks: Sequence[Mark],
        people: Mapping[str, str],
        first: str,
        refused: str,
    ) -> None:
        """Show what was said of an outcome; `first` is the run's first variant, `refused` says why this person may not mark."""
        self._outcome, self._first, self._refused = outcome, first, refused
        self._scales = {scale.scorer: scale for scale in scales}
        self.setVisible(outcome is not None and outcome.answer is not None and bool(scales))
        if outcome is None:
            return
        clear(self._rows)
        for one in marks:
            if one.scorer in self._scales:
                said = label(
                    f"{people.get(one.user, one.user)}: {mark_words(self._scales[one.scorer], one.score)}", wrap=True
                )
                self._rows.addWidget(said)
                told = [scorer_word(one.scorer), moment(one.made), *([one.reason] if one.reason else [])]
                self._rows.addWidget(label(" · ".join(told), type="small", tone="secondary", wrap=True))
        if not marks:
            self._rows.addWidget(label(NOBODY, tone="secondary"))
        kept = self.which.currentData()
        self.which.blockSignals(True)
        self.which.clear()
        for scale in scales:
            self.which.addItem(scorer_word(scale.scorer), scale.scorer)
        self.which.setCurrentIndex(max(0, self.which.findData(kept)))
        self.which.blockSignals(False)
        self.which.setVisible(len(scales) > 1)
        self.reason.clear()
        self._offer()

    def _offer(self) -> None:
        """The marks of the chosen scorer's scale."""
        scale = self._scales.get(self.which.currentData() or "")
        self.mark.clear()
        self.mark.addItem(UNCHOSEN, None)
        if scale is None or self._outcome is None:
            return
        for score in range(scale.lowest, scale.highest + 1):
            self.mark.addItem(mark_words(scale, score), score)
        alone = scale.judge and bool(scale.words) and self._outcome.variant == self._first
        refused = self._refused or (ALONE if alone else "")
        for widget in (self.mark, self.reason):
            widget.setEnabled(not refused)
            widget.setToolTip(refused)
        self.keep.refuse(refused or "Choose your mark first.")

    def _allow(self) -> None:
        """There is something to keep once a mark is chosen."""
        if self.mark.isEnabled():
            self.keep.refuse("" if self.mark.currentData() is not None else "Choose your mark first.")

    def _give(self) -> None:
        outcome = self._outcome
        if outcome is not None:
            self.given.emit(
                MarkOutcome(
                    run=outcome.run,
                    sample=outcome.sample,
                    variant=outcome.variant,
                    repetition=outcome.repetition,
                    scorer=self.which.currentData(),
                    score=self.mark.currentData(),
                    reason=self.reason.text(),
                )
            )


def mark_words(scale: Scale, score: int) -> str:
    """A mark in words: what it means where the scale says so, else its place on the scale."""
    place = score - scale.lowest
    return scale.words[place] if place < len(scale.words) else f"{score} of {scale.highest}"
