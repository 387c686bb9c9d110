"""Drafting questions, exporting in a chosen form, and what a check flags, on the datasets page."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.bridge.looking import Looks
from app.bridge.operations import Operations
from app.pages.dataset_checks import ScreeningView
from app.pages.dataset_drafting import DraftForm
from app.pages.dataset_drafts import DraftReview
from app.pages.dataset_export import FORMS, ExportForm
from app.pages.datasets import DatasetsPage
from app.theme.look import look
from core.datasets.drafting import Drafted, DraftQuestions
from core.datasets.records import Dataset, Sample, SaveSamples, SplitDataset, Splitting
from core.datasets.screening import Learned
from core.datasets.service import Datasets
from core.guards.personal import kinds_in
from core.jobs import Job
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.unit.app.benches import Bench
from tests.unit.app.dataset_scenes import put_drafts, samples
from tests.unit.app.shells import TestShell

CALL = Sample(id="call", input="Whom do you call?", target="Mr Ralph Ibarra", quote="Call +49 30 901820.")


def until(qtbot: QtBot, holds: Callable[[], bool]) -> None:
    """Wait for it, however slow the machine is."""
    qtbot.waitUntil(holds, timeout=60_000)


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def bench(vault_factory: Callable[..., Vault]) -> Bench:
    made = Bench(vault_factory(SCHEMA))
    made.datasets = Datasets(made.vault, personal=kinds_in)
    made.datasets.save(SaveSamples(name="cases", samples=(*samples(8), CALL)))
    return made


@pytest.fixture
def shell(qtbot: QtBot, operations: Operations, bench: Bench) -> TestShell:
    operations.attach(bench)  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    return shell


@pytest.fixture
def page(qtbot: QtBot, shell: TestShell, operations: Operations) -> DatasetsPage:
    page = DatasetsPage(shell)
    shell.hold(page)
    until(qtbot, lambda: operations.running() == 0 and page.table.rows.rowCount() == 9)
    return page


def panel(qtbot: QtBot, shell: TestShell, kind: type) -> object:
    until(qtbot, lambda: isinstance(shell.overlay.panel, kind))
    return shell.overlay.panel


def asked(qtbot: QtBot, shell: TestShell, page: DatasetsPage) -> DraftForm:
    qtbot.mouseClick(page.draft_button, Qt.MouseButton.LeftButton)
    form = panel(qtbot, shell, DraftForm)
    assert isinstance(form, DraftForm)
    return form


def test_questions_are_drafted_in_the_window_and_gone_through(
    qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench, operations: Operations
) -> None:
    requests: list[DraftQuestions] = []

    def draft(request: DraftQuestions, job: Job, watch: Callable[[object], None]) -> Drafted:
        requests.append(request)
        put_drafts(bench.vault, request.dataset)
        for number, view in enumerate(bench.drafting.list(request.dataset), 1):
            job.report(number, request.count, "questions")
            watch(view)
        return Drafted(dataset=request.dataset, made=3, refused={"the quote isn't in the passage": 2})

    bench.drafting.draft = draft  # type: ignore[method-assign, assignment]
    form = asked(qtbot, shell, page)
    form.count.edit.setText("0")
    form.name.edit.setText(" ")
    qtbot.mouseClick(form.act, Qt.MouseButton.LeftButton)
    assert form.count.error
    assert form.name.error
    form.count.edit.setText("5")
    form.name.edit.setText("cases")
    qtbot.mouseClick(form.act, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: not page.drafting.busy and page.drafting.isVisible())
    assert [(one.dataset, one.collection, one.model, one.count) for one in requests] == [
        ("cases", "merrowdale", "starter-chat", 5)
    ]
    assert (
        page.drafting.words.text()
        == "3 questions wait for your word in cases. Not kept: 2 × the quote isn't in the passage."
    )
    until(qtbot, lambda: page.drafts_button.text() == "Review 3 drafts")
    qtbot.mouseClick(page.drafting.review, Qt.MouseButton.LeftButton)
    assert isinstance(panel(qtbot, shell, DraftReview), DraftReview)
    until(qtbot, lambda: operations.running() == 0)


def test_drafting_is_stopped_and_what_was_drafted_stays(
    qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench
) -> None:
    going = threading.Event()

    def draft(request: DraftQuestions, job: Job, watch: Callable[[object], None]) -> Drafted:
        put_drafts(bench.vault, request.dataset)
        watch(bench.drafting.list(request.dataset)[0])
        going.set()
        while True:
            job.check()
            threading.Event().wait(0.01)

    bench.drafting.draft = draft  # type: ignore[method-assign, assignment]
    qtbot.mouseClick(asked(qtbot, shell, page).act, Qt.MouseButton.LeftButton)
    until(qtbot, going.is_set)
    assert not page.draft_button.isEnabled() or page.draft_button.toolTip()
    page.drafting.work.cancel.click()
    until(qtbot, lambda: not page.drafting.busy)
    assert page.drafting.words.text() == "Stopped. 1 question drafted until then is kept."
    until(qtbot, lambda: page.drafts_button.text() == "Review 3 drafts")


def test_who_has_no_model_is_told_so(qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench) -> None:
    bench.models.list = tuple
    form = asked(qtbot, shell, page)
    assert form.act.toolTip() == "Add a chat model first."


@pytest.mark.parametrize("name", FORMS)
def test_samples_are_exported_in_each_form_and_the_log_says_why(
    name: str,
    qtbot: QtBot,
    shell: TestShell,
    page: DatasetsPage,
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    qtbot.mouseClick(page.export_button, Qt.MouseButton.LeftButton)
    form = panel(qtbot, shell, ExportForm)
    assert isinstance(form, ExportForm)
    form.kind.edit.setCurrentIndex(form.kind.edit.findData(name))
    form.why.edit.setText("for the sponsor")
    wanted = FORMS[name]
    assert form.suggested.endswith(wanted.suffix)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "out"), ""))
    qtbot.mouseClick(form.act, Qt.MouseButton.LeftButton)
    file = tmp_path / f"out{wanted.suffix}"
    until(qtbot, lambda: shell.said[-1:] == [f"9 samples were written to {file.name}"])
    written = file.read_bytes()
    if wanted.suffix == ".jsonl":
        assert len([json.loads(line) for line in written.splitlines()]) == 9
    with bench.vault.read() as reader:
        logged = [(entry.act, entry.reason) for entry in reader.log(100)]
    assert ("export-dataset", "for the sponsor") in logged


def test_a_part_is_exported_alone(
    qtbot: QtBot,
    shell: TestShell,
    page: DatasetsPage,
    bench: Bench,
    operations: Operations,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    splitting = Splitting(shares={"train": 0.5, "test": 0.5}, by="sample", seed=1)
    parted = bench.datasets.split(SplitDataset(reference="cases", splitting=splitting), Job("Split"))[0].dataset
    until(qtbot, lambda: operations.running() == 0 and page._parts_row.isVisible())
    qtbot.mouseClick(page.export_button, Qt.MouseButton.LeftButton)
    form = panel(qtbot, shell, ExportForm)
    assert isinstance(form, ExportForm)
    form.which.edit.setCurrentIndex(form.which.edit.findData("test"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / form.suggested), ""))
    qtbot.mouseClick(form.act, Qt.MouseButton.LeftButton)
    file = tmp_path / "cases-2-test.jsonl"
    until(qtbot, file.exists)
    until(qtbot, lambda: operations.running() == 0)
    held = [json.loads(line)["id"] for line in file.read_bytes().splitlines()]
    assert held == [one.id for one in parted.samples if one.split == "test"]


def test_what_a_check_found_is_flagged_until_the_samples_change(
    qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench, operations: Operations
) -> None:
    bench.datasets.save(SaveSamples(name="learned", samples=samples(2)))
    digest = bench.datasets.show("learned").digest
    bench.datasets.learned = lambda: (Learned(adapter="training-1", digest="a" * 64, datasets=(digest,)),)
    until(qtbot, lambda: operations.running() == 0 and len(page._datasets) == 2)
    qtbot.mouseClick(page.check_button, Qt.MouseButton.LeftButton)
    view = panel(qtbot, shell, ScreeningView)
    assert isinstance(view, ScreeningView)
    said = [(one[0], one[2]) for one in view.table.rows.all()]
    assert ("call", "telephone numbers") in said
    assert ("call", "names of people, by the words before them") in said
    view.left.emit()
    offered = [page.which.itemText(place) for place in range(page.which.count())]
    assert "Learned, 2" in offered
    page.which.setCurrentText("Learned, 2")
    page._narrow()
    assert [one.id for one in page.table.rows.all()] == ["pv-00000", "pv-00001"]
    assert page._marked(samples(1)[0]).text == "Learned"
    assert page._flags.of("pv-00000") == ["training-1 was trained on it: its result with it means nothing."]
    bench.datasets.save(SaveSamples(name="cases", samples=samples(9), based_on="cases@1"))
    until(qtbot, lambda: operations.running() == 0 and page._datasets[0].number == 2)
    assert page._flags.of("pv-00000") == []


def test_a_draft_that_comes_is_counted_and_no_dataset_is_read(
    qtbot: QtBot, page: DatasetsPage, bench: Bench, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.table.choose(3)
    chosen = page.table.current()

    def read() -> tuple[Dataset, ...]:
        raise AssertionError("a draft changes no dataset")

    monkeypatch.setattr(bench.datasets, "list", read)
    put_drafts(bench.vault, "cases")
    until(qtbot, lambda: page.drafts_button.text() == "Review 3 drafts")
    bench.drafting.reject(2)
    until(qtbot, lambda: page.drafts_button.text() == "Review 2 drafts" and operations.running() == 0)
    assert page.banner.isHidden()
    assert page.table.current() == chosen
    put_drafts(bench.vault, "made of drafts")
    until(qtbot, lambda: "made of drafts" in [one.key for one in page.list.rows()])


def test_looks_that_are_asked_for_meanwhile_are_one_look() -> None:
    under_way: list[Callable[[], None]] = []
    looks = Looks(under_way.append)
    for _ in range(5):
        looks.ask()
    assert len(under_way) == 1
    under_way[0]()
    assert len(under_way) == 2
    under_way[1]()
    assert len(under_way) == 2
    looks.ask()
    assert len(under_way) == 3
