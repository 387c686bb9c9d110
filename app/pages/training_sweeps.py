"""Sweeps: the queue of each with its state, its runs by the settings in which they differ, and what each reached; the best is marked.

A sweep goes on like a run: pausing it pauses its run, which loses nothing. Ending it takes what hasn't run out of the queue, until somebody goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.pages.page import scrolled
from app.pages.signatures import moment
from app.pages.training_run import STATES, measure_word
from app.pages.training_settings import CHOICES, word, written
from app.theme.look import look
from app.widgets.basic import Badge, Card, column, label, row
from app.widgets.buttons import Button, button
from app.widgets.table import Cell, Column, Table
from core.training.contrasting import Reached
from core.training.sweeps import CANCELLED, ENDED, ERASED, FINISHED, WAITING, Place, SweepView

QUEUES = {
    "finished": ("Finished", "pass", "check"),
    "cancelled": ("Ended", "plain", "stop"),
    "waiting": ("Paused", "plain", "pause"),
    "running": ("Running", "info", "play"),
}
WAITS = ("Waits", "plain", "clock")
MOST = 12
"""Runs without scrolling."""
MEASURES = 3
"""Measures of an evaluation with a column."""


@dataclass(frozen=True)
class Line:
    """One place of a queue as it is shown."""

    place: Place
    state: str
    reached: Reached | None
    best: bool


def lines(view: SweepView, running: bool) -> tuple[Line, ...]:
    """The places in their order; where the sweep is `running`, the first that has begun and not ended is the one that runs."""
    reached = {one.run: one for one in view.compared.runs}
    found = []
    for place in view.places:
        state = place.status
        if running and place.run and state in ("interrupted", "cancelled"):
            state, running = "running", False
        found.append(Line(place, state, reached.get(place.run), bool(place.run) and place.run == view.compared.best))
    return tuple(found)


def differing(view: SweepView) -> tuple[str, ...]:
    """The settings in which the runs of the queue differ."""
    names = view.places[0].settings if view.places else {}
    return tuple(name for name in names if len({str(one.settings.get(name)) for one in view.places}) > 1)


class SweepsView(QWidget):
    """`opened` gives the id of a run, `resumed` and `ended` that of a sweep."""

    opened = Signal(str)
    resumed = Signal(str)
    ended = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.running = ""
        self._refusal = ""
        self.table = Table(
            [
                Column("Sweep", lambda one: Cell(one.sweep.name, second=one.sweep.id, strong=True)),
                Column("Base", lambda one: Cell(one.sweep.spec.base, tone="text.secondary"), 150, spare=2),
                Column("State", self._state, 120),
                Column("Ended", lambda one: Cell(f"{_over(one):,} of {len(one.places):,}"), 90, right=True),
                Column("Started", lambda one: Cell(moment(one.sweep.started), tone="text.secondary"), 150, spare=1),
            ],
            "Sweeps",
            height=52,
        )
        self.table.chosen.connect(lambda _: self._show())
        self._card = Card("Runs of the sweep")
        self.state = Badge("")
        self._said = label("", tone="secondary", wrap=True)
        self.resume_button = button("Go on", "play", "primary", small=True)
        self.resume_button.clicked.connect(lambda: self._tell(self.resumed))
        self.end_button = Button("End the sweep", "stop", "quiet", small=True)
        self.end_button.clicked.connect(lambda: self._tell(self.ended))
        self.open_button = button("Open the run", "open", small=True)
        self.open_button.clicked.connect(self._open)
        self._held = column(space=0)
        self.runs: Table | None = None
        self._columns: tuple[Any, ...] = ()
        self._best = label("", wrap=True)
        self._caution = label(
            "Many runs compared on one evaluation find a winner by chance too. Prove it on questions that the sweep didn’t see.",
            type="small",
            tone="secondary",
            wrap=True,
        )
        self._card.body.addLayout(row(self.state, None, self.open_button, self.end_button, self.resume_button))
        self._card.body.addWidget(self._said)
        self._card.body.addLayout(self._held)
        self._card.body.addWidget(self._best)
        self._card.body.addWidget(self._caution)
        inside = QWidget()
        inside.setLayout(column(self._card, None, margins=(20, 12, 20, 20)))
        lower = scrolled(inside)
        lower.setAccessibleName("The sweep")
        layout = column(self.table, lower, space=0)
        layout.setStretch(0, 2)
        layout.setStretch(1, 5)
        self.setLayout(layout)

    def show_sweeps(self, found: Sequence[SweepView], wanted: str = "") -> None:
        """Show all sweeps; `wanted` is chosen."""
        self.table.show_rows(list(found), keep=lambda one: one.sweep.id)
        place = next((number for number, one in enumerate(found) if one.sweep.id == wanted), None)
        if place is not None or (found and self.table.current() is None):
            self.table.choose(place or 0)
        self._show()

    def allow(self, refusal: str) -> None:
        """Why no queue may go on or end now; nothing where it may."""
        self._refusal = refusal
        view = self.table.current()
        over = view is not None and view.status == FINISHED
        self.resume_button.refuse("All of its runs have ended." if over else refusal)
        ended = "It has ended. Going on puts its runs back." if view is not None and view.status == CANCELLED else ""
        self.end_button.refuse("All of its runs have ended." if over else ended or refusal)
        line = self.runs.current() if self.runs is not None else None
        self.open_button.refuse(_why_not_open(line))

    def _tell(self, signal: Any) -> None:
        if self.table.current() is not None:
            signal.emit(self.table.current().sweep.id)

    def _open(self) -> None:
        line = self.runs.current() if self.runs is not None else None
        if line is not None and line.place.run:
            self.opened.emit(line.place.run)

    def _status(self, view: SweepView) -> str:
        return "running" if view.sweep.id == self.running else view.status

    def _state(self, view: SweepView) -> Cell:
        text, meaning, icon = QUEUES[self._status(view)]
        return Cell(text, icon, icon_tone="text.secondary" if meaning == "plain" else f"{meaning}.fg")

    def _show(self) -> None:
        view = self.table.current()
        self._card.setVisible(view is not None)
        if view is None:
            return
        self._card.heading.setText(f"{view.sweep.name}, {view.sweep.id}")
        self.state.say(*QUEUES[self._status(view)])
        waiting = sum(one.status == WAITING for one in view.places)
        self._said.setText(
            f"{len(view.places):,} runs of {view.sweep.spec.base}, one after another. "
            + (f"{waiting:,} wait." if waiting else "Each has begun.")
        )
        self._show_runs(view)
        best = next((one for one in lines(view, False) if one.best), None)
        self._best.setVisible(best is not None)
        if best is not None and best.reached is not None:
            settings = ", ".join(
                f"{word(name).lower()} {_written(best.place.settings[name])}" for name in differing(view)
            )
            self._best.setText(
                f"Least loss on held-out examples: {best.place.run}, {best.reached.held_out:.3f}, with {settings}."
            )
        self._caution.setVisible(bool(view.compared.runs) and len(view.compared.runs) > 1)
        self.allow(self._refusal)

    def _show_runs(self, view: SweepView) -> None:
        names = differing(view)
        measures = tuple(dict.fromkeys(name for one in view.compared.runs for name in one.measures))[:MEASURES]
        gated = any(one.gate is not None for one in view.compared.runs)
        if (names, measures, gated) != self._columns or self.runs is None:
            self._columns = (names, measures, gated)
            if self.runs is not None:
                self._held.removeWidget(self.runs)
                self.runs.hide()
                self.runs.deleteLater()
            self.runs = self._table(names, measures, gated)
            self._held.addWidget(self.runs)
        rows = lines(view, view.sweep.id == self.running)
        self.runs.setFixedHeight(look().px(34 + 36 * min(MOST, len(rows))))
        self.runs.show_rows(rows, keep=lambda one: str(one.place.settings))
        if self.runs.current() is None:
            self.runs.choose(0)

    def _table(self, names: Sequence[str], measures: Sequence[str], gated: bool) -> Table:
        made = Table(
            [
                Column("Run", lambda one: Cell(one.place.run or "–", strong=one.best)),
                *(
                    Column(
                        word(name), lambda one, name=name: Cell(_written(one.place.settings.get(name))), 104, right=True
                    )
                    for name in names
                ),
                Column("State", _run_state, 112),
                Column("Held out", _held_out, 96, right=True),
                *(
                    Column(
                        measure_word(name),
                        lambda one, name=name: _measured(one, name),
                        _wide(name),
                        right=True,
                        spare=3 - at,
                    )
                    for at, name in enumerate(measures)
                ),
                *((Column("Gate", _gate, 96, spare=4),) if gated else ()),
            ],
            "Runs of the sweep by their settings",
        )
        made.opened.connect(lambda _: self._open())
        made.chosen.connect(lambda _: self.allow(self._refusal))
        return made


def _wide(name: str) -> int:
    """The width of a measure's column, for its word."""
    return max(110, 8 * len(measure_word(name)) + 10)


def _why_not_open(line: Line | None) -> str:
    if line is not None and line.place.run:
        return ""
    return "It was erased." if line is not None and line.place.status == ERASED else "It hasn’t begun."


def _over(view: SweepView) -> int:
    return sum(one.status in ENDED for one in view.places)


def _written(value: Any) -> str:
    return CHOICES.get(str(value), written(tuple(value) if isinstance(value, list) else value))


def _run_state(line: Line) -> Cell:
    text, meaning, icon = (
        WAITS if line.place.status == WAITING else STATES.get(line.state, (line.state.capitalize(), "plain", ""))
    )
    return Cell(text, icon, icon_tone="text.secondary" if meaning == "plain" else f"{meaning}.fg")


def _held_out(line: Line) -> Cell:
    if line.reached is None or line.reached.held_out is None:
        return Cell("–", tone="text.tertiary")
    spoken = f"Held out: {line.reached.held_out:.3f}, the best" if line.best else ""
    return Cell(
        f"{line.reached.held_out:.3f}",
        "check" if line.best else "",
        icon_tone="pass.fg",
        strong=line.best,
        spoken=spoken,
    )


def _measured(line: Line, name: str) -> Cell:
    found = line.reached.measures.get(name) if line.reached is not None else None
    if found is None:
        return Cell("–", tone="text.tertiary")
    return Cell(f"{100 * found[1]:.0f} % ({100 * found[2]:+.0f})".replace("-", "−"))


def _gate(line: Line) -> Cell:
    gate = line.reached.gate if line.reached is not None else None
    if gate is None:
        return Cell("–", tone="text.tertiary")
    return Cell("Met", "check", icon_tone="pass.fg") if gate else Cell("Not met", "alert", icon_tone="fail.fg")
