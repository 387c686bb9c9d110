"""One criterion of an evaluation in its form: a metric of a variant, an end of its interval, and a bound."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDoubleSpinBox, QWidget

from app.pages.evaluation_matrix import scorer_word
from app.theme.look import look
from app.widgets.basic import column, label, row
from app.widgets.buttons import icon_button
from app.widgets.forms import Choice
from core.evals.records import Criterion

ENDS = (("value", "the value"), ("low", "the interval’s lower end"), ("high", "the interval’s upper end"))


class CriterionRow(QWidget):
    """One criterion: a metric of a variant, an end, a bound."""

    dropped = Signal()
    edited = Signal()

    def __init__(self, metrics: Sequence[str], variants: Sequence[str]) -> None:
        super().__init__()
        self.measure, self.variant, self.on, self.bound = Choice(), Choice(), Choice(), Choice()
        self.measure.setAccessibleName("Metric")
        self.variant.setAccessibleName("Variant")
        self.on.setAccessibleName("What of it")
        self.bound.setAccessibleName("Bound")
        for name, words in ENDS:
            self.on.addItem(words, name)
        for name, words in (("at_least", "at least"), ("at_most", "at most")):
            self.bound.addItem(words, name)
        self.number = QDoubleSpinBox()
        for widget in (self.number, self.number.lineEdit()):
            widget.setAccessibleName("Number")
        self.number.setDecimals(2)
        self.number.setRange(0, 1000)
        self.number.setSingleStep(0.05)
        self.number.setValue(0.8)
        self.number.setFixedWidth(look().px(72))
        self.number.lineEdit().setTextMargins(look().px(8), 0, 0, 0)
        self.drop = icon_button("trash", "Remove this criterion")
        self.drop.clicked.connect(self.dropped)
        upper = row(self.measure, label("of", tone="secondary"), self.variant, space=8)
        upper.setStretch(0, 1)
        upper.setStretch(2, 2)
        lower = row(self.on, label("is", tone="secondary"), self.bound, self.number, None, self.drop, space=8)
        self.setLayout(column(upper, lower, space=6))
        self.offer(metrics, variants)
        for choice in (self.measure, self.variant, self.on, self.bound):
            choice.currentIndexChanged.connect(lambda _: self.edited.emit())
        self.number.valueChanged.connect(lambda _: self.edited.emit())

    def offer(self, metrics: Sequence[str], variants: Sequence[str]) -> None:
        """Set what there is to choose from; what was chosen stays where it can."""
        for choice, items in (
            (self.measure, [(scorer_word(name), name) for name in metrics]),
            (self.variant, [(name, name) for name in variants]),
        ):
            kept = choice.currentData()
            choice.blockSignals(True)
            choice.clear()
            for words, name in items:
                choice.addItem(words, name)
            found = choice.findData(kept)
            choice.setCurrentIndex(max(0, found))
            choice.blockSignals(False)

    def fill(self, criterion: Criterion) -> None:
        """Show a criterion; a variant that isn't offered is added, so that nothing is lost."""
        for choice, value in ((self.measure, criterion.metric), (self.variant, criterion.variant)):
            if choice.findData(value) < 0:
                choice.addItem(value, value)
            choice.setCurrentIndex(choice.findData(value))
        self.on.setCurrentIndex(self.on.findData(criterion.on))
        at_least = criterion.at_least is not None
        self.bound.setCurrentIndex(self.bound.findData("at_least" if at_least else "at_most"))
        self.number.setValue((criterion.at_least if at_least else criterion.at_most) or 0.0)

    def criterion(self) -> Criterion | None:
        """What was chosen; None while there is no metric or variant."""
        metric, variant = self.measure.currentData(), self.variant.currentData()
        if not metric or not variant:
            return None
        bound = {self.bound.currentData(): round(self.number.value(), 4)}
        return Criterion(metric=metric, variant=variant, on=self.on.currentData(), **bound)
