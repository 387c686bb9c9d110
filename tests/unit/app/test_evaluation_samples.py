"""The matrix of large runs and of runs that ask more than once, and a sample's page with its history."""

from collections.abc import Callable, Iterator

import msgspec
import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evaluation_matrix import cell
from app.pages.sample_detail import SampleDetail
from app.pages.sample_history import past_cell
from app.theme.look import look
from app.widgets import matrix_model
from app.widgets.code_view import CodeEditor
from app.widgets.matrix import Matrix
from app.widgets.matrix_model import MatrixCell, MatrixModel, MatrixSample, Variant
from core.datasets.records import Sample
from core.errors import WorkerFailed
from core.evals import store as evals_store
from core.evals.files import read_spec
from core.evals.history import Past, history
from core.evals.records import Outcome, RunSpec, Score
from core.inference.records import Message
from core.jobs import Job
from core.records import Digest
from core.vault.vault import Vault
from tests.unit.app.benches import EXAMPLE, Bench
from tests.unit.app.test_evaluation_comparison import opened, settled

SCHEMA = (evals_store.SCHEMA,)
SPEC = "cite-answers-comparison"


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def ran(vault_factory: Callable[..., Vault]) -> Bench:
    """A bench with a finished run, and one that asked each sample twice, of which one time ended in an error."""
    bench = Bench(vault_factory(SCHEMA)).with_prompts().with_dataset().with_spec()
    bench.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
    spec = read_spec(EXAMPLE / "evaluation.yaml")
    bench.evals.save(msgspec.structs.replace(spec, name="twice", repetitions=2))
    asked = 0

    def fail() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise WorkerFailed(worker="starter-chat", reason="out of memory", safe="The other answers are kept.")

    bench.library.before_answer = fail
    bench.evals.run(RunSpec(reference="twice"), Job("Evaluate"))
    bench.library.before_answer = lambda: None
    return bench


def test_a_matrix_of_100_000_cells_asks_only_for_what_is_seen(qtbot: QtBot) -> None:
    look().apply("light", reduced_motion=True)
    asked = 0

    class Counting(MatrixModel):
        def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
            nonlocal asked
            asked += role == self.CellRole
            return super().data(index, role)

    cells = (MatrixCell(matrix_model.Outcome.PASSED, "Within two days", score="1.00"),) * 20
    samples = [MatrixSample(f"s{n}", "a.pdf, p. 1", f"What is question {n}?", cells) for n in range(5000)]
    view = Matrix()
    qtbot.addWidget(view)
    view.rows = Counting()
    view.setModel(view.rows)
    view.resize(1100, 760)
    view.show_run([Variant(f"v{n}", "m", 5000, 5000) for n in range(20)], samples)
    view.show()
    assert view.columnWidth(0) == look().px(212)
    view.grab()
    asked = 0
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    view.grab()
    assert 20 <= asked <= 2 * 8 * 16


def test_a_cell_stands_for_every_time_that_a_sample_was_asked(ran: Bench) -> None:
    outcomes = [outcome for _, outcome in ran.evals.outcomes("run-2")]
    wrong = next(outcome for outcome in outcomes if outcome.error)
    asked = [outcome for outcome in outcomes if (outcome.sample, outcome.variant) == (wrong.sample, wrong.variant)]
    assert len(asked) == 2
    shown = cell(asked)
    assert shown.outcome is matrix_model.Outcome.ERROR
    assert ("1 of 2 passed" in shown.reason) == any(one.passed for one in asked)
    assert cell([]).outcome is matrix_model.Outcome.NOT_RUN
    good = next(outcome for outcome in outcomes if outcome.passed)
    bad = msgspec.structs.replace(
        good, scores=(Score(scorer="contains", value=0.0, passed=False, reason="is not there"),)
    )
    mixed = cell([good, bad])
    assert (mixed.outcome, mixed.reason) == (matrix_model.Outcome.FAILED, "1 of 2 passed · Is not there")
    assert cell([msgspec.structs.replace(good, reused=Digest("ab" * 32))]).cached


def test_a_sample_shows_each_time_its_messages_and_its_history(
    qtbot: QtBot, operations: Operations, ran: Bench
) -> None:
    page = opened(qtbot, operations, ran)
    results = page.results
    assert results.content is not None
    variant = results.content.run.variants[1].name
    results.go_to("q03", variant)
    settled(qtbot, operations)
    detail = results.detail
    editors = {editor.accessibleName(): editor for editor in detail.findChildren(CodeEditor)}
    template = ran.prompts.show("cite-answers@2").prompt.messages[-1]
    assert editors[f"Message of the {template.role}"].toPlainText() == template.content
    assert "Question: May the supplier subcontract testing?" in editors["Prompt as the model saw it"].toPlainText()
    detail.times.segment("1").click()
    assert detail.times.current() == "1"

    past = detail.history.table.rows.all()
    assert [one.run for one in past] == ["run-2"] * 3 + ["run-1"] * 3
    assert [one.asked for one in past] == [2, 2, 2, 1, 1, 1]
    detail.history.table.choose(4)
    qtbot.keyClick(detail.history.table, Qt.Key.Key_Return)
    settled(qtbot, operations)
    assert results.content.run.id == "run-1"
    index = results.matrix.currentIndex()
    assert results.matrix.rows.samples[index.row()].id == "q03"


def test_history_leaves_out_a_sample_that_was_another_one(ran: Bench) -> None:
    samples = {sample.id: sample for sample in ran.datasets.show("merrowdale-questions").dataset.samples}
    with ran.vault.read() as reader:
        assert len(history(reader, "merrowdale-questions", samples["q03"], most=1)) == 3
        other = msgspec.structs.replace(samples["q03"], target="another target")
        assert history(reader, "merrowdale-questions", other) == ()
        assert history(reader, "other-questions", samples["q03"]) == ()


@pytest.mark.parametrize(
    ("asked", "passed", "errors", "says"),
    [(1, 1, 0, "Passed"), (1, 0, 0, "Failed"), (3, 2, 0, "2 of 3"), (2, 1, 1, "Error")],
)
def test_the_past_is_told_in_a_word(asked: int, passed: int, errors: int, says: str) -> None:
    past = Past(
        run="run-1", started="", variant="v", asked=asked, passed=passed, errors=errors, scores={"contains": 0.5}
    )
    assert (past_cell(past).text, past_cell(past).second) == (says, "0.50")


@pytest.mark.parametrize(("contract", "says"), [("kept", "Contract kept."), ("broken", "Contract broken. no key “a”")])
def test_a_sample_says_whether_the_contract_was_kept(qtbot: QtBot, ran: Bench, contract: str, says: str) -> None:
    look().apply("light", reduced_motion=True)
    outcome: Outcome = next(o for _, o in ran.evals.outcomes("run-1") if o.answer is not None)
    answer = msgspec.structs.replace(
        outcome.answer, contract=contract, broken="no key “a”" if contract == "broken" else ""
    )
    detail = SampleDetail()
    qtbot.addWidget(detail)
    sample = Sample(id=outcome.sample, input="What?", target="that")
    detail.show_outcome(
        sample,
        "v",
        (msgspec.structs.replace(outcome, answer=answer),),
        (Message(role="user", content="{{ question }}"),),
    )
    assert says in [widget.accessibleName() for widget in detail.findChildren(QWidget)]
