"""How a sample went in earlier runs, beside the one that is looked at: a row for each run and variant, newest first."""

from collections.abc import Sequence

from PySide6.QtCore import Signal

from app.pages.evaluation_matrix import is_share
from app.pages.signatures import moment
from app.theme.look import look
from app.widgets.basic import Card, label
from app.widgets.table import Cell, Column, Table
from core.evals.history import Past

ROWS = 6
"""Rows that are shown without scrolling."""


class HistoryCard(Card):
    """`asked` gives (run, variant) that the person wants to see."""

    asked = Signal(str, str)

    def __init__(self) -> None:
        super().__init__("History over runs")
        self._none = label("", tone="secondary", wrap=True)
        self.table = Table(
            (
                Column("Variant and run", _variant_cell),
                Column("Went", past_cell, 92),
            ),
            "History over runs",
            height=52,
        )
        self.table.opened.connect(self._open)
        self.body.addWidget(self._none)
        self.body.addWidget(self.table)
        self.show_past((), "", "")
        self._none.setText("Reading the earlier runs…")

    def show_past(self, past: Sequence[Past], run: str, variant: str) -> None:
        """Show these; the one that is looked at is gone to."""
        self.table.setVisible(bool(past))
        self._none.setText("No other run asked this sample." if not past else "Enter opens the sample in that run.")
        self.table.setFixedHeight(look().px(34 + 52 * min(ROWS, max(1, len(past)))))
        self.table.show_rows(past)
        for position, one in enumerate(past):
            if (one.run, one.variant) == (run, variant):
                self.table.choose(position)

    def _open(self, past: Past) -> None:
        self.asked.emit(past.run, past.variant)


def past_cell(past: Past) -> Cell:
    """How it went in a word, and the mean score."""
    shares = [value for scorer, value in past.scores.items() if is_share(scorer)]
    score = f"{sum(shares) / len(shares):.2f}" if shares else ""
    if past.errors:
        return Cell("Error", icon="warning", tone="warn.fg", second=score, spoken=f"Ended in an error. {score}".strip())
    times = f"{past.passed} of {past.asked}" if past.asked > 1 else ""
    good = past.passed == past.asked
    words = times or ("Passed" if good else "Failed")
    return Cell(
        words,
        icon="check" if good else "cross",
        tone="text.secondary" if good else "fail.fg",
        strong=not good,
        second=score,
        spoken=f"{'Passed' if good else 'Failed'} {times}, score {score or 'none'}",
    )


def _variant_cell(past: Past) -> Cell:
    """The variant, and the run below it: there is no room for a column each."""
    prompt, _, rest = past.variant.partition(" / ")
    run = past.run.replace("-", " ").capitalize()
    below = ", ".join(part for part in (run, rest, moment(past.started)) if part)
    return Cell(prompt, second=below, middle=True, spoken=f"Variant {past.variant}. {run}, {moment(past.started)}")
