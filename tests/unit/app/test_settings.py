"""Settings take effect at once and are kept."""

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.settings import SettingsPage
from app.theme.look import look
from core import settings


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> SettingsPage:
    window.go("settings")
    assert isinstance(window.page, SettingsPage)
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    return window.page


def test_another_theme_is_applied_at_once_and_kept(page: SettingsPage) -> None:
    page.theme.setCurrentIndex(2)
    page.theme.activated.emit(2)
    assert look().theme == "dark"
    assert settings.load().theme == "dark"


def test_how_models_answer_in_the_chat_is_kept(page: SettingsPage) -> None:
    assert settings.load().answers == "fast"
    page.answers.setCurrentIndex(1)
    page.answers.activated.emit(1)
    assert settings.load().answers == "reproducible"


def test_another_size_is_kept(page: SettingsPage, window: MainWindow, qtbot: QtBot) -> None:
    page.scale.setCurrentIndex(4)
    page.scale.activated.emit(4)
    assert look().scale == 1.5
    assert settings.load().scale == 1.5
    qtbot.waitUntil(lambda: window.page is not page)


def test_memory_and_context_of_models_are_kept(page: SettingsPage) -> None:
    assert page.memory.currentText() == "What is free"
    assert page.context.currentText() == "The usual 4,096 tokens"
    page.memory.setCurrentIndex(page.memory.findData(2048))
    page.memory.activated.emit(0)
    page.context.setCurrentIndex(page.context.findData(8192))
    page.context.activated.emit(0)
    assert (settings.load().model_memory, settings.load().model_context) == (2048, 8192)


def test_a_context_that_another_page_set_is_offered_too(page: SettingsPage) -> None:
    settings.save(msgspec.structs.replace(settings.load(), model_context=1792))
    page.opened()
    assert page.context.currentText() == "1,792 tokens"
    page.answers.setCurrentIndex(1)
    page.answers.activated.emit(1)
    assert settings.load().model_context == 1792
