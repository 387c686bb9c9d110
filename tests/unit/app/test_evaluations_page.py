"""The evaluations page as a person uses it: fill the form, run, watch, stop, read the matrix and one sample, sign the criteria."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evaluation_gate import broken_off
from app.pages.evaluation_matrix import difference_words, figure, mean_score, plain, scorer_word
from app.pages.evaluations import EvaluationsPage
from app.theme.look import look
from app.widgets.signing import SigningPanel
from core.errors import WorkerFailed
from core.evals import store as evals_store
from core.evals.records import Criterion, CriterionResult, Difference, RunResult, RunSpec, Score, VariantResult
from core.jobs import Job
from core.records import Digest
from core.vault.vault import Vault
from tests.unit.app.benches import EXAMPLE, Bench
from tests.unit.app.shells import TestShell

SCHEMA = (evals_store.SCHEMA,)
SPEC = "cite-answers-comparison"


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def bench(vault_factory: Callable[..., Vault]) -> Bench:
    return Bench(vault_factory(SCHEMA)).with_prompts().with_dataset()


@pytest.fixture
def ran(bench: Bench) -> Bench:
    """A bench with one finished run, in which one answer failed with an error."""
    bench.with_spec()
    asked = 0

    def fail_once() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise WorkerFailed(worker="starter-chat", reason="out of memory", safe="The other answers are kept.")

    bench.library.before_answer = fail_once
    bench.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
    bench.library.before_answer = lambda: None
    return bench


def opened(qtbot: QtBot, operations: Operations, bench: Bench) -> tuple[TestShell, EvaluationsPage]:
    operations.attach(bench)  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvaluationsPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    return shell, page


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=20_000)
        qtbot.wait(10)


def test_the_form_keeps_what_it_does_not_show(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    _, page = opened(qtbot, operations, bench)
    qtbot.mouseClick(page.empty.act, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    usual = page.form.spec()
    scoring = {"regex:date": {"pattern": "[0-9]{4}"}}
    filled = msgspec.structs.replace(
        usual, scorers=("contains", "regex:date"), scoring=scoring, mode="fast", trim="passages", repetitions=3
    )
    page.form.fill(filled)
    assert page.form.spec() == filled


def test_what_counts_words_is_no_share() -> None:
    assert figure("length", 1234.5) == "1,234.5 words"
    assert figure("latency", 2.0) == "2.0 s"
    assert figure("rubric:tone", 0.5) == "0.50"
    scores = [Score(scorer=name, value=value, passed=True) for name, value in (("contains", 1.0), ("length", 80.0))]
    assert mean_score(scores) == "1.00"
    assert (scorer_word("regex:date"), scorer_word("choice_mass")) == ("date", "Choice mass")


def test_the_form_says_what_is_missing_and_then_saves(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    shell, page = opened(qtbot, operations, bench)
    assert page.empty.isVisible()
    qtbot.mouseClick(page.empty.act, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    form = page.form
    form.prompts["cite-answers@2"].click()
    for check in form.scorers.values():
        check.setChecked(False)
    qtbot.mouseClick(form.save, Qt.MouseButton.LeftButton)
    assert form.name.error == "The name is missing."
    assert form.parts[1].error == "Choose at least one model."
    assert form.parts[2].error == "Choose at least one measure."

    qtbot.keyClicks(form.name.edit, "safety answers")
    form.models["starter-chat"].click()
    form.scorers["citation_correct"].click()
    qtbot.mouseClick(form.add_criterion, Qt.MouseButton.LeftButton)
    assert form.spec().criteria[0].variant == "cite-answers@2 / starter-chat"
    assert "40 questions, 2 variants: 80 answers." in form.size_words.text()
    qtbot.mouseClick(form.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: form.banner.isVisible())
    assert "name has letters, digits, dots and dashes" in form.banner.text

    form.name.edit.setText("safety-answers")
    qtbot.mouseClick(form.save, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert shell.said == ["Saved safety-answers@1."]
    current = page.specs.current()
    assert current is not None
    assert current.spec.reference == "safety-answers@1"
    assert page.specs.isVisible()


def test_a_file_fills_the_form_and_a_wrong_one_is_refused(
    qtbot: QtBot, operations: Operations, bench: Bench, tmp_path: Path
) -> None:
    _, page = opened(qtbot, operations, bench)
    page.write_new()
    settled(qtbot, operations)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: x\ndataset: y\n", encoding="utf-8")
    page.form.fill_from(wrong)
    qtbot.waitUntil(lambda: page.form.banner.isVisible())
    assert "wrong.yaml" in page.form.banner.text
    page.form.fill_from(EXAMPLE / "evaluation.yaml")
    settled(qtbot, operations)
    saved = bench.with_spec().evals.spec(SPEC).spec.spec
    assert page.form.spec() == msgspec.structs.replace(saved, dataset=saved.dataset.partition("@")[0])
    assert "at_least: 0.15" in page.form.yaml.toPlainText()


def test_a_run_fills_the_matrix_while_it_goes_on_and_can_be_stopped(
    qtbot: QtBot, operations: Operations, bench: Bench
) -> None:
    shell, page = opened(qtbot, operations, bench.with_spec())
    answers, go_on = itertools.count(), threading.Event()
    bench.library.before_answer = lambda: go_on.wait(120) and None if next(answers) > 20 else None
    page.show_about(SPEC)
    settled(qtbot, operations)
    qtbot.mouseClick(page.specs.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(page.results.content.outcomes) > 5 if page.results.content else False, timeout=10_000)
    assert page.results.isVisible()
    assert page.results.work.isVisible()
    qtbot.waitUntil(lambda: bool(page.results.matrix.samples()[0].cells[0].answer))
    assert not page.specs.run.isEnabled()
    qtbot.mouseClick(page.results.work.cancel, Qt.MouseButton.LeftButton)
    go_on.set()
    settled(qtbot, operations)
    assert not page.results.work.isVisible()
    view = bench.evals.show("latest")
    assert view.status == "cancelled"
    assert 5 < len(bench.evals.outcomes("latest")) < 120
    assert page.results.content is not None
    assert page.results.content.view.status == "cancelled"
    assert shell.said == []


def test_the_matrix_is_filtered_searched_and_opened(qtbot: QtBot, operations: Operations, ran: Bench) -> None:
    shell, page = opened(qtbot, operations, ran)
    results = page.results
    assert results.count.text() == "40 of 40 samples, 120 cells"
    result = ran.evals.show("latest").result
    assert result is not None
    assert [variant.passed for variant in results.matrix.rows.variants] == [v.passed for v in result.variants]
    results.filters.segment("errors").click()
    assert results.count.text() == "1 of 40 samples, 3 cells"
    assert results.matrix.rows.samples[0].cells[0].answer == "No answer"
    assert "out of memory" in results.matrix.rows.samples[0].cells[0].reason
    results.filters.segment("all").click()
    qtbot.keyClicks(results.find, "flash point")
    assert all("flash point" in s.question.casefold() for s in results.matrix.rows.samples)

    results.find.clear()
    results.matrix.setCurrentIndex(results.matrix.rows.index(1, 1))
    qtbot.keyClick(results.matrix, Qt.Key.Key_Return)
    assert results.detail.isVisible()
    words = " ".join(label.text() for label in results.detail.findChildren(type(results.count)))
    for wanted in ("What is the flash point of solvent R-12?", "11 °C", "Right citation", "Passages found"):
        assert wanted in words
    assert "11 °C" in results.detail.answer.toPlainText()
    next(b for b in results.detail.findChildren(QPushButton) if b.text() == "Ask it in the chat").click()
    assert shell.went == [("chat", ("merrowdale", "What is the flash point of solvent R-12?"))]
    qtbot.keyClick(results.detail, Qt.Key.Key_Escape)
    assert results.summary.isVisible()
    qtbot.mouseClick(page.pack, Qt.MouseButton.LeftButton)
    assert shell.went[-1] == ("evidence", "run-1")


def test_figures_differences_and_criteria_are_told(qtbot: QtBot, operations: Operations, ran: Bench) -> None:
    _, page = opened(qtbot, operations, ran)
    summary = page.results.summary
    result = ran.evals.show("latest").result
    assert result is not None
    assert summary.gate.badge.text == ("Met" if result.passed else "Not met")
    assert "Nobody had signed the criteria" in summary.gate._note.text()
    assert "right citation" in summary.difference.lead.text()
    assert "sign-flip test over" in summary.difference.rest.text()
    assert "Groundedness" in summary.difference.plot.accessibleDescription()


@pytest.mark.parametrize(
    ("measured", "met", "errors", "says"),
    [
        (0.95, False, 3, "3 samples ended in an error, so it isn’t met, whatever the others reached."),
        (0.5, False, 1, "1 sample ended in an error, and the others didn’t reach it either."),
        (None, False, 40, "40 samples ended in an error, and nothing was measured."),
        (0.5, False, 0, ""),
        (0.95, True, 0, ""),
    ],
)
def test_errors_that_fail_a_criterion_are_said(measured: float | None, met: bool, errors: int, says: str) -> None:
    criterion = Criterion(metric="contains", variant="a", on="value", at_least=0.9)
    result = RunResult(
        run=Digest("0" * 64),
        status="finished",
        variants=(VariantResult(name="a", metrics=(), passed=1, failed=0, errors=errors),),
        differences=(),
        criteria=(),
        passed=met,
        finished="",
        seconds=1.0,
    )
    judged = CriterionResult(criterion=criterion, measured=measured, met=met)
    assert broken_off(judged, result) == says


def test_a_reviewer_approves_the_criteria(
    qtbot: QtBot,
    operations: Operations,
    bench: Bench,
    reopen: Callable[..., Vault],
    passphrases: dict[str, str],
) -> None:
    bench.with_spec()
    shell, page = opened(qtbot, operations, Bench(reopen(bench.vault, "tomas", SCHEMA)))
    page.show_about(SPEC)
    settled(qtbot, operations)
    assert not page.specs.run.isEnabled()
    assert "an author must do it" in page.specs.run.toolTip()
    qtbot.mouseClick(page.specs.sign, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    panel.meanings["approved"].click()
    bar = panel.exact.verticalScrollBar()
    if bar.maximum():
        assert not panel.sign.isEnabled()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: panel.exact.was_seen)
    qtbot.keyClicks(panel.reason.edit, "The criteria fit the use")
    qtbot.keyClicks(panel.user.edit, "tomas")
    qtbot.keyClicks(panel.passphrase.edit, passphrases["tomas"])
    qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shell.overlay.panel is None)
    settled(qtbot, operations)
    assert page.specs.signatures.words()[2].startswith("Approved: Tomás Vidal")


@pytest.mark.parametrize(
    ("value", "low", "high", "p", "lead"),
    [
        (0.175, 0.038, 0.312, 0.039, "v4 has 17.5 points more in groundedness."),
        (-0.2, -0.3, -0.1, 0.001, "v4 has 20.0 points less in groundedness."),
        (0.1, 0.01, 0.2, 0.07, "v4 has 10.0 points more in groundedness, but that may be chance."),
        (0.1, -0.05, 0.2, 0.3, "No difference in groundedness is shown."),
    ],
)
def test_a_difference_is_claimed_only_when_it_is_shown(
    value: float, low: float, high: float, p: float, lead: str
) -> None:
    found = Difference(scorer="groundedness", baseline="v3", variant="v4", value=value, low=low, high=high, p=p, n=40)
    assert difference_words(found, "v4")[0] == lead


def test_an_answer_is_shown_without_its_marks() -> None:
    assert plain("Within 24 hours [1]. Or later [12].\nSo.") == "Within 24 hours. Or later. So."
