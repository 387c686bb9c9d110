"""A model that is asked in the chat without documents, with an adapter and without, driven as a person would."""

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge.chatting import WithAdapter
from app.main_window import MainWindow
from app.pages.adapter_choice import AdapterForm
from app.pages.chat import ChatPage
from core.assistants.records import Answered, Found, Question
from core.inference.records import AdapterUse
from core.jobs import Job
from tests.unit.app.standin import StandIn, digest, model
from tests.unit.app.test_chat import traced


@pytest.fixture
def chat(window: MainWindow, bench: StandIn, qtbot: QtBot) -> ChatPage:
    """The chat of a vault with a model and an adapter, and no document."""
    bench.models.held += [model("seer", "chat"), model("blunt", "adapter")]
    window.go("chat")
    page = window.page
    assert isinstance(page, ChatPage)
    page.opened()
    qtbot.waitUntil(lambda: "seer" in page.model.choices(), timeout=60_000)
    return page


@pytest.fixture
def asked(bench: StandIn, monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    found: list[Question] = []

    def ask(question: Question, job: Job, pictures: object = ()) -> Iterator[Found | Answered]:
        found.append(question)
        yield Found(passages=())
        answer = msgspec.structs.replace(
            traced(), question=question, answer="Good day.", citations=(), passages=(), unsupported=()
        )
        yield Answered(answer=answer, trace="ab" * 32)

    monkeypatch.setattr(bench.assistants, "ask", ask)
    return found


def test_a_model_is_asked_with_an_adapter_and_again_without_it(
    chat: ChatPage, window: MainWindow, asked: list[Question], qtbot: QtBot
) -> None:
    assert chat.empty.isVisible()
    assert chat.collection.text() == "No documents"
    chat.composer.setPlainText("Good morning?")
    assert "or a model" in chat.send.toolTip()
    chat.box.answer_with(WithAdapter("seer", digest("blunt")))
    chat._judge()
    assert not chat.empty.isVisible()
    assert chat.box.adapters.text() == "blunt × 1"
    qtbot.mouseClick(chat.send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(chat._answers) == 1 and chat._handle is None, timeout=60_000)
    assert (asked[0].collection, asked[0].model, asked[0].prompt) == ("", "seer", None)
    assert asked[0].adapters == (AdapterUse(model=digest("blunt")),)

    qtbot.mouseClick(chat.box.adapters, Qt.MouseButton.LeftButton)
    form = window.overlay.panel
    assert isinstance(form, AdapterForm)
    form.checks[digest("blunt")].click()
    form.act.click()
    assert chat.box.adapters.text() == "No adapter"
    chat.composer.setPlainText("And now?")
    qtbot.mouseClick(chat.send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(chat._answers) == 2 and chat._handle is None, timeout=60_000)
    assert (asked[1].collection, asked[1].adapters) == ("", ())
