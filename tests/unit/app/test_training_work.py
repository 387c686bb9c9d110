"""What the fine-tuning page does beside the plain way of a run: answers at checkpoints, all weights, several values, files from and for elsewhere."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from app.bridge import training as bridge
from app.pages.training import TrainingPage
from app.pages.training_files import ImportForm, MergeForm, add_adapter
from core.errors import BadInput
from core.jobs import Job
from core.models.records import AddModel
from core.training.canaries import WARNING
from core.training.records import MergeAdapter
from core.training.worker.records import Problem
from tests.unit.app.naming import nameless
from tests.unit.app.test_training_page import bench, choose, fill, hold, idle, page, shell, train, wait  # noqa: F401 (fixtures)
from tests.unit.app.training_bench import KILLED, STEPS, TrainingBench

# ruff: noqa: F811 (fixtures)


def test_answers_at_checkpoints_grow_and_what_was_learned_by_heart_is_told(page: TrainingPage, qtbot: QtBot) -> None:
    hold(page, qtbot)
    card = page.run_view.samples
    wait(qtbot, lambda: [step for step, _ in card.table.rows.all()] == [10, 20, 30])
    assert card.answer.text() == "104 mg.", "the newest is shown in full"
    card.which.setCurrentIndex(1)
    card.table.choose(0)
    assert (card.asked.text(), card.answer.text()) == ("How much of substance 131 was given?", "It may be")
    assert page.run_view.memorised.isHidden()
    page.run_view.pause_button.click()
    idle(page, qtbot)
    assert page.run_view._said.text().endswith("It was paused after step 30 and goes on there; nothing is lost.")
    page.operations.workbench.worker.gate.set()  # type: ignore[union-attr]
    page.run_view.resume_button.click()
    idle(page, qtbot)
    assert [step for step, _ in card.table.rows.all()] == [10, 20, 30, 40, 50, 60]
    learned = page.run_view.memorised
    assert not learned.isHidden()
    assert learned._words.text().startswith("3 of 8 learned texts come out word for word, 0 of 8 from its base.")
    assert learned._warned.isHidden()
    train(page, qtbot, canaries="3")
    assert [one.name for one in learned.canaries.rows.all()] == ["Fenmere", "Dalford", "Corwick"]
    assert learned._warns.text().startswith(WARNING)
    assert not learned._warned.isHidden()
    train(page, qtbot, samples="0", recall="0", canaries="0")
    assert card.isHidden()
    assert learned.isHidden()


def test_all_weights_ask_for_their_file_and_a_model_that_is_too_large_is_refused_before_the_start(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(page, rank="64", method="full", canary_repeats="9")
    form = page.form
    assert form.settings.changes() == {"method": "full"}, "what means nothing beside the others is left as it was"
    assert form.settings.fields["rank"].isHidden()
    assert not form.out.isHidden()
    choose(form.judged.edit, "house-style-test@1")
    assert form.spec() is None
    assert form.out.file.error == "An evaluation needs the model as a file. Name one."
    form.out.file.edit.setText(str(tmp_path / "grown.gguf"))  # type: ignore[union-attr]
    assert form.spec() is None
    assert "may lie outside the vault" in form.out.file.error
    form.out.clear.setChecked(True)
    spec = form.spec()
    assert spec is not None
    assert spec.out == str(tmp_path / "grown.gguf")
    edit: Any = form.base.edit
    choose(edit, "corvid-1.5b")
    form.plan_button.click()
    idle(page, qtbot)
    assert "million parameters" in form._refused.text()
    assert page.banner.isHidden(), "it is said once"
    form.settings.set("method", "lora")
    assert form._refused.isHidden()
    assert form.out.isHidden()
    assert bench.trainings.list() == ()


def test_several_numbers_are_a_sweep_whose_largest_run_is_planned(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    fill(page, rank="4, 8, 8", learning_rate="1e-4 3e-4 5e-4")
    form = page.form
    assert form.settings.changes() == {"rank": [4, 8], "learning_rate": [1e-4, 3e-4, 5e-4]}
    assert form.settings._runs.text() == "Learning rate: 3 values; rank: 2 values: 6 runs, one after another."
    assert form.start_button.text() == "Start 6 runs"
    form.plan_button.click()
    idle(page, qtbot)
    assert form.plan is not None
    assert (form.plan.settings.rank, form.plan.settings.learning_rate) == (8, 5e-4)
    form.settings.set("rank", "4, 0")
    form.plan_button.click()
    assert form.settings._wrong_with.text().startswith("The settings: the setting rank is 0")
    form.settings.set("rank", "4")
    assert form.settings._wrong_with.isHidden()
    assert form.settings.changes() == {"rank": 4, "learning_rate": [1e-4, 3e-4, 5e-4]}


def test_choices_and_lists_of_matrices_are_a_sweep_too(page: TrainingPage, bench: TrainingBench, qtbot: QtBot) -> None:
    fill(page, rslora="*", targets="q_proj, v_proj; q_proj;")
    form = page.form
    assert form.settings.changes() == {"rslora": [False, True], "targets": [["q_proj", "v_proj"], ["q_proj"], []]}
    assert form.start_button.text() == "Start 6 runs"
    single = form.single()
    assert single is not None
    assert single.settings["targets"] == []
    form.settings.set("rslora", "no")
    form.settings.set("targets", "")
    form.settings.set("method", "*")
    assert form.start_button.text() == "Start 2 runs"
    assert not form.out.isHidden(), "one of the runs may write a model"
    assert form.settings.fields["objective"].edit.findData("*") == -1  # type: ignore[union-attr]


def test_lines_that_cant_be_learned_are_asked_about_before_the_start_and_the_plan_stays(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    bench.worker.wrong = (Problem(line="house-style@1, S-103", problem="its answer is empty."),)
    fill(page)
    page.form.data.look_button.click()
    idle(page, qtbot)
    page.form.plan_button.click()
    idle(page, qtbot)
    page.form.start_button.click()
    assert "Train without these" in page.banner.text
    assert bench.trainings.list() == ()
    page.load()
    idle(page, qtbot)
    assert page.form.plan is not None, "reading what there is forgets no plan"


def test_an_evaluation_that_failed_is_run_again(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bench.trainings._compare

    def fails(*given: Any) -> Any:
        raise KILLED

    monkeypatch.setattr(bench.trainings, "_compare", fails)
    train(page, qtbot, judged=True)
    wait(qtbot, lambda: page.run_view.view is not None)
    again = page.run_view.again
    assert page.run_view.state.text == "Finished"
    assert not again.isHidden()
    assert again.said.text().endswith("it wasn’t compared with its base on house-style-test@1 yet.")
    again.again_button.click()
    wait(qtbot, lambda: page.banner.text == str(KILLED))
    idle(page, qtbot)
    assert not again.isHidden()
    monkeypatch.setattr(bench.trainings, "_compare", real)
    again.again_button.click()
    wait(qtbot, lambda: page.run_view.view is not None and page.run_view.view.compared is not None)
    idle(page, qtbot)
    assert again.isHidden()
    assert not page.run_view._compared.isHidden()


def test_what_is_suspicious_is_found_by_line_without_the_training_libraries(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bridge, "lacking", lambda: "Training needs torch, which isn't installed here.")
    page.load()
    idle(page, qtbot)
    fill(page)
    path = tmp_path / "own.jsonl"
    rows = [
        ("Who keeps it?", "Write to ada@example.org."),
        ("Where is it?", "In the hall."),
        ("Where is it?", "Upstairs."),
    ]
    path.write_text("\n".join(json.dumps({"instruction": asked, "output": told}) for asked, told in rows))
    page.form.data.take_file(str(path))
    assert page.form.data.examine_button.isEnabled()
    page.form.data.examine_button.click()
    idle(page, qtbot)
    found = page.form.data.findings
    assert {one.kind for one in found.table.rows.all()} == {"personal", "flipped"}
    assert "personal data" in found.why.text()
    page.form.data.file.edit.setText("other.jsonl")  # type: ignore[union-attr]
    assert found.isHidden()


def test_an_adapter_from_elsewhere_is_taken_in_or_refused_with_its_reason(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "tone").mkdir()
    bench.adapters.refusal = BadInput(source="tone", problem="it holds pickled weights.")
    page.importing.click()
    idle(page, qtbot)
    form = page.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(form, ImportForm)
    form.act.click()
    assert form.path.error == "The folder or file is missing."
    form.take(str(tmp_path / "tone"))
    choose(form.base.edit, "corvid-1.5b")
    form.act.click()
    wait(qtbot, lambda: form.problem == "tone: it holds pickled weights.")
    bench.adapters.refusal = None
    form.act.click()
    wait(qtbot, lambda: page.run_view.view is not None and page.run_view.view.run.name == "tone")
    idle(page, qtbot)


def test_a_gguf_adapter_is_registered_and_a_model_isnt_taken_for_one(bench: TrainingBench, tmp_path: Path) -> None:
    class Files:
        def __init__(self, purpose: str) -> None:
            self.made = msgspec.structs.replace(bench.model("corvid-1.5b"), name="tone", purpose=purpose)
            self.removed: list[str] = []

        def list(self) -> tuple[Any, ...]:
            return ()

        def add(self, request: AddModel, job: Job) -> Any:
            return self.made

        def remove(self, name: str) -> None:
            self.removed.append(name)

    def taken(files: Files) -> Any:
        return add_adapter(SimpleNamespace(models=files), AddModel(path="/x/tone.gguf"), Job("Read"))  # type: ignore[arg-type]

    assert taken(Files("adapter")).name == "tone"
    model = Files("chat")
    with pytest.raises(BadInput, match=r"tone\.gguf: it is a model, not an adapter"):
        taken(model)
    assert model.removed == ["tone"]


def test_an_adapter_is_merged_into_a_model_when_that_was_asked_for(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot, tmp_path: Path
) -> None:
    train(page, qtbot)
    page.run_view.merge_button.click()
    idle(page, qtbot)
    form = page.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(form, MergeForm)
    form.act.click()
    assert form.file.error == "The file is missing."
    form.take(str(tmp_path / "merged"))
    form.act.click()
    assert form.problem == "Say that the file may lie outside the vault."
    form.clear.setChecked(True)
    choose(form.kind.edit, "q8_0")
    form.act.click()
    idle(page, qtbot)
    wanted = MergeAdapter(run="training-1", out=str(tmp_path / "merged.gguf"), quantization="q8_0")
    assert bench.adapters.merged == [wanted]


def test_a_sweep_goes_through_its_queue_is_paused_ended_and_goes_on(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    fill(page, learning_rate="1e-4, 5e-4, 3e-4", epochs="2")
    bench.worker.gate.clear()
    page.form.start_button.click()
    shown = page.sweeps
    wait(qtbot, lambda: bool(page._live) and page._live[-1].step == STEPS // 2)
    wait(
        qtbot,
        lambda: (
            shown.runs is not None and [one.state for one in shown.runs.rows.all()] == ["running", "waiting", "waiting"]
        ),
    )
    assert shown.state.text == "Running"
    assert not page.run_view.keep_now_button.isEnabled()
    assert not shown.resume_button.isEnabled()
    page.run_view.pause_button.click()
    idle(page, qtbot)
    wait(qtbot, lambda: shown.state.text == "Paused")
    assert shown.runs is not None
    assert [one.state for one in shown.runs.rows.all()] == ["cancelled", "waiting", "waiting"]
    page.view.segment("sweeps").click()
    shown.end_button.click()
    idle(page, qtbot)
    assert shown.state.text == "Ended"
    bench.worker.gate.set()
    shown.resume_button.click()
    idle(page, qtbot)
    wait(qtbot, lambda: shown.state.text == "Finished")
    rows = shown.runs.rows.all()
    assert [one.place.settings["learning_rate"] for one in rows] == [1e-4, 5e-4, 3e-4]
    assert [one.place.run for one in rows] == ["training-1", "training-2", "training-3"]
    assert [one.state for one in rows] == ["finished"] * 3
    assert [one.best for one in rows].count(True) == 1
    assert shown._best.text().startswith("Least loss on held-out examples: training-1, ")
    assert not shown.resume_button.isEnabled()
    shown.runs.choose(1)
    shown.open_button.click()
    wait(qtbot, lambda: page.run_view.view is not None and page.run_view.view.run.id == "training-2")
    assert page.view.current() == "run"
    idle(page, qtbot)


def test_a_run_of_a_sweep_that_fails_is_told_and_the_next_begins(
    page: TrainingPage, bench: TrainingBench, qtbot: QtBot
) -> None:
    bench.worker.fail_at = 44
    train(page, qtbot, rank="4, 8")
    wait(qtbot, lambda: page.sweeps.state.text == "Finished")
    assert page.sweeps.runs is not None
    assert [one.state for one in page.sweeps.runs.rows.all()] == ["failed", "finished"]
    assert nameless(page.sweeps) == []
    assert page.banner.isHidden()
    idle(page, qtbot)
