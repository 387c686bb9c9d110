"""What is suspicious in training data, by line: personal data, near repetitions, questions of the evaluation, and signs of poisoning."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.theme.look import look
from app.widgets.basic import column, label
from app.widgets.table import Cell, Column, Table
from core.training.examining import Finding

KINDS = {
    "personal": "Personal data",
    "near": "Nearly the same",
    "overlap": "Asked by the evaluation",
    "trigger": "Hidden trigger?",
    "flipped": "Contradicts another",
}
MOST = 6
"""Rows without scrolling."""


class ExaminedView(QWidget):
    """`show_findings` shows what was found; the whole reason of the chosen line stands below."""

    def __init__(self) -> None:
        super().__init__()
        self.said = label("", tone="secondary", wrap=True)
        self.table = Table(
            [
                Column("Found", lambda one: Cell(KINDS.get(one.kind, one.kind), "alert", icon_tone="warn.fg"), 200),
                Column("Example", lambda one: Cell(one.line, middle=True)),
                Column("Like", lambda one: Cell(one.other, middle=True, tone="text.secondary"), 170, spare=1),
            ],
            "What is suspicious in the data",
        )
        self.table.chosen.connect(lambda _: self._say())
        self.why = label("", wrap=True)
        self.why.setAccessibleName("Why this line was found")
        self.setLayout(column(self.said, self.table, self.why, space=8))
        self.hide()

    def show_findings(self, found: Sequence[Finding]) -> None:
        """Show what was found."""
        self.show()
        self.said.setText(
            f"{len(found):,} line{'' if len(found) == 1 else 's'} to look at. A finding is a reason to look, no proof."
            if found
            else "Nothing suspicious was found: no personal data, no near repetitions, no sign of poisoning."
        )
        self.table.setVisible(bool(found))
        self.why.setVisible(bool(found))
        self.table.setFixedHeight(look().px(34 + 36 * min(MOST, max(1, len(found)))))
        self.table.show_rows(list(found))
        if found:
            self.table.choose(0)
        self._say()

    def _say(self) -> None:
        one = self.table.current()
        self.why.setText("" if one is None else f"{one.line}: {one.said}")
