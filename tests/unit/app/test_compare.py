"""Two answers beside each other, driven as a person would."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages import compare
from app.pages.chat import ChatPage
from app.pages.compare import CompareView
from core.assistants.records import QUOTES, AnswerPart, Question
from core.documents.records import AddDocuments
from core.errors import Unavailable
from core.jobs import Job
from tests.unit.app.chat_scenes import with_variables
from tests.unit.app.standin import StandIn


@pytest.fixture
def chat(window: MainWindow, bench: StandIn, qtbot: QtBot) -> ChatPage:
    bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",)), Job("Add"))
    window.go("chat")
    page = window.page
    assert isinstance(page, ChatPage)
    qtbot.waitUntil(lambda: page.collection.current == "safety")
    return page


@pytest.fixture
def both(chat: ChatPage) -> CompareView:
    chat.side_by_side.click()
    return chat.comparison


def ask(both: CompareView, text: str, qtbot: QtBot) -> None:
    both.composer.setPlainText(text)
    qtbot.keyClick(both.composer, Qt.Key.Key_Return)


def test_it_offers_a_model_with_its_own_and_with_another_prompt(chat: ChatPage, both: CompareView) -> None:
    assert [(side.model.current, side.prompt.current) for side in both.sides] == [
        ("starter-chat", "built-in"),
        ("starter-chat", "cite-answers@2"),
    ]
    assert both.isVisible()
    assert not chat.composer.isVisible()


def test_both_answer_the_same_question_and_one_is_gone_on_with(
    chat: ChatPage, both: CompareView, bench: StandIn, qtbot: QtBot
) -> None:
    assert not both.send.isEnabled()
    ask(both, "How soon?", qtbot)
    qtbot.waitUntil(lambda: all(side.answer is not None for side in both.sides) and not both.running)
    assert [side.answer.question.text for side in both.sides] == ["How soon?"] * 2
    assert len(bench.assistants.traces()) == 2
    right = both.sides[1]
    right.keep.click()
    assert not both.isVisible()
    assert chat.exchanges[-1].question == "How soon?"
    assert (chat.model.current, chat.prompt.current) == ("starter-chat", "cite-answers@2")


def test_both_stream_at_the_same_time_and_are_stopped(both: CompareView, bench: StandIn, qtbot: QtBot) -> None:
    bench.assistants.hold = True
    ask(both, "How soon?", qtbot)
    assert [side.running for side in both.sides] == [True, True]
    assert not both.send.isEnabled()
    qtbot.keyClick(both.composer, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not both.running)
    assert bench.assistants.traces() == ()
    assert not both.sides[0].keep.isEnabled()


@pytest.fixture
def one_fails(bench: StandIn) -> Iterator[None]:
    real = bench.assistants.ask

    def ask(question: Question, job: Job, pictures: tuple[bytes, ...]) -> Iterator[AnswerPart]:
        if question.prompt is not None:
            raise Unavailable(what="starter-chat needs 2.0 GiB", step="Choose a smaller model.")
        yield from real(question, job)

    bench.assistants.ask = ask  # type: ignore[method-assign]
    yield
    bench.assistants.ask = real  # type: ignore[method-assign]


def test_one_that_fails_says_so_and_the_other_answers(both: CompareView, one_fails: None, qtbot: QtBot) -> None:
    ask(both, "How soon?", qtbot)
    qtbot.waitUntil(lambda: not both.running)
    assert both.sides[0].answer is not None
    assert "2.0 GiB" in both.sides[1].exchange.banner.text
    assert both.sides[0].keep.isEnabled()
    assert not both.sides[1].keep.isEnabled()


def test_leaving_stops_what_runs_and_shows_the_chat(
    chat: ChatPage, both: CompareView, bench: StandIn, qtbot: QtBot
) -> None:
    bench.assistants.hold = True
    ask(both, "How soon?", qtbot)
    both.leave.click()
    qtbot.waitUntil(lambda: not both.running)
    assert chat.composer.isVisible()
    assert chat.exchanges == []


def test_quotes_take_no_prompt(both: CompareView) -> None:
    both.sides[0].model.choose(QUOTES)
    both.sides[0]._judge()
    assert not both.sides[0].prompt.isVisible()


def test_a_second_question_replaces_the_first(both: CompareView, qtbot: QtBot) -> None:
    for text in ("How soon?", "Who reports?"):
        ask(both, text, qtbot)
        qtbot.waitUntil(lambda: not both.running)
    assert [side.exchange.question for side in both.sides] == ["Who reports?"] * 2


def test_an_earlier_question_or_a_new_chat_ends_the_comparison(chat: ChatPage, both: CompareView, qtbot: QtBot) -> None:
    ask(both, "How soon?", qtbot)
    qtbot.waitUntil(lambda: not both.running and len(chat._choices.traces) == 2)
    chat._go_trace(chat._choices.traces[0][0])
    assert not both.isVisible()
    assert len(chat.exchanges) == 1
    chat.side_by_side.click()
    chat._new()
    assert not both.isVisible()
    assert chat.side_by_side.isVisible()


def test_what_is_written_in_the_comparison_is_the_draft(chat: ChatPage, both: CompareView) -> None:
    both.composer.setPlainText("Who reports")
    assert chat.draft() == "Who reports"


def test_a_narrow_window_shows_one_answer_at_a_time(both: CompareView, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not both.which.isVisible()
    monkeypatch.setattr(compare, "NARROW", both.width() + 1)
    both._fit()
    assert both.which.isVisible()
    assert [side.isVisible() for side in both.sides] == [True, False]
    both.which.segment("right").click()
    assert [side.isVisible() for side in both.sides] == [False, True]


def test_variables_are_asked_for_once_and_reach_the_side_that_declares_them(
    chat: ChatPage, both: CompareView, bench: StandIn, window: MainWindow, qtbot: QtBot
) -> None:
    assert both.values.isHidden()
    with_variables(bench)
    chat.opened()
    qtbot.waitUntil(lambda: "toned@1" in chat.box._choices.prompts, timeout=60_000)
    both.offer("safety", chat.box._choices)
    both.sides[1].model.choose("starter-chat")
    both.sides[1].prompt.choose("toned@1")
    both._judge()
    assert list(both.values.fields) == ["tone", "words", "for_whom"]
    both.composer.setPlainText("How soon?")
    both.ask()
    assert bench.assistants.asked == []
    assert both.values.fields["tone"].error == "Give a value."
    both.values.fields["tone"].edit.setCurrentIndex(2)  # type: ignore[union-attr]
    both.values.fields["words"].edit.setText("40")  # type: ignore[union-attr]
    both.ask()
    qtbot.waitUntil(lambda: not both.running, timeout=60_000)
    values = {question.prompt: question.values for question in bench.assistants.asked}
    assert values["toned@1"]["words"] == "40"
    assert all(not given for prompt, given in values.items() if prompt != "toned@1")
