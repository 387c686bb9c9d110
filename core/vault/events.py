"""What changed, told to whoever asked.

An event is published after its change is committed, on the thread that made the change. A listener that fails is logged and keeps
neither the change nor the other listeners from their course. Listeners are called in the order in which they came, those that
asked to be first before the others.
"""

import logging
import threading
from collections.abc import Callable

from core.records import Record
from core.vault.roles import Act

log = logging.getLogger(__name__)


class Changed(Record, frozen=True, kw_only=True):
    """A committed change: its kind, and what it was about (a name or a digest, as its service says)."""

    act: Act
    about: str = ""


Listener = Callable[[Changed], None]


class Events:
    """The listeners of one open vault. Safe from any thread."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[bool, int], Listener] = {}
        self._next = 0
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener, *, first: bool = False) -> Callable[[], None]:
        """Call `listener` after every change, `first` before those that act on it; returns how to end that."""
        with self._lock:
            place, self._next = (not first, self._next), self._next + 1
            self._listeners[place] = listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(place, None)

        return unsubscribe

    def publish(self, changed: Changed) -> None:
        """Tell everybody who listens now."""
        with self._lock:
            listeners = [self._listeners[place] for place in sorted(self._listeners)]
        for listener in listeners:
            try:
                listener(changed)
            except Exception as error:  # noqa: BLE001 (what a listener does wrong undoes no committed change; its text may hold content)
                log.error("A listener failed on %s: %s", changed.act, type(error).__name__)
