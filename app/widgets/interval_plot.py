"""Differences with their intervals: a name, whiskers around a value on a common axis, and the numbers in words.

An interval that crosses zero is grey: no difference was shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.look import look

ROW = 30


@dataclass(frozen=True)
class Interval:
    """A value with its interval, in the unit of the plot (points of percent, say)."""

    name: str
    value: float
    low: float
    high: float

    @property
    def crosses(self) -> bool:
        return self.low <= 0 <= self.high


def signed(value: float) -> str:
    """A number with its sign, as a typographer writes it."""
    rounded = round(value)
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}" if rounded < 0 else "0"


class IntervalPlot(QWidget):
    """A row of 30 for each interval; `heading` stands above the axis, `aside` above the numbers."""

    def __init__(self, left: str = "", heading: str = "", aside: str = "95 % interval", zero: bool = True) -> None:
        super().__init__()
        self._titles = (left, heading, aside)
        self._zero = zero
        self._intervals: tuple[Interval, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_intervals(self, intervals: Sequence[Interval], heading: str | None = None) -> None:
        self._intervals = tuple(intervals)
        if heading is not None:
            self._titles = (self._titles[0], heading, self._titles[2])
        self.setAccessibleName("Intervals")
        self.setAccessibleDescription("; ".join(f"{item.name} {self._words(item)}" for item in self._intervals))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(look().px(300), look().px(ROW * len(self._intervals) + 22))

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(240), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._intervals:
            painter.end()
            return
        small, bold = here.font("small"), here.font("body", 600)
        span = max(QFontMetrics(small).horizontalAdvance(self._span(item)) for item in self._intervals)
        worth = max(QFontMetrics(bold).horizontalAdvance(self._value(item)) for item in self._intervals)
        aside = max(span + worth + here.px(10), QFontMetrics(small).horizontalAdvance(self._titles[2]))
        names = max(QFontMetrics(here.font("body")).horizontalAdvance(item.name) for item in self._intervals) + here.px(
            10
        )
        names = min(names, int(self.width() * 0.4))
        axis = QRectF(names, 0, max(10, self.width() - names - aside - here.px(14)), self.height())
        low = min([item.low for item in self._intervals] + ([0.0] if self._zero else []))
        high = max([item.high for item in self._intervals] + ([0.0] if self._zero else []))
        spread = (high - low) or 1.0

        def at(value: float) -> float:
            return axis.x() + here.px(4) + (value - low) / spread * (axis.width() - here.px(8))

        painter.setFont(small)
        painter.setPen(here.colour("text.tertiary"))
        title = QRect(0, 0, self.width(), here.px(18))
        painter.drawText(title, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._titles[0])
        painter.drawText(title, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._titles[2])
        painter.drawText(
            QRect(int(axis.x()), 0, int(axis.width()), here.px(18)), Qt.AlignmentFlag.AlignCenter, self._titles[1]
        )
        for position, item in enumerate(self._intervals):
            top = here.px(20) + position * here.px(ROW)
            middle = top + here.px(ROW) / 2
            if self._zero:
                painter.setPen(QPen(here.colour("border.strong"), 1))
                painter.drawLine(QPointF(at(0), middle - here.px(11)), QPointF(at(0), middle + here.px(11)))
            box = QRect(0, top, int(axis.x()), here.px(ROW))
            painter.setFont(here.font("body"))
            painter.setPen(here.colour("text.primary"))
            name = QFontMetrics(here.font("body")).elidedText(
                item.name, Qt.TextElideMode.ElideRight, int(names - here.px(6))
            )
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
            tone = here.colour("unverified.fg" if self._zero and item.crosses else "chart.0")
            painter.setPen(QPen(tone, 1.75))
            painter.drawLine(QPointF(at(item.low), middle), QPointF(at(item.high), middle))
            for end in (item.low, item.high):
                painter.drawLine(QPointF(at(end), middle - here.px(4)), QPointF(at(end), middle + here.px(4)))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tone)
            half = here.px(4)
            painter.drawRect(QRectF(at(item.value) - half, middle - half, 2 * half, 2 * half))
            right = QRect(0, top, self.width(), here.px(ROW))
            painter.setPen(here.colour("text.secondary"))
            painter.setFont(small)
            painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._span(item))
            painter.setPen(here.colour("text.primary"))
            painter.setFont(bold)
            right.setRight(self.width() - span - here.px(8))
            painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._value(item))
        painter.end()

    def _value(self, item: Interval) -> str:
        return signed(item.value) if self._zero else f"{item.value:.2f}"

    def _span(self, item: Interval) -> str:
        if self._zero:
            return f"{signed(item.low).lstrip('+')} to {signed(item.high).lstrip('+')}"
        return f"{item.low:.2f} to {item.high:.2f}"

    def _words(self, item: Interval) -> str:
        shown = "no difference shown" if self._zero and item.crosses else "shown"
        return f"{self._value(item)}, {self._span(item)}, {shown}"
