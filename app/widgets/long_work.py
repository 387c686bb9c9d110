"""Long work while it runs: an 8 px bar, done of total, the rate, the time left, Cancel, and what can be used already."""

import time

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.theme.look import look
from app.widgets.announcing import announce
from app.widgets.basic import column, label, row
from app.widgets.buttons import button
from app.widgets.status_bar import paint_bar


class Bar(QWidget):
    """A bar of progress; `share` from 0 to 1, or None while the total is unknown."""

    def __init__(self, height: int = 8) -> None:
        super().__init__()
        self._height = height
        self.share: float | None = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Progress")

    def show_share(self, share: float | None) -> None:
        step = 0.05 if look().reduced_motion else 0.001
        if share is None or self.share is None or abs(share - self.share) >= step or share in (0.0, 1.0):
            self.share = share
            self.setAccessibleDescription("" if share is None else f"{share:.0%}")
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(look().px(120), look().px(self._height))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_bar(painter, QRectF(self.rect()), self.share or 0.0)
        painter.end()


def duration(seconds: float) -> str:
    """Words for a time still to wait."""
    if seconds < 10:
        return "A few seconds left"
    if seconds < 55:
        return f"About {round(seconds / 10) * 10} seconds left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"About {max(1, minutes)} minute{'s' if minutes > 1 else ''} left"
    return f"About {round(minutes / 60)} hour{'s' if minutes >= 90 else ''} left"


def parted(note: str) -> tuple[str, str]:
    """What work says beside its count, and the time left: "12 pages, 90 chunks, 3 min left" has both."""
    said, _, left = note.rpartition(", ")
    return (said, left) if note.endswith(" left") else (note, "")


class LongWork(QWidget):
    """`cancelled` says that the person wants it to stop."""

    cancelled = Signal()

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self._title = label(title, type="heading")
        self.cancel = button("Cancel", "close")
        self.cancel.clicked.connect(self._cancel)
        self._bar = Bar()
        self._count = label("", strong=True)
        self._unit = label("", type="small", tone="secondary")
        self._rate = label("", strong=True)
        self._rate_unit = label("", type="small", tone="secondary")
        self._left = label("", strong=True)
        self._note = label("", type="small", tone="secondary")
        figures = row(
            _pair(self._count, self._unit),
            _pair(self._rate, self._rate_unit),
            None,
            _pair(self._left, self._note, right=True),
            space=28,
        )
        self.setLayout(column(row(self._title, None, self.cancel), self._bar, figures, space=8))
        self._began = time.monotonic()
        self._first: int | None = None
        self._announced = 0

    def begin(self, title: str, note: str = "") -> None:
        self._title.setText(title)
        self._note.setText(note)
        self._began, self._first, self._announced = time.monotonic(), None, 0
        self.cancel.setEnabled(True)
        self.cancel.setText("Cancel")
        for item in (self._count, self._unit, self._rate, self._rate_unit, self._left):
            item.setText("")
        self._bar.show_share(0.0)

    def say(self, done: int, total: int | None, unit: str, note: str = "") -> None:
        """Show how far it is. `note`: what else is known, in words; where it ends with the time left, that stands in place of the one told here."""
        said, left = parted(note)
        if self._first is None:
            self._first, self._began = done, time.monotonic()
        self._count.setText(f"{done:,} of {total:,}" if total is not None else f"{done:,}")
        self._unit.setText(unit)
        self._bar.show_share(done / total if total else None)
        passed = time.monotonic() - self._began
        gone = done - self._first
        if passed > 1 and gone > 0:
            rate = gone / passed
            self._rate.setText(f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}")
            self._rate_unit.setText(f"{unit} a second")
            if total and not note:
                self._left.setText(duration((total - done) / rate))
        if note:
            self._left.setText(left)
            self._note.setText(said)
        if total:
            self._announce(done, total, unit)

    def note(self, text: str) -> None:
        self._note.setText(text)

    def _announce(self, done: int, total: int, unit: str) -> None:
        quarter = 4 * done // total
        if quarter > self._announced:
            self._announced = quarter
            announce(self, f"{25 * quarter} percent, {done} of {total} {unit}")

    def _cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.cancel.setText("Stopping")
        self.cancelled.emit()


def _pair(upper: QWidget, lower: QWidget, right: bool = False) -> QVBoxLayout:
    made = column(upper, lower, space=2)
    if right:
        made.setAlignment(upper, Qt.AlignmentFlag.AlignRight)
        made.setAlignment(lower, Qt.AlignmentFlag.AlignRight)
    return made
