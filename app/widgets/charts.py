"""Charts that are painted here: parallel coordinates with brushing, and quality against cost with the Pareto front.

A chart paints itself into any painter, so that what is on the screen is what goes into an SVG or PNG file. Colour is never alone: chosen lines
are thicker, points on the front are filled and named. Both work with the keyboard; what is shown is said in the accessible description.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.look import look
from app.widgets.painting import focus_ring

GRAB = 24
"""Pixels beside an axis in which it is taken hold of."""


class Chart(QWidget):
    """Paints itself by `draw`; subclasses say what."""

    def __init__(self, says: str) -> None:
        super().__init__()
        self.setAccessibleName(says)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(look().px(560), look().px(360))

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(280), look().px(220))

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint the chart into an area."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), look().colour("surface.panel"))
        self.draw(painter, QRectF(self.rect()))
        if self.hasFocus():
            focus_ring(painter, self.rect(), 2)
        painter.end()

    def save(self, path: Path) -> bool:
        """Write the chart as it is shown: SVG or PNG (at twice the size) by the file's ending. Returns whether it was written."""
        if path.suffix.lower() == ".svg":
            made = QSvgGenerator()
            made.setFileName(str(path))
            made.setSize(self.size())
            made.setViewBox(self.rect())
            made.setTitle(self.accessibleName())
            made.setDescription(self.accessibleDescription())
            painter = QPainter()
            if not painter.begin(made):
                return False
            self._onto(painter)
            return bool(painter.end())
        image = QImage(2 * self.size(), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(2)
        painter = QPainter(image)
        self._onto(painter)
        painter.end()
        return image.save(str(path), "PNG")

    def _onto(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), look().colour("surface.panel"))
        self.draw(painter, QRectF(self.rect()))


def number(value: float) -> str:
    """A number on an axis, with three figures that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}".replace("-", "−")


@dataclass(frozen=True)
class Axis:
    """One axis: its word, and the words of its places from bottom to top where it has no numbers."""

    word: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trail:
    """One line through all axes; None where it has no value. On an axis with places the value is a place's number."""

    name: str
    values: tuple[float | None, ...]


class ParallelPlot(Chart):
    """`brushed` says that other lines are chosen. A drag on an axis chooses a range, a click takes it away; with the keyboard, left and right go
    from axis to axis, up and down move the lower end of its range, with Shift the upper, Delete takes it away."""

    brushed = Signal()
    STEPS = 20

    def __init__(self) -> None:
        super().__init__("Settings and metrics of the variants")
        self.axes: tuple[Axis, ...] = ()
        self.trails: tuple[Trail, ...] = ()
        self._ends: list[tuple[float, float]] = []
        self._brushes: dict[int, tuple[float, float]] = {}
        self._current = 0
        self._drag: tuple[int, float] | None = None

    def show_trails(self, axes: Sequence[Axis], trails: Sequence[Trail]) -> None:
        """Show these; no range is chosen."""
        self.axes, self.trails = tuple(axes), tuple(trails)
        self._brushes, self._current, self._ends = {}, 0, []
        for position, axis in enumerate(self.axes):
            values = [one for trail in trails if (one := trail.values[position]) is not None]
            low, high = (
                (0.0, max(0.0, len(axis.places) - 1.0))
                if axis.places
                else (min(values, default=0.0), max(values, default=1.0))
            )
            self._ends.append((low, high) if high > low else (low - 0.5, high + 0.5))
        self._tell()

    def brush(self, axis: int, low: float, high: float) -> None:
        """Choose the lines between two shares of an axis's height, 0 at the bottom."""
        self._brushes[axis] = (max(0.0, min(low, high)), min(1.0, max(low, high)))
        self._tell()

    def clear_brush(self, axis: int | None = None) -> None:
        """Take an axis's range away, or all of them."""
        self._brushes = {} if axis is None else {at: ends for at, ends in self._brushes.items() if at != axis}
        self._tell()

    def chosen(self) -> tuple[str, ...]:
        """The names of the lines in every range; all where there is none."""
        return tuple(trail.name for trail in self.trails if self._inside(trail))

    def _inside(self, trail: Trail) -> bool:
        for axis, (low, high) in self._brushes.items():
            share = self._share(axis, trail.values[axis])
            if share is None or not low - 1e-9 <= share <= high + 1e-9:
                return False
        return True

    def _share(self, axis: int, value: float | None) -> float | None:
        low, high = self._ends[axis]
        return None if value is None else (value - low) / (high - low)

    def _tell(self) -> None:
        names = self.chosen()
        self.setAccessibleDescription(f"{len(names)} of {len(self.trails)} variants chosen: {', '.join(names)}")
        self.update()
        self.brushed.emit()

    def _frame(self, area: QRectF) -> tuple[float, float, list[float]]:
        """The top and bottom of the axes, and where each of them stands."""
        here = look()
        left, right = area.left() + here.px(64), area.right() - here.px(64)
        count = max(1, len(self.axes) - 1)
        return (
            area.top() + here.px(52),
            area.bottom() - here.px(30),
            [left + (right - left) * n / count for n in range(len(self.axes))],
        )

    def draw(self, painter: QPainter, area: QRectF) -> None:
        here = look()
        top, bottom, xs = self._frame(area)
        if not self.axes:
            return
        chosen = set(self.chosen())
        small = QFontMetrics(here.font("small"))
        for front in (False, True):
            for place, trail in enumerate(self.trails):
                if (trail.name in chosen) is not front:
                    continue
                tone = here.colour(f"chart.{place % 6}") if front else here.colour("border.default")
                painter.setPen(QPen(tone, here.px(2 if front else 1), DASHES[place // 6 % len(DASHES)]))
                last: QPointF | None = None
                for at, value in enumerate(trail.values):
                    share = self._share(at, value)
                    spot = None if share is None else QPointF(xs[at], bottom - share * (bottom - top))
                    if spot is not None and last is not None:
                        painter.drawLine(last, spot)
                    if spot is not None and front:
                        painter.drawEllipse(spot, here.px(2), here.px(2))
                    last = spot
        room = int(xs[1] - xs[0]) if len(xs) > 1 else int(area.width())
        for at, axis in enumerate(self.axes):
            own = at == self._current and self.hasFocus()
            painter.setPen(QPen(here.colour("border.focus" if own else "border.strong"), here.px(2 if own else 1)))
            painter.drawLine(QPointF(xs[at], top), QPointF(xs[at], bottom))
            if at in self._brushes:
                low, high = self._brushes[at]
                box = QRectF(
                    xs[at] - here.px(6),
                    bottom - high * (bottom - top),
                    here.px(12),
                    max(2.0, (high - low) * (bottom - top)),
                )
                painter.setPen(QPen(here.colour("accent.base"), 1))
                fill = QColor(here.colour("accent.base"))
                fill.setAlpha(60)
                painter.fillRect(box, fill)
                painter.drawRect(box)
            painter.setFont(here.font("small", 600))
            painter.setPen(here.colour("text.primary"))
            upper = here.px(6 if at % 2 == 0 else 22)
            word, box = self._named(axis.word, xs, at, area)
            painter.drawText(box.translated(0, area.top() + upper), Qt.AlignmentFlag.AlignCenter, word)
            painter.setFont(here.font("small"))
            painter.setPen(here.colour("text.secondary"))
            for share, words in self._marks(at):
                y = bottom - share * (bottom - top)
                shown = small.elidedText(words, Qt.TextElideMode.ElideMiddle, room - here.px(14))
                box = QRectF(
                    xs[at] + here.px(7), y - here.px(8), small.horizontalAdvance(shown) + here.px(3), here.px(16)
                )
                painter.fillRect(box, here.colour("surface.panel"))
                painter.drawText(box.adjusted(here.px(1), 0, here.px(4), 0), Qt.AlignmentFlag.AlignVCenter, shown)

    def _named(self, name: str, xs: Sequence[float], at: int, area: QRectF) -> tuple[str, QRectF]:
        """An axis's name, and its box at the top. Names stand in two lines by turns, so the next but one axis bounds a name, or the picture's end:
        there it moves inwards."""
        here = look()
        gap = here.px(16)
        metrics = QFontMetrics(here.font("small", 600))
        across = xs[1] - xs[0] if len(xs) > 1 else area.width()
        word = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(min(2 * across, area.width()) - gap))
        wide = metrics.horizontalAdvance(word) + here.px(4)
        left = max(area.left(), min(xs[at] - wide / 2, area.right() - wide))
        return word, QRectF(left, 0, wide, here.px(16))

    def _marks(self, at: int) -> list[tuple[float, str]]:
        axis, (low, high) = self.axes[at], self._ends[at]
        if axis.places:
            return [(self._share(at, float(place)) or 0.0, words) for place, words in enumerate(axis.places)]
        return [(share, number(low + share * (high - low))) for share in (0.0, 0.5, 1.0)]

    def _at(self, event: QMouseEvent) -> tuple[int, float] | None:
        top, bottom, xs = self._frame(QRectF(self.rect()))
        spot = event.position()
        near = min(range(len(xs)), key=lambda at: abs(xs[at] - spot.x()), default=None)
        if near is None or abs(xs[near] - spot.x()) > look().px(GRAB):
            return None
        return near, min(1.0, max(0.0, (bottom - spot.y()) / (bottom - top)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag = self._at(event)
        if self._drag is not None:
            self._current = self._drag[0]
            self.clear_brush(self._current)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            top, bottom, _ = self._frame(QRectF(self.rect()))
            self.brush(self._drag[0], self._drag[1], (bottom - event.position().y()) / (bottom - top))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, upper = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if not self.axes or key not in KEYS:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            by = 1 if key == Qt.Key.Key_Right else -1
            self._current = (self._current + by) % len(self.axes)
            self.update()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear_brush(self._current)
        else:
            by = (1 if key == Qt.Key.Key_Up else -1) / self.STEPS
            low, high = self._brushes.get(self._current, (0.0, 1.0))
            ends = (low, min(1.0, max(low, high + by))) if upper else (max(0.0, min(high, low + by)), high)
            self.brush(self._current, *ends)


KEYS = (
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Delete,
    Qt.Key.Key_Backspace,
)
DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


@dataclass(frozen=True)
class Point:
    """One variant: what it reached and what an answer cost."""

    name: str
    quality: float
    seconds: float
    tokens: float


def pareto(points: Sequence[Point], lower: bool = False) -> tuple[str, ...]:
    """The names of those that no other one beats: at least as good in quality, seconds and tokens, and better in one. `lower` says that less
    quality is better."""

    def worth(point: Point) -> tuple[float, float, float]:
        return (-point.quality if lower else point.quality, -point.seconds, -point.tokens)

    def beats(one: Point, other: Point) -> bool:
        return worth(one) != worth(other) and all(a >= b for a, b in zip(worth(one), worth(other), strict=True))

    return tuple(point.name for point in points if not any(beats(other, point) for other in points))


class CostPlot(Chart):
    """Quality upwards, seconds to the right, tokens as the size of a point; those on the Pareto front are filled and named. A line joins the front of
    quality and seconds alone."""

    def __init__(self) -> None:
        super().__init__("Quality, seconds and tokens of the variants")
        self.points: tuple[Point, ...] = ()
        self.front: tuple[str, ...] = ()
        self._word, self._lower = "", False

    def show_points(self, points: Sequence[Point], word: str, lower: bool = False) -> None:
        """Show these; `word` names the quality."""
        self.points, self._word, self._lower = tuple(points), word, lower
        self.front = pareto(points, lower)
        told = [
            f"{p.name}: {word} {p.quality:.2f}, {p.seconds:.2f} seconds, {p.tokens:.0f} tokens"
            + (", on the front" if p.name in self.front else "")
            for p in self.points
        ]
        self.setAccessibleDescription("; ".join(told))
        self.update()

    def draw(self, painter: QPainter, area: QRectF) -> None:
        here = look()
        if not self.points:
            return
        inner = area.adjusted(here.px(64), here.px(34), -here.px(28), -here.px(44))
        lows = [min(0.0, *(p.seconds for p in self.points)), min(p.quality for p in self.points)]
        highs = [max(p.seconds for p in self.points) or 1.0, max(p.quality for p in self.points)]
        spread = (highs[1] - lows[1]) or 1.0
        lows[1], highs[1] = lows[1] - spread * 0.1, highs[1] + spread * 0.1
        highs[0] *= 1.1
        most = max(p.tokens for p in self.points) or 1.0

        def at(point: Point) -> QPointF:
            x = inner.left() + (point.seconds - lows[0]) / (highs[0] - lows[0]) * inner.width()
            return QPointF(x, inner.bottom() - (point.quality - lows[1]) / (highs[1] - lows[1]) * inner.height())

        painter.setFont(here.font("small"))
        for share in (0.0, 0.5, 1.0):
            y, x = inner.bottom() - share * inner.height(), inner.left() + share * inner.width()
            painter.setPen(QPen(here.colour("border.subtle"), 1))
            painter.drawLine(QPointF(inner.left(), y), QPointF(inner.right(), y))
            painter.setPen(here.colour("text.secondary"))
            side = QRectF(area.left(), y - here.px(8), here.px(56), here.px(16))
            painter.drawText(
                side,
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                number(lows[1] + share * (highs[1] - lows[1])),
            )
            foot = QRectF(x - here.px(40), inner.bottom() + here.px(4), here.px(80), here.px(16))
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, number(lows[0] + share * (highs[0] - lows[0])))
        painter.setPen(here.colour("text.primary"))
        painter.drawText(
            QRectF(area.left() + here.px(12), area.top() + here.px(8), area.width(), here.px(16)), f"{self._word} ↑"
        )
        painter.drawText(
            QRectF(inner.left(), inner.bottom() + here.px(22), inner.width(), here.px(16)),
            Qt.AlignmentFlag.AlignRight,
            "Seconds for an answer →   Larger: more tokens",
        )
        flat = pareto([replace(point, tokens=0.0) for point in self.points], self._lower)
        joined = sorted((point for point in self.points if point.name in flat), key=lambda point: point.seconds)
        painter.setPen(QPen(here.colour("chart.0"), here.px(1.5), Qt.PenStyle.DashLine))
        for one, two in itertools.pairwise(joined):
            painter.drawLine(at(one), at(two))
        taken: list[QRectF] = []
        for point in sorted(self.points, key=lambda one: one.name in self.front):
            best = point.name in self.front
            radius = here.px(4) + here.px(8) * (point.tokens / most)
            painter.setPen(QPen(here.colour("chart.0" if best else "border.strong"), here.px(1.5)))
            painter.setBrush(here.colour("chart.0") if best else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at(point), radius, radius)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(here.colour("text.primary"))
        metrics = QFontMetrics(here.font("small"))
        for point in sorted(self.points, key=lambda one: one.name not in self.front):
            wide = metrics.horizontalAdvance(point.name)
            spot = at(point) + QPointF(here.px(14), -here.px(8))
            if spot.x() + wide > area.right():
                spot.setX(at(point).x() - wide - here.px(14))
            box = QRectF(spot.x(), spot.y(), wide + 2, here.px(16))
            if not any(box.intersects(other) for other in taken):
                taken.append(box)
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, point.name)
