"""People's marks in the window: an answer is marked on its page, and the run's page tells how far the judge agrees."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evaluation_results import ResultsView
from app.pages.evaluations import EvaluationsPage
from app.pages.sample_marks import NOBODY, UNCHOSEN
from app.theme.look import look
from core.evals import marks
from core.evals import store as evals_store
from core.vault import people
from core.vault.vault import Vault
from tests.unit.app.benches import Bench
from tests.unit.app.evaluation_scenes import with_judge
from tests.unit.app.shells import TestShell

SCHEMA = (evals_store.SCHEMA,)
VARIANT = "cite-answers@2 / starter-chat"


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def vault(vault_factory: Callable[..., Vault]) -> Vault:
    made = vault_factory(SCHEMA)
    with_judge(Bench(made).with_prompts().with_dataset(), people=False)
    return made


def opened(qtbot: QtBot, operations: Operations, vault: Vault) -> ResultsView:
    operations.attach(Bench(vault))  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvaluationsPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    page.results.go_to("q03", VARIANT)
    settled(qtbot, operations)
    return page.results


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=60_000)
        qtbot.wait(10)


def words(widget: QWidget) -> str:
    return " | ".join(part.text() for part in widget.findChildren(QLabel) if part.text())


def test_an_answer_is_marked_and_the_judge_held_against_it(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    page = opened(qtbot, operations, vault)
    card = page.detail.marks
    assert card.isVisible()
    assert NOBODY in words(card)
    assert NOBODY in words(page.summary.people)
    assert "Asked 3 times of each answer, it said the same on" in words(page.summary.people)
    assert [card.mark.itemText(place) for place in range(card.mark.count())] == [
        UNCHOSEN, "1 of 5", "2 of 5", "3 of 5", "4 of 5", "5 of 5",
    ]  # fmt: skip
    assert not card.keep.isEnabled(), "nothing is chosen yet"
    card.mark.setCurrentIndex(4)
    card.reason.setText("Names the page.")
    qtbot.mouseClick(card.keep, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert "Inês Duarte: 4 of 5" in words(page.detail.marks)
    assert "Names the page." in words(page.detail.marks)
    told = words(page.summary.people)
    assert NOBODY not in told
    assert "Rubric and Inês Duarte, 1 answers" not in told
    assert "Rubric and Inês Duarte, 1 answer" in told


def test_who_may_not_mark_reads_why(
    qtbot: QtBot, operations: Operations, vault: Vault, reopen: Callable[..., Vault]
) -> None:
    with vault.confirm("seven lanterns by the river") as signer:
        people.change_roles(vault, signer, "tomas", ("auditor",), "moved")
    page = opened(qtbot, operations, reopen(vault, "tomas", SCHEMA))
    assert "an author or a reviewer must do it" in page.detail.marks.keep.toolTip()
    assert not page.detail.marks.mark.isEnabled()


def test_a_comparison_tells_how_far_each_run_s_judge_agrees_with_people(
    qtbot: QtBot, operations: Operations, vault: Vault
) -> None:
    operations.attach(Bench(vault))  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvaluationsPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    page._turn("compare")
    settled(qtbot, operations)
    assert page.comparison.people.isHidden(), "nobody has marked"
    bench = Bench(vault)
    view = bench.evals.show("latest")
    for sample, score in (("q03", 5), ("q04", 1)):
        given = marks.MarkOutcome(run=view.digest, sample=sample, variant=VARIANT, score=score)
        marks.mark(vault, view, given)
    page.comparison.compare()
    settled(qtbot, operations)
    told = words(page.comparison.people)
    assert f"{view.run.id.replace('-', ' ').capitalize()}, rubric | Same mark on" in told
    assert "of 2 answers" in told
