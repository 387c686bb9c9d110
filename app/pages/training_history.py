"""The history of training runs, and some of them compared: their losses in one plot, what they were made with, and what they reached."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.pages.page import scrolled
from app.pages.signatures import moment, seal_of
from app.pages.training_run import STATES, measure_word, mega
from app.pages.training_settings import word, written
from app.theme.look import look
from app.widgets.basic import Card, Elided, clear, column, label, row
from app.widgets.buttons import Button, button
from app.widgets.curve_plot import CurvePlot, Series
from app.widgets.table import Cell, Column, Table
from core.training.records import TrainingView
from core.training.settings import EXPLAINED

MOST = 4
"""Runs that are compared at once."""
FULL = f"{MOST} runs are compared at once. Leave one out first."


class HistoryView(QWidget):
    """`opened` gives the id of a run to be looked at."""

    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._compared: list[str] = []
        self._by_hand = False
        self.table = Table(
            [
                Column("Run", lambda one: Cell(one.run.name, second=one.run.id, strong=True)),
                Column(
                    "Compared",
                    lambda one: (
                        Cell("Yes", "check") if one.run.id in self._compared else Cell("No", tone="text.tertiary")
                    ),
                    92,
                ),
                Column("Base", lambda one: Cell(one.run.base, tone="text.secondary"), 120, spare=3),
                Column("State", _state, 112),
                Column("Steps", lambda one: Cell(f"{_steps(one):,}", tone="text.secondary"), 64, right=True, spare=4),
                Column("Held out", lambda one: Cell(_number(least(one))), 76, right=True, spare=5),
                Column("Best gain", _gain, 150, spare=6),
                Column("Signed", _signed, 130, spare=2),
                Column("Started", lambda one: Cell(moment(one.run.started), tone="text.secondary"), 142, spare=1),
            ],
            "Training runs",
            height=52,
        )
        self.table.opened.connect(lambda one: self.opened.emit(one.run.id))
        self.table.chosen.connect(lambda _: self._allow())
        self.open_button = button("Open", "open", small=True)
        self.open_button.clicked.connect(self._open)
        self.compare_button = Button("Compare", "compare", small=True)
        self.compare_button.clicked.connect(self._toggle)
        self._card = Card("Compared")
        self._hint = label("", tone="secondary", wrap=True)
        self.plot = CurvePlot("Loss on what was learned from, nats a token", height=190)
        self.held = CurvePlot("Loss on held-out examples, nats a token")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(look().px(16))
        self._grid.setVerticalSpacing(look().px(6))
        for part in (self._hint, self.plot, self.held):
            self._card.body.addWidget(part)
        self._card.body.addLayout(self._grid)
        lower = QWidget()
        lower.setLayout(column(self._card, None, margins=(20, 12, 20, 20)))
        acts = QWidget()
        acts.setLayout(row(self.open_button, self.compare_button, None, margins=(20, 8, 20, 8)))
        self._lower = scrolled(lower)
        self._lower.setAccessibleName("Runs compared")
        layout = column(self.table, acts, self._lower, space=0)
        layout.setStretch(0, 2)
        layout.setStretch(2, 3)
        self.setLayout(layout)
        self.rows: tuple[tuple[str, ...], ...] = ()

    def show_runs(self, runs: Sequence[TrainingView]) -> None:
        """Show all runs; those that are compared stay so."""
        self._runs = {one.run.id: one for one in runs}
        self._compared = [name for name in self._compared if name in self._runs]
        if not self._by_hand:
            self._compared = [one.run.id for one in runs if one.result is not None][:2]
        self.table.show_rows(list(runs), keep=lambda one: one.run.id)
        if runs and self.table.current() is None:
            self.table.choose(0)
        self._show()

    @property
    def compared(self) -> tuple[str, ...]:
        return tuple(self._compared)

    def _open(self) -> None:
        if self.table.current() is not None:
            self.opened.emit(self.table.current().run.id)

    def _toggle(self) -> None:
        one = self.table.current()
        if one is None:
            return
        self._by_hand = True
        if one.run.id in self._compared:
            self._compared.remove(one.run.id)
        else:
            self._compared.append(one.run.id)
        self._show()

    def _allow(self) -> None:
        one = self.table.current()
        held = one is not None and one.run.id in self._compared
        self.compare_button.setText("Leave out" if held else "Compare")
        self.compare_button.setAccessibleName(self.compare_button.text())
        self.compare_button.refuse(FULL if not held and len(self._compared) >= MOST else "")

    def _show(self) -> None:
        for place in range(len(self.table.rows.all())):
            self.table.rows.changed(place)
        self._allow()
        views = [self._runs[name] for name in self._compared]
        self._hint.setText("" if len(views) > 1 else "Choose runs above to see them beside each other.")
        self._hint.setVisible(len(views) < 2)
        self.plot.show_series([Series(one.run.id, _curve(one)) for one in views])
        held = [Series(one.run.id, tuple((m.step, m.loss) for m in one.result.measured)) for one in views if one.result]
        self.held.setVisible(any(one.points for one in held))
        self.held.show_series(held)
        self.rows = differences(views)
        clear(self._grid)
        for down, line in enumerate(self.rows):
            for across, text in enumerate(line):
                shown = Elided(text, tone="secondary" if across == 0 else "primary", strong=down == 0)
                self._grid.addWidget(shown, down, across)
        for across in range(MOST + 1):
            self._grid.setColumnStretch(across, 1 if self.rows and across < len(self.rows[0]) else 0)


def differences(views: Sequence[TrainingView]) -> tuple[tuple[str, ...], ...]:
    """Lines of a table: a heading with the runs, what they differ in, and what they reached. Empty without a run."""
    if not views:
        return ()

    def settings(name: str) -> list[str]:
        return [written(getattr(one.run.settings, name)) or "all" for one in views]

    lines = [["", *(one.run.id for one in views)]]
    sources = [", ".join(source.reference for source in one.run.sources) for one in views]
    for what, values in (("Base", [one.run.base for one in views]), ("Data", sources)):
        if len(set(values)) > 1:
            lines.append([what, *values])
    lines += [[word(name), *settings(name)] for name in EXPLAINED if len(set(settings(name))) > 1]
    lines.append(["Steps", *(f"{_steps(one):,}" for one in views)])
    lines.append(["Loss held out", *(_number(least(one)) for one in views)])
    lines.append(["Time", *(f"{one.result.seconds:,.0f} s" if one.result else "–" for one in views)])
    lines.append(["Memory", *(mega(one.result.peak) if one.result and one.result.peak else "–" for one in views)])
    measures = dict.fromkeys(rated.measure for one in views if one.compared for rated in one.compared.rated)
    for measure in measures:
        lines.append([f"{measure_word(measure)}, gain", *(_gained(one, measure) for one in views)])
    return tuple(tuple(line) for line in lines)


def least(view: TrainingView) -> float | None:
    """The least loss on held-out examples."""
    return min((one.loss for one in view.result.measured), default=None) if view.result else None


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _curve(view: TrainingView) -> tuple[tuple[int, float], ...]:
    return tuple((one.step, one.loss) for one in view.result.curve) if view.result else ()


def _steps(view: TrainingView) -> int:
    return view.result.step if view.result else view.checkpoint


def _state(view: TrainingView) -> Cell:
    text, meaning, icon = STATES.get(view.status, (view.status.capitalize(), "plain", ""))
    return Cell(text, icon, icon_tone="text.secondary" if meaning == "plain" else f"{meaning}.fg")


def _signed(view: TrainingView) -> Cell:
    meanings = [meaning for meaning, _ in view.signed]
    words = "Approved" if "approved" in meanings else meanings[-1].capitalize() if meanings else "Not signed"
    return Cell(words, seal=seal_of(meanings))


def _gain(view: TrainingView) -> Cell:
    if view.compared is None or not view.compared.rated:
        return Cell("–", tone="text.tertiary")
    best = max(view.compared.rated, key=lambda one: one.difference)
    return Cell(f"{_points(best.difference)} {measure_word(best.measure).lower()}")


def _gained(view: TrainingView, measure: str) -> str:
    one = next((rated for rated in view.compared.rated if rated.measure == measure), None) if view.compared else None
    return "–" if one is None else f"{_points(one.difference)} ({_points(one.low)} to {_points(one.high)})"


def _points(value: float) -> str:
    return f"{100 * value:+.0f}".replace("-", "−")
