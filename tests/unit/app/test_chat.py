"""The chat page, driven as a person would."""

from types import SimpleNamespace

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.answers import TracePanel, made_with
from app.pages.chat import ChatPage
from core import settings
from core.assistants.records import Answer, Question
from core.documents.records import AddDocuments
from core.inference.records import Message, PromptToken, PromptTokens
from core.jobs import Job
from tests.unit.app.standin import PAGE_TEXT, StandIn


@pytest.fixture
def chat(window: MainWindow, bench: StandIn, qtbot: QtBot) -> ChatPage:
    bench.documents.add(AddDocuments(collection="safety", paths=("SOP-PV-014.pdf", "notes.txt")), Job("Add"))
    window.go("chat")
    page = window.page
    assert isinstance(page, ChatPage)
    qtbot.waitUntil(lambda: page.collection.current == "safety")
    return page


def ask(page: ChatPage, text: str, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.composer, text)
    qtbot.keyClick(page.composer, Qt.Key.Key_Return)


def test_enter_asks_and_the_answer_shows_its_citations_and_the_page(chat: ChatPage, qtbot: QtBot) -> None:
    ask(chat, "How soon?", qtbot)
    exchange = chat.exchanges[-1]
    qtbot.waitUntil(lambda: len(exchange.passages.rows()) == 2)
    assert "within 24 hours" in exchange.answer.toPlainText()
    assert "[1]" in exchange.answer.plain()
    qtbot.waitUntil(lambda: chat.view.isVisible() and bool(chat.view.canvas.marks))
    assert [mark.number for mark in chat.view.canvas.marks if mark.chosen] == [1]
    assert chat.view.page_label.text() == "Page 2 of 3"


def test_a_sentence_without_support_is_said_to_have_none(chat: ChatPage, qtbot: QtBot) -> None:
    ask(chat, "How soon?", qtbot)
    exchange = chat.exchanges[-1]
    qtbot.waitUntil(lambda: len(exchange.passages.rows()) == 2)
    assert [sentence.text for sentence in exchange.answer.shown if sentence.unsupported] == ["Weekends count double."]


def test_the_arrow_key_goes_to_the_next_passage_everywhere(chat: ChatPage, qtbot: QtBot) -> None:
    ask(chat, "How soon?", qtbot)
    exchange = chat.exchanges[-1]
    qtbot.waitUntil(lambda: bool(chat.view.canvas.marks))
    exchange.passages.setFocus()
    qtbot.keyClick(exchange.passages, Qt.Key.Key_Down)
    assert exchange.answer.chosen == 2
    qtbot.waitUntil(lambda: [mark.number for mark in chat.view.canvas.marks if mark.chosen] == [2])


def test_pressing_a_number_in_the_answer_chooses_its_passage(chat: ChatPage, qtbot: QtBot) -> None:
    ask(chat, "How soon?", qtbot)
    exchange = chat.exchanges[-1]
    qtbot.waitUntil(lambda: len(exchange.passages.rows()) == 2)
    exchange.answer.picked.emit(2)
    assert exchange.passages.currentIndex().row() == 1


def test_what_the_documents_dont_say_is_said_with_its_scores(chat: ChatPage, qtbot: QtBot) -> None:
    ask(chat, "Which hotel?", qtbot)
    exchange = chat.exchanges[-1]
    qtbot.waitUntil(lambda: exchange.declined)
    words = " ".join(child.text() for child in exchange.findChildren(type(exchange._why)))
    assert "The nearest passage scores 0.31; an answer needs 0.50." in words


def test_an_answer_can_be_stopped_and_leaves_nothing(chat: ChatPage, bench: StandIn, qtbot: QtBot) -> None:
    bench.assistants.hold = True
    ask(chat, "How soon?", qtbot)
    qtbot.waitUntil(lambda: chat.halt.isVisible())
    assert not chat.send.isEnabled()
    qtbot.keyClick(chat.composer, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not chat.halt.isVisible())
    assert bench.assistants.traces() == ()


def test_an_error_is_said_in_the_exchange_and_the_next_question_works(
    chat: ChatPage, bench: StandIn, qtbot: QtBot
) -> None:
    held, bench.documents.held["safety"] = bench.documents.held["safety"], {}
    ask(chat, "How soon?", qtbot)
    qtbot.waitUntil(lambda: chat.exchanges[-1].banner.isVisible())
    bench.documents.held["safety"] = held
    ask(chat, "How soon?", qtbot)
    qtbot.waitUntil(lambda: len(chat.exchanges[-1].passages.rows()) == 2)


def test_earlier_questions_come_back_with_their_answers(chat: ChatPage, window: MainWindow, qtbot: QtBot) -> None:
    ask(chat, "How soon?", qtbot)
    qtbot.waitUntil(lambda: len(chat.earlier.rows()) == 2)
    new = next(one for one in chat.bar.findChildren(type(chat.send)) if one.text() == "New chat")
    qtbot.mouseClick(new, Qt.MouseButton.LeftButton)
    assert chat.exchanges == []
    chat.earlier.choose(chat.earlier.rows()[1].key)
    assert chat.exchanges[0].question == "How soon?"
    assert "within 24 hours" in chat.exchanges[0].answer.toPlainText()


def test_a_document_without_pages_is_shown_as_text(chat: ChatPage, bench: StandIn, qtbot: QtBot) -> None:
    notes = next(key for key, found in bench.documents.held["safety"].items() if found.name == "notes.txt")
    chat.view.show()
    chat.reader.show_document(notes)
    qtbot.waitUntil(lambda: chat.view.text.toPlainText() == PAGE_TEXT)


def test_copying_takes_the_answer_with_its_numbers(chat: ChatPage, qtbot: QtBot) -> None:
    ask(chat, "How soon?", qtbot)
    exchange = chat.exchanges[-1]
    qtbot.waitUntil(lambda: len(exchange.passages.rows()) == 2)
    exchange._copy()
    assert "within 24 hours. [1]" in QApplication.clipboard().text()


def test_questions_are_asked_in_the_mode_that_is_set(
    chat: ChatPage, bench: StandIn, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Question] = []
    ask_bench = bench.assistants.ask
    monkeypatch.setattr(
        bench.assistants, "ask", lambda question, job, _: asked.append(question) or ask_bench(question, job)
    )
    for mode in ("fast", "reproducible"):
        settings.save(msgspec.structs.replace(settings.load(), answers=mode))
        ask(chat, "How soon?", qtbot)
        qtbot.waitUntil(lambda mode=mode: bool(asked) and asked[-1].mode == mode)
        qtbot.waitUntil(lambda: len(chat.exchanges[-1].passages.rows()) == 2 and chat._handle is None)


def traced(rendered: str = "user: How soon?") -> Answer:
    """An answer that a model gave."""
    return Answer(
        question=Question(collection="safety", text="How soon?", model="corvid", mode="fast"),
        answer="Within 24 hours.",
        abstained=False,
        citations=(),
        passages=(),
        sentences=1,
        unsupported=(),
        best_score=0.0,
        needed_score=0.0,
        model="corvid",
        model_digest="ab" * 32,
        prompt_digest="cd" * 32,
        rendered=rendered,
        finish="stop",
        tokens=21,
        prompt_tokens=3,
        first_token_seconds=0.5,
        seconds=1.5,
        backend="stand-in",
    )


def seeing(bench: StandIn, prompt_digest: str = "cd" * 32) -> None:
    """Let the stand-in know the prompt version and its tokens."""
    messages = (Message(role="user", content="{{ question }}"),)
    context = SimpleNamespace(
        prompt=SimpleNamespace(messages=messages),
        prompt_digest=prompt_digest,
        values=lambda prompt, found: dict(found.base),
    )
    tokens = (
        PromptToken(id=1, text="<s>", special=True),
        PromptToken(id=7, text="user: ", special=False),
        PromptToken(id=90, text="How soon?", special=False, message=0),
    )
    bench.assistants.context = lambda question, job: context  # type: ignore[attr-defined]
    bench.engine.tokens = lambda request, job: PromptTokens(  # type: ignore[attr-defined]
        prompt=f"user: {request.variables['question']}", tokens=tokens, window=4096
    )


def open_trace(chat: ChatPage, answer: Answer) -> TracePanel:
    chat._answered(chat._begin(answer.question.text), answer)
    chat.exchanges[-1].trace.click()
    panel = chat.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(panel, TracePanel)
    return panel


def test_the_speed_of_an_answer_is_said_below_it() -> None:
    assert made_with(traced()) == "corvid   fast   21 tokens/s   first word after 0.5 s   1.5 s"


def test_the_trace_shows_what_the_model_saw_token_by_token(chat: ChatPage, bench: StandIn, qtbot: QtBot) -> None:
    seeing(bench)
    panel = open_trace(chat, traced())
    panel.view.segment("tokens").click()
    qtbot.waitUntil(lambda: panel.said.startswith("3 tokens"))
    assert panel.said == "3 tokens; the window holds 4,096, the answer included."
    assert panel.tokens.toPlainText() == " <s> user: \nUser  How soon?"
    assert panel.tokens.words(0) == "Token 1, id 1, from the template, steers the model"
    assert panel.tokens.words(2) == "Token 3, id 90, from the user message"
    assert not panel._text.isVisible()


def test_tokens_that_are_not_those_of_the_trace_are_said_to_be_others(
    chat: ChatPage, bench: StandIn, qtbot: QtBot
) -> None:
    seeing(bench)
    panel = open_trace(chat, traced("user: what it was then"))
    panel.view.segment("tokens").click()
    qtbot.waitUntil(lambda: "differs from the trace" in panel.said)


def test_a_trace_whose_prompt_version_is_gone_shows_the_text(chat: ChatPage, bench: StandIn, qtbot: QtBot) -> None:
    seeing(bench, "ee" * 32)
    panel = open_trace(chat, traced())
    panel.view.segment("tokens").click()
    qtbot.waitUntil(lambda: "isn’t here any more" in panel.said)
    assert panel._text.isVisible()
    assert panel.view.current() == "text"


def test_a_trace_that_is_closed_before_its_tokens_come_is_left_alone(
    chat: ChatPage, bench: StandIn, qtbot: QtBot
) -> None:
    seeing(bench)
    panel = open_trace(chat, traced())
    panel.view.segment("tokens").click()
    panel.close_button.click()
    qtbot.waitUntil(lambda: chat.operations.running() == 0)
    assert not chat.banner.isVisible()
