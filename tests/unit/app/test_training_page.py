"""The fine-tuning page over a real vault and training service, with a worker that computes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.bridge import training as bridge
from app.bridge.chatting import WithAdapter
from app.bridge.operations import Operations
from app.pages.retention import RetentionPage
from app.pages.training import TrainingPage
from app.pages.training_acts import ExportForm
from app.pages.training_history import FULL
from app.pages.training_proof import ProofCard, _change
from app.widgets.curve_plot import CurvePlot, Series
from app.widgets.length_plot import LengthPlot
from app.widgets.signing import Signed, SigningPanel
from core.training.records import GateLine, Judged, Proved, Regressed, Source
from core.training.settings import EXPLAINED
from core.training.worker.records import Problem
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES
from tests.unit.app.naming import nameless
from tests.unit.app.shells import TestShell
from tests.unit.app.training_bench import KILLED, STEPS, TrainingBench


def wait(qtbot: QtBot, until: Callable[[], bool]) -> None:
    """However slow and loaded the machine is."""
    qtbot.waitUntil(until, timeout=120_000)


@pytest.fixture
def bench(vault_factory: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingBench:
    monkeypatch.setattr(bridge, "lacking", lambda: "")
    return TrainingBench(vault_factory(SCHEMA), tmp_path / "models").with_models().with_datasets()


@pytest.fixture
def shell(bench: TrainingBench, qtbot: QtBot) -> Iterator[TestShell]:
    operations = Operations()
    operations.attach(bench)  # type: ignore[arg-type]
    made = TestShell(operations)
    yield made
    bench.worker.gate.set()
    operations.detach()
    operations.close()
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def page(shell: TestShell, qtbot: QtBot) -> TrainingPage:
    made = shell.hold(TrainingPage(shell))  # type: ignore[arg-type]
    assert isinstance(made, TrainingPage)
    wait(qtbot, lambda: bool(made.found.choices.bases) and shell.operations.running() == 0)
    return made


def idle(page: TrainingPage, qtbot: QtBot) -> None:
    wait(qtbot, lambda: page.operations.running() == 0 and page._work is None and page._looking is None)


def choose(edit: Any, data: str) -> None:
    edit.setCurrentIndex(edit.findData(data))


def fill(page: TrainingPage, judged: bool = False, **settings: str) -> None:
    page.write_new()
    page.form.name.edit.setText("house-style")  # type: ignore[union-attr]
    choose(page.form.data.dataset.edit, "house-style@1")
    if judged:
        choose(page.form.judged.edit, "house-style-test@1")
        page.form.form.edit.setText(r"Finding: .+\. \[\d+\]")  # type: ignore[union-attr]
    for name, value in settings.items():
        page.form.settings.set(name, value)


def train(page: TrainingPage, qtbot: QtBot, judged: bool = False, **settings: str) -> None:
    fill(page, judged, **settings)
    page.form.start_button.click()
    idle(page, qtbot)


def hold(page: TrainingPage, qtbot: QtBot) -> None:
    """Start a run that waits in its middle, behind a checkpoint."""
    fill(page)
    page.operations.workbench.worker.gate.clear()  # type: ignore[union-attr]
    page.form.start_button.click()
    wait(qtbot, lambda: bool(page._live) and page._live[-1].step == STEPS // 2)


def test_a_base_that_cant_be_trained_says_why_and_nothing_starts(page: TrainingPage, bench: TrainingBench) -> None:
    fill(page)
    edit: Any = page.form.base.edit
    assert edit.currentData() == "corvid-1.5b"
    assert "(can’t be trained)" not in edit.itemText(0)
    choose(edit, "falcon-7b")
    assert page.form._why.text().startswith("Its architecture, falcon, isn’t trained here.")
    choose(edit, "rook-embed")
    assert page.form._why.text() == "It isn’t a chat model. Adapters are trained for chat models."
    page.form.start_button.click()
    assert page._work is None
    assert page.form.base.error == page.form._why.text()
    assert bench.trainings.list() == ()


def test_data_shows_its_lengths_what_is_wrong_by_line_and_what_is_learned(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    bench.worker.wrong = (Problem(line="house-style@1, S-103", problem="it has 2000 tokens, and 1536 fit."),)
    fill(page)
    data = page.form.data
    data.look_button.click()
    idle(page, qtbot)
    assert data._said.text().startswith("79 examples, ")
    assert data.plot.accessibleDescription().endswith("1,536 fit into the window.")
    assert [one.line for one in data.problems.rows.all()] == ["house-style@1, S-103"]
    assert data.tokens.accessibleDescription().endswith("Finding: 100 mg. [1] <|im_end|>")
    assert "How much" not in data.tokens.accessibleDescription()
    assert not data.before.isEnabled()
    data.after.click()
    assert data.tokens.accessibleDescription().endswith("Finding: 101 mg. [1] <|im_end|>")
    data.number.setText("71")  # further on than the first look
    QTest.keyClick(data.number, Qt.Key.Key_Return)
    idle(page, qtbot)
    assert data.tokens.accessibleDescription().endswith("Finding: 170 mg. [1] <|im_end|>")
    data.system.edit.setText("Be short.")  # type: ignore[union-attr]
    choose(data.dataset.edit, "house-style-test@1")
    assert data.looked_at is None, "what was found was of other data"


def test_each_setting_says_what_it_does_and_what_the_preset_gives_it(page: TrainingPage) -> None:
    settings = page.form.settings
    assert set(settings.fields) == set(EXPLAINED)
    for name, field in settings.fields.items():
        assert EXPLAINED[name] in field._note.text()
    assert settings.changes() == {}
    settings.set("rank", "4")
    settings.set("packing", "yes")
    settings.set("targets", "q_proj, v_proj")
    assert settings.changes() == {"rank": 4, "packing": True, "targets": ["q_proj", "v_proj"]}
    settings.preset.segment("thorough").click()
    assert settings.changes() == {}
    assert settings.fields["rank"].text == "32"
    settings.set("epochs", "many")
    with pytest.raises(ValueError, match="whole number"):
        settings.changes()


def test_a_plan_says_time_and_memory_and_is_forgotten_when_something_changes(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    fill(page)
    page.form.plan_button.click()
    idle(page, qtbot)
    assert page.form.plan is not None
    assert page.form._bar.accessibleDescription().startswith("Program 420 MB, Weights 96 MB")
    assert page.form._verdict.text().startswith("It fits")
    page.form.settings.set("rank", "64")
    assert page.form.plan is None
    bench.worker.fits = False
    page.form.plan_button.click()
    idle(page, qtbot)
    assert page.form._verdict.text().startswith("It doesn’t fit")
    assert bench.trainings.list() == ()


def test_a_run_shows_its_curves_then_what_it_does_better_and_worse(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    train(page, qtbot, judged=True, rank="4")
    shown = page.run_view
    assert shown.view is not None
    assert (shown.view.status, shown.state.text) == ("finished", "Finished")
    assert "step 60" in shown.curves.loss.accessibleDescription()
    assert "held out: " in shown.curves.loss.accessibleDescription()
    rated = {one.measure: one for one in shown.table.rows.all()}
    assert rated["form"].difference > 0.8
    assert [(one.tag, one.measure) for one in shown.worse.rows.all()] == [("doses", "value"), ("intake", "value")]
    assert all(0 < one.worse <= one.of == 18 for one in shown.worse.rows.all())
    assert "S-508" in shown._samples.text()
    assert shown.chat_button.isEnabled()
    shown.chat_button.click()
    result = shown.view.result
    assert result is not None
    assert page.shell.went[-1] == ("chat", WithAdapter("corvid-1.5b", result.gguf))  # type: ignore[attr-defined,arg-type]
    assert [one.name for one in bridge.adapters(bench)] == ["training-1"]  # type: ignore[arg-type]


def test_a_paused_run_goes_on_at_its_checkpoint_with_its_curve(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    hold(page, qtbot)
    assert page.run_view.state.text == "Running"
    page.view.segment("history").click()  # the window goes on while it runs
    page.view.segment("run").click()
    assert not page.chooser.isVisible()
    page.run_view.pause_button.click()
    idle(page, qtbot)
    assert page.run_view.state.text == "Paused"
    assert page.run_view.resume_button.text() == "Go on at step 30"
    bench.worker.gate.set()
    page.run_view.resume_button.click()
    idle(page, qtbot)
    view = page.run_view.view
    assert view is not None
    assert view.result is not None
    assert [one.step for one in view.result.curve] == list(range(1, STEPS + 1))
    assert (view.run.id, view.status) == ("training-1", "finished")


def test_a_run_that_is_stopped_keeps_the_adapter_of_its_last_checkpoint(page: TrainingPage, qtbot: QtBot) -> None:
    hold(page, qtbot)
    page.run_view.keep_now_button.click()
    wait(qtbot, lambda: page.run_view.view is not None and page.run_view.view.status == "finished")
    idle(page, qtbot)
    view = page.run_view.view
    assert view is not None
    assert view.result is not None
    assert (view.result.reason, view.result.step) == ("stopped", 30)
    assert "stopped by hand" in page.run_view._said.text()


def test_a_killed_worker_says_one_sentence_and_the_run_can_go_on(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    bench.worker.fail_at = 44
    train(page, qtbot)
    wait(qtbot, lambda: page.run_view.view is not None)
    assert page.run_view._problem.text() == str(KILLED)
    assert "assay" not in str(KILLED)
    assert page.banner.isHidden(), "it is said once"
    assert page.run_view.state.text == "Failed"
    page.run_view.resume_button.click()
    idle(page, qtbot)
    assert page.run_view.view is not None
    assert page.run_view.view.status == "finished"


def test_what_stops_a_run_before_it_is_recorded_leaves_the_form_as_it_was(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    bench.worker.wrong = (Problem(line="house-style@1, S-103", problem="its answer is empty."),)
    train(page, qtbot, rank="4")
    assert "S-103" in page.banner.text
    assert page._stack.currentWidget() is page.form
    assert page.form.settings.fields["rank"].text == "4"
    page.form.data.leave_out.setChecked(True)
    page.form.start_button.click()
    idle(page, qtbot)
    assert [one.line for one in bench.trainings.show("latest").run.left_out] == ["house-style@1, S-103"]


def test_an_adapter_is_signed_in_the_signing_panel(page: TrainingPage, bench: TrainingBench, qtbot: QtBot) -> None:
    train(page, qtbot)
    page.run_view.sign_button.click()
    panel = page.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(panel, SigningPanel)
    panel.signed.emit(
        Signed(
            meaning="authored", reason="Done", user=bench.vault.user.user, passphrase=PASSPHRASES[bench.vault.user.user]
        )
    )
    idle(page, qtbot)
    assert bench.trainings.show("training-1").signed == (("authored", bench.vault.user.name),)
    wait(qtbot, lambda: page.run_view.signatures.words()[0].startswith("Authored: " + bench.vault.user.name))


def test_an_export_is_asked_for_and_logged(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot, tmp_path: Path
) -> None:
    train(page, qtbot)
    page.run_view.export_button.click()
    idle(page, qtbot)
    form = page.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(form, ExportForm)
    form.take(str(tmp_path))
    form.act.click()
    assert form.problem == "Say that the files may lie outside the vault."
    form.clear.setChecked(True)
    form.act.click()
    idle(page, qtbot)
    assert {path.name for path in (tmp_path / "house-style-training-1").iterdir()} == {
        "adapter_model.safetensors",
        "adapter_config.json",
        "adapter.gguf",
        "README.md",
    }
    with bench.vault.read() as reader:
        assert "export-adapter" in [entry.act for entry in reader.log(1000)]


def test_runs_are_compared_by_what_they_differ_in(page: TrainingPage, bench: TrainingBench, qtbot: QtBot) -> None:
    for rank in ("4", "8", "12", "24", "32"):
        train(page, qtbot, rank=rank)
    page.view.segment("history").click()
    history = page.history
    assert history.compared == ("training-5", "training-4")
    while history.compared:
        history.table.choose(
            next(n for n, one in enumerate(history.table.rows.all()) if one.run.id in history.compared)
        )
        history.compare_button.click()
    for place in range(4):
        history.table.choose(place)
        history.compare_button.click()
    lines = {line[0]: line[1:] for line in history.rows}
    assert lines["Rank"] == ("32", "24", "12", "8")
    assert "Learning rate" not in lines
    assert "training-2: " in history.plot.accessibleDescription()
    history.table.choose(4)
    assert history.compare_button.toolTip() == FULL
    QTest.keyClick(history.table, Qt.Key.Key_Return)
    wait(qtbot, lambda: page.run_view.view is not None and page.run_view.view.run.id == "training-1")


def test_what_isnt_installed_is_said_with_its_step(
    page: TrainingPage, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    sentence = "Training needs torch, which aren't installed here. Install Assay with its train extra."
    monkeypatch.setattr(bridge, "lacking", lambda: sentence)
    page.load()
    idle(page, qtbot)
    fill(page)
    assert page.form._lacks.text() == sentence
    for one in (page.form.start_button, page.form.plan_button, page.form.data.look_button):
        assert not one.isEnabled()
        assert one.toolTip() == sentence


def test_whoever_may_not_train_is_told_why(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.vault, "user", msgspec.structs.replace(bench.vault.user, roles=("auditor",)))
    page.load()
    idle(page, qtbot)
    fill(page)
    assert page.form.start_button.toolTip() == "Your roles here don’t allow training; an author must."


def test_every_control_has_a_name_and_the_form_is_walked_by_tab(page: TrainingPage, qtbot: QtBot) -> None:
    train(page, qtbot, judged=True)
    fill(page)
    for part in (page.form, page.run_view, page.history, page.sweeps):
        assert nameless(part) == []
    assert all(one.accessibleName() for one in page.findChildren(CurvePlot))
    overlay = page.shell.overlay  # type: ignore[attr-defined]
    for act in (page.importing, page.run_view.merge_button, page.run_view.export_button):
        act.click()
        idle(page, qtbot)
        assert overlay.panel is not None
        assert nameless(overlay.panel) == []
        page.shell.close_overlay()
    page.form.name.edit.setFocus()
    seen = set()
    focus: Any = page.form.name.edit
    for _ in range(60):
        seen.add(focus)
        focus = focus.nextInFocusChain()
        while not (focus.isVisible() and focus.focusPolicy() & Qt.FocusPolicy.TabFocus):
            focus = focus.nextInFocusChain()
    form = page.form
    for wanted in (
        form.base.edit,
        form.data.look_button,
        form.settings.fields["rank"].edit,
        form.plan_button,
        form.start_button,
    ):
        assert wanted in seen


def test_documents_are_learned_as_text_and_a_spec_can_judge(page: TrainingPage, qtbot: QtBot) -> None:
    fill(page)
    page.form.offer(replace(page.found.choices, collections=(("merrowdale", 9),), specs=("towers@2",)))
    page.form.data.kind.segment("collection").click()
    choose(page.form.spec_choice.edit, "towers@2")
    spec = page.form.spec()
    assert spec is not None
    assert (spec.data, spec.settings) == ((Source(collection="merrowdale"),), {"objective": "text"})
    assert spec.evaluation == Judged(spec="towers@2")
    page.form.data.kind.segment("dataset").click()
    spec = page.form.spec()
    assert spec is not None
    assert spec.settings == {}


def test_a_gate_that_isnt_passed_says_which_line_and_what_got_worse_stands_first(qtbot: QtBot) -> None:
    card = ProofCard()
    qtbot.addWidget(card)
    shared = {"variant": "a", "base": 0.9, "p": 0.01, "n": 40}
    unsure = {**shared, "p": 0.4}
    rows = (
        Regressed(tag="intake", scorer="contains", adapter=0.8, difference=-0.1, low=-0.3, high=0.1, worse=True, samples=(), **shared),  # type: ignore[arg-type]
        Regressed(tag="visits", scorer="contains", adapter=0.8, difference=-0.1, low=-0.2, high=-0.01, worse=True, samples=(), **unsure),  # type: ignore[arg-type]
        Regressed(tag="", scorer="contains", adapter=0.95, difference=0.05, low=0.01, high=0.09, worse=False, samples=(), **shared),  # type: ignore[arg-type]
        Regressed(tag="doses", scorer="contains", adapter=0.7, difference=-0.2, low=-0.3, high=-0.1, worse=True, samples=("S-7",), **shared),  # type: ignore[arg-type]
    )  # fmt: skip
    gate = (GateLine(line="contains at least 0.9", met=False, reason="it is 0.7"),)
    proved = Proved(training="training-1", evaluation="run-4", spec="towers@2", rows=rows, gate=gate, passed=False, finished=True)  # fmt: skip
    card.show_proof(proved)
    assert card.verdict.text == "Gate not passed"
    assert [one.tag for one in card.table.rows.all()] == ["doses", "", "intake", "visits"]
    assert [_change(one).text for one in card.table.rows.all()] == ["Worse", "Better", "Not shown", "Not shown"]
    assert card._samples.text() == "Passed before, fail now: S-7."
    with qtbot.waitSignal(card.opened) as said:
        card.open_button.click()
    assert said.args == ["run-4"]
    card.show_proof(None)
    assert card.isHidden()


def test_erasing_goes_to_where_it_is_previewed(page: TrainingPage, qtbot: QtBot) -> None:
    train(page, qtbot)
    page.run_view.erase_button.click()
    about = ("erase", "training", "training-1")
    assert page.shell.went[-1] == ("retention", about)  # type: ignore[attr-defined]
    there = RetentionPage(page.shell)
    qtbot.addWidget(there)
    there.show_about(about)
    there.opened()
    picker = there.erasing.picker
    wait(qtbot, lambda: [one.label for one in picker.table.rows.all()] == ["training-1 of corvid-1.5b"])
    assert there.view.current() == "erase"
    idle(page, qtbot)


def test_a_plot_is_read_by_keys(qtbot: QtBot) -> None:
    plot = CurvePlot("Loss")
    qtbot.addWidget(plot)
    plot.resize(300, 150)
    assert plot.accessibleDescription() == "Nothing measured yet"
    plot.show_series([Series("a", tuple((n, 4.0 / n) for n in range(1, 2001)))], 3000)
    assert plot.accessibleDescription() == "4.000 at step 1, 2.0e-03 at step 2000, least 2.0e-03 at step 2000"
    plot.show()
    plot.repaint()
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert plot.accessibleDescription().startswith("Step 2,000: ")
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert plot.accessibleDescription().startswith("Step 1,999: ")
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.accessibleDescription().startswith("4.000 at step 1")
    plot.show_series([Series("a", ((1, float("nan")), (2, 1.0)))])
    plot.repaint()


def test_lengths_are_said_in_words(qtbot: QtBot) -> None:
    plot = LengthPlot()
    qtbot.addWidget(plot)
    plot.show_lengths((5, 300, 20), 256)
    assert plot.accessibleDescription() == "5 to 300 tokens, half of them up to 20; 256 fit into the window."
    plot.resize(300, 130)
    plot.show()
    plot.repaint()
