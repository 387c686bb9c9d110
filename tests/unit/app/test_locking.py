"""Locking: when it happens, what it asks, what comes back, and that nothing confidential stays behind."""

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPlainTextEdit, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.bridge.clipboard import copy, take_back
from app.bridge.idle import Idle
from app.locking import LockForm
from app.main_window import MainWindow
from app.pages.unlock import UnlockPage
from app.widgets.rail import RailItem
from core.documents.records import AddDocuments
from core.jobs import Job
from core.vault.records import User
from tests.unit.app.standin import StandIn, digest

MARK = "Zebulon-4711"


class Clock:
    """Two clocks that a test moves."""

    def __init__(self) -> None:
        self.now, self.asleep = 1000.0, 0.0

    def time(self) -> float:
        return self.now

    def ahead(self) -> float:
        return self.asleep


@pytest.fixture
def clock(window: MainWindow) -> Clock:
    """The window's idea of time, in a test's hands."""
    made = Clock()
    idle = window.locking.idle
    idle.rest()
    idle._clock, idle._ahead = made.time, made.ahead
    idle.watch(15)
    return made


def later(window: MainWindow, clock: Clock, seconds: float) -> None:
    clock.now += seconds
    window.locking.idle.look()


@pytest.fixture
def working(window: MainWindow) -> Iterator[threading.Event]:
    """An evaluation that runs until the event is set."""
    done = threading.Event()

    def work(bench: object, job: Job) -> None:
        while not done.wait(0.005):
            job.check()

    window.operations.run("Safety answers", work, lambda _: None, shown=True)
    yield done
    done.set()


def is_open(window: MainWindow) -> bool:
    return window.operations.workbench is not None


# nobody there


def test_nobody_there_is_warned_of_and_then_locked(
    window: MainWindow, clock: Clock, bench: StandIn, qtbot: QtBot
) -> None:
    later(window, clock, 15 * 60 - 31)
    assert not window._toast.isVisible()
    later(window, clock, 1)
    assert window._toast.isVisible()
    assert window._toast.text == "The vault locks in 30 seconds."
    later(window, clock, 10)
    assert window._toast.text == "The vault locks in 20 seconds."
    with qtbot.waitSignal(window.locked):
        later(window, clock, 20)
    assert bench.closed
    assert isinstance(window.page, UnlockPage)
    assert window.page.note.text() == "The vault was locked after 15 minutes without a key or the mouse."
    assert not window._toast.isVisible()


def test_stay_takes_the_warning_away_and_begins_anew(window: MainWindow, clock: Clock) -> None:
    later(window, clock, 15 * 60 - 5)
    assert window._toast._undo.text() == "Stay"
    window._toast._undo.click()
    assert not window._toast.isVisible()
    later(window, clock, 15 * 60 - 31)
    assert not window._toast.isVisible()
    assert is_open(window)


def test_a_key_or_the_mouse_counts_as_somebody(window: MainWindow, clock: Clock) -> None:
    handle = window.windowHandle()
    window.locking.idle.see(handle)
    for act in (
        lambda: QTest.keyClick(handle, Qt.Key.Key_Shift),
        lambda: QTest.mouseMove(handle, window.rect().center()),
    ):
        later(window, clock, 15 * 60 - 10)
        assert window._toast.isVisible()
        act()
        QApplication.processEvents()
        assert not window._toast.isVisible()
    later(window, clock, 15 * 60 - 31)
    assert is_open(window)


def test_without_a_limit_nothing_is_locked_but_sleep_still_is(window: MainWindow, clock: Clock, qtbot: QtBot) -> None:
    window.locking.limit(0)
    later(window, clock, 10 * 3600)
    assert is_open(window)
    clock.asleep += 60
    with qtbot.waitSignal(window.locked):
        later(window, clock, 1)
    assert isinstance(window.page, UnlockPage)
    assert "slept" in window.page.note.text()


def test_clocks_that_drift_are_no_sleep() -> None:
    clock = Clock()
    idle = Idle(clock.time, clock.ahead)
    slept: list[bool] = []
    idle.slept.connect(lambda: slept.append(True))
    for _ in range(20):
        clock.asleep += 1.0
        idle.look()
    assert slept == []


# long work


def test_nobody_there_waits_for_long_work(
    window: MainWindow, clock: Clock, working: threading.Event, qtbot: QtBot
) -> None:
    later(window, clock, 15 * 60 + 1)
    assert is_open(window)
    assert window._toast.text == "The vault locks when “Safety answers” is done."
    with qtbot.waitSignal(window.locked):
        working.set()
    assert not is_open(window)


def test_whoever_comes_back_keeps_the_vault_open(
    window: MainWindow, clock: Clock, working: threading.Event, qtbot: QtBot
) -> None:
    later(window, clock, 15 * 60 + 1)
    window.locking.idle.stir()
    assert not window._toast.isVisible()
    working.set()
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    assert is_open(window)


def test_a_lock_by_hand_asks_when_long_work_runs(window: MainWindow, working: threading.Event, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    form = window.overlay.panel
    assert isinstance(form, LockForm)
    assert any(one.text() == "“Safety answers” is still running." for one in form.findChildren(QLabel))
    form.cancel.click()
    assert is_open(window)
    window.lock()
    form = window.overlay.panel
    assert isinstance(form, LockForm)
    form.later.click()
    assert is_open(window)
    window.locking.idle.stir()
    with qtbot.waitSignal(window.locked):
        working.set()


def test_a_lock_by_hand_may_stop_long_work(window: MainWindow, working: threading.Event, qtbot: QtBot) -> None:
    window.lock()
    form = window.overlay.panel
    assert isinstance(form, LockForm)
    with qtbot.waitSignal(window.locked):
        form.now.click()
    assert not is_open(window)


def test_a_waiting_lock_can_be_taken_back(window: MainWindow, working: threading.Event, qtbot: QtBot) -> None:
    window.lock()
    assert isinstance(window.overlay.panel, LockForm)
    window.overlay.panel.later.click()
    assert window._toast._undo.text() == "Don’t lock"
    window._toast._undo.click()
    working.set()
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    assert is_open(window)


# the system


def test_sleep_locks_at_once_and_a_locked_session_waits_for_work(
    window: MainWindow, working: threading.Event, qtbot: QtBot
) -> None:
    window.locking.system.saved(True)
    assert is_open(window)
    with qtbot.waitSignal(window.locked):
        window.locking.system.slept(True)
    assert isinstance(window.page, UnlockPage)
    assert "went to sleep" in window.page.note.text()


def test_waking_and_an_unlocked_session_lock_nothing(window: MainWindow) -> None:
    window.locking.system.slept(False)
    window.locking.system.saved(False)
    assert is_open(window)


def test_a_locked_session_locks_the_vault(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.locked):
        window.locking.system.locked()
    assert isinstance(window.page, UnlockPage)
    assert "session was locked" in window.page.note.text()


# what comes back, and what doesn't stay


def test_unsaved_text_comes_back_to_the_same_person(window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    window.go("chat")
    window.page.composer.setPlainText(f"When must {MARK} be reported?")  # type: ignore[union-attr]
    with qtbot.waitSignal(window.locked):
        window.lock()
    assert isinstance(window.page, UnlockPage)
    assert "What ines was writing is sealed" in window.page.note.text()
    assert window.page.opening.user.text == "ines"
    assert MARK.encode() not in b"".join(window._drafts._sealed.values())
    again = StandIn(bench.vault.folder)
    window.enter(again)
    assert window.page is not None
    assert window.page.name == "chat"
    assert window.page.composer.toPlainText() == f"When must {MARK} be reported?"  # type: ignore[attr-defined]


def test_unsaved_text_waits_while_somebody_else_has_the_vault(window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    window.go("prompts")
    page = window.page
    assert page is not None
    page.write_new()  # type: ignore[attr-defined]
    page.editor.name.edit.setText(MARK)  # type: ignore[attr-defined]
    with qtbot.waitSignal(window.locked):
        window.lock()
    other = StandIn(bench.vault.folder)
    other.vault.user = User(user="tomas", name="Tomas", roles=("author",), card=digest("tomas"))
    window.enter(other)
    assert window.page is not None
    assert window.page.name == "home"
    with qtbot.waitSignal(window.locked):
        window.lock()
    window.enter(StandIn(bench.vault.folder))
    page = window.page
    assert page is not None
    assert page.name == "prompts"
    assert page.editor.name.text == MARK  # type: ignore[attr-defined]
    assert len(page.editor.messages) == 2  # type: ignore[attr-defined]


def test_an_untouched_page_leaves_no_draft(window: MainWindow, qtbot: QtBot) -> None:
    for name in ("chat", "prompts", "documents"):
        window.go(name)
    with qtbot.waitSignal(window.locked):
        window.lock()
    assert window._drafts._sealed == {}


def test_nothing_confidential_stays_after_the_lock(window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    bench.vault.user = User(user="ines", name=MARK, roles=("admin", "author"), card=digest("ines"))
    bench.vault._people[0] = bench.vault.user
    bench.documents.add(AddDocuments(collection=MARK, paths=(f"/{MARK}.pdf",)), Job("Add"))
    window.enter(bench)
    for name in ("home", "chat", "documents", "datasets", "models"):
        window.go(name)
    window.go("chat")
    window.page.composer.setPlainText(MARK)  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    window.toast(f"{MARK} was added")
    window.operations.run(MARK, lambda _bench, job: None, lambda _: None, shown=True)
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    window.switch()
    copy(MARK)
    assert any(MARK in words for words in everything_said())
    with qtbot.waitSignal(window.locked):
        window.lock()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert [words for words in everything_said() if MARK in words] == []
    assert QGuiApplication.clipboard().text() == ""
    assert window.windowTitle() == "Assay"


def everything_said() -> list[str]:
    """All that any widget of the program shows, keeps for a screen reader, or offers as a tip."""
    said = []
    for widget in QApplication.allWidgets():
        said += [widget.windowTitle(), widget.accessibleName(), widget.accessibleDescription(), widget.toolTip()]
        if isinstance(widget, QLabel | QLineEdit | RailItem):
            said.append(widget.text())
        elif isinstance(widget, QPlainTextEdit | QTextEdit):
            said.append(widget.toPlainText())
    return said


def test_a_file_dialog_is_left_when_the_vault_locks(window: MainWindow, qtbot: QtBot) -> None:
    dialog = QFileDialog(window)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.open()
    with qtbot.waitSignal(window.locked):
        window.lock()
    assert not dialog.isVisible()
    dialog.deleteLater()


def test_another_programs_clipboard_is_left_alone(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("theirs")
    with qtbot.waitSignal(window.locked):
        window.lock()
    assert clipboard.text() == "theirs"
    monkeypatch.setattr(type(clipboard), "ownsClipboard", lambda _: True)
    assert take_back()
    assert clipboard.text() == ""


def test_widgets_of_the_test_itself_are_seen() -> None:
    made = QWidget()
    made.setToolTip(MARK)
    assert MARK in everything_said()
