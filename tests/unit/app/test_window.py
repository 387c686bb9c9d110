"""The shell: opening and locking, keys, panes, the switcher, the tray, toasts and the banner."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.all import PAGES
from app.theme.look import look
from app.widgets.key_sheet import KeySheet
from app.widgets.quick_switcher import QuickSwitcher, rank
from core.jobs import Job
from tests.unit.app.standin import StandIn


def test_without_a_vault_there_is_the_page_to_unlock_one_and_no_rail(locked: MainWindow) -> None:
    assert locked.page is not None
    assert locked.page.name == "unlock"
    assert not locked.rail.isVisible()
    assert "seccomp" in locked.status.barrier.text()


def test_an_opened_vault_shows_its_name_its_person_and_home(window: MainWindow) -> None:
    assert window.rail.isVisible()
    assert window.page is not None
    assert window.page.name == "home"
    assert window.windowTitle() == "Drug safety – Assay"
    assert window.status.person.text() == "Ines Korhan · admin, author"


def test_locking_closes_the_vault_and_throws_its_pages_away(window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    window.go("chat")
    with qtbot.waitSignal(window.locked):
        qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert bench.closed
    assert window.page is not None
    assert window.page.name == "unlock"
    assert window.stack.count() == 1


@pytest.mark.parametrize(
    ("key", "name"),
    [(Qt.Key.Key_1, "home"), (Qt.Key.Key_2, "chat"), (Qt.Key.Key_3, "documents"), (Qt.Key.Key_Comma, "settings")],
)
def test_control_and_a_key_goes_to_a_section(window: MainWindow, qtbot: QtBot, key: Qt.Key, name: str) -> None:
    window.go("models")
    qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
    assert window.page is not None
    assert window.page.name == name
    assert window.rail.current == name


def test_the_keys_of_a_vault_do_nothing_without_one(locked: MainWindow, qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_2, Qt.Key.Key_K, Qt.Key.Key_L, Qt.Key.Key_Comma):
        qtbot.keyClick(locked, key, Qt.KeyboardModifier.ControlModifier)
    assert locked.page is not None
    assert locked.page.name == "unlock"
    assert locked.overlay.panel is None


def test_the_quick_switcher_goes_where_its_letters_say(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    switcher = window.overlay.panel
    assert isinstance(switcher, QuickSwitcher)
    qtbot.keyClicks(switcher.field, "docu")
    assert switcher.found()[0] == "Documents"
    qtbot.keyClick(switcher.field, Qt.Key.Key_Return)
    assert window.overlay.panel is None
    assert window.page is not None
    assert window.page.name == "documents"


def test_escape_leaves_the_switcher(window: MainWindow, qtbot: QtBot) -> None:
    window.switch()
    switcher = window.overlay.panel
    assert isinstance(switcher, QuickSwitcher)
    qtbot.keyClick(switcher.field, Qt.Key.Key_Escape)
    assert window.overlay.panel is None


def test_a_name_that_begins_so_ranks_before_one_that_holds_it() -> None:
    assert rank("do", "Documents") == 0
    assert rank("saf", "Drug safety") == 1
    assert rank("ume", "Documents") == 2
    assert rank("dcs", "Documents") == 3
    assert rank("x", "Documents") is None


def test_f1_shows_the_keys_and_takes_them_away(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert isinstance(window.overlay.panel, KeySheet)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert window.overlay.panel is None


def test_f6_goes_through_the_panes_and_back(window: MainWindow, qtbot: QtBot) -> None:
    window.go("chat")
    seen = []
    for _ in range(4):
        window.next_pane()
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.append(
            "rail" if window.rail.isAncestorOf(focused) else "status" if window.status.isAncestorOf(focused) else "page"
        )
    assert {"rail", "status", "page"} == set(seen)


def test_the_rail_folds_by_key_and_on_a_narrow_window(window: MainWindow, qtbot: QtBot) -> None:
    assert not window.rail.folded
    window.resize(1366, 768)
    QApplication.processEvents()
    assert window.rail.folded
    qtbot.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert not window.rail.folded


def test_the_tray_holds_a_jobs_result_until_it_is_dismissed(window: MainWindow, qtbot: QtBot) -> None:
    window.operations.run("Count", lambda bench, job: job.report(3, 4, "files"), lambda _: None, shown=True)
    qtbot.waitUntil(lambda: [row.state.value for row in window.tray.rows()] == ["Done"])
    window.status.jobs.click()
    assert window.tray.isVisible()
    window.tray.dismiss(window.tray.rows()[0].number)
    assert window.tray.rows() == ()


def test_a_running_job_can_be_cancelled_from_the_tray(window: MainWindow, qtbot: QtBot) -> None:
    def work(bench: object, job: Job) -> None:
        while True:
            job.report(1, 2, "files")

    window.operations.run("Count", work, lambda _: None, shown=True)
    qtbot.waitUntil(lambda: "Count" in window.status.jobs.text())
    window.tray.cancel_asked.emit(window.tray.rows()[0].number)
    qtbot.waitUntil(lambda: [row.state.value for row in window.tray.rows()] == ["Stopped"])
    assert window.status.jobs.text() == "No jobs"


def test_a_failure_that_no_page_took_shows_in_the_pages_banner(window: MainWindow, qtbot: QtBot) -> None:
    def work(bench: object, job: Job) -> None:
        raise ValueError("secret")

    window.operations.run("Break", work, lambda _: None)
    assert window.page is not None
    qtbot.waitUntil(lambda: window.page.banner.isVisible())
    assert "secret" not in window.page.banner.text


def test_a_toast_offers_undo(window: MainWindow, qtbot: QtBot) -> None:
    undone = []
    window.toast("Renamed", undo=lambda: undone.append(True))
    assert window._toast.isVisible()
    window._toast._undo.click()
    assert undone == [True]
    assert not window._toast.isVisible()


def test_another_size_makes_the_pages_again(window: MainWindow, qtbot: QtBot) -> None:
    window.go("settings")
    before = window.page
    look().apply("light", 1.5, reduced_motion=True)
    qtbot.waitUntil(lambda: window.page is not before)
    assert window.page is not None
    assert window.page.name == "settings"


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"unlock"}))
def test_every_page_names_itself_and_its_controls(window: MainWindow, name: str, qtbot: QtBot) -> None:
    window.go(name)
    page = window.page
    assert page is not None
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    assert page.accessibleName()
    for pane in page.panes():
        assert page is pane or page.isAncestorOf(pane)


@pytest.mark.parametrize("size", [(1366, 768), (1024, 640), (1920, 1080)])
@pytest.mark.parametrize("name", ["home", "chat", "documents", "models", "datasets", "settings"])
def test_no_page_asks_for_more_than_the_window_has(
    window: MainWindow, name: str, size: tuple[int, int], qtbot: QtBot
) -> None:
    window.resize(*size)
    window.go(name)
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size


def test_a_pack_on_the_command_line_needs_no_vault(locked: MainWindow, tmp_path: Path) -> None:
    vault = tmp_path / "Example.assay"
    vault.mkdir()
    locked.go("unlock", str(vault))
    assert locked.page is not None
    assert locked.page.opening.place.text == str(vault)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_whatever_takes_the_focus_has_a_name(window: MainWindow, name: str, qtbot: QtBot) -> None:
    window.go(name)
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and not isinstance(widget, QScrollArea | QComboBox)
        and not isinstance(widget.parentWidget(), QComboBox)
        and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]
    assert nameless == []
