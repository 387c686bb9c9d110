"""A list that gives way to what stands beside it where the window is small or the text large."""

from PySide6.QtWidgets import QWidget

from app.theme.look import look

BESIDE = 520
"""Pixels at scale 1.0 that what stands beside a list needs before the list may have its full width."""


def give_way(left: QWidget, width: int, full: int, least: int = 200) -> None:
    """Make a list at the left as wide as `width`, that of both, allows: from `least` to `full`, in pixels at scale 1.0."""
    here = look()
    left.setFixedWidth(max(here.px(least), min(here.px(full), width - here.px(BESIDE))))
