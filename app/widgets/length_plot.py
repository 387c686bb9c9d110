"""How long examples are, as bars, against the window that they must fit into."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.look import look

BARS = 32


class LengthPlot(QWidget):
    """`show_lengths` takes the tokens of each example and those that fit."""

    def __init__(self) -> None:
        super().__init__()
        self._lengths: tuple[int, ...] = ()
        self._window = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Lengths of the examples")

    def show_lengths(self, lengths: Sequence[int], window: int) -> None:
        self._lengths, self._window = tuple(sorted(lengths)), window
        self.setAccessibleDescription(self.said())
        self.update()

    def said(self) -> str:
        """What the plot shows, in words."""
        if not self._lengths:
            return "No example was read."
        middle = self._lengths[len(self._lengths) // 2]
        return (
            f"{self._lengths[0]:,} to {self._lengths[-1]:,} tokens, half of them up to {middle:,}; "
            f"{self._window:,} fit into the window."
        )

    def sizeHint(self) -> QSize:
        return QSize(look().px(300), look().px(128))

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(180), look().px(128))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0, here.px(22), self.width() - 1, self.height() - here.px(42))
        small = here.font("small")
        painter.setFont(small)
        painter.setPen(here.colour("text.secondary"))
        painter.drawText(
            QRect(0, 0, self.width(), here.px(18)), Qt.AlignmentFlag.AlignVCenter, "Tokens of each example"
        )
        if not self._lengths:
            painter.end()
            return
        longest = self._lengths[-1]
        near = self._window <= 2 * longest
        end = max(longest, self._window if near else 0) * 1.04
        counts = [0] * BARS
        for length in self._lengths:
            counts[min(BARS - 1, int(length / end * BARS))] += 1
        most = max(counts)
        wide = area.width() / BARS
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(here.colour("chart.0"))
        for place, count in enumerate(counts):
            if count:
                high = max(here.px(2), count / most * area.height())
                painter.drawRect(QRectF(area.x() + place * wide, area.bottom() - high, max(1.0, wide - 1), high))
        painter.setPen(QPen(here.colour("border.default"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setFont(small)
        painter.setPen(here.colour("text.tertiary"))
        foot = QRectF(area.x(), area.bottom() + here.px(2), area.width(), here.px(16))
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "0")
        said = f"{self._window:,} fit" if near else f"{end:,.0f}; {self._window:,} fit"
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, said)
        if near:
            x = area.x() + self._window / end * area.width()
            painter.setPen(QPen(here.colour("warn.fg"), here.px(2), Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.end()
