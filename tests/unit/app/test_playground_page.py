"""The playground, driven as a person would."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.playground import MOST, PlaygroundPage
from app.pages.playground_column import SeenPanel, SettingsForm
from core.datasets.collecting import collect, kept
from core.documents.records import AddDocuments
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt, Variable
from core.prompts.service import drafted
from tests.unit.app.playing import PlayBench
from tests.unit.app.standin import WHEN


@pytest.fixture
def bench(tmp_path: Path) -> PlayBench:
    return PlayBench(tmp_path / "Merrowdale" / "Drug safety.assay")


@pytest.fixture
def page(window: MainWindow, bench: PlayBench, qtbot: QtBot) -> PlaygroundPage:
    bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",)), Job("Add"))
    window.go("playground")
    found = window.page
    assert isinstance(found, PlaygroundPage)
    qtbot.waitUntil(lambda: len(found.columns) == 2 and window.operations.running() == 0)
    return found


def ask(page: PlaygroundPage, text: str, qtbot: QtBot) -> None:
    page.composer.setPlainText(text)
    qtbot.keyClick(page.composer, Qt.Key.Key_Return)


def asked(page: PlaygroundPage, text: str, qtbot: QtBot) -> None:
    ask(page, text, qtbot)
    qtbot.waitUntil(lambda: not page.running and all(one.said() != "Waiting" for one in page.columns))


def test_it_begins_with_two_versions_on_one_model(page: PlaygroundPage) -> None:
    assert [(one.prompt.current, one.model.current) for one in page.columns] == [
        ("summarise@2", "starter-chat"),
        ("summarise@1", "starter-chat"),
    ]
    assert not page.send.isEnabled()


def test_each_column_answers_with_its_own_prompt_model_and_values(
    page: PlaygroundPage, bench: PlayBench, qtbot: QtBot
) -> None:
    page.columns[1].model.choose("corvid-1.5b")
    assert sorted(page.fields) == ["tone", "words"], "the input fills the text"
    tone, words = page.fields["tone"].edit, page.fields["words"].edit
    assert isinstance(tone, QComboBox)
    assert isinstance(words, QLineEdit)
    tone.setCurrentText("warm")
    words.setText("12")
    asked(page, "A report.", qtbot)
    assert [one.answer.answer for one in page.columns if one.answer] == [
        "starter-chat with summarise@2: A report. tone warm, words 12",
        "corvid-1.5b with summarise@1: A report.",
    ]
    assert "84 tokens in" in page.columns[0].facts()
    assert "0.8 s" in page.columns[0].facts()


def test_six_columns_stream_at_once_and_are_stopped(page: PlaygroundPage, bench: PlayBench, qtbot: QtBot) -> None:
    while page.add.isEnabled():
        page.add.click()
    assert len(page.columns) == MOST
    bench.assistants.hold = True  # type: ignore[attr-defined]
    ask(page, "A report.", qtbot)
    qtbot.waitUntil(lambda: bench.assistants.under_way == MOST)  # type: ignore[attr-defined]
    assert not page.send.isEnabled()
    qtbot.keyClick(page.composer, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.running)
    assert {one.said() for one in page.columns} == {"Stopped. Nothing was kept."}
    assert not page.columns[0].keep.isEnabled()


def test_one_that_fails_says_so_and_the_others_answer(page: PlaygroundPage, qtbot: QtBot) -> None:
    page.columns[1].model.choose("broken-7b")
    asked(page, "A report.", qtbot)
    assert page.columns[0].answer is not None
    assert "9.0 GiB" in page.columns[1].said()
    assert not page.columns[0].prefer.isEnabled(), "there is nothing to compare with"


def test_a_contract_that_is_broken_is_said(page: PlaygroundPage, qtbot: QtBot) -> None:
    page.columns[1].prompt.choose("classify@1")
    asked(page, "The lid was cracked.", qtbot)
    assert "contract broken" in page.columns[1].facts()
    assert "contract" not in page.columns[0].facts()


def test_settings_of_a_column_win_over_those_of_its_prompt(
    page: PlaygroundPage, window: MainWindow, bench: PlayBench, qtbot: QtBot
) -> None:
    page.columns[0].settings.click()
    form = window.overlay.panel
    assert isinstance(form, SettingsForm)
    form.fields["temperature"].edit.setText("many")  # type: ignore[union-attr]
    form.use.click()
    assert window.overlay.panel is form, "a wrong number is said and kept open"
    form.fields["temperature"].edit.setText("0.7")  # type: ignore[union-attr]
    form.fields["seed"].edit.setText("3")  # type: ignore[union-attr]
    form.use.click()
    asked(page, "A report.", qtbot)
    own, prompts = sorted(bench.assistants.asked, key=lambda question: question.sampling, reverse=True)  # type: ignore[attr-defined]
    assert (own.sampling, own.temperature, own.seed) == ("question", 0.7, 3)
    assert (prompts.sampling, prompts.temperature) == ("prompt", 0.0)
    assert page.columns[0].settings.text() == "Temperature 0.7"


def test_what_the_model_saw_is_shown(page: PlaygroundPage, window: MainWindow, qtbot: QtBot) -> None:
    page.collection.choose("safety")
    asked(page, "A report.", qtbot)
    page.columns[0].prompt_button.click()
    panel = window.overlay.panel
    assert isinstance(panel, SeenPanel)
    assert "<|user|>In a {{ tone }} tone" in panel.text.toPlainText()
    panel.close_button.click()
    page.columns[0].passages_button.click()
    panel = window.overlay.panel
    assert isinstance(panel, SeenPanel)
    assert "[1] SOP.pdf, page 2" in panel.text.toPlainText()


def test_an_answer_is_kept_as_a_sample_and_a_pair_as_a_preference(
    page: PlaygroundPage, bench: PlayBench, qtbot: QtBot
) -> None:
    asked(page, "A report.", qtbot)
    assert page.dataset.current == "playground"
    page.columns[0].keep.click()
    qtbot.waitUntil(lambda: "playground" in bench.datasets.held and page.operations.running() == 0)
    page.columns[1].prefer.click()
    qtbot.waitUntil(lambda: len(bench.datasets.held["playground"].samples) == 2)
    kept, preference = bench.datasets.held["playground"].samples
    assert (kept.id, kept.input, kept.answer) == ("p0001", "A report.", page.columns[0].answer.answer)  # type: ignore[union-attr]
    assert kept.metadata == {"tone": "calm", "words": "40"}
    assert (preference.chosen, preference.rejected) == tuple(
        one.answer.answer for one in reversed(page.columns) if one.answer
    )
    assert preference.metadata["chosen by"] == "summarise@1 / starter-chat"
    assert kept.synthetic
    assert preference.synthetic
    assert preference.origin is not None
    assert preference.origin.kind == "trace"


def test_a_sample_gets_a_number_that_is_free(page: PlaygroundPage, bench: PlayBench, qtbot: QtBot) -> None:
    asked(page, "A report.", qtbot)
    page.columns[0].keep.click()
    qtbot.waitUntil(lambda: "playground" in bench.datasets.held)
    (first,) = bench.datasets.held["playground"].samples
    collect(bench.datasets, "playground", first)
    assert [sample.id for sample in bench.datasets.held["playground"].samples] == ["p0001", "p0002"]


def test_a_column_goes_and_the_last_one_stays(page: PlaygroundPage) -> None:
    page.columns[1].prompt.choose("classify@1")
    page.columns[0].drop.click()
    assert [one.prompt.current for one in page.columns] == ["classify@1"]
    assert not page.columns[0].drop.isEnabled()
    assert page.fields == {}


def test_without_prompts_it_says_what_to_do(window: MainWindow, bench: PlayBench, qtbot: QtBot) -> None:
    bench.prompts.list = tuple  # type: ignore[method-assign]
    window.go("playground")
    found = window.page
    assert isinstance(found, PlaygroundPage)
    qtbot.waitUntil(found.empty.isVisible)
    assert not found.composer.isVisible()
    found.empty.act.click()  # type: ignore[union-attr]
    assert window.page.name == "prompts"


def test_what_was_written_is_kept_over_a_lock(page: PlaygroundPage) -> None:
    page.composer.setPlainText("half a")
    page.fields["words"].edit.setText("12")  # type: ignore[union-attr]
    draft = page.draft()
    page.composer.clear()
    page.fields["words"].edit.setText("40")  # type: ignore[union-attr]
    page.take_draft(draft)
    assert page.composer.toPlainText() == "half a"
    assert page.fields["words"].text == "12"


def test_each_variable_has_its_field_its_error_and_its_place_in_a_kept_sample(
    page: PlaygroundPage, bench: PlayBench, qtbot: QtBot
) -> None:
    variables = (
        Variable(name="text", source="input"),
        Variable(name="aim"),
        Variable(name="words", kind="number", least=5, most=90),
        Variable(name="notes", kind="passages"),
        Variable(name="shots", kind="examples", dataset="triage@1", count=3),
    )
    said = Message(role="user", content="{{ aim }} {{ words }} {{ notes }} {{ shots }} {{ text }}")
    bench.prompts.held.insert(  # type: ignore[attr-defined]
        0, drafted(SavePrompt(name="summarise", messages=(said,), variables=variables), 3, None, "ines", WHEN)
    )
    page.opened()
    qtbot.waitUntil(lambda: "summarise@3" in page._choices.prompts, timeout=60_000)
    page.columns[0].prompt.choose("summarise@3")
    page._ask_values()
    assert list(page.fields) == ["aim", "words", "notes", "shots"]
    assert page.fields["shots"].edit.isReadOnly()  # type: ignore[union-attr]
    ask(page, "A report.", qtbot)
    assert bench.assistants.asked == []  # type: ignore[attr-defined]
    assert [field.error for field in page.fields.values()] == ["Give a value.", "Give a value.", "", ""]
    page.fields["aim"].edit.setPlainText("Shorten it.\nKeep names.")  # type: ignore[union-attr]
    page.fields["words"].edit.setText("12")  # type: ignore[union-attr]
    page.fields["notes"].edit.setPlainText("One.\nGoes on.\n\nTwo.")  # type: ignore[union-attr]
    asked(page, "A report.", qtbot)
    assert all(field.error == "" for field in page.fields.values())
    answer = page.columns[0].answer
    assert answer is not None
    assert answer.question.values == {
        "aim": "Shorten it.\nKeep names.",
        "words": "12",
        "notes": ["One.\nGoes on.", "Two."],
    }
    sample = kept(answer, "ines")
    assert sample.metadata == {"aim": "Shorten it.\nKeep names.", "words": "12"}
    assert sample.passages == ("One.\nGoes on.", "Two.")
    page.columns[0].prompt.choose("classify@1")
    page.columns[0].prompt.choose("summarise@3")
    page._ask_values()
    assert page.fields["words"].text == "12", "what was written comes back with its variable"
