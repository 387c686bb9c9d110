"""What the evaluation that was chosen at a run's start found: the release gate line by line, and each scorer's difference, what got worse first."""

from PySide6.QtCore import Signal

from app.theme.look import look
from app.widgets.basic import Badge, Card, IconLabel, clear, column, label, row
from app.widgets.buttons import Button
from app.widgets.table import Cell, Column, Table
from core.training.records import Proved, Regressed

MOST = 8
"""Rows that are shown without scrolling."""
ALL = "all samples"


class ProofCard(Card):
    """`opened` gives the id of the evaluation's run."""

    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__("Evaluation")
        self.verdict = Badge("")
        self.open_button = Button("Open the evaluation", "evaluations", "link", small=True)
        self.open_button.clicked.connect(lambda: self.opened.emit(self._evaluation))
        self._evaluation = ""
        self._gate = column(space=4)
        self.table = Table(
            [
                Column("Scorer", lambda one: Cell(one.scorer)),
                Column("Tag", lambda one: Cell(one.tag or ALL, tone="text.secondary"), 130),
                Column("Base", lambda one: Cell(_share(one.base), tone="text.secondary"), 60, right=True, spare=2),
                Column("Adapter", lambda one: Cell(_share(one.adapter), strong=True), 70, right=True, spare=3),
                Column("Difference, 95 %", lambda one: Cell(_interval(one)), 186, right=True, spare=1),
                Column("Change", _change, 96),
            ],
            "What the evaluation found",
        )
        self._samples = label("", type="small", tone="secondary", wrap=True)
        self.body.addLayout(row(self.verdict, None, self.open_button))
        self.body.addLayout(self._gate)
        self.body.addWidget(self.table)
        self.body.addWidget(self._samples)
        self.hide()

    def show_proof(self, proved: Proved | None) -> None:
        """Show what was found; None hides the card."""
        self.setVisible(proved is not None)
        if proved is None:
            return
        self._evaluation = proved.evaluation
        self.heading.setText(f"Evaluation {proved.spec}")
        if not proved.finished:
            self.verdict.say("Not finished", "warn", "warning")
        elif proved.gate:
            passed = ("Gate passed", "pass", "check") if proved.passed else ("Gate not passed", "fail", "alert")
            self.verdict.say(*passed)
        else:
            self.verdict.say("No gate", "plain")
        clear(self._gate)
        for one in proved.gate:
            said = row(
                IconLabel("check" if one.met else "cross", "text.secondary" if one.met else "fail.fg", 14), space=8
            )
            words = one.line if one.met else f"{one.line}: {one.reason}"
            said.addWidget(label(words, tone="secondary" if one.met else "primary", wrap=True), 1)
            self._gate.addLayout(said)
        rows = sorted(proved.rows, key=lambda one: (one.change != "worse", bool(one.tag), one.scorer, one.tag))
        self.table.show_rows(rows)
        self.table.setFixedHeight(look().px(34 + 36 * min(MOST, len(rows))))
        names = sorted({name for one in proved.rows for name in one.samples})
        told = ", ".join(names[:24]) + (f" and {len(names) - 24} more" if len(names) > 24 else "")
        self._samples.setText(
            f"Passed before, fail now: {told}." if names else "No sample that passed before fails now."
        )


def _share(value: float) -> str:
    return f"{value:.2f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _interval(one: Regressed) -> str:
    return f"{_signed(one.difference)} ({_signed(one.low)} to {_signed(one.high)})"


def _change(one: Regressed) -> Cell:
    if one.change == "worse":
        return Cell("Worse", "alert", icon_tone="fail.fg")
    if one.change == "better":
        return Cell("Better", "check", icon_tone="text.secondary")
    return Cell("Not shown", tone="text.secondary", spoken="No difference shown")
