"""Waiting in the window's tests as long as a busy machine may take: what never comes still fails, and what comes late doesn't."""

from collections.abc import Callable
from typing import Any

from pytestqt.qtbot import QtBot

PATIENCE = 60_000
"""Milliseconds; the plugin's own five seconds are too few beside other work."""


class PatientBot(QtBot):  # type: ignore[misc]
    """The plugin's `qtbot`, whose waits for something that must come last at least `PATIENCE`."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE) -> None:
        super().waitUntil(callback, timeout=max(timeout, PATIENCE))

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE, **rest: Any) -> Any:
        return super().waitSignal(signal, timeout=max(timeout, PATIENCE), **rest)

    def waitExposed(self, widget: Any, *, timeout: int = PATIENCE) -> Any:
        return super().waitExposed(widget, timeout=max(timeout, PATIENCE))
