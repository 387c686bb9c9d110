"""Where questions look, follow-ups, and saved assistants, as the chat chooses them."""

import pytest
from pytestqt.qtbot import QtBot

from app.bridge.finding import said, shelves
from app.main_window import MainWindow
from app.pages.assistant_form import AssistantForm
from app.pages.chat import ChatPage
from app.pages.finding_choice import FindingForm
from core.documents.filtering import Filters
from core.documents.records import AddDocuments
from core.jobs import Job
from core.retrieval.records import Finding
from tests.unit.app.standin import StandIn


@pytest.fixture
def page(window: MainWindow, bench: StandIn, qtbot: QtBot) -> ChatPage:
    for collection, names in (("safety", ("a.pdf", "notes.txt")), ("towers", ("b.pdf",))):
        bench.documents.add(AddDocuments(collection=collection, paths=names), Job("Add"))
    window.go("chat")
    settle(window, qtbot)
    assert isinstance(window.page, ChatPage)
    return window.page


def settle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.operations.running() == 0)


def ask(page: ChatPage, window: MainWindow, qtbot: QtBot, text: str) -> None:
    page.composer.setPlainText(text)
    page.ask()
    settle(window, qtbot)


def limits(page: ChatPage, window: MainWindow, qtbot: QtBot) -> FindingForm:
    page.box.finding.click()
    settle(window, qtbot)
    form = window.overlay.panel
    assert isinstance(form, FindingForm)
    return form


def test_a_question_is_asked_within_what_was_chosen(
    page: ChatPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    form = limits(page, window, qtbot)
    form.also.tick(("towers",))
    form.types.tick(("pdf",))
    form.tags.tick(("urgent",))
    form.since.edit.setText("2026-01-31")
    form.order.edit.setCurrentIndex(form.order.edit.findData("0.7"))
    form.unsupported.edit.setCurrentIndex(form.unsupported.edit.findData("decline"))
    form.act.click()
    assert window.overlay.panel is None
    ask(page, window, qtbot, "What is day 0?")
    asked = bench.assistants.asked[-1]
    assert asked.finding == Finding(
        also=("towers",), filters=Filters(types=("pdf",), tags=("urgent",), since="2026-01-31"), mmr=0.7
    )
    assert asked.without_support == "decline"
    assert (
        page.exchanges[-1].notes
        == "Limited: also in towers; only pdf; only tagged urgent; added from 2026-01-31; varied."
    )


def test_dates_are_checked(page: ChatPage, window: MainWindow, qtbot: QtBot) -> None:
    form = limits(page, window, qtbot)
    form.since.edit.setText("31.3.2026")
    form.act.click()
    assert form.since.error == "Write a date as 2026-03-31."
    form.since.edit.setText("2026-04-01")
    form.until.edit.setText("2026-03-01")
    form.act.click()
    assert form.problem == "The first day is after the last one."


def test_limits_of_another_collection_are_let_go(page: ChatPage, window: MainWindow, qtbot: QtBot) -> None:
    page.box.finding.take(Finding(filters=Filters(files=("a.pdf",)), mmr=0.4), "mark")
    page.collection.choose("towers")
    assert page.box.finding.finding == Finding(mmr=0.4)


def test_a_follow_up_is_asked_with_the_questions_before_it(
    page: ChatPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    ask(page, window, qtbot, "What is day 0?")
    ask(page, window, qtbot, "And who reports it?")
    assert [one.earlier for one in bench.assistants.asked] == [(), ("What is day 0?",)]


def test_an_assistant_is_made_asked_changed_and_removed(
    page: ChatPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    assert not page.box.assistant.isVisible()
    page.assistants.click()
    settle(window, qtbot)
    form = window.overlay.panel
    assert isinstance(form, AssistantForm)
    form.act.click()
    assert form.name.error == "The name is missing."
    form.name.edit.setText("desk")
    form.act.click()
    assert form.problem == "Tick a collection."
    form.collections.tick(("safety", "towers"))
    form.act.click()
    settle(window, qtbot)
    assert page.box.assistant.current == "desk"
    assert not page.box.collection.isVisible()
    ask(page, window, qtbot, "What is day 0?")
    asked = bench.assistants.asked[-1]
    assert (asked.assistant, asked.collection, asked.finding.also) == ("desk@1", "safety", ("towers",))
    assert page.exchanges[-1].notes.split("\n")[-1] == "Asked of the assistant desk, version 1."
    page.assistants.click()
    settle(window, qtbot)
    form = window.overlay.panel
    assert isinstance(form, AssistantForm)
    assert form.chosen == "desk"
    form.passages.edit.setText("12")
    form.act.click()
    settle(window, qtbot)
    assert (bench.assistants.saved["desk"].assistant.number, bench.assistants.saved["desk"].assistant.passages) == (
        2,
        12,
    )
    page.assistants.click()
    settle(window, qtbot)
    form = window.overlay.panel
    assert isinstance(form, AssistantForm)
    form.remove.click()
    settle(window, qtbot)
    assert bench.assistants.saved == {}
    assert not page.box.assisted


def test_shelves_and_words(bench: StandIn, page: ChatPage) -> None:
    bench.documents.add(AddDocuments(collection="x", paths=("one/two/c.PDF",)), Job("Add"))
    found = shelves(bench, "safety")  # type: ignore[arg-type]
    assert (found.others, found.files, found.types) == (("towers", "x"), ("a.pdf", "notes.txt"), ("pdf", "txt"))
    assert said(Finding(filters=Filters(files=("a", "b"), until="2026-01-01"))) == [
        "only 2 documents",
        "added until 2026-01-01",
    ]
