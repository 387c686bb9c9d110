"""How large chunks are, as bars from no token to the most that are embedded, with the size up to which they are filled."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.look import look


class SizesPlot(QWidget):
    """`show_sizes` takes how many chunks there are in each of equal steps from 0 to `limit` tokens, and the `target`."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: tuple[int, ...] = ()
        self._limit, self._target = 1, 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Chunks by size")

    def show_sizes(self, sizes: Sequence[int], limit: int, target: int) -> None:
        self._sizes, self._limit, self._target = tuple(sizes), max(limit, 1), target
        self.setAccessibleDescription(self.said())
        self.update()

    def said(self) -> str:
        """What the plot shows, in words."""
        step = (self._limit + 1) / max(1, len(self._sizes))
        bars = [
            f"{times:,} of {round(at * step):,} to {round((at + 1) * step) - 1:,} tokens"
            for at, times in enumerate(self._sizes)
            if times
        ]
        return "; ".join(bars) or "No chunk."

    def sizeHint(self) -> QSize:
        return QSize(look().px(300), look().px(92))

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(180), look().px(92))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = here.font("small")
        painter.setFont(small)
        area = QRectF(0, here.px(20), self.width() - 1, self.height() - here.px(40))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(here.colour("chart.0"))
        most = max(self._sizes, default=0)
        wide = area.width() / max(1, len(self._sizes))
        for place, times in enumerate(self._sizes):
            if times:
                high = max(here.px(2), times / most * area.height())
                painter.drawRect(QRectF(area.x() + place * wide, area.bottom() - high, max(1.0, wide - 2), high))
        painter.setPen(QPen(here.colour("border.default"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        x = area.x() + min(self._target / self._limit, 1.0) * area.width()
        painter.setPen(QPen(here.colour("warn.fg"), here.px(2), Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top() - here.px(2)), QPointF(x, area.bottom()))
        painter.setPen(here.colour("text.secondary"))
        head = QRectF(0, 0, self.width(), here.px(16))
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "Chunks by size")
        word = f"filled up to {self._target:,}"
        painter.drawText(head, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, word)
        painter.setPen(here.colour("text.tertiary"))
        foot = QRectF(area.x(), area.bottom() + here.px(2), area.width(), here.px(16))
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "0 tokens")
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{self._limit:,}")
        painter.end()
