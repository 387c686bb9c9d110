"""The evaluations page in its states, over a real vault, to be looked at: rows of `shots.SCENES`."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import msgspec
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QScrollArea

from app.main_window import MainWindow
from core.errors import NotFound, WorkerFailed
from core.evals import marks, store
from core.evals.files import read_spec
from core.evals.records import Outcome, RunSpec, RunView
from core.evals.replaying import Differs, Replay
from core.evals.scoring.base import Decision, Tools
from core.jobs import Job
from core.vault.roles import Act
from tests.unit.app.benches import EXAMPLE, Bench

SPEC = "cite-answers-comparison"
GATE = ("groundedness.low >= 0.5", "no regression of contains at p < 0.05", "refusal >= 0.99")


def wait(window: MainWindow, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    calm = 0
    while calm < 5 and time.monotonic() < end:
        QCoreApplication.processEvents()
        calm = calm + 1 if window.operations.running() == 0 else 0
        time.sleep(0.01)


def with_runs(window: MainWindow) -> Bench:
    """Three finished runs: the example's, one with another spec version and a gate, one that is cut in its middle."""
    bench = window.operations.workbench
    assert isinstance(bench, Bench)
    try:
        bench.library.samples = bench.datasets.show("merrowdale-questions").dataset.samples
    except NotFound:
        bench.with_dataset()
    if not bench.evals.list():
        bench.with_spec()
        bench.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
        spec = read_spec(EXAMPLE / "evaluation.yaml")
        bench.evals.save(msgspec.structs.replace(spec, name="strict-answers", gate=GATE, repetitions=2))
        asked = 0

        def fail() -> None:
            nonlocal asked
            asked += 1
            if asked == 3:
                raise WorkerFailed(worker="starter-chat", reason="out of memory", safe="The other answers are kept.")

        bench.library.before_answer = fail
        bench.evals.run(RunSpec(reference="strict-answers"), Job("Evaluate"))
        bench.library.before_answer = lambda: None
    return bench


def judge(decision: Decision) -> dict[str, object]:
    """A judge that likes long answers, and is not always of the same mind."""
    marks = decision.schema["properties"]["verdict"]["enum"]
    size = len(str(decision.variables["answer"]))
    return {
        "reason": "It answers, and says where it stands.",
        "verdict": marks[(size + size % 3 * decision.time) % len(marks)],
    }


def with_judge(bench: Bench, people: bool = True) -> None:
    """A run with a judge, after those of `with_runs`; two people marked some of its answers."""
    if any(view.run.id == "run-3" for view in bench.evals.list()):
        return
    bench.evals._scoring = SimpleNamespace(  # type: ignore[assignment]
        tools=lambda embedder, job: Tools(decide=judge), asked=lambda *_: None, instruments=lambda uses: ()
    )
    spec = read_spec(EXAMPLE / "evaluation.yaml")
    scoring = {"rubric": {"rubric": "judge@1", "model": "starter-chat", "repeat": 3}}
    bench.evals.save(
        msgspec.structs.replace(spec, name="judged", scorers=("contains", "rubric"), scoring=scoring, criteria=())
    )
    view = bench.evals.run(RunSpec(reference="judged"), Job("Evaluate"))
    if not people:
        return
    outcomes = [outcome for _, outcome in bench.evals.outcomes(view.run.id) if outcome.scores]
    for user, step in (("ines", 3), ("tomas", 5)):
        for place, outcome in enumerate(outcomes[:48]):
            score = next(score for score in outcome.scores if score.scorer == "rubric")
            given = min(5, max(1, round(1 + 4 * score.value) + (place % step == 0)))
            _mark(bench, view, outcome, user, given)


def _mark(bench: Bench, view: RunView, outcome: Outcome, user: str, score: int) -> None:
    """What somebody says, as the vault would hold it if they had said it."""
    with bench.vault.write(Act.MARK_OUTCOME, about=f"by {user}") as unit:
        digest = store.outcome(unit, view.digest, outcome.variant, outcome.sample, 0)
        assert digest is not None
        made = marks.Mark(
            run=view.digest, outcome=digest, sample=outcome.sample, variant=outcome.variant, repetition=0, scorer="rubric",
            score=score, lowest=1, highest=5, reason="Names the page, not the limit." if score < 4 else "", user=user, made=view.run.started,
        )  # fmt: skip
        store.add_mark(unit, view.digest, digest, "rubric", user, unit.put(made, links=(view.digest, digest)))


def judged(window: MainWindow) -> None:
    """The summary at the judge's agreement with people."""
    with_judge(with_runs(window))
    window.go("evals", "run-3")
    wait(window)
    page = window.page.results  # type: ignore[union-attr]
    bars = page._summary_pane.findChildren(QScrollArea)
    bars[0].ensureWidgetVisible(page.summary.people, 0, 0)
    bars[0].verticalScrollBar().setValue(page.summary.people.y() - 12)


def comparison_people(window: MainWindow) -> None:
    """Two runs, one of them marked by people, beside each other."""
    with_judge(with_runs(window))
    window.go("evals", "run-3")
    wait(window)
    window.page._turn("compare")  # type: ignore[union-attr]
    wait(window)
    page = window.page.comparison  # type: ignore[union-attr]
    bars = page.side.findChildren(QScrollArea) or [page.side]
    bars[0].ensureWidgetVisible(page.people, 0, 0)


def judged_sample(window: MainWindow) -> None:
    judged(window)
    page = window.page.results  # type: ignore[union-attr]
    page.go_to("q03", page.content.run.variants[1].name)
    wait(window)
    bars = page._detail_pane.findChildren(QScrollArea)
    bars[0].verticalScrollBar().setValue(page.detail.marks.y() - 60)


def results(window: MainWindow) -> None:
    with_runs(window)
    window.go("evals", "run-1")
    wait(window)


def view(name: str) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        with_runs(window)
        window.go("evals")
        wait(window)
        window.page._turn(name)  # type: ignore[union-attr]
        wait(window)

    return show


def comparison_runs(window: MainWindow) -> None:
    view("compare")(window)
    page = window.page.comparison  # type: ignore[union-attr]
    page.others.tick([page.others.rows.index(0, 0).data() and "run-1"])
    page.others.turned.emit()
    wait(window)
    page.table.choose(2)


def comparison_sample(window: MainWindow) -> None:
    comparison_runs(window)
    page = window.page.comparison  # type: ignore[union-attr]
    page.samples.which.segment("improved").click()
    page.samples.open.click()
    wait(window)


def sample(window: MainWindow) -> None:
    """A sample that was asked twice, from its scores on."""
    with_runs(window)
    window.go("evals", "run-2")
    wait(window)
    page = window.page.results  # type: ignore[union-attr]
    page.go_to("q03", page.content.run.variants[1].name)
    wait(window)


def sample_foot(window: MainWindow) -> None:
    sample(window)
    bars = window.page.results._detail_pane.findChildren(QScrollArea)  # type: ignore[union-attr]
    bars[0].verticalScrollBar().setValue(bars[0].verticalScrollBar().maximum())


def zoomed(percent: str) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        results(window)
        window.page.results.zoom.choose(percent)  # type: ignore[union-attr]

    return show


def gate(window: MainWindow) -> None:
    with_runs(window)
    window.go("evals", "run-2")
    wait(window)


def label_form(window: MainWindow) -> None:
    window.go("prompts")
    wait(window)
    window.page.ask_label()  # type: ignore[union-attr]
    window.overlay.panel.say_held(  # type: ignore[union-attr]
        "run-2 doesn't meet its gate: refusal >= 0.99 (refusal is 0.800, over 40 samples)."
    )


def saved_view(window: MainWindow) -> None:
    comparison_runs(window)
    page = window.page
    page.saved_views.ask_name()  # type: ignore[union-attr]
    window.overlay.panel.field.edit.setText("Both prompts, both runs")  # type: ignore[union-attr]


def plot(kind: str) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        comparison_runs(window)
        page = window.page.comparison  # type: ignore[union-attr]
        page.kind.segment(kind).click()
        if kind == "parallel":
            page.plots.parallel.brush(2, 0.4, 1.0)

    return show


def form(window: MainWindow) -> None:
    """The form after a dry run."""
    with_runs(window)
    window.go("evals", SPEC)
    wait(window)
    page = window.page
    page.specs.change.click()  # type: ignore[union-attr]
    wait(window)
    page.form.dry.clicked.emit()  # type: ignore[union-attr]
    wait(window)


def form_wrong(window: MainWindow) -> None:
    form(window)
    yaml = window.page.form.yaml  # type: ignore[union-attr]
    yaml.setPlainText(yaml.toPlainText().replace("passages: 4", "passages: four"))


def replayed(window: MainWindow) -> None:
    view("runs")(window)
    window.page.runs.table.choose(1)  # type: ignore[union-attr]
    window.page.runs.replay.click()  # type: ignore[union-attr]
    wait(window)


def replayed_otherwise(window: MainWindow) -> None:
    view("runs")(window)
    window.page.runs.show_replay(  # type: ignore[union-attr]
        Replay(
            run="run-1",
            compared=120,
            same=118,
            different=tuple(
                Differs(sample=name, variant="cite-answers@1 / starter-chat", repetition=0, fields=("answer", "tokens"))
                for name in ("q02", "q31")
            ),
            reasons=("it was computed by cpu, and is now by cuda",),
        )
    )


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "evals-results": results,
    "evals-zoom-60": zoomed("60"),
    "evals-zoom-40": zoomed("40"),
    "evals-sample": sample,
    "evals-sample-foot": sample_foot,
    "evals-gate": gate,
    "prompts-label": label_form,
    "evals-compare": view("compare"),
    "evals-compare-runs": comparison_runs,
    "evals-compare-sample": comparison_sample,
    "evals-view-save": saved_view,
    "evals-parallel": plot("parallel"),
    "evals-cost": plot("cost"),
    "evals-form": form,
    "evals-form-wrong": form_wrong,
    "evals-replayed": replayed,
    "evals-replayed-otherwise": replayed_otherwise,
    "evals-runs": view("runs"),
    "evals-specs": view("specs"),
    "evals-judged": judged,
    "evals-judged-sample": judged_sample,
    "evals-compare-people": comparison_people,
}
