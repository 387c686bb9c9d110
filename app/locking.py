"""When the vault is locked, and what that asks first.

Rules: a lock that a person asks for asks back when long work runs; one that nobody asked for (nobody there, the session locked) lets long
work finish first, also what others do from their own processes; a machine that goes to sleep locks at once, and so does the vault of a person
who was revoked or reset meanwhile. Whoever comes back before a waiting lock is done takes it back, unless they
had asked for it. What was being written is sealed first and comes back when the same person unlocks.
"""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QWidget

from app.bridge.clipboard import take_back
from app.bridge.idle import Idle
from app.bridge.operations import Operations
from app.bridge.system_watch import SystemWatch
from app.widgets.basic import column, label, row
from app.widgets.buttons import Button

SHUT_OUT = {
    "revoke-user": "An administrator revoked you, so the vault was locked.",
    "reset-user": "An administrator reset you, so the vault was locked. Unlock it with the passphrase that they gave you.",
}
"""What is said after an act on the person who has the vault open."""
STOPPED = "The work stops. What was recorded until then is kept."


class Window(Protocol):
    """What locking needs of the window."""

    operations: Operations

    def lock_now(self, because: str) -> None:
        """Let go of the vault and say why."""

    def open_dialog(self, panel: QWidget, width: int = 536) -> None:
        """Show a panel in the middle."""

    def close_overlay(self) -> None:
        """Take it away."""

    def warn(self, words: str, act: str, acted: Callable[[], None]) -> None:
        """Show a toast that stays until it is acted on or taken away."""

    def unwarn(self) -> None:
        """Take that toast away."""


class Locking(QObject):
    """Decides when; the window does it. `idle` and `system` are what it listens to."""

    def __init__(self, window: Window, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._waiting = self._asked = False
        self._because = ""
        self.minutes = 0
        self.idle = Idle(parent=self)
        self.system = SystemWatch(self)
        self.idle.warned.connect(self._warn)
        self.idle.stirred.connect(self._window.unwarn)
        self.idle.stirred.connect(self._came_back)
        self.idle.ran_out.connect(self._nobody)
        self.idle.slept.connect(lambda: self._window.lock_now("This machine slept, so the vault was locked."))
        self.system.sleeping.connect(
            lambda: self._window.lock_now("This machine went to sleep, so the vault was locked.")
        )
        self.system.session_locked.connect(self._left)
        self._window.operations.changed.connect(self._shut_out)

    # from opening to closing

    def begin(self, minutes: int) -> None:
        """A vault is open: lock it after so many minutes without a key or the mouse; 0 never does."""
        self.minutes = minutes
        self.idle.watch(minutes)
        self.system.start()
        self.system.hold_sleep()

    def limit(self, minutes: int) -> None:
        """Another number of minutes from now on."""
        self.minutes = minutes
        self.idle.watch(minutes)

    def end(self) -> None:
        """The vault is being locked."""
        self._waiting = self._asked = False
        self.idle.rest()
        self._window.unwarn()
        close_dialogs()
        take_back()

    def closed(self) -> None:
        """The vault is closed on the disk, too."""
        self.system.let_sleep()

    # reasons

    def ask(self) -> None:
        """Somebody wants the vault locked: at once, or, when long work runs, as they say."""
        busy = self._window.operations.busy()
        if not busy:
            self._window.lock_now("")
            return
        form = LockForm(busy)
        form.cancel.clicked.connect(self._window.close_overlay)
        form.now.clicked.connect(lambda: self._window.lock_now(""))
        form.later.clicked.connect(self._later)
        self._window.open_dialog(form, 520)

    def jobs_changed(self) -> None:
        """A job began or ended: a lock that waited for it may go on."""
        if self._waiting and not self._window.operations.busy():
            self._window.lock_now(self._because)

    def _later(self) -> None:
        self._window.close_overlay()
        self._wait("", asked=True)
        self.jobs_changed()

    def _warn(self, left: int) -> None:
        busy = self._window.operations.busy()
        if busy:
            words = f"Nobody is here. The vault locks when {quoted(busy)} is done."
        else:
            words = f"The vault locks in {left} second{'' if left == 1 else 's'}."
        self._window.warn(words, "Stay", self.idle.stir)

    def _nobody(self) -> None:
        minutes = self.minutes
        self._lock_when_done(
            f"The vault was locked after {minutes} minute{'' if minutes == 1 else 's'} without a key or the mouse."
        )

    def _shut_out(self, event: object) -> None:
        """An administrator at a command line, who works in the vault that is open here, may have acted on the very person."""
        workbench = self._window.operations.workbench
        act = getattr(event, "act", "")
        if workbench is None or act not in SHUT_OUT or getattr(event, "about", "") != workbench.vault.user.user:
            return
        self._window.lock_now(SHUT_OUT[act])

    def _left(self) -> None:
        self._lock_when_done("Your session was locked, so the vault was locked too.")

    def _lock_when_done(self, because: str) -> None:
        if self._window.operations.workbench is None:
            return
        if self._window.operations.busy():
            self._wait(because, asked=False)
        else:
            self._window.lock_now(because)

    def _wait(self, because: str, asked: bool) -> None:
        self._waiting, self._asked, self._because = True, asked, because
        busy = self._window.operations.busy()
        if busy:
            self._window.warn(f"The vault locks when {quoted(busy)} is done.", "Don’t lock", self._forget)

    def _came_back(self) -> None:
        if not self._asked:
            self._forget()

    def _forget(self) -> None:
        self._waiting = self._asked = False
        self._window.unwarn()
        self.idle.stir()


class LockForm(QFrame):
    """Long work runs: lock when it is done, or stop it."""

    def __init__(self, busy: tuple[str, ...]) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Lock the vault")
        more = (
            f"{quoted(busy)} is still running."
            if len(busy) == 1
            else f"{len(busy)} jobs are still running: {', '.join(busy)}."
        )
        self.cancel = Button("Cancel", hint="Esc")
        self.now = Button("Stop and lock", "lock")
        self.now.setAccessibleDescription(STOPPED)
        self.later = Button("Lock when done", "clock", "primary")
        body = column(
            label("Lock the vault", type="title"),
            label(more, wrap=True),
            label(
                "Lock when it is done: the window stays open until then, so don’t leave it alone. "
                "Or stop it now: what was recorded until then is kept.",
                tone="secondary",
                wrap=True,
            ),
            4,
            row(None, self.cancel, self.now, self.later),
            space=10,
            margins=(24, 20, 24, 20),
        )
        self.setLayout(body)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def quoted(busy: tuple[str, ...]) -> str:
    """The work by its title, or how much of it there is."""
    return f"“{busy[0]}”" if len(busy) == 1 else f"the work of {len(busy)} jobs"


def close_dialogs() -> None:
    """Leave the system's file dialogs as if they had been cancelled."""
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QDialog) and widget.isVisible():
            widget.reject()
