"""How good a collection's search is: judged queries, the measures of each way to rank with their intervals, and what each query missed."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge import search_quality as bridge
from app.bridge.screening import count
from app.pages.page import Shell
from app.pages.quotes_calibration import show_calibration
from app.pages.screening_form import chosen, value
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.basic import label, row
from app.widgets.buttons import Button
from app.widgets.forms import Field, line_edit, required
from app.widgets.table import Cell, Column, Table

if TYPE_CHECKING:
    from core.evals.search_quality import Estimate, Measured, Missed

WAYS = {"meaning": "By meaning", "words": "By words", "fused": "Both", "reranked": "Reranked"}
NAMED = 5
"""Missed documents that a row names."""


class QualityForm(ActForm):
    """The files to measure with."""

    def __init__(self, collection: str, rerankers: tuple[str, ...]) -> None:
        self.queries = Field("Queries", line_edit(), "As TREC writes them, or JSON lines.", required("The file"))
        self.judgements = Field(
            "Judgements", line_edit(), "Which documents are relevant to each query (qrels).", required("The file")
        )
        self.reranker = chosen(
            {"": "None", **{name: name for name in rerankers}}, ("", *rerankers), "", "Reranker", "One more way."
        )
        parts: list[QWidget] = []
        for field in (self.queries, self.judgements):
            choose = Button("Choose", "folder-open")
            choose.setAccessibleName(f"Choose the file of {field.edit.accessibleName().lower()}")
            choose.clicked.connect(lambda _=False, which=field: self._choose(which))
            held = QWidget()
            inside = row(field, choose, space=8)
            inside.setStretch(0, 1)
            held.setLayout(inside)
            parts.append(held)
        self.calibration = Button("What a score of quotes means", kind="link")
        link = QWidget()
        link.setLayout(row(self.calibration, None))
        super().__init__(
            "Measure",
            "Every judged query is searched by meaning, by words and by both. Nothing is kept in the vault.",
            (*parts, self.reranker, link),
            title=f"Measure the search of {collection}",
        )
        self.fields = [self.queries, self.judgements]
        self.setFocusProxy(self.queries.edit)

    def _choose(self, field: Field) -> None:
        found, _ = QFileDialog.getOpenFileName(self, "Choose a file")
        if found:
            field.edit.setText(found)


class QualityResult(ActForm):
    """What came of it."""

    def __init__(self, collection: str, found: "Measured") -> None:
        last = found.ways[-1]
        self.measures = Table(
            [
                Column(
                    "Measure", lambda name: Cell(name.replace("ndcg", "nDCG").replace("mrr", "MRR"), strong=True), 120
                ),
                *(
                    Column(WAYS.get(way.way, way.way), lambda name, way=way: _estimate(way.measures[name]), 150, True)
                    for way in found.ways
                ),
            ],
            "Measures",
        )
        self.measures.setFixedHeight(look().px(34 + 36 * len(last.measures)))
        self.queries = Table(
            [
                Column("Query", lambda one: Cell(one.query), 110),
                Column("nDCG@10", lambda one: Cell(f"{one.ndcg:.2f}"), 80, True),
                Column("Found", lambda one: Cell(f"{one.found} of {one.relevant}"), 84, True),
                Column("Missed", lambda one: Cell(_missed(one), tone="text.secondary")),
            ],
            "Queries, the worst first",
        )
        self.queries.setFixedHeight(look().px(230))
        said = [
            f"{count(last.queries, 'query') if last.queries == 1 else f'{last.queries:,} queries'}; intervals hold 95 %. "
            f"{found.unjudged:,} left out because no document is relevant to them."
        ]
        said += [
            f"{WAYS.get(one.way, one.way)} beside {WAYS.get(one.other, one.other).lower()}, nDCG@10: {one.difference.value:+.4f} "
            f"({one.difference.low:+.4f} to {one.difference.high:+.4f}, p = {one.p:.3f}): {one.verdict}."
            for one in found.comparisons
        ]
        if found.absent:
            said.append(f"{count(len(found.absent), 'relevant document')} not in the collection.")
        self.said = label("\n".join(said), type="small", tone="secondary", wrap=True)
        super().__init__(
            "Close",
            parts=(self.measures, self.said, self.queries),
            title=f"The search of {collection}",
        )
        self.cancel.hide()
        self.measures.show_rows(tuple(last.measures))
        self.queries.show_rows(sorted(last.each, key=lambda one: one.ndcg))
        self.setFocusProxy(self.queries)


def ask_quality(shell: Shell, collection: str) -> None:
    """Open the form, measure, and show what came of it."""

    def show(rerankers: tuple[str, ...]) -> None:
        form = QualityForm(collection, rerankers)

        def measure() -> None:
            queries, judgements = form.queries.text.strip(), form.judgements.text.strip()
            reranker = value(form.reranker)
            form.wait("It is being measured.")
            handle = shell.operations.run(
                f"Measuring the search of {collection}",
                lambda bench, job: bridge.measured(bench, job, collection, queries, judgements, reranker),
                done,
                lambda found: form.refuse(found.sentence),
                lambda: form.refuse("Stopped. Nothing was measured."),
                shown=True,
            )
            form.cancelled.connect(handle.cancel)

        def done(found: "Measured") -> None:
            result = QualityResult(collection, found)
            for signal in (result.acted, result.cancelled):
                signal.connect(shell.close_overlay)
            shell.open_dialog(result, 760)

        form.calibration.clicked.connect(lambda: show_calibration(shell))
        form.acted.connect(measure)
        form.cancelled.connect(shell.close_overlay)
        shell.open_dialog(form, 560)

    shell.operations.run("Read the models", lambda bench, job: bridge.rerankers(bench), show)


def _estimate(found: "Estimate") -> Cell:
    text = f"{found.value:.4f} ({found.low:.2f}–{found.high:.2f})"
    return Cell(text, spoken=f"{found.value:.4f}, from {found.low:.2f} to {found.high:.2f}")


def _missed(one: "Missed") -> str:
    if not one.missed:
        return "Nothing"
    more = f" and {len(one.missed) - NAMED} more" if len(one.missed) > NAMED else ""
    return f"{', '.join(one.missed[:NAMED])}{more}"
