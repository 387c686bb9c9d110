"""Runs against a baseline: which runs, a table of all differences with their significance, and for the chosen one how sure it is, what so
many samples could show, and the samples that it gained and lost.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from app.bridge.operations import Failure, Operations
from app.pages.evaluation_compared import (
    Versus,
    compare,
    difference_cell,
    kept,
    measure_words,
    told,
    value_cell,
    verdict_cell,
    with_figures,
)
from app.pages.evaluation_matrix import short_names
from app.pages.evaluation_people import AgreementCard
from app.pages.evaluation_plots import PlotsView
from app.pages.page import side_pane
from app.theme.look import look
from app.widgets.banner import Banner
from app.widgets.basic import Card, column, frame, label, line, row
from app.widgets.buttons import Segments, button
from app.widgets.forms import Check, Choice
from app.widgets.table import Cell, Column, Table
from app.widgets.tick_list import TickList
from core.evals.comparing import MOST_RUNS
from core.evals.comparison import Changed, Compared
from core.evals.records import RunView
from core.evals.views import SavedView, log_picture
from core.jobs import Job

if TYPE_CHECKING:
    from core.workbench import Workbench

LIST, SIDE, NARROW_LIST, NARROW_SIDE, NARROW = 240, 384, 190, 290, 1180
KINDS = (("table", "Table"), ("parallel", "Settings and metrics"), ("cost", "Quality and cost"))
FILTERS = (("all", "All"), ("worse", "Worse"), ("better", "Better"), ("not", "Not shown"))


class ComparisonView(QWidget):
    """`sample_asked` gives (run, variant, sample) that the person wants to see whole."""

    sample_asked = Signal(str, str, str)

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._operations = operations
        self._runs: dict[str, RunView] = {}
        self._stale = True
        self._asked = 0
        self.versus: Versus | None = None

        self.baseline = Choice()
        self.baseline.setAccessibleName("Baseline")
        self.baseline.currentIndexChanged.connect(lambda _: self._chose_baseline())
        self.others = TickList("Other runs", "Up to 20 at once, with all their variants.", "Find a run")
        self.others.turned.connect(self.compare)
        self.by_tag = Check("Tags on their own")
        self.by_tag.toggled.connect(lambda _: self.compare())
        self.note = label("", type="small", tone="secondary", wrap=True)
        self.list = frame("panel")
        inside = column(
            label("Baseline", strong=True),
            self.baseline,
            8,
            self.others,
            self.by_tag,
            self.note,
            None,
            space=6,
            margins=(16, 14, 14, 14),
        )
        self.list.setLayout(inside)

        self.filters = Segments(FILTERS, "Which differences")
        self.filters.chosen.connect(lambda _: self._narrow())
        self.banner = Banner()
        self.table = Table(
            (
                Column("Variant", self._variant_cell),
                Column("Measure", lambda r: Cell(measure_words(r)), 130),
                Column("Value", value_cell, 86, right=True, spare=1),
                Column("Difference", difference_cell, 112, right=True),
                Column("After correction", verdict_cell, 128),
            ),
            "Differences from the baseline",
            height=52,
        )
        self.table.chosen.connect(self._choose)
        self._nothing = label("", type="answer", tone="secondary", wrap=True)
        self._nothing.setContentsMargins(24, 24, 24, 24)
        self.kind = Segments(KINDS, "How to show the variants")
        self.kind.chosen.connect(lambda _: self._turn())
        self.plots = PlotsView()
        self.plots.parallel.brushed.connect(self._narrow)
        self.plots.save_asked.connect(self._save_picture)
        self.ranges = label("", type="small", tone="secondary", wrap=True)
        self.all_ranges = button("Take ranges away", kind="link", small=True)
        self.all_ranges.clicked.connect(lambda: self.plots.parallel.clear_brush())
        self._bar = frame("panel")
        self._bar.setLayout(row(self.kind, None, space=8, margins=(16, 10, 16, 10)))
        self._filter_bar = frame("panel")
        narrowed = row(self.ranges, self.all_ranges, space=8)
        narrowed.setStretch(0, 1)
        bar = column(space=6, margins=(16, 0, 16, 10))
        bar.addLayout(row(self.filters, None, space=8))
        bar.addLayout(narrowed)
        self._filter_bar.setLayout(bar)
        self.main = frame("panel")
        middle = column(self._bar, self._filter_bar, self.banner, self._nothing, self.table, self.plots, space=0)
        middle.setStretch(4, 1)
        middle.setStretch(5, 1)
        self.main.setLayout(middle)

        self.lead = label("", strong=True, wrap=True)
        self.rest = label("", tone="secondary", wrap=True)
        self.power = label("", wrap=True)
        card = Card("Difference")
        for widget in (self.lead, self.rest, self.power):
            card.body.addWidget(widget)
        self.samples = _SamplesCard()
        self.samples.asked.connect(self._ask)
        self._card = card
        self.people = AgreementCard()
        self.side = side_pane(card, self.samples, self.people, width=SIDE)
        whole = row(self.list, line(vertical=True), self.main, line(vertical=True), self.side, space=0)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self._show_none("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < look().px(NARROW)
        self.list.setFixedWidth(look().px(NARROW_LIST if narrow else LIST))
        self.side.setFixedWidth(look().px(NARROW_SIDE if narrow else SIDE))

    # what there is to compare

    def show_runs(self, runs: Sequence[RunView]) -> None:
        """Offer these runs; what was chosen stays where it can. Nothing is compared before the view is looked at."""
        before, ticked = self.baseline.currentData(), self.others.chosen()
        same = [view.digest for view in runs] == [view.digest for view in self._runs.values()]
        ended = [view.result_digest for view in runs] == [view.result_digest for view in self._runs.values()]
        if same and ended:
            return
        self._runs = {view.run.id: view for view in runs}
        self._stale = True
        self.baseline.blockSignals(True)
        self.baseline.clear()
        for view in runs:
            names = short_names(view.run.variants)
            for variant in view.run.variants:
                words = f"{view.run.id.replace('-', ' ').capitalize()}: {names[variant.name]}"
                self.baseline.addItem(words, (view.run.id, variant.name))
        kept_at = next((n for n in range(self.baseline.count()) if self.baseline.itemData(n) == before), -1)
        self.baseline.setCurrentIndex(max(0, kept_at))
        self.baseline.blockSignals(False)
        self._offer(ticked if kept_at >= 0 else self._usual())
        if self.isVisible():
            self.compare()

    def add_to_list(self, widget: QWidget) -> None:
        """Put something below the runs."""
        layout = self.list.layout()
        assert isinstance(layout, QBoxLayout)
        layout.insertWidget(layout.count() - 1, widget)

    def view_named(self, name: str) -> SavedView | None:
        """What is shown now, as a view to be kept; None where nothing is."""
        side = self.baseline.currentData()
        if side is None:
            return None
        return SavedView(
            name=name,
            baseline_run=side[0],
            baseline_variant=side[1],
            runs=self.others.chosen(),
            by_tag=self.by_tag.isChecked(),
            kind=self.kind.current(),
            filter=self.filters.current(),
        )

    def show_view(self, view: SavedView) -> None:
        """Show a view that was kept."""
        for at in range(self.baseline.count()):
            if tuple(self.baseline.itemData(at)) == (view.baseline_run, view.baseline_variant):
                self.baseline.blockSignals(True)
                self.baseline.setCurrentIndex(at)
                self.baseline.blockSignals(False)
        self.by_tag.blockSignals(True)
        self.by_tag.setChecked(view.by_tag)
        self.by_tag.blockSignals(False)
        self._offer(view.runs)
        self.kind.choose(view.kind)
        self.filters.choose(view.filter)
        self.compare()

    def look_at(self) -> None:
        """The view is shown: compare, where something changed since."""
        if self._stale:
            self.compare()

    def compare(self) -> None:
        """Compare what is chosen."""
        side = self.baseline.currentData()
        if side is None:
            self._show_none("No runs yet. Run an evaluation, and its variants can be compared here.")
            return
        self._stale = False
        self._asked += 1
        asked, others, by_tag = self._asked, self.others.chosen(), self.by_tag.isChecked()
        self.banner.hide()

        def done(versus: Versus) -> None:
            if asked == self._asked:
                self._show(versus)

        def failed(found: Failure) -> None:
            if asked == self._asked:
                self._show_none("")
                self.banner.say(found.sentence, found.safe)

        if len(others) >= MOST_RUNS:
            self._show_none("")
            self.banner.say(f"At most {MOST_RUNS} runs are compared at once.", "Take some out of the list.")
            return
        self._operations.run(
            "Compare runs", lambda bench, job: compare(bench, job, tuple(side), others, by_tag), done, failed
        )

    def _usual(self) -> tuple[str, ...]:
        """The run before on the same dataset, where the baseline's run has nothing to compare in itself."""
        side = self.baseline.currentData()
        view = self._runs.get(side[0]) if side else None
        if view is None or len(view.run.variants) > 1:
            return ()
        dataset = view.run.dataset_reference.partition("@")[0]
        held = [name for name, one in self._runs.items() if one.run.dataset_reference.partition("@")[0] == dataset]
        return tuple(name for name in held if name != view.run.id)[:1]

    def _offer(self, ticked: Sequence[str]) -> None:
        side = self.baseline.currentData()
        rows = [
            (name, f"{name.replace('-', ' ').capitalize()}, {view.run.spec_reference}")
            for name, view in self._runs.items()
            if side is None or name != side[0]
        ]
        self.others.offer(rows)
        self.others.tick(ticked)

    def _chose_baseline(self) -> None:
        self._offer(self.others.chosen())
        self.compare()

    # what is shown

    def _show(self, versus: Versus) -> None:
        self.versus = versus
        self.people.show_people({})
        left = versus.found.left_out
        count = len(versus.samples) - left
        words = [f"Paired over the {count:,} samples that all have in common."]
        if left:
            words.append(f"{left:,} of the baseline’s are not in every dataset, or differ there, and are left out.")
        self.note.setText(" ".join(words))
        if not versus.found.rows:
            self._show_none("Nothing to compare. Tick another run, or choose a run with two variants.", versus)
            return
        self._nothing.hide()
        self._bar.show()
        self._turn()
        self._operations.run("Read figures", lambda bench, job: with_figures(bench, versus), self._picture)
        self._narrow()

    def _picture(self, versus: Versus) -> None:
        """Give the pictures what they show, if that is still compared."""
        if self.versus is not None and self.versus.found is versus.found:
            self.versus = versus
            self.plots.show_versus(versus)
            self.people.show_people(versus.people)

    def _show_none(self, words: str, versus: Versus | None = None) -> None:
        self.versus = versus
        for widget in (self._bar, self._filter_bar, self.table, self.plots, self.side):
            widget.hide()
        self._nothing.setText(words)
        self._nothing.setVisible(bool(words))
        if versus is None:
            self.note.setText("")

    def _turn(self) -> None:
        """Show the table or one of the pictures, which takes the room of the side panel too."""
        table = self.kind.current() == "table"
        for widget in (self._filter_bar, self.table, self.side):
            widget.setVisible(table)
        self.plots.setVisible(not table)
        if not table:
            self.plots.show_kind(self.kind.current())

    def _in_ranges(self) -> list[Compared]:
        """The differences of the variants that are within the ranges chosen in the picture; all where there are none."""
        versus, plot = self.versus, self.plots.parallel
        if versus is None:
            return []
        chosen = set(plot.chosen())
        narrowed = bool(versus.figures) and len(chosen) < len(plot.trails)
        for widget in (self.ranges, self.all_ranges):
            widget.setVisible(narrowed)
        if not narrowed:
            return list(versus.found.rows)
        self.ranges.setText(f"Only the {len(chosen)} of {len(plot.trails)} variants within the ranges of the picture.")
        return [one for one in versus.found.rows if versus.name(one.run, one.variant) in chosen]

    def _save_picture(self, path: Path) -> None:
        """Write the shown picture, once the log says so: it leaves the vault in clear."""
        runs = tuple(self.versus.runs) if self.versus is not None else ()

        def work(bench: "Workbench", job: Job) -> None:
            log_picture(bench.vault, path.name, runs)

        self._operations.run("Save a picture", work, lambda _: self.plots.save(path))

    def _narrow(self) -> None:
        if self.versus is None:
            return
        among = self._in_ranges()
        for name, _ in FILTERS:
            self.filters.count(name, sum(kept(one, name) for one in among))
        rows = [one for one in among if kept(one, self.filters.current())]
        self.table.show_rows(rows, keep=lambda r: f"{r.run}:{r.variant}:{r.scorer}:{r.tag}")
        if rows and self.table.current() is None:
            self.table.choose(0)
        found = self.table.current()
        if isinstance(found, Compared):
            self._choose(found)
        self._card.setVisible(bool(rows))
        self.samples.setVisible(bool(rows))

    def _choose(self, found: Compared) -> None:
        if self.versus is None:
            return
        self.lead.setText(told(self.versus, found)[0])
        self.rest.setText(told(self.versus, found)[1])
        self.power.setText(told(self.versus, found)[2])
        self.samples.show_changed(self.versus, self.versus.changed(found))

    def _ask(self, sample: str) -> None:
        found = self.table.current()
        if isinstance(found, Compared):
            self.sample_asked.emit(found.run, found.variant, sample)

    def _variant_cell(self, found: Compared) -> Cell:
        if self.versus is None:
            return Cell("")
        name, run = self.versus.name(found.run, found.variant), found.run.replace("-", " ")
        short = name.removesuffix(f", {run}")
        return Cell(
            short, strong=True, middle=True, second=run.capitalize(), spoken=f"{short} of {run} against the baseline"
        )


class _SamplesCard(Card):
    """`asked` gives a sample's id."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__("Samples that changed")
        self.which = Segments((("regressed", "Regressed"), ("improved", "Improved")), "Which samples changed")
        self.which.chosen.connect(lambda _: self._show())
        self.table = Table(
            (Column("Sample", lambda s: Cell(s[0], mono=True), 76), Column("Question", lambda s: Cell(s[1]))),
            "Samples that changed",
        )
        self.table.opened.connect(lambda s: self.asked.emit(s[0]))
        self.table.clicked.connect(lambda _: self._open())
        self.table.setFixedHeight(look().px(32 + 36 * 6))
        self.open = button("Open sample", kind="link", small=True)
        self.open.clicked.connect(self._open)
        self._none = label("", tone="secondary", wrap=True)
        self._changed: Changed | None = None
        self._versus: Versus | None = None
        self.body.addWidget(self.which)
        self.body.addWidget(self._none)
        self.body.addWidget(self.table)
        self.body.addLayout(row(None, self.open))

    def show_changed(self, versus: Versus, changed: Changed | None) -> None:
        """Show what a variant gained and lost against the baseline."""
        if changed == self._changed and versus is self._versus:
            return
        self._versus, self._changed = versus, changed
        self.which.count("regressed", len(changed.regressed) if changed else 0)
        self.which.count("improved", len(changed.improved) if changed else 0)
        if changed is not None and bool(changed.regressed) != bool(changed.improved):
            self.which.choose("regressed" if changed.regressed else "improved")
        self._show()

    def _show(self) -> None:
        if self._changed is None or self._versus is None:
            return
        found = self._changed.regressed if self.which.current() == "regressed" else self._changed.improved
        samples = self._versus.samples
        self.table.show_rows([(name, samples[name].input if name in samples else "") for name in found])
        if found:
            self.table.choose(0)
        self.table.setVisible(bool(found))
        self.open.setVisible(bool(found))
        ended = "failed" if self.which.current() == "regressed" else "passed"
        before = "passed" if ended == "failed" else "failed"
        words = f"{before.capitalize()} with {self._versus.baseline}, {ended} now." if found else ""
        self._none.setText(words or f"No sample that {before} before {ended} now.")

    def _open(self) -> None:
        found = self.table.current()
        if isinstance(found, tuple):
            self.asked.emit(found[0])
