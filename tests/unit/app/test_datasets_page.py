"""The datasets page as a person uses it: import with a preview, search, edit and take back, save after a look, review drafts by keys."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.dataset_checks import ScreeningView
from app.pages.dataset_drafts import DraftReview
from app.pages.dataset_forms import ChangesView, SampleForm, SplitForm, told
from app.pages.dataset_import import ImportForm
from app.pages.datasets import DatasetsPage
from app.theme.look import look
from core.datasets.records import Dataset, Origin, Sample, SaveSamples, Turn
from core.datasets.screening import Learned
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.unit.app.benches import Bench
from tests.unit.app.dataset_scenes import put_drafts, samples
from tests.unit.app.shells import TestShell


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
    made.datasets.save(SaveSamples(name="cases", samples=samples(60)))
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
    until(qtbot, lambda: operations.running() == 0 and page.table.rows.rowCount() == 60)
    return page


def panel(qtbot: QtBot, shell: TestShell, kind: type) -> object:
    until(qtbot, lambda: isinstance(shell.overlay.panel, kind))
    return shell.overlay.panel


def shown(page: DatasetsPage) -> list[str]:
    return [one.id for one in page.table.rows.all()]


def test_samples_are_edited_taken_back_and_saved_after_a_look(
    qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench
) -> None:
    page.table.choose(2)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    form = panel(qtbot, shell, SampleForm)
    assert isinstance(form, SampleForm)
    form.fields.target.edit.setText("99 days")
    form.fields.tags.edit.setText("new; newer")
    qtbot.mouseClick(form.take, Qt.MouseButton.LeftButton)
    assert page.table.current().target == "99 days"
    page.replace("pv-00007", None)
    assert len(shown(page)) == 59
    assert page.check_button.toolTip() or not page.check_button.isEnabled()
    qtbot.mouseClick(page.undo_button, Qt.MouseButton.LeftButton)
    assert len(shown(page)) == 60
    page.which.setCurrentText("Changed")
    page._narrow()
    assert shown(page) == ["pv-00002"]
    qtbot.mouseClick(page.save_button, Qt.MouseButton.LeftButton)
    view = panel(qtbot, shell, ChangesView)
    assert isinstance(view, ChangesView)
    assert [(one.kind, one.id) for one in view.table.rows.all()] == [("changed", "pv-00002")]
    assert bench.datasets.show("cases").dataset.number == 1
    qtbot.mouseClick(view.keep, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: bench.datasets.show("cases").dataset.number == 2)
    kept = bench.datasets.show("cases").dataset
    assert (kept.samples[2].target, kept.samples[2].tags) == ("99 days", ("new", "newer"))
    until(qtbot, lambda: shell.said[-1:] == ["cases@2 is in"])


def test_undoing_everything_leaves_nothing_to_save(page: DatasetsPage) -> None:
    one = page.table.rows.all()[0]
    page.replace(one.id, msgspec.structs.replace(one, target="x"))
    assert not page.save_button.isHidden()
    page._undo()
    assert page.save_button.isHidden()
    page._undo()
    assert page.table.rows.all()[0] == one


def test_changes_that_arent_saved_keep_the_page_on_their_dataset(
    qtbot: QtBot, page: DatasetsPage, bench: Bench, operations: Operations
) -> None:
    bench.datasets.save(SaveSamples(name="other", samples=samples(3)))
    page.opened()
    until(qtbot, lambda: operations.running() == 0 and len(page._datasets) == 2)
    page.replace("pv-00001", None)
    page._picked("other")
    assert page._heading.text() == "cases"
    assert "aren’t saved" in page.banner.text


def test_a_file_is_looked_into_before_it_is_stored(
    qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "new ones.csv"
    file.write_text("Frage,target,note\nWho?,she,a\nWhen?,,b\nWhere?,here,c\n")
    form = page.look_into(str(file))
    until(qtbot, lambda: "one must be" in form.found.text())
    assert not form.take.isEnabled() or form.take.toolTip()
    form._columns = {"Frage": "input"}
    form.asked.emit(form.request())
    until(qtbot, lambda: form._read is not None)
    assert [(use.name, use.field) for use in form.columns.rows.all()] == [
        ("Frage", "input"),
        ("target", "target"),
        ("note", "metadata"),
    ]
    assert [one.place for one in form.problems.rows.all()] == ["line 3"]
    form.columns.choose(2)
    form.field.setCurrentText("tags")
    form._map()
    until(qtbot, lambda: form.columns.rows.all()[2].field == "tags")
    form.leave_out.setChecked(True)
    assert form.name.text == "new-ones"
    qtbot.mouseClick(form.take, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: len(bench.datasets.list()) == 2)
    kept = bench.datasets.show("new-ones").dataset.samples
    assert [(one.input, one.target, one.tags) for one in kept] == [("Who?", "she", ("a",)), ("Where?", "here", ("c",))]
    assert isinstance(form, ImportForm)


def test_parts_are_made_and_chosen_among(
    qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench, operations: Operations
) -> None:
    assert page._parts_row.isHidden()
    qtbot.mouseClick(page.split_button, Qt.MouseButton.LeftButton)
    form = panel(qtbot, shell, SplitForm)
    assert isinstance(form, SplitForm)
    form.train.edit.setText("101")
    qtbot.mouseClick(form.take, Qt.MouseButton.LeftButton)
    assert form.train.error
    form.train.edit.setText("70")
    form.by.setCurrentIndex(1)
    qtbot.mouseClick(form.take, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: bench.datasets.show("cases").dataset.number == 2)
    until(qtbot, lambda: operations.running() == 0 and not page._parts_row.isHidden())
    assert "train" in page.parts.accessibleDescription()
    page.which.setCurrentText("Part test")
    page._narrow()
    assert shown(page) == [one.id for one in bench.datasets.show("cases").dataset.samples if one.split == "test"]


def test_drafts_are_reviewed_by_keys(
    qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench, operations: Operations
) -> None:
    put_drafts(bench.vault, "cases")
    page.opened()
    until(qtbot, lambda: page.drafts_button.text() == "Review 3 drafts")
    qtbot.mouseClick(page.drafts_button, Qt.MouseButton.LeftButton)
    form = panel(qtbot, shell, DraftReview)
    assert isinstance(form, DraftReview)

    def states() -> list[str]:
        return [one.state for one in form._drafts]

    assert "within 24 hours" in form.passage.toPlainText()
    qtbot.keyClick(form, Qt.Key.Key_A)
    until(qtbot, lambda: states() == ["accepted", "waiting", "waiting"])
    qtbot.keyClick(form, Qt.Key.Key_R)
    until(qtbot, lambda: states() == ["accepted", "rejected", "waiting"])
    qtbot.keyClick(form, Qt.Key.Key_Z)
    until(qtbot, lambda: states() == ["accepted", "waiting", "waiting"])
    assert form.draft is not None
    assert form.draft.number == 2
    qtbot.keyClick(form, Qt.Key.Key_E)
    assert form._fields is not None
    form._fields.target.edit.setText("the officer on duty")
    qtbot.keyClick(form, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    until(qtbot, lambda: states() == ["accepted", "accepted", "waiting"])
    qtbot.keyClick(form, Qt.Key.Key_R)
    until(qtbot, lambda: states() == ["accepted", "accepted", "rejected"])
    assert form.draft is None
    qtbot.mouseClick(form.save, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: bench.datasets.show("cases").dataset.number == 2)
    added = bench.datasets.show("cases").dataset.samples[-2:]
    assert [one.target for one in added] == ["24 hours", "the officer on duty"]
    assert all(one.synthetic for one in added)
    until(qtbot, lambda: operations.running() == 0)


def test_a_check_leads_to_the_sample(qtbot: QtBot, shell: TestShell, page: DatasetsPage, bench: Bench) -> None:
    digest = bench.datasets.show("cases").digest
    bench.datasets.learned = lambda: (Learned(adapter="training-1", digest="", datasets=(digest,), files=("x.json",)),)
    qtbot.mouseClick(page.check_button, Qt.MouseButton.LeftButton)
    view = panel(qtbot, shell, ScreeningView)
    assert isinstance(view, ScreeningView)
    assert len(view.table.rows.all()) == 60
    view.opened.emit("pv-00041")
    assert page.table.current().id == "pv-00041"


def test_a_hundred_thousand_samples_are_shown_and_searched(page: DatasetsPage) -> None:
    """What is known to the view grows as one scrolls; a search reads texts that were folded once."""
    many = tuple(Sample(id=f"{n}", input=f"Question {n}?", target="x") for n in range(100_000))
    page._datasets = (Dataset(name="cases", number=1, samples=many, source="", parent=None, author="", saved=""),)
    page._picked("cases")
    assert len(page.table.rows.all()) == 100_000
    assert page.table.rows.rowCount() <= page.table.rows.PAGE
    page.find.setText("question 99999?")
    assert shown(page) == ["99999"]
    folded = page._folded
    page.find.setText("question 9999")
    assert len(shown(page)) == 11
    assert page._folded is folded


def test_a_conversation_keeps_its_last_question_together_with_the_sample(qtbot: QtBot) -> None:
    turns = (Turn(role="user", content="a"), Turn(role="assistant", content="b"), Turn(role="user", content="c"))
    form = SampleForm(Sample(id="1", input="c", answer="d", turns=turns, origin=Origin(kind="person")))
    qtbot.addWidget(form)
    form.fields.input.edit.setPlainText("C")
    with qtbot.waitSignal(form.kept) as caught:
        form.take.click()
    (changed,) = caught.args
    assert (changed.input, changed.turns[-1].content, changed.turns[:2]) == ("C", "C", turns[:2])
    form.fields.answer.edit.setPlainText("")
    form.take.click()
    assert form.fields.target.error
    assert told(None) == ""
