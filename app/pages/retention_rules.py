"""Retention rules, and below them what is due: what they would erase, when somebody decides it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.bridge.keeping import ONE, RULES, Rule
from app.pages.signatures import moment
from app.widgets.basic import IconLabel, clear, column, frame, label, line, row
from app.widgets.buttons import Button, button
from app.widgets.empty_state import EmptyState
from app.widgets.table import Cell, Column, Table

if TYPE_CHECKING:
    from core.vault.retention import Due

ONLY_ADMIN = "Only an administrator may do this."


def kept_words(days: int | None) -> str:
    """How long, in words."""
    return "kept for ever" if days is None else f"kept for {days:,} day{'' if days == 1 else 's'}"


class RulesView(QWidget):
    """`change_asked` gives a `Rule`; `trial_left` that the preview of a rule is over."""

    change_asked = Signal(object)
    trial_left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, Button] = {}
        self._rules = column(space=0)
        top = frame("panel")
        top.setLayout(self._rules)
        self._mark = IconLabel("info", "text.secondary", 16)
        self.state = label("", wrap=True)
        self.leave = button("End the preview", "close", small=True)
        self.leave.clicked.connect(self.trial_left)
        strip = row(self._mark, self.state, self.leave, space=8, margins=(20, 10, 16, 10))
        strip.setStretch(1, 1)
        self._strip = QWidget()
        self._strip.setLayout(strip)
        self.table = Table(
            (
                Column("Kind", lambda due: Cell(ONE.get(due.kind, due.kind), tone="text.secondary"), 104, spare=2),
                Column("What", lambda due: Cell(due.label)),
                Column(
                    "Counts from",
                    lambda due: Cell(moment(due.since), tone="text.secondary", spoken=due.since),
                    160,
                    spare=1,
                ),
                Column("Kept by the hold", _hold_cell, 160),
            ),
            "What is due",
        )
        self.empty = EmptyState("Nothing is due.")
        layout = column(top, line(), self._strip, line(), space=0)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.empty, 1)
        self.setLayout(layout)
        self._strip.hide()
        self.table.hide()

    def show_rules(self, rules: Sequence[Rule], refused: str) -> None:
        """The rules; `refused` says why this person can't change one."""
        clear(self._rules)
        self.buttons = {}
        for position, rule in enumerate(rules):
            if position:
                self._rules.addWidget(line())
            self._rules.addWidget(self._rule_row(rule, refused))

    def show_due(self, due: "Sequence[Due]", words: str, trial: bool) -> None:
        """What is due, or would be; `words` say what of."""
        self.table.show_rows(due, keep=lambda one: one.digest)
        self.table.setVisible(bool(due))
        self.empty.setVisible(not due)
        self.empty.say(words)
        self.state.setText(words)
        self._strip.setVisible(bool(due) or trial)
        self.leave.setVisible(trial)
        self._mark.show_icon("shown" if trial else "clock", "accent.base" if trial else "text.secondary")

    def _rule_row(self, rule: Rule, refused: str) -> QWidget:
        made = QWidget()
        change = button("Change…", small=True)
        change.setAccessibleName(f"Change the rule of {rule.word.lower()}")
        change.refuse(refused)
        change.clicked.connect(lambda: self.change_asked.emit(rule))
        self.buttons[rule.name] = change
        says = kept_words(rule.days) + (f", {rule.counts}" if rule.days is not None else "")
        set_by = f" Set by {rule.user} on {moment(rule.time)}." if rule.user else ""
        about = label(f"{says[:1].upper()}{says[1:]}.{set_by}", type="small", tone="secondary", wrap=True)
        layout = row(space=12, margins=(20, 8, 16, 8))
        layout.addLayout(column(label(rule.word, strong=True), about, space=1), 1)
        layout.addWidget(change)
        made.setLayout(layout)
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        made.setMinimumHeight(layout.sizeHint().height())
        return made


def due_words(due: "Sequence[Due]", any_rule: bool) -> str:
    """How much is due, in a sentence."""
    if not due:
        return "Nothing is due." if any_rule else "No rule is set, so everything is kept for ever."
    held = sum(1 for one in due if one.holds)
    kept = f" Holds keep {held:,} of them." if held else ""
    return f"{len(due):,} content{' has' if len(due) == 1 else 's have'} been kept as long as the rules say.{kept}"


def trial_words(rule: str, days: int | None, due: "Sequence[Due]") -> str:
    """What a rule would make due at once."""
    what = RULES.get(rule, (rule, ""))[0]
    held = sum(1 for one in due if one.holds)
    kept = f", {held:,} of them kept by a hold" if held else ""
    return f"If this were the rule: {what.lower()} {kept_words(days)}, {len(due):,} would be due at once{kept}."


def _hold_cell(due: "Due") -> Cell:
    names = ", ".join(due.holds)
    return Cell(names, "lock", icon_tone="warn.fg") if names else Cell("", spoken="No hold")
