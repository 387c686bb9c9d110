"""Writing a spec in the window with its problems told line by line, the dry run, and resuming and replaying runs."""

import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evaluation_dry_run import estimate_words, time_words
from app.pages.evaluation_matrix import spec_text
from app.pages.evaluation_runs import replay_words
from app.theme.look import look
from core.errors import Cancelled
from core.evals import store as evals_store
from core.evals.files import read_spec
from core.evals.records import RunSpec
from core.evals.replaying import Differs, Replay
from core.jobs import Job
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
def bench(vault_factory: Callable[..., Vault]) -> Bench:
    return Bench(vault_factory(SCHEMA)).with_prompts().with_dataset().with_spec()


def test_a_spec_is_written_and_its_problems_are_told_by_line(
    qtbot: QtBot, operations: Operations, bench: Bench
) -> None:
    page = opened(qtbot, operations, bench)
    page.write_new()
    settled(qtbot, operations)
    form = page.form
    spec = msgspec.structs.replace(
        read_spec(EXAMPLE / "evaluation.yaml"), name="written", gate=("contains >= 0.1",), repetitions=2, passages=3
    )
    text = spec_text(spec)
    number = text.splitlines().index("passages: 3") + 1
    form.yaml.setPlainText(text.replace("passages: 3", "passages: three"))
    assert form.wrong.text() == f"Line {number}: Expected `int`, got `str`."
    assert form.yaml._error == number
    assert not form.save.isEnabled()
    assert form.save.toolTip() == form.wrong.text()

    form.yaml.setPlainText(text)
    assert form.wrong.isHidden()
    assert form.passages.value() == 3
    assert form.spec() == spec
    assert form.yaml.toPlainText() == text, "what is being written isn't written over"
    qtbot.mouseClick(form.save, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    kept = bench.evals.spec("written").spec.spec
    assert kept == msgspec.structs.replace(spec, dataset=kept.dataset)

    page.specs.change.click()
    settled(qtbot, operations)
    form.passages.setValue(5)
    assert form.spec().gate == ("contains >= 0.1",), "what the form doesn't show stays"
    assert "passages: 5" in form.yaml.toPlainText()


def test_a_dry_run_says_what_a_run_would_take(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    bench.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
    page = opened(qtbot, operations, bench)
    page.show_about(SPEC)
    settled(qtbot, operations)
    page.specs.change.click()
    settled(qtbot, operations)
    form = page.form
    qtbot.mouseClick(form.dry.act, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert form.dry.words.text() == estimate_words(bench.evals.estimate(SPEC, Job("Estimate")))
    assert "120 requests." in form.dry.words.text()
    assert len(bench.evals.list()) == 1
    form.passages.setValue(9)
    assert form.dry.words.isHidden()


@pytest.mark.parametrize(
    ("seconds", "says"), [(0.2, "1 second"), (42, "42 seconds"), (600, "10 minutes"), (9000, "2.5 hours")]
)
def test_times_are_told_in_words_that_fit(seconds: float, says: str) -> None:
    assert time_words(seconds) == says


def test_a_run_that_was_cut_off_is_resumed_in_the_window(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 20:
            raise Cancelled

    bench.library.before_answer = stop
    bench.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
    bench.library.before_answer = lambda: None
    assert bench.evals.show("run-1").status == "cancelled"
    before = len(bench.evals.outcomes("run-1"))
    page = opened(qtbot, operations, bench)
    page.view.segment("runs").click()
    assert page.runs.resume.isEnabled()
    qtbot.mouseClick(page.runs.resume, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert before < 120
    assert len(bench.evals.outcomes("run-1")) == 120
    assert bench.evals.show("run-1").status == "finished"
    assert page.results.content is not None
    assert len(page.results.content.every()) == 120
    page.view.segment("runs").click()
    assert not page.runs.resume.isEnabled()
    assert page.runs.resume.toolTip().startswith("It is finished.")


def test_a_run_is_replayed_and_the_result_is_told(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    bench.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
    page = opened(qtbot, operations, bench)
    page.view.segment("runs").click()
    qtbot.mouseClick(page.runs.replay, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert page.runs.lead.text() == "Run 1: all 120 answers came out the same, byte for byte."
    assert page.runs.different.isHidden()

    held = threading.Event()
    bench.library.before_answer = lambda: held.wait(120) and None
    qtbot.mouseClick(page.runs.replay, Qt.MouseButton.LeftButton)
    assert not page.runs.replay.isEnabled()
    assert page.runs.work.isVisible()
    page.runs.cancel()
    held.set()
    settled(qtbot, operations)
    assert page.runs.work.isHidden() or not page.runs.work.isVisible()
    assert page.runs.replay.isEnabled()


def test_what_differs_in_a_replay_is_listed(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    page = opened(qtbot, operations, bench)
    found = Replay(
        run="run-1",
        compared=40,
        same=39,
        different=(Differs(sample="q01", variant="v", repetition=0, fields=("answer", "tokens")),),
        reasons=("python was 3.11, and is now 3.12",),
    )
    page.runs.show_replay(found)
    assert page.runs.lead.text() == "Run 1: 1 of 40 answers came out otherwise."
    assert page.runs.reasons.text() == "Python was 3.11, and is now 3.12."
    index = page.runs.different.rows.index(0, 3)
    assert index.data() == "the answer, the number of tokens"
    nothing = msgspec.structs.replace(found, compared=0, same=0, different=())
    assert replay_words(nothing) == "Run 1 has no recorded answers to compare."
