"""The page of this installation: findings come in groups as they are made, can be stopped, and are copied as text; no vault is needed."""

import threading
from collections.abc import Callable

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.bridge import installing as bridge
from app.main_window import MainWindow
from app.pages.installation import PARTLY, InstallationPage
from app.widgets.basic import Card
from core.installation.records import Examination, Finding
from core.jobs import Job
from tests.unit.app.installation_scenes import BAD, GOOD

LONG = 60_000


def page_of(window: MainWindow) -> InstallationPage:
    window.go("installation")
    assert isinstance(window.page, InstallationPage)
    return window.page


def shown(page: InstallationPage) -> list[str]:
    """The headings of the findings' cards that are there to be read."""
    cards = [card for card in page.findChildren(Card) if card.isVisible() and card is not page.addons]
    return [card.accessibleName() for card in cards]


def finding(*findings: Finding) -> Callable[[Job, Callable[[Finding], None]], Examination]:
    def examine(job: Job, tell: Callable[[Finding], None]) -> Examination:
        for one in findings:
            tell(one)
        return Examination(findings=findings)

    return examine


def test_without_a_vault_findings_come_in_groups_and_the_worst_is_said_first(
    locked: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "examine", finding(*BAD))
    page = page_of(locked)
    assert not page.copy.isEnabled()
    page.examine.click()
    qtbot.waitUntil(lambda: page.copy.isEnabled(), timeout=LONG)
    assert page.verdict.text().startswith(f"2 of {len(BAD)} findings are faults")
    headings = [bridge.MACHINE, bridge.BARRIERS, bridge.PROGRAM]
    qtbot.waitUntil(lambda: shown(page) == headings, timeout=LONG)
    page.copy.click()
    text = QGuiApplication.clipboard().text()
    assert text.count("\nFault ") == 2
    assert "Model worker: The model worker is not fully barred" in text
    assert "Install Assay again" in text


def test_a_second_examination_takes_the_place_of_the_first(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(window)
    for findings, verdict in ((BAD, "2 of"), (GOOD, "What Assay promises holds on this machine, with 1 warning.")):
        monkeypatch.setattr(bridge, "examine", finding(*findings))
        page.examine.click()
        qtbot.waitUntil(lambda: page.examine.isEnabled(), timeout=LONG)
        assert page.verdict.text().startswith(verdict)
    assert "fault" not in bridge.as_text(page._found, "now").lower()


def test_stopping_keeps_what_was_found(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    told, stopped = threading.Event(), threading.Event()

    def examine(job: Job, tell: Callable[[Finding], None]) -> Examination:
        tell(GOOD[0])
        job.on_cancel(stopped.set)
        told.set()
        stopped.wait(60)
        job.check()
        return Examination(findings=GOOD)

    monkeypatch.setattr(bridge, "examine", examine)
    page = page_of(window)
    page.examine.click()
    assert told.wait(60)
    assert not page.examine.isEnabled()
    page.work.cancel.click()
    qtbot.waitUntil(lambda: page.examine.isEnabled(), timeout=LONG)
    assert page.verdict.text() == PARTLY
    assert page._found == [GOOD[0]]


def test_a_changed_program_is_warned_of_and_leads_to_the_page(locked: MainWindow, qtbot: QtBot) -> None:
    locked.say_altered(("", ""))
    assert not locked.altered.isVisible()
    locked.say_altered(("Assay was changed after it was built.", "Install Assay again."))
    assert locked.altered.isVisible()
    locked.altered.act.click()
    assert isinstance(locked.page, InstallationPage)


def test_settings_and_the_page_for_unlocking_lead_there(window: MainWindow, qtbot: QtBot) -> None:
    window.go("settings")
    assert window.page is not None
    window.page.examine.click()
    assert isinstance(window.page, InstallationPage)
    window.show_locked()
    window.page.examine.click()
    assert isinstance(window.page, InstallationPage)
