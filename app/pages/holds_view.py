"""Legal holds: those that last and those that were released, and what each keeps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.bridge.keeping import named
from app.pages.page import side_pane
from app.pages.signatures import exact_moment, moment
from app.theme.look import look
from app.widgets.basic import clear, column, label, line, row
from app.widgets.beside import Beside
from app.widgets.buttons import Segments, button
from app.widgets.empty_state import EmptyState
from app.widgets.table import Cell, Column, Table

if TYPE_CHECKING:
    from core.vault.holds import HoldState

SHOWN = 50
"""Things of a hold that are listed beside it."""


class HoldsView(QWidget):
    """`release_asked` gives a `HoldState`."""

    release_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._people: Mapping[str, str] = {}
        self._states: tuple[HoldState, ...] = ()
        self.which = Segments((("lasting", "In force"), ("all", "All")), "Which holds")
        self.which.chosen.connect(lambda _: self._narrow())
        self.table = Table(
            (
                Column("Hold", lambda state: Cell(state.hold.name, strong=True), 150),
                Column("Keeps", lambda state: Cell(kept(state), tone="text.secondary")),
                Column("Since", lambda state: Cell(moment(state.hold.time), tone="text.secondary"), 160, spare=1),
                Column("State", _state_cell, 112),
            ),
            "Legal holds",
        )
        self.table.chosen.connect(self._show)
        self.empty = EmptyState("There are no holds. A hold keeps content from being erased, for a legal case say.")
        self._detail = column(space=8)
        holder = QWidget()
        holder.setLayout(self._detail)
        self.release = button("Release…", "stamp")
        self.release.clicked.connect(lambda: self.release_asked.emit(self.table.current()))
        self._refused = ""
        self._side = side_pane(holder, _left(self.release), width=320)
        self._side.hide()
        left = QWidget()
        top = row(self.which, None, margins=(20, 10, 16, 10))
        layout = column(space=0)
        layout.addLayout(top)
        layout.addWidget(line())
        layout.addWidget(self.table, 1)
        layout.addWidget(self.empty, 1)
        left.setLayout(layout)
        self.setLayout(column(Beside(left, self._side, 320), space=0))

    def side(self) -> QWidget:
        return self._side

    def show_holds(self, states: "Sequence[HoldState]", people: Mapping[str, str], refused: str) -> None:
        """Show the holds; `refused` says why this person can't release one."""
        self._states, self._people, self._refused = tuple(states), people, refused
        self.which.count("lasting", sum(1 for state in states if state.release is None))
        self.which.count("all", len(states))
        self._narrow()

    def _narrow(self) -> None:
        everything = self.which.current() == "all"
        shown = [state for state in self._states if everything or state.release is None]
        before = self.table.current()
        self.table.show_rows(shown, keep=lambda state: state.digest)
        self.table.setVisible(bool(shown))
        self.empty.setVisible(not shown)
        self.empty.say(
            "No hold is in force. Released ones are under All."
            if self._states
            else "There are no holds. A hold keeps content from being erased, for a legal case say."
        )
        now = self.table.current()
        if now is None:
            self._side.hide()
            if shown and before is None and self.table.hasFocus():
                self.table.choose(0)
        else:
            self._show(now)

    def _show(self, state: "HoldState") -> None:
        clear(self._detail)
        hold, ended = state.hold, state.release
        self._detail.addWidget(label(hold.name, type="heading", wrap=True))
        facts = [
            ("Reason", hold.reason),
            ("Placed", f"{self._name(hold.user)}, {exact_moment(hold.time)}"),
        ]
        if ended is not None:
            facts += [
                ("Released", f"{self._name(ended.user)}, {exact_moment(ended.time)}"),
                ("Because", ended.reason),
            ]
        for name, value in facts:
            word = label(name, tone="secondary")
            word.setFixedWidth(look().px(72))
            made = row(word, space=8)
            made.addWidget(label(value, wrap=True), 1)
            self._detail.addLayout(made)
        self._detail.addWidget(line())
        self._detail.addWidget(label("It keeps" if ended is None else "It kept", strong=True))
        for held in hold.things[:SHOWN]:
            self._detail.addWidget(label(named(held.kind, held.label), wrap=True))
        if len(hold.things) > SHOWN:
            self._detail.addWidget(label(f"and {len(hold.things) - SHOWN:,} more", tone="secondary"))
        self.release.setVisible(ended is None)
        self.release.refuse(self._refused)
        self._side.show()

    def _name(self, user: str) -> str:
        return self._people.get(user, user)


def kept(state: "HoldState") -> str:
    """What a hold keeps, in one line."""
    things = state.hold.things
    first = named(things[0].kind, things[0].label) if things else "nothing"
    return first if len(things) < 2 else f"{first} and {len(things) - 1:,} more"


def _state_cell(state: "HoldState") -> Cell:
    if state.release is None:
        return Cell("In force", "lock", icon_tone="warn.fg")
    return Cell("Released", "check", tone="text.secondary")


def _left(act: QWidget) -> QWidget:
    made = QWidget()
    made.setLayout(row(act, None))
    return made
