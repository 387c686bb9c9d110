"""Listens to what the system says: it is about to sleep, or the person locked their session.

On Linux that is logind on the system's bus and the screen saver on the session's, both through local sockets, which the network barrier
allows. While a vault is open, a delay is asked of logind, so that the vault is closed before the machine sleeps and not after. Where there
is no bus, nothing is heard: `hears` says what is, and the clocks that `app.bridge.idle` compares find a sleep after the fact.
"""

import os
from pathlib import Path

from PySide6.QtCore import SLOT, QObject, Signal, Slot

try:
    from PySide6 import QtDBus
except ImportError:  # a build of Qt without it, as on Windows
    QtDBus = None  # type: ignore[assignment]

LOGIND = "org.freedesktop.login1"
MANAGER = "org.freedesktop.login1.Manager"
PATH = "/org/freedesktop/login1"
SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")


class SystemWatch(QObject):
    """`sleeping` comes before the machine sleeps, `session_locked` when the person locked the screen."""

    sleeping = Signal()
    session_locked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._system = None
        self._delay: object | None = None
        self.hears: tuple[str, ...] = ()

    def start(self) -> None:
        """Connect to the buses that are there. Takes some milliseconds; called once a vault is open, after the window is."""
        if QtDBus is None or self.hears:
            return
        heard = []
        if self._hear_system():
            heard.append("sleep")
        if self._hear_session():
            heard.append("session")
        self.hears = tuple(heard)

    def hold_sleep(self) -> None:
        """Ask that sleep waits (some seconds at most) until `let_sleep`."""
        if self._system is None or self._delay is not None:
            return
        call = QtDBus.QDBusMessage.createMethodCall(LOGIND, PATH, MANAGER, "Inhibit")
        call.setArguments(["sleep", "Assay", "The vault is locked first", "delay"])
        # The answer carries a descriptor, and the delay lasts for as long as that is open: it closes with this object.
        self._delay = QtDBus.QDBusPendingCallWatcher(self._system.asyncCall(call))

    def let_sleep(self) -> None:
        """The vault is closed: the machine may sleep."""
        self._delay = None

    @Slot(bool)
    def slept(self, begins: bool) -> None:
        """logind's PrepareForSleep: true before, false after."""
        if begins:
            self.sleeping.emit()

    @Slot()
    def locked(self) -> None:
        """logind's Lock, for this session."""
        self.session_locked.emit()

    @Slot(bool)
    def saved(self, active: bool) -> None:
        """The screen saver's ActiveChanged."""
        if active:
            self.session_locked.emit()

    def _hear_system(self) -> bool:
        bus = QtDBus.QDBusConnection.systemBus()
        if not bus.isConnected():
            return False
        self._system = bus
        session = _session_path()
        heard = bus.connect(LOGIND, PATH, MANAGER, "PrepareForSleep", self, SLOT("slept(bool)"))
        if session:
            bus.connect(LOGIND, session, "org.freedesktop.login1.Session", "Lock", self, SLOT("locked()"))
        return bool(heard)

    def _hear_session(self) -> bool:
        # Without an address the library would start a program to find one.
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if not os.environ.get("DBUS_SESSION_BUS_ADDRESS") and not (runtime and (Path(runtime) / "bus").exists()):
            return False
        bus = QtDBus.QDBusConnection.sessionBus()
        if not bus.isConnected():
            return False
        heard = [bus.connect("", "", saver, "ActiveChanged", self, SLOT("saved(bool)")) for saver in SAVERS]
        return any(heard)


def _session_path() -> str:
    """Where logind keeps this session: its id with every sign but letters, and digits after the first place, written as _xx."""
    session = os.environ.get("XDG_SESSION_ID", "")
    words = [
        sign if sign.isascii() and (sign.isalpha() or (sign.isdigit() and place)) else f"_{ord(sign):02x}"
        for place, sign in enumerate(session)
    ]
    return f"{PATH}/session/{''.join(words)}" if words else ""
