"""The order in which the Tab key goes: what is made later, or shown again, is reached where it stands and not after everything else."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def reach_here(place: QWidget, parts: Sequence[QWidget]) -> None:
    """Let Tab reach `parts`, which stand in `place` or right after it, in this order, after what it reached before `place`."""
    first = place.previousInFocusChain()
    while first is not place and (not _stops(first) or first in parts or place.isAncestorOf(first)):
        first = first.previousInFocusChain()
    if first is place:
        first = None  # type: ignore[assignment]
    for part in parts:
        if not _stops(part) or part.window() is not place.window():
            continue
        if first is not None:
            QWidget.setTabOrder(first, part)
        first = part


def _stops(one: QWidget) -> bool:
    return bool(one.focusPolicy() & Qt.FocusPolicy.TabFocus) and one.focusProxy() is None
