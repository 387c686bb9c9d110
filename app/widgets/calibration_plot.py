"""How far a score can be trusted: shares of questions by the score that an answer needs, with their intervals, and the score that is needed.

Each line has its own dash and mark; intervals are drawn at every point.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen, QPolygonF

from app.theme.look import look
from app.widgets.charts import Chart

DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
APART = 0.006
"""Of the axis, between the intervals of two lines at one score."""


@dataclass(frozen=True)
class Level:
    """A share from 0 to 1 at a score, and the interval that it lies in."""

    at: float
    share: float
    low: float
    high: float


class CalibrationPlot(Chart):
    """`show_levels` shows lines by their names, and marks the score that is needed."""

    def __init__(self) -> None:
        super().__init__("Answers by the score that is needed")
        self.lines: tuple[tuple[str, tuple[Level, ...]], ...] = ()
        self.needed = 0.0

    def sizeHint(self) -> QSize:
        return QSize(look().px(560), look().px(270))

    def show_levels(self, lines: Sequence[tuple[str, Sequence[Level]]], needed: float) -> None:
        self.lines, self.needed = tuple((name, tuple(levels)) for name, levels in lines), needed
        told = [
            f"{name}: " + ", ".join(f"{one.share:.2f} at {one.at:.2f}" for one in levels) for name, levels in self.lines
        ]
        self.setAccessibleDescription("; ".join([*told, f"an answer needs {needed:.2f}"]))
        self.update()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        here = look()
        inner = area.adjusted(here.px(44), here.px(30), -here.px(14), -here.px(42))
        small = here.font("small")
        painter.setFont(small)

        def spot(at: float, share: float) -> QPointF:
            return QPointF(inner.left() + at * inner.width(), inner.bottom() - share * inner.height())

        for step in range(6):
            value = step / 5
            painter.setPen(QPen(here.colour("border.default" if step == 0 else "border.subtle"), 1))
            painter.drawLine(spot(0, value), spot(1, value))
            painter.setPen(here.colour("text.secondary"))
            side = QRectF(area.left(), spot(0, value).y() - here.px(8), here.px(38), here.px(16))
            painter.drawText(side, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{value:.0%}")
            foot = QRectF(spot(value, 0).x() - here.px(20), inner.bottom() + here.px(4), here.px(40), here.px(16))
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, f"{value:.1f}")
        foot = QRectF(inner.left(), inner.bottom() + here.px(22), inner.width(), here.px(16))
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, "Score that an answer needs →")
        self._mark(painter, inner, spot(self.needed, 0).x())
        x = inner.left()
        for place, (name, levels) in enumerate(self.lines):
            pen = QPen(here.colour(f"chart.{place}"), here.px(1.75), DASHES[place % len(DASHES)])
            thin = QPen(here.colour(f"chart.{place}"), 1)
            shift = (place - (len(self.lines) - 1) / 2) * APART
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(thin)
            for one in levels:
                painter.drawLine(spot(one.at + shift, one.low), spot(one.at + shift, one.high))
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF([spot(one.at + shift, one.share) for one in levels]))
            for one in levels:
                self._sign(painter, spot(one.at + shift, one.share), place)
            y = area.top() + here.px(12)
            painter.setPen(pen)
            painter.drawLine(QPointF(x, y), QPointF(x + here.px(26), y))
            self._sign(painter, QPointF(x + here.px(13), y), place)
            wide = QFontMetrics(small).horizontalAdvance(name)
            painter.setPen(here.colour("text.secondary"))
            head = QRectF(x + here.px(32), y - here.px(8), wide + 2, here.px(16))
            painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, name)
            x += here.px(46) + wide

    def _mark(self, painter: QPainter, inner: QRectF, x: float) -> None:
        here = look()
        painter.setPen(QPen(here.colour("text.primary"), here.px(1.5)))
        painter.drawLine(QPointF(x, inner.top()), QPointF(x, inner.bottom()))
        words = f"needed: {self.needed:.2f}"
        wide = QFontMetrics(here.font("small")).horizontalAdvance(words)
        box = QRectF(x + here.px(6), inner.bottom() - 0.25 * inner.height(), wide + 2, here.px(16))
        painter.fillRect(box, here.colour("surface.panel"))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)

    def _sign(self, painter: QPainter, spot: QPointF, place: int) -> None:
        half = look().px(3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look().colour(f"chart.{place}"))
        if place == 0:
            painter.drawEllipse(spot, half, half)
        elif place == 1:
            painter.drawRect(QRectF(spot.x() - half, spot.y() - half, 2 * half, 2 * half))
        else:
            corners = [(0, -1.3), (1.3, 1), (-1.3, 1)]
            painter.drawPolygon(QPolygonF([QPointF(spot.x() + half * a, spot.y() + half * b) for a, b in corners]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
