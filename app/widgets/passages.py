"""The passages that an answer cites or that a search found: number, document, quote, page and match, one chosen at a time.

Arrow keys go through them. The number is the same as in the answer and in the page's margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.theme.look import look
from app.widgets.citation_chip import chip_size, paint_chip
from app.widgets.painting import focus_ring
from app.widgets.table import _NOWHERE, Index

HEIGHT = 50


@dataclass(frozen=True)
class PassageRow:
    """One passage as it is shown; `match` is written out already."""

    number: int
    name: str
    quote: str
    where: str
    match: str = ""


class _Passages(QAbstractListModel):
    RowRole = Qt.ItemDataRole.UserRole + 1

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[PassageRow, ...] = ()

    def show(self, rows: Sequence[PassageRow]) -> None:
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == self.RowRole:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"Passage {row.number}: {row.name}, {row.where}, {row.match}. {row.quote}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.quote
        return None


class PassageList(QListView):
    """`chosen` gives the number of the passage that the person went to. As high as its rows."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._model = _Passages()
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName("Passages cited")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setProperty("boxed", True)
        self.selectionModel().currentChanged.connect(self._moved)
        self._rescale()
        look().changed.connect(self._rescale)

    def show_rows(self, rows: Sequence[PassageRow]) -> None:
        self._model.show(rows)
        self._rescale()

    def rows(self) -> tuple[PassageRow, ...]:
        return self._model.rows

    def choose(self, number: int) -> None:
        """Mark a passage as the chosen one; emits `chosen` when it is another one."""
        for position, row in enumerate(self._model.rows):
            if row.number == number:
                self.setCurrentIndex(self._model.index(position, 0))
                return

    def _moved(self, now: Index, _before: Index) -> None:
        if now.isValid():
            self.chosen.emit(self._model.rows[now.row()].number)

    def _rescale(self) -> None:
        self.setFixedHeight(look().px(HEIGHT) * len(self._model.rows) + 2)

    def wheelEvent(self, event) -> None:
        event.ignore()


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(look().px(200), look().px(HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        here = look()
        row: PassageRow = index.data(_Passages.RowRole)
        area = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, here.colour("surface.selected" if chosen else "surface.hover"))
        painter.setPen(here.colour("border.subtle"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        size = chip_size(row.number)
        top = area.y() + here.px(8)
        paint_chip(painter, QRect(area.x() + here.px(12), top, size.width(), size.height()), row.number, chosen)
        left = area.x() + here.px(43)
        right = area.right() - here.px(12)
        small = here.font("small")
        metrics = QFontMetrics(small)
        aside = max(metrics.horizontalAdvance(row.where), metrics.horizontalAdvance(row.match))
        painter.setFont(small)
        painter.setPen(here.colour("text.tertiary"))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        upper = QRect(left, area.y() + here.px(7), right - left, here.px(19))
        lower = QRect(left, area.y() + here.px(26), right - left, here.px(17))
        painter.drawText(upper, flags, row.where)
        painter.drawText(lower, flags, row.match)
        room = right - left - aside - here.px(14)
        bold = here.font("body", 600)
        painter.setFont(bold)
        painter.setPen(here.colour("text.primary"))
        painter.drawText(
            upper,
            Qt.AlignmentFlag.AlignVCenter,
            QFontMetrics(bold).elidedText(row.name, Qt.TextElideMode.ElideRight, room),
        )
        painter.setFont(small)
        painter.setPen(here.colour("text.secondary"))
        quote = (
            metrics.elidedText(f"“{row.quote}", Qt.TextElideMode.ElideRight, room - metrics.horizontalAdvance("”"))
            + "”"
        )
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, quote)
        view = option.widget
        if isinstance(view, PassageList) and view.hasFocus() and view.currentIndex() == index:
            focus_ring(painter, area, 3)
        painter.restore()
