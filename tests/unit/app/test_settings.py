"""Settings take effect at once and are kept; people are added by an administrator with their own passphrase."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.settings import PersonForm, SettingsPage
from app.theme.look import look
from core import settings
from tests.unit.app.standin import PASSPHRASE, StandIn


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


def test_another_size_is_kept(page: SettingsPage, window: MainWindow, qtbot: QtBot) -> None:
    page.scale.setCurrentIndex(4)
    page.scale.activated.emit(4)
    assert look().scale == 1.5
    assert settings.load().scale == 1.5
    qtbot.waitUntil(lambda: window.page is not page)


def form_of(page: SettingsPage, window: MainWindow, qtbot: QtBot) -> PersonForm:
    qtbot.mouseClick(page.add, Qt.MouseButton.LeftButton)
    form = window.overlay.panel
    assert isinstance(form, PersonForm)
    qtbot.keyClicks(form.user.edit, "tomas")
    qtbot.keyClicks(form.person.edit, "Tomas Lindqvist-Ode")
    qtbot.keyClicks(form.passphrase.edit, "another long passphrase")
    qtbot.keyClicks(form.again.edit, "another long passphrase")
    return form


def test_a_person_is_added(page: SettingsPage, window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    form = form_of(page, window, qtbot)
    form.roles["reviewer"].setChecked(True)
    qtbot.keyClicks(form.own.edit, PASSPHRASE)
    qtbot.mouseClick(form.add, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.overlay.panel is None)
    assert [(user.user, user.roles) for user in bench.vault.users()][1:] == [("tomas", ("reviewer",))]


def test_without_a_role_nobody_is_added(page: SettingsPage, window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    form = form_of(page, window, qtbot)
    qtbot.keyClicks(form.own.edit, PASSPHRASE)
    qtbot.mouseClick(form.add, Qt.MouseButton.LeftButton)
    assert window.overlay.panel is form
    assert len(bench.vault.users()) == 1


def test_a_wrong_own_passphrase_is_said_and_the_passphrases_are_gone(
    page: SettingsPage, window: MainWindow, qtbot: QtBot
) -> None:
    form = form_of(page, window, qtbot)
    form.roles["reviewer"].setChecked(True)
    qtbot.keyClicks(form.own.edit, "wrong")
    qtbot.mouseClick(form.add, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "wrong" in form.own.error)
    assert form.passphrase.text == form.again.text == form.own.text == ""


def test_who_is_no_administrator_is_told_why_not(locked: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    bench.vault.folder.mkdir(parents=True)
    bench.vault.user = type(bench.vault.user)(
        user="pavel", name="Pavel Roe", roles=("author",), card=bench.vault.user.card
    )
    bench.vault._people = [bench.vault.user]
    locked.enter(bench)
    locked.go("settings")
    page = locked.page
    assert isinstance(page, SettingsPage)
    qtbot.waitUntil(lambda: not page.add.isEnabled())
    assert page.add.toolTip() == "Only an administrator may add people."
