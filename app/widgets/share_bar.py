"""Parts of a whole beside each other in one bar, and the rows that say what each part is. Colour only repeats what the rows say in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme.look import look

COLOURS = 6
LEAST = 3
"""Pixels that even a tiny part takes."""


@dataclass(frozen=True)
class Part:
    """A name, how much of the whole, and how that is said."""

    name: str
    amount: int
    words: str


class ShareBar(QWidget):
    """`show_parts` shows them in order; what is left of the whole stays empty."""

    def __init__(self, says: str, height: int = 12) -> None:
        super().__init__()
        self._height = height
        self._parts: tuple[Part, ...] = ()
        self._whole = 0
        self.setAccessibleName(says)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, parts: Sequence[Part], whole: int = 0) -> None:
        """Parts of `whole`; of their sum where that is more, or where none is given."""
        self._parts = tuple(parts)
        self._whole = max(whole, sum(part.amount for part in parts), 1)
        self.setAccessibleDescription(", ".join(f"{part.name} {part.words}" for part in parts) or "Nothing")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(look().px(160), look().px(self._height))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(area, here.px(3), here.px(3))
        painter.setClipPath(outline)
        painter.fillRect(area, here.colour("border.default"))
        for number, spot in enumerate(self._spots()):
            painter.fillRect(spot, here.colour(f"chart.{number % COLOURS}"))
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            for part, spot in zip(self._parts, self._spots(), strict=True):
                if spot.contains(event.pos().toPointF()):
                    QToolTip.showText(event.globalPos(), f"{part.name}: {part.words}", self)
                    return True
            QToolTip.hideText()
        return super().event(event)

    def _spots(self) -> list[QRectF]:
        found, left = [], 0.0
        for part in self._parts:
            width = max(LEAST, part.amount / self._whole * self.width())
            found.append(QRectF(left, 0, max(1.0, width - 1), self.height()))
            left += width
        return found


class Swatch(QWidget):
    """The colour of the part with a number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        side = look().px(10)
        self.setFixedSize(side, side)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(here.colour(f"chart.{self._number % COLOURS}"))
        painter.drawRoundedRect(QRectF(self.rect()), here.px(2), here.px(2))
        painter.end()
