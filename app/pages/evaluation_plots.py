"""The variants of a comparison as pictures: settings and metrics as parallel coordinates, of which ranges are chosen, and quality against
seconds and tokens with the Pareto front. Either is saved as SVG or PNG.
"""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QStackedWidget, QWidget

from app.pages.evaluation_compared import Versus
from app.pages.evaluation_matrix import is_share, scorer_word
from app.widgets.banner import Banner
from app.widgets.basic import column, frame, label, row
from app.widgets.buttons import button
from app.widgets.charts import Axis, Chart, CostPlot, ParallelPlot, Point, Trail
from app.widgets.forms import Choice
from core.evals.comparing import lower_is_better
from core.evals.figures import Figures
from core.evals.records import Run, Variant

ENDINGS = (("svg", "As SVG…"), ("png", "As PNG…"))


class PlotsView(QWidget):
    """Both pictures; `show_kind` turns to one of them. `save_asked` gives the path that the person chose for the shown one."""

    save_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._versus: Versus | None = None
        self.parallel, self.cost = ParallelPlot(), CostPlot()
        self.parallel.brushed.connect(self._say)
        self.quality = Choice()
        self.quality.setAccessibleName("Quality")
        self.quality.currentIndexChanged.connect(lambda _: self._show_cost())
        self.reset = button("Take ranges away", small=True)
        self.reset.clicked.connect(lambda: self.parallel.clear_brush())
        self.export = button("Save picture", "save", small=True).with_caret()
        self._menu = QMenu(self.export)
        for ending, words in ENDINGS:
            self._menu.addAction(words).triggered.connect(lambda _=False, which=ending: self._ask(which))
        self.export.clicked.connect(lambda: self._menu.popup(self.export.mapToGlobal(self.export.rect().bottomLeft())))
        self.banner = Banner()
        self.note = label("", type="small", tone="secondary", wrap=True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.parallel)
        self._stack.addWidget(self.cost)
        bar = frame("panel")
        bar.setLayout(row(self.quality, self.reset, None, self.export, space=8, margins=(16, 8, 16, 8)))
        foot = frame("panel")
        foot.setLayout(column(self.note, margins=(16, 6, 16, 10)))
        layout = column(bar, self.banner, self._stack, foot, space=0)
        layout.setStretch(2, 1)
        self.setLayout(layout)

    def show_kind(self, name: str) -> None:
        """`parallel` or `cost`."""
        parallel = name == "parallel"
        self._stack.setCurrentWidget(self.parallel if parallel else self.cost)
        self.reset.setVisible(parallel)
        self.quality.setVisible(not parallel)
        self._say()

    def current(self) -> Chart:
        """The picture that is shown."""
        return self.parallel if self._stack.currentWidget() is self.parallel else self.cost

    def show_versus(self, versus: Versus | None) -> None:
        """Show the variants of a comparison, the baseline too."""
        self._versus = versus
        if versus is None:
            return
        self.parallel.show_trails(*trails(versus))
        kept = self.quality.currentData()
        self.quality.blockSignals(True)
        self.quality.clear()
        for scorer in dict.fromkeys(name for one in versus.figures for name in one.metrics):
            if is_share(scorer):
                self.quality.addItem(scorer_word(scorer), scorer)
        self.quality.setCurrentIndex(max(0, self.quality.findData(kept)))
        self.quality.blockSignals(False)
        self._show_cost()

    def _show_cost(self) -> None:
        scorer = self.quality.currentData()
        if self._versus is None or scorer is None:
            self.cost.show_points((), "")
        else:
            lower = bool(lower_is_better({scorer.partition(":")[0]: 0.0}))
            self.cost.show_points(points(self._versus, scorer), scorer_word(scorer), lower)
        self._say()

    def _say(self) -> None:
        if self.current() is self.cost:
            front = "; ".join(self.cost.front)
            words = f"On the Pareto front: {front}. No other variant is as good in quality, seconds and tokens, and better in one."
            self.note.setText(words if front else "No variant has both a measured quality and answers.")
            return
        names, count = self.parallel.chosen(), len(self.parallel.trails)
        how = "Drag along an axis to choose a range; arrow keys do it too."
        if len(names) == count:
            self.note.setText(f"{count} variants. {how}")
        else:
            said = f"{len(names)} of {count} variants chosen: {'; '.join(names) or 'none'}."
            self.note.setText(f"{said} The table shows them alone.")

    def _ask(self, ending: str) -> None:
        name = f"{'variants' if self.current() is self.parallel else 'cost'}.{ending}"
        path, _ = QFileDialog.getSaveFileName(self, "Save the picture", name, f"{ending.upper()} (*.{ending})")
        if path:
            chosen = Path(path)
            self.save_asked.emit(chosen if chosen.suffix.lower() == f".{ending}" else Path(f"{path}.{ending}"))

    def save(self, path: Path) -> None:
        """Write the shown picture into a file."""
        self.banner.hide()
        if not self.current().save(path):
            self.banner.say(f"{path.name} could not be written.", "Choose another folder; nothing else changed.")
            return


def points(versus: Versus, scorer: str) -> tuple[Point, ...]:
    """Every variant that has a quality and answers."""
    return tuple(
        Point(versus.name(one.run, one.variant), one.metrics[scorer], one.seconds, one.tokens)
        for one in versus.figures
        if scorer in one.metrics and one.answers
    )


def trails(versus: Versus) -> tuple[tuple[Axis, ...], tuple[Trail, ...]]:
    """An axis for each setting in which variants differ, and for each metric; a line for each variant."""
    known = {
        (run.run.id, variant.name): (run.run, variant) for run in versus.runs.values() for variant in run.run.variants
    }
    sides = [(*known[one.run, one.variant], one) for one in versus.figures]
    axes: list[Axis] = []
    columns: list[list[float | None]] = []
    for word, texts in _settings(sides):
        places = tuple(dict.fromkeys(texts))
        if len(places) > 1:
            axes.append(Axis(word, places))
            columns.append([float(places.index(text)) for text in texts])
    for scorer in dict.fromkeys(name for _, _, one in sides for name in one.metrics):
        if scorer not in ("latency", "tokens"):
            axes.append(Axis(scorer_word(scorer)))
            columns.append([one.metrics.get(scorer) for _, _, one in sides])
    axes += [Axis("Seconds"), Axis("Tokens")]
    columns.append([one.seconds if one.answers else None for _, _, one in sides])
    columns.append([one.tokens if one.answers else None for _, _, one in sides])
    found = tuple(
        Trail(versus.name(one.run, one.variant), tuple(values[at] for values in columns))
        for at, (_, _, one) in enumerate(sides)
    )
    return tuple(axes), found


def _settings(sides: Sequence[tuple[Run, Variant, Figures]]) -> list[tuple[str, list[str]]]:
    """Each setting's word with its value for each variant, as text."""
    table: list[tuple[str, list[str]]] = [
        ("Run", [run.id.replace("-", " ") for run, _, _ in sides]),
        ("Prompt", [variant.prompt or "none" for _, variant, _ in sides]),
        ("Model", [variant.model for _, variant, _ in sides]),
    ]
    for field, word in (
        ("collection", "Documents"),
        ("temperature", "Temperature"),
        ("top_p", "Top p"),
        ("top_k", "Top k"),
        ("passages", "Passages"),
        ("max_tokens", "Longest answer"),
        ("adapters", "Adapters"),
    ):
        texts = []
        for run, variant, _ in sides:
            value = getattr(variant.settings, field, None)
            if field == "collection":
                value = run.collection if value is None else value
            if field == "adapters":
                value = ", ".join(f"{use.model[:8]} × {use.scale:g}" for use in value or ()) or None
            texts.append("usual" if value is None else str(value) or "none")
        table.append((word, texts))
    return table
