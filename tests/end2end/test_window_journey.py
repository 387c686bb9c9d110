"""The window over a real vault, as a new person meets it: create a vault, add documents, ask, see the page, lock, unlock."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.collecting import collect_anywhere
from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages.all import PAGES
from app.pages.chat import ChatPage
from app.pages.documents import DocumentsPage
from app.pages.unlock import UnlockPage
from app.theme.look import look
from core.paths import RESOURCES

DOCUMENTS = RESOURCES / "example" / "documents"
PASSPHRASE = "correct horse battery staple"
PATIENCE = 60_000
"""Milliseconds for what starts a worker and loads a model, on a busy machine."""


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> Iterator[MainWindow]:
    if not (RESOURCES / "models" / "starter-embed.gguf").exists():
        pytest.skip("the starter models are not built")
    look().apply("light", reduced_motion=True)
    made = MainWindow(Operations(), PAGES, ("seccomp",))
    made.resize(1440, 900)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    collect_anywhere()
    gc.collect()


def test_from_an_empty_machine_to_a_cited_answer(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    unlock = window.page
    assert isinstance(unlock, UnlockPage)
    form = unlock.creating
    form.place_in(tmp_path)
    for field, text in ((form.name, "Merrowdale"), (form.user, "ines"), (form.person, "Ines Korhan")):
        qtbot.keyClicks(field.edit, text)
    for field in (form.passphrase, form.again):
        qtbot.keyClicks(field.edit, PASSPHRASE)
    qtbot.mouseClick(form.create, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.rail.isVisible(), timeout=PATIENCE)

    window.go("documents")
    documents = window.page
    assert isinstance(documents, DocumentsPage)
    documents.add(
        [str(DOCUMENTS / "SOP-PV-014-case-intake.pdf"), str(DOCUMENTS / "minutes-safety-board.html")], "safety"
    )
    qtbot.waitUntil(lambda: len(documents.table.rows.all()) == 2, timeout=PATIENCE)

    window.go("chat")
    chat = window.page
    assert isinstance(chat, ChatPage)
    qtbot.waitUntil(lambda: chat.collection.current == "safety", timeout=PATIENCE)
    qtbot.keyClicks(chat.composer, "How soon must a site report a serious adverse event?")
    qtbot.keyClick(chat.composer, Qt.Key.Key_Return)
    exchange = chat.exchanges[-1]
    qtbot.waitUntil(lambda: bool(exchange.passages.rows()), timeout=PATIENCE)
    assert "24 hours" in exchange.answer.toPlainText()
    qtbot.waitUntil(lambda: bool(chat.view.canvas.marks) and bool(chat.view.canvas.marks[0].rects), timeout=PATIENCE)

    with qtbot.waitSignal(window.locked, timeout=PATIENCE):
        window.lock()
    again = window.page
    assert isinstance(again, UnlockPage)
    assert again.ways.current() == "open"
    qtbot.waitUntil(lambda: again.opening.user.text == "ines", timeout=PATIENCE)
    qtbot.keyClicks(again.opening.passphrase.edit, PASSPHRASE)
    qtbot.keyClick(again.opening.passphrase.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.rail.isVisible(), timeout=PATIENCE)
    window.go("chat")
    assert isinstance(window.page, ChatPage)
    qtbot.waitUntil(lambda: len(window.page.earlier.rows()) == 2, timeout=PATIENCE)
