"""What a prompt's variables are filled with, in the chat and in the editor of saved assistants."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.answer_notes import notes
from app.pages.assistant_form import AssistantForm
from app.pages.chat import ChatPage
from app.pages.value_fields import ValueFields
from core.documents.records import AddDocuments
from core.jobs import Job
from tests.unit.app.chat_scenes import VARIABLES, with_variables
from tests.unit.app.standin import StandIn, model


def settle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.operations.running() == 0, timeout=60_000)


@pytest.fixture
def page(window: MainWindow, bench: StandIn, qtbot: QtBot) -> ChatPage:
    with_variables(bench)
    bench.models.held.append(model("corvid", "chat"))
    bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",)), Job("Add"))
    window.go("chat")
    page = window.page
    assert isinstance(page, ChatPage)
    settle(window, qtbot)
    page.model.choose("corvid")
    page._judge()
    return page


def ask(page: ChatPage, window: MainWindow, qtbot: QtBot) -> None:
    page.composer.setPlainText("What is day 0?")
    qtbot.keyClick(page.composer, Qt.Key.Key_Return)
    settle(window, qtbot)


def test_variables_of_the_chosen_prompt_are_filled_above_the_question(
    page: ChatPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    assert not page.box.values.isVisible()
    page.prompt.choose("toned@1")
    page._judge()
    assert page.box.values.isVisible()
    assert list(page.box.values.fields) == ["tone", "words", "for_whom"]
    ask(page, window, qtbot)
    assert bench.assistants.asked == []
    fields = page.box.values.fields
    assert [field.error for field in fields.values()] == ["Give a value.", "Give a value.", ""]
    assert page.composer.toPlainText() == "What is day 0?"
    fields["tone"].edit.setCurrentIndex(2)  # type: ignore[attr-defined]
    fields["words"].edit.setText("70")  # type: ignore[attr-defined]
    ask(page, window, qtbot)
    assert fields["words"].error == "It is over 50."
    assert fields["words"].edit.hasFocus()
    fields["words"].edit.setText("7")  # type: ignore[attr-defined]
    ask(page, window, qtbot)
    assert bench.assistants.asked[-1].values == {"tone": "formal", "words": "7"}
    assert page.box.values.fields["words"].text == "7"
    page.prompt.choose("built-in")
    page._judge()
    ask(page, window, qtbot)
    assert bench.assistants.asked[-1].values == {}


def test_a_saved_assistant_fixes_a_variable_and_the_chat_asks_for_the_rest(
    page: ChatPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    page.assistants.click()
    settle(window, qtbot)
    form = window.overlay.panel
    assert isinstance(form, AssistantForm)
    assert form.values.isHidden()
    form.name.edit.setText("desk")
    form.collections.tick(("safety",))
    for field, wanted in ((form.model, "corvid"), (form.prompt, "toned@1")):
        field.edit.setCurrentIndex(field.edit.findData(wanted))
    assert not form.values.isHidden()
    form.values.fields["words"].edit.setText("many")  # type: ignore[attr-defined]
    form.act.click()
    assert form.values.fields["words"].error == "It isn't a number."
    assert form.problem == "A value doesn’t fit its variable."
    form.values.fields["words"].edit.setText("12")  # type: ignore[attr-defined]
    form.act.click()
    settle(window, qtbot)
    assert bench.assistants.saved["desk"].assistant.values == {"words": "12"}
    assert page.box.assistant.current == "desk"
    page._judge()
    assert list(page.box.values.fields) == ["tone", "for_whom"]
    page.box.values.fields["tone"].edit.setCurrentIndex(1)  # type: ignore[attr-defined]
    ask(page, window, qtbot)
    asked = bench.assistants.asked[-1]
    assert (asked.assistant, asked.values) == ("desk@1", {"words": "12", "tone": "plain"})


def test_an_answer_that_breaks_its_contract_is_told_below(
    page: ChatPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    ask(page, window, qtbot)
    answer = page._answers[page.exchanges[-1]]
    broken = replace(answer, contract="broken", broken="it is no JSON.")
    page._answered(page.exchanges[-1], broken)
    assert "The answer breaks the form that its prompt promises: it is no JSON." in page.exchanges[-1].notes
    assert not any("promises" in one for one in notes(replace(answer, contract="kept")))


def test_what_was_written_stays_when_the_same_variable_comes_again(qtbot: QtBot) -> None:
    fields = ValueFields()
    qtbot.addWidget(fields)
    fields.offer(VARIABLES[1:3])
    fields.fields["words"].edit.setText("9")  # type: ignore[attr-defined]
    fields.offer(())
    assert fields.isHidden()
    fields.offer(VARIABLES[:2])
    assert fields.fields["words"].text == "9"
