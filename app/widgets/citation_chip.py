"""The number of a citation: 18 by 17, an outline, filled when chosen. The same number stands in the answer, the passage list and the margin."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.theme.look import look
from app.widgets.painting import focus_ring


def chip_size(number: int) -> QSize:
    here = look()
    wide = QFontMetrics(here.font("key", 600)).horizontalAdvance(str(number)) + here.px(10)
    return QSize(max(here.px(18), wide), here.px(17))


def paint_chip(painter: QPainter, area: QRect | QRectF, number: int, chosen: bool = False, paper: bool = False) -> None:
    """Paint a chip; on `paper` it has the colours of the light theme, whatever the window's."""
    here = look()
    colour = here.paper_colour if paper else here.colour
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour("accent.base"), 1.2))
    painter.setBrush(colour("accent.base" if chosen else "surface.panel"))
    painter.drawRoundedRect(QRectF(area).adjusted(0.6, 0.6, -0.6, -0.6), here.px(3), here.px(3))
    painter.setFont(here.font("key", 600))
    painter.setPen(colour("text.on_accent" if chosen else "accent.base"))
    painter.drawText(QRectF(area), Qt.AlignmentFlag.AlignCenter, str(number))
    painter.restore()


class CitationChip(QAbstractButton):
    """A chip as a button; `picked` gives its number."""

    picked = Signal(int)

    def __init__(self, number: int, says: str = "") -> None:
        super().__init__()
        self.number = number
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Citation {number}")
        self.setAccessibleDescription(says)
        self.clicked.connect(lambda: self.picked.emit(self.number))

    def sizeHint(self) -> QSize:
        return chip_size(self.number)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_chip(painter, self.rect(), self.number, self.isChecked())
        if self.hasFocus():
            focus_ring(painter, self.rect(), 3)
        painter.end()
