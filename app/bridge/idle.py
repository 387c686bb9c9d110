"""Notices that nobody is there: no key, no mouse, or a machine that slept meanwhile.

Events are seen at the windows of the program, where each key press and mouse move passes once, and not at every widget. Time is the
monotonic clock's; a machine that slept is found by the clock that runs on while it sleeps (where the system has one, and else by the wall
clock), so that a missing message from the system doesn't leave a vault open.
"""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QWindow

WARN_BEFORE = 30.0
"""Seconds between the warning and the lock."""
LOOK_EVERY = 1000
"""Milliseconds between looks at the clocks."""
TELL_EVERY = 20.0
"""Seconds between two `active` at least."""
SLEPT = 10.0
"""Seconds by which the clocks must differ before the machine is said to have slept."""
SIGNS = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
        QEvent.Type.TabletPress,
        QEvent.Type.TabletMove,
    }
)


def ahead() -> float:
    """Seconds by which a clock that runs while the machine sleeps is ahead of the monotonic one."""
    running = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.time()
    return running - time.monotonic()


class Idle(QObject):
    """`warned` gives the seconds that are left, each second of the last half minute; `stirred` that somebody came back in it; `ran_out`
    that nobody did; `slept` that the machine was asleep; `active`, now and then, that somebody is at work."""

    warned = Signal(int)
    stirred = Signal()
    ran_out = Signal()
    slept = Signal()
    active = Signal()

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        ahead: Callable[[], float] = ahead,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._clock, self._ahead = clock, ahead
        self._limit = 0.0
        self._last = self._told = clock()
        self._offset = ahead()
        self._warning = self._over = False
        self._seen: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY)
        self._timer.timeout.connect(self.look)

    def watch(self, minutes: float) -> None:
        """Begin, or go on with another limit; 0 minutes: look for sleep only."""
        self._limit = 60 * minutes
        if not self._timer.isActive():
            self._last, self._offset, self._warning, self._over = self._clock(), self._ahead(), False, False
            app = QGuiApplication.instance()
            if isinstance(app, QGuiApplication):
                app.focusWindowChanged.connect(self._meet)
                self._meet(app.focusWindow())
            self._timer.start()

    def rest(self) -> None:
        """Stop watching."""
        if self._timer.isActive():
            self._timer.stop()
            app = QGuiApplication.instance()
            if isinstance(app, QGuiApplication):
                app.focusWindowChanged.disconnect(self._meet)

    def see(self, window: QWindow | None) -> None:
        """Watch the keys and the mouse of a window, too."""
        if window is not None and id(window) not in self._seen:
            key = id(window)
            self._seen.add(key)
            window.destroyed.connect(lambda _=None: self._seen.discard(key))
            window.installEventFilter(self)

    def stir(self) -> None:
        """Somebody is there."""
        self._last = self._clock()
        if self._warning or self._over:
            self._warning = self._over = False
            self.stirred.emit()

    def look(self) -> None:
        """Look at the clocks; the timer does it each second."""
        offset = self._ahead()
        asleep, self._offset = offset - self._offset > SLEPT, offset
        if asleep:
            self.slept.emit()
        if self._last - self._told >= TELL_EVERY:
            self._told = self._last
            self.active.emit()
        if not self._limit or self._over:
            return
        left = self._limit - (self._clock() - self._last)
        if left <= 0:
            self._over, self._warning = True, False
            self.ran_out.emit()
        elif left <= min(WARN_BEFORE, self._limit / 2):
            self._warning = True
            self.warned.emit(max(1, round(left)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in SIGNS:
            self.stir()
        return False

    def _meet(self, window: QWindow | None) -> None:
        if window is not None:
            self.see(window)
            self.stir()
