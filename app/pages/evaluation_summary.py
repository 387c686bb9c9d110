"""Beside the matrix: what differs between the variants and how sure that is, whether the criteria are met, the sample that was gone to, and
every figure with its interval.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.bridge.operations import Operations
from app.pages.evaluation_content import RunContent
from app.pages.evaluation_gate import GateCard
from app.pages.evaluation_learned import LearnedCard
from app.pages.evaluation_matrix import (
    STATUS,
    UNITS,
    difference_intervals,
    difference_words,
    differences,
    figure,
    headline,
    is_share,
    metric_intervals,
    plain,
    scorer_word,
    short_names,
)
from app.pages.evaluation_people import PeopleCard
from app.pages.sample_detail import verdict_badge
from app.pages.signatures import moment
from app.theme.look import look
from app.widgets.basic import Badge, Card, clear, column, label, line, row
from app.widgets.buttons import button
from app.widgets.forms import Choice
from app.widgets.interval_plot import IntervalPlot
from core.datasets.records import Sample
from core.evals.records import Outcome


class RunSummary(QWidget):
    """`sample_asked` says that the person wants the current sample whole."""

    sample_asked = Signal()

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._content: RunContent | None = None
        self.learned = LearnedCard(operations)
        self.difference = _DifferenceCard()
        self.gate = GateCard()
        self.sample = _SampleCard()
        self.sample.asked.connect(self.sample_asked)
        self.figures = _FiguresCard()
        self.people = PeopleCard()
        self.facts = _FactsCard()
        self.setLayout(
            column(
                self.learned,
                self.difference,
                self.gate,
                self.sample,
                self.figures,
                self.people,
                self.facts,
                None,
                space=12,
            )
        )
        self.setAccessibleName("Summary of the run")

    def show_run(self, content: RunContent) -> None:
        """Show a run's result, or what is known of it before there is one."""
        self._content = content
        self.learned.look_at(content.spec.spec.reference, content.spec.spec.spec)
        self.difference.show_run(content)
        self.gate.show_run(content)
        self.figures.show_run(content)
        self.facts.show_run(content)

    def show_sample(self, sample: Sample | None, variant: str, outcome: Outcome | None) -> None:
        self.sample.show_sample(sample, variant, outcome)


class _DifferenceCard(Card):
    def __init__(self) -> None:
        super().__init__("Differences")
        self._content: RunContent | None = None
        self.which = Choice()
        self.which.setAccessibleName("Variant that is compared with the baseline")
        self.which.currentIndexChanged.connect(lambda _: self._show())
        self.lead = label("", strong=True, wrap=True)
        self.rest = label("", tone="secondary", wrap=True)
        self.plot = IntervalPlot("In points", "better →")
        self._note = label("", type="small", tone="tertiary", wrap=True)
        for widget in (self.which, self.lead, self.rest, self.plot, self._note):
            self.body.addWidget(widget)

    def show_run(self, content: RunContent) -> None:
        self._content = content
        names = short_names(content.run.variants)
        others = content.run.variants[1:]
        self.setVisible(content.view.result is not None and bool(others))
        self.which.blockSignals(True)
        self.which.clear()
        for variant in others:
            self.which.addItem(f"{names[variant.name]} against {names[content.run.variants[0].name]}", variant.name)
        self.which.blockSignals(False)
        self.which.setVisible(len(others) > 1)
        if len(others) == 1:
            self.heading.setText(self.which.currentText())
        self._show()

    def _show(self) -> None:
        content = self._content
        name = self.which.currentData()
        if content is None or name is None:
            return
        short = short_names(content.run.variants)[name]
        found = differences(content, name)
        told = headline(content, found)
        lead, rest = difference_words(told, short) if told is not None else ("Nothing to compare.", "")
        self.lead.setText(lead)
        self.rest.setText(rest)
        shown = difference_intervals(found)
        self.plot.setVisible(bool(shown))
        self.plot.show_intervals(shown)
        crossing = any(interval.crosses for interval in shown)
        notes = ["Grey crosses zero: no difference shown."] if crossing else []
        notes += [
            f"{scorer_word(d.scorer)}: {d.value:+.2f} {UNITS.get(d.scorer, '')} ({d.low:+.2f} to {d.high:+.2f}).".replace(
                "-", "−"
            )
            for d in found
            if not is_share(d.scorer)
        ]
        self._note.setText(" ".join(notes))
        self._note.setVisible(bool(notes))


class _SampleCard(Card):
    asked = Signal()

    def __init__(self) -> None:
        super().__init__("Sample")
        self._verdict: Badge | None = None
        self.open = button("Open", kind="link", small=True)
        self.open.clicked.connect(self.asked)
        self._question = label("", tone="secondary", wrap=True)
        self._answer = label("", wrap=True)
        self._scores = column(space=2)
        self._cited = QFrame()
        self._where = label("", type="small", tone="secondary", wrap=True)
        self._quote = label("", wrap=True)
        self._cited.setLayout(column(self._where, self._quote, space=2, margins=(10, 8, 10, 8)))
        self._top = row(None, self.open)
        self.body.addLayout(self._top)
        for widget in (self._question, self._answer):
            self.body.addWidget(widget)
        self.body.addLayout(self._scores)
        self.body.addWidget(self._cited)
        self._restyle()
        look().changed.connect(self._restyle)
        self.hide()

    def show_sample(self, sample: Sample | None, variant: str, outcome: Outcome | None) -> None:
        self.setVisible(sample is not None)
        if sample is None:
            return
        self.heading.setText(f"{sample.id}, {variant}")
        if self._verdict is not None:
            self._verdict.hide()
            self._verdict.deleteLater()
        self._verdict = verdict_badge(outcome)
        self._top.insertWidget(0, self._verdict)
        self._question.setText(sample.input)
        answer = outcome.answer if outcome is not None else None
        self._answer.setText(f"“{plain(answer.answer)}”" if answer else outcome.error if outcome else "Not run yet.")
        clear(self._scores)
        for score in outcome.scores if outcome is not None else ():
            value = label(
                figure(score.scorer, score.value), type="small", strong=True, tone="primary" if score.passed else "fail"
            )
            name = label(scorer_word(score.scorer), type="small", tone="secondary")
            holder = QWidget()
            holder.setLayout(row(name, None, value))
            self._scores.addWidget(holder)
        cited = answer.citations[0] if answer and answer.citations else None
        self._cited.setVisible(cited is not None)
        if cited is not None:
            self._where.setText(f"[{cited.number}]  {cited.name}, {cited.place or f'page {cited.page}'}")
            self._quote.setText(cited.quote)

    def _restyle(self) -> None:
        here = look()
        weak, edge = here.colour("highlight.weak").name(), here.colour("highlight.edge").name()
        self._cited.setStyleSheet(
            f".QFrame {{ background: {weak}; border: 0; border-left: {here.px(3)}px solid {edge}; }}"
        )


class _FiguresCard(Card):
    def __init__(self) -> None:
        super().__init__("Figures", "Each with its 95 % interval.")
        self._rows = column(space=10)
        self.body.addLayout(self._rows)

    def show_run(self, content: RunContent) -> None:
        clear(self._rows)
        found = metric_intervals(content)
        self.setVisible(bool(found))
        for position, (scorer, over, intervals) in enumerate(found):
            if position:
                self._rows.addWidget(line())
            plot = IntervalPlot(over, "", "95 % interval", zero=False)
            plot.show_intervals(intervals)
            self._rows.addWidget(label(scorer_word(scorer), strong=True))
            self._rows.addWidget(plot)


class _FactsCard(Card):
    def __init__(self) -> None:
        super().__init__("Run")
        self._rows = column(space=4)
        self.body.addLayout(self._rows)

    def show_run(self, content: RunContent) -> None:
        clear(self._rows)
        run, result = content.run, content.view.result
        facts: list[tuple[str, str]] = [
            ("Status", "Running" if content.live else STATUS[content.view.status]),
            ("Spec", run.spec_reference),
            ("Dataset", f"{run.dataset_reference}, {run.samples} samples"),
            ("Documents", f"{run.collection}, {len(run.documents)} documents"),
            ("Models", ", ".join(dict.fromkeys(variant.model for variant in run.variants))),
            ("Started", f"{moment(run.started)}, by {run.user}"),
            ("Seed", str(run.seed)),
            ("Barrier", ", ".join(run.environment.barrier) or "none"),
            ("Made with", f"Assay {run.environment.assay}, Python {run.environment.python}"),
        ]
        if result is not None:
            facts.insert(6, ("Took", f"{result.seconds:.1f} s"))
            if result.error:
                facts.insert(1, ("Ended by", result.error))
        for name, value in facts:
            self._rows.addWidget(_fact(name, value))


def _fact(name: str, value: str) -> QWidget:
    made = QWidget()
    left = label(name, type="small", tone="secondary")
    left.setFixedWidth(look().px(84))
    layout = row(left, space=8)
    layout.setAlignment(left, Qt.AlignmentFlag.AlignTop)
    layout.addWidget(label(value, type="small", wrap=True), 1)
    made.setLayout(layout)
    return made
