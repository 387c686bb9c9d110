"""What people do from other processes in the window's vault: in its tray, in the way of its idle lock, and what they do to its person."""

import threading

import pytest
from pytestqt.qtbot import QtBot

from app.bridge.operations import JobNews
from app.bridge.visits import WAITS
from app.locking import LockForm
from app.main_window import MainWindow
from app.pages.unlock import UnlockPage
from core.jobs import Job
from core.vault.events import Changed
from core.vault.roles import Act
from tests.unit.app.standin import StandIn
from tests.unit.app.test_locking import Clock, clock, is_open, later

__all__ = ["clock"]
TITLE = "Adding documents, by tomas at the command line"


class Command:
    """What a listener says of a command for somebody else."""

    def __init__(self) -> None:
        self.user: str | None = "tomas"
        self.code: int | None = None
        self.busy: Job | None = None
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.stopped.set()


class Desk(StandIn):
    """A workbench with a command of somebody else in it."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.command = Command()

    def visitors(self) -> tuple[Command, ...]:
        return (self.command,) if self.command.code is None else ()


@pytest.fixture
def desk(locked: MainWindow, bench: StandIn) -> Desk:
    bench.vault.folder.mkdir(parents=True)
    made = Desk(bench.vault.folder)
    locked.enter(made)
    return made


@pytest.fixture
def window(locked: MainWindow, desk: Desk) -> MainWindow:
    return locked


@pytest.fixture
def news(window: MainWindow) -> list[JobNews]:
    heard: list[JobNews] = []
    window.operations.jobs_changed.connect(heard.append)
    return heard


def look(window: MainWindow) -> None:
    window.operations._visits.look()


def test_a_command_of_somebody_else_is_a_row_of_the_tray_as_long_as_it_works(
    window: MainWindow, desk: Desk, news: list[JobNews]
) -> None:
    look(window)
    assert news == [], "no long work yet"
    job = desk.command.busy = Job("Adding documents")
    look(window)
    job.report(3, 12, "files")
    look(window)
    look(window)
    desk.command.busy = None
    look(window)
    desk.command.code = 0
    look(window)
    look(window)
    told = [(one.title, one.state, one.words, one.share) for one in news]
    assert told == [
        (TITLE, "running", "0", None),
        (TITLE, "running", "3 of 12 files", 0.25),
        (TITLE, "running", WAITS, 0.25),
        (TITLE, "done", "", None),
    ]
    assert {one.number for one in news} == {-1}
    assert window.status.jobs.text() == "No jobs"


@pytest.mark.parametrize(("code", "state"), [(1, "done"), (3, "failed"), (130, "stopped")])
def test_how_it_ended_is_said(window: MainWindow, desk: Desk, news: list[JobNews], code: int, state: str) -> None:
    desk.command.busy = Job("Adding documents")
    look(window)
    desk.command.code = code
    look(window)
    assert news[-1].state == state


def test_it_is_stopped_from_the_tray(window: MainWindow, desk: Desk) -> None:
    desk.command.busy = Job("Adding documents")
    look(window)
    window.tray.cancel_asked.emit(-1)
    assert desk.command.stopped.is_set()


def test_the_idle_lock_waits_for_it(window: MainWindow, desk: Desk, clock: Clock, qtbot: QtBot) -> None:
    desk.command.busy = Job("Adding documents")
    look(window)
    later(window, clock, 15 * 60 + 1)
    assert is_open(window)
    assert TITLE in window._toast.text
    with qtbot.waitSignal(window.locked):
        desk.command.code = 0
        look(window)
    assert not is_open(window)


def test_a_command_that_waits_for_its_person_keeps_no_vault_open(
    window: MainWindow, desk: Desk, clock: Clock, qtbot: QtBot
) -> None:
    job = desk.command.busy = Job("Adding documents")
    look(window)
    later(window, clock, 15 * 60 + 1)
    assert is_open(window)
    with qtbot.waitSignal(window.locked):
        desk.command.busy = None  # it asks a question that nobody answers
        look(window)
    assert not job.cancelled


def test_who_locks_is_asked_first_while_others_work(window: MainWindow, desk: Desk) -> None:
    desk.command.busy = Job("Adding documents")
    window.lock()
    assert isinstance(window.overlay.panel, LockForm)
    assert is_open(window)


@pytest.mark.parametrize(("act", "words"), [(Act.REVOKE_USER, "revoked you"), (Act.RESET_USER, "reset you")])
def test_the_vault_of_a_person_who_is_shut_out_locks_at_once(
    window: MainWindow, desk: Desk, qtbot: QtBot, act: Act, words: str
) -> None:
    desk.command.busy = Job("Revoke")
    with qtbot.waitSignal(window.operations.changed):
        desk.events.publish(Changed(act=act, about="tomas"))
    assert is_open(window), "somebody else"
    with qtbot.waitSignal(window.locked):
        desk.events.publish(Changed(act=act, about="ines"))
    assert not is_open(window)
    assert isinstance(window.page, UnlockPage)
    assert words in window.page.note.text()
    assert desk.closed
