"""Numbers over steps, as lines that grow while a run goes on: an axis, the newest value in words, and a reading at any step.

Each series has its colour, its dash and its marker. Left and Right move the reading when the plot has the focus; Escape takes it away.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.look import look
from app.widgets.painting import focus_ring

HEIGHT = 150
COLOURS = 6
DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)
FEW = 40
"""Points up to which each gets its marker."""


@dataclass(frozen=True)
class Series:
    """A name and its points (step, value), in the order of their steps."""

    name: str
    points: tuple[tuple[int, float], ...]


def plain(value: float) -> str:
    """A number with as many digits as its size needs."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.3f}" if size >= 0.01 else f"{value:.1e}"


class CurvePlot(QWidget):
    """`show_series` draws them; `steps` is where the axis ends, so that a run that goes on has room."""

    def __init__(
        self, title: str, words: Callable[[float], str] = plain, height: int = HEIGHT, zero: bool = False
    ) -> None:
        """`zero`: the axis begins there, however near to each other the values are."""
        super().__init__()
        self._title, self._words, self._height, self._zero = title, words, height, zero
        self._series: tuple[Series, ...] = ()
        self._steps = 0
        self._at: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)
        self.show_series(())

    def show_series(self, series: Sequence[Series], steps: int = 0) -> None:
        """Draw these instead."""
        self._series = tuple(one for one in series if one.points)
        self._steps = max([steps, *(one.points[-1][0] for one in self._series)], default=steps)
        self.setAccessibleDescription(self.said())
        self.update()

    def said(self) -> str:
        """What the plot shows, in words."""
        told = []
        for one in self._series:
            (first, began), (last, value) = one.points[0], one.points[-1]
            least = min(one.points, key=lambda point: point[1])
            name = f"{one.name}: " if len(self._series) > 1 else ""
            told.append(
                f"{name}{self._words(began)} at step {first}, {self._words(value)} at step {last}, least "
                f"{self._words(least[1])} at step {least[0]}"
            )
        return "; ".join(told) or "Nothing measured yet"

    def sizeHint(self) -> QSize:
        legend = 18 if len(self._series) > 1 else 0
        return QSize(look().px(300), look().px(self._height + legend))

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(180), self.sizeHint().height())

    # the reading

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        known = sorted({step for one in self._series for step, _ in one.points})
        if event.key() in moves and known:
            place = len(known) - 1 if self._at is None else bisect.bisect_left(known, self._at) + moves[event.key()]
            self._read(known[max(0, min(len(known) - 1, place))])
        elif event.key() == Qt.Key.Key_Escape and self._at is not None:
            self._read(None)
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        area = self._area()
        known = sorted({step for one in self._series for step, _ in one.points})
        if known and self._steps > 1:
            wanted = 1 + (event.position().x() - area.x()) / max(1.0, area.width()) * (self._steps - 1)
            self._read(min(known, key=lambda step: abs(step - wanted)))

    def leaveEvent(self, event: QEvent) -> None:
        self._read(None)

    def _read(self, step: int | None) -> None:
        if step != self._at:
            self._at = step
            self.setAccessibleDescription(self.said() if step is None else self._reading(step))
            self.update()

    def _reading(self, step: int) -> str:
        found = [(one.name, dict(one.points).get(step)) for one in self._series]
        several = len(self._series) > 1
        told = [
            f"{name} {self._words(value)}" if several else self._words(value)
            for name, value in found
            if value is not None
        ]
        return f"Step {step:,}: {', '.join(told)}"

    # painting

    def _area(self) -> QRectF:
        here = look()
        legend = here.px(18) if len(self._series) > 1 else 0
        left, top = here.px(52), here.px(26) + legend
        return QRectF(left, top, max(10, self.width() - left - here.px(8)), max(10, self.height() - top - here.px(22)))

    def _bounds(self) -> tuple[float, float]:
        values = [value for one in self._series for _, value in one.points if math.isfinite(value)]
        if not values:
            return 0.0, 1.0
        low, high = min(values), max(values)
        if low >= 0 and (self._zero or low < 0.5 * high):
            low = 0.0
        spread = (high - low) or abs(high) or 1.0
        return (low, high + 0.06 * spread) if low == 0 else (low - 0.06 * spread, high + 0.06 * spread)

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(here.font("body", 600))
        painter.setPen(here.colour("text.primary"))
        head = QRect(0, 0, self.width() - here.px(8), here.px(20))
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, self._title)
        area = self._area()
        if not self._series:
            painter.setFont(here.font("small"))
            painter.setPen(here.colour("text.tertiary"))
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, "Nothing measured yet")
            painter.end()
            return
        newest = self._series[0].points[-1]
        value = self._words(newest[1]) if len(self._series) == 1 else ""
        painter.setFont(here.font("body" if self._at is None else "small"))
        painter.setPen(here.colour("text.secondary"))
        painter.drawText(
            head,
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            value if self._at is None else self._reading(self._at),
        )
        if len(self._series) > 1:
            self._legend(painter)
        low, high = self._bounds()
        self._axes(painter, area, low, high)
        for place, one in enumerate(self._series):
            self._line(painter, area, one, place, low, high)
        if self._at is not None:
            x = self._x(area, self._at)
            painter.setPen(QPen(here.colour("border.strong"), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if self.hasFocus():
            focus_ring(painter, self.rect(), 3)
        painter.end()

    def _x(self, area: QRectF, step: int) -> float:
        return area.x() + (step - 1) / max(1, self._steps - 1) * area.width()

    def _legend(self, painter: QPainter) -> None:
        here = look()
        x, y = 0, here.px(22)
        small = here.font("small")
        painter.setFont(small)
        for place, one in enumerate(self._series):
            painter.setPen(self._pen(place))
            painter.drawLine(QPointF(x, y + here.px(8)), QPointF(x + here.px(18), y + here.px(8)))
            wide = QFontMetrics(small).horizontalAdvance(one.name)
            painter.setPen(here.colour("text.secondary"))
            painter.drawText(QRect(x + here.px(24), y, wide + 2, here.px(16)), Qt.AlignmentFlag.AlignVCenter, one.name)
            x += here.px(24) + wide + here.px(14)

    def _axes(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        here = look()
        painter.setFont(here.font("small"))
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - share * area.height()
            painter.setPen(QPen(here.colour("border.default" if share == 0 else "border.subtle"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(here.colour("text.tertiary"))
            box = QRectF(0, y - here.px(8), area.left() - here.px(6), here.px(16))
            painter.drawText(
                box,
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                self._words(low + share * (high - low)),
            )
        foot = QRectF(area.left(), area.bottom() + here.px(3), area.width(), here.px(16))
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "Step 1")
        if self._steps > 1:
            painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{self._steps:,}")

    def _pen(self, place: int) -> QPen:
        return QPen(look().colour(f"chart.{place % COLOURS}"), look().px(1.75), DASHES[place % len(DASHES)])

    def _line(self, painter: QPainter, area: QRectF, one: Series, place: int, low: float, high: float) -> None:
        spots = [
            QPointF(self._x(area, step), area.bottom() - (value - low) / (high - low) * area.height())
            for step, value in _thinned(one.points, int(area.width()))
            if math.isfinite(value)
        ]
        painter.setPen(self._pen(place))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(spots))
        if len(spots) <= FEW:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look().colour(f"chart.{place % COLOURS}"))
            half = look().px(2.5)
            for spot in spots:
                if place % 2:
                    painter.drawRect(QRectF(spot.x() - half, spot.y() - half, 2 * half, 2 * half))
                else:
                    painter.drawEllipse(spot, half, half)


def _thinned(points: Sequence[tuple[int, float]], most: int) -> Sequence[tuple[int, float]]:
    """At most two points for each pixel: the least and the most of those that fall together."""
    each = len(points) / max(1, most)
    if each <= 2:
        return points
    found: list[tuple[int, float]] = []
    for number in range(most):
        some = points[int(number * each) : int((number + 1) * each)]
        if some:
            found += sorted({min(some, key=lambda p: p[1]), max(some, key=lambda p: p[1])})
    return [*found, points[-1]]
