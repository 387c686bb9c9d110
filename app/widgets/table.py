"""Tables of records: rows of 36, hairlines and no zebra, a state said in words, and a focus ring on the cell.

A table is given columns and rows. A column turns a row into a `Cell` only when it is shown, so that 100,000 rows cost nothing until they
are scrolled to; heights are fixed for the same reason. What a delegate paints is also said by `AccessibleTextRole`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.painting import badge_size, focus_ring, paint_badge
from app.widgets.seal import SealState, paint_seal
from app.widgets.status_bar import paint_bar

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


@dataclass(frozen=True)
class Cell:
    """What one cell shows. `share` draws a small bar before the text; `second` is a second, smaller line (rows of 52)."""

    text: str
    icon: str = ""
    tone: str = "text.primary"
    icon_tone: str = ""
    strong: bool = False
    mono: bool = False
    middle: bool = False
    share: float | None = None
    seal: SealState | None = None
    badge: str = ""
    second: str = ""
    spoken: str = ""


ROOM = 150
"""Pixels at scale 1.0 that the column which takes the rest should have."""


@dataclass(frozen=True)
class Column:
    """A column: its word, how it shows a row, its width at scale 1.0 (0 takes what is left), and whether it holds numbers."""

    word: str
    show: Callable[[Any], Cell]
    width: int = 0
    right: bool = False
    spare: int = 0
    """Where there is no room, columns with a number here are left out, 1 first; 0 stays."""


class Rows(QAbstractTableModel):
    """Rows of any records under columns. `page` rows are known to the view at first; scrolling brings more."""

    PAGE = 2000
    CellRole = Qt.ItemDataRole.UserRole + 1
    RowRole = Qt.ItemDataRole.UserRole + 2

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self._rows: Sequence[Any] = ()
        self._known = 0

    def show(self, rows: Sequence[Any]) -> None:
        self.beginResetModel()
        self._rows = rows
        self._known = min(len(rows), self.PAGE)
        self.endResetModel()

    def all(self) -> Sequence[Any]:
        return self._rows

    def changed(self, position: int) -> None:
        """Say that the row at `position` shows something else now."""
        if position < self._known:
            self.dataChanged.emit(self.index(position, 0), self.index(position, len(self.columns) - 1))

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else self._known

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def canFetchMore(self, parent: Index = _NOWHERE) -> bool:
        return self._known < len(self._rows)

    def fetchMore(self, parent: Index = _NOWHERE) -> None:
        upto = min(len(self._rows), self._known + self.PAGE)
        self.beginInsertRows(QModelIndex(), self._known, upto - 1)
        self._known = upto
        self.endInsertRows()

    def row(self, position: int) -> Any:
        return self._rows[position]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        return self._shown(self._rows[index.row()], index.column(), role)

    def _shown(self, record: Any, at: int, role: int) -> Any:
        """What a record shows in a column."""
        if role == self.RowRole:
            return record
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.TextAlignmentRole,
            self.CellRole,
        ):
            return None
        column = self.columns[at]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        cell = column.show(record)
        if role == self.CellRole:
            return cell
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return cell.spoken or f"{column.word}: {cell.text}"
        return cell.text

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.word
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None


class CellDelegate(QStyledItemDelegate):
    """Paints a `Cell`."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell = index.data(Rows.CellRole)
        if not isinstance(cell, Cell):
            return
        here = look()
        painter.save()
        area = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.fillRect(area, here.colour("surface.selected" if selected else "surface.hover"))
        painter.setPen(here.colour("border.subtle"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if selected and index.column() == 0:
            painter.fillRect(QRect(area.x(), area.y(), here.px(3), area.height()), here.colour("accent.base"))
        right = bool(index.data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight)
        inner = area.adjusted(here.px(10 if index.column() == 0 else 8), 0, -here.px(8), -1)
        paint_cell(painter, inner, cell, right)
        view = option.widget
        focused = isinstance(view, QAbstractItemView) and view.hasFocus() and view.currentIndex() == index
        if focused:
            focus_ring(painter, area, 2)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(look().px(80), look().px(36))


def paint_cell(painter: QPainter, area: QRect, cell: Cell, right: bool = False) -> None:
    """Paint a cell's seal, icon, bar, text and second line into `area`."""
    here = look()
    x = area.x()
    middle = area.center().y()
    if cell.seal is not None:
        side = here.px(22)
        paint_seal(painter, QRectF(x, middle - side / 2, side, side), cell.seal)
        x += side + here.px(8)
    if cell.icon:
        side = here.px(16)
        paint_icon(painter, QRect(x, middle - side // 2, side, side), cell.icon, cell.icon_tone or cell.tone)
        x += side + here.px(7)
    if cell.share is not None:
        wide = here.px(52)
        paint_bar(painter, QRectF(x, middle - here.px(3), wide, here.px(6)), cell.share)
        x += wide + here.px(8)
    if cell.badge:
        size = badge_size(cell.text)
        paint_badge(
            painter, QRect(x, middle - size.height() // 2 + 1, size.width(), size.height()), cell.text, cell.badge
        )
        return
    font = here.font(
        "code" if cell.mono else "small" if cell.share is not None else "body", 600 if cell.strong else None
    )
    painter.setFont(font)
    painter.setPen(here.colour(cell.tone))
    box = QRect(x, area.y(), area.right() - x + 1, area.height())
    mode = Qt.TextElideMode.ElideMiddle if cell.middle or cell.mono else Qt.TextElideMode.ElideRight
    text = QFontMetrics(font).elidedText(cell.text, mode, box.width())
    side_flag = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    if not cell.second:
        painter.drawText(box, side_flag | Qt.AlignmentFlag.AlignVCenter, text)
        return
    upper = QRect(box.x(), middle - here.px(18), box.width(), here.px(19))
    lower = QRect(box.x(), middle + here.px(1), box.width(), here.px(16))
    painter.drawText(upper, side_flag | Qt.AlignmentFlag.AlignVCenter, text)
    painter.setFont(here.font("small"))
    painter.setPen(here.colour("text.tertiary"))
    second = QFontMetrics(here.font("small")).elidedText(cell.second, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(lower, side_flag | Qt.AlignmentFlag.AlignVCenter, second)


class Table(QTableView):
    """A table of records; `chosen` gives the current row's record, `opened` one that was double-clicked or entered."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(
        self,
        columns: Sequence[Column],
        says: str,
        height: int = 36,
        parent: QWidget | None = None,
        rows: Rows | None = None,
    ) -> None:
        super().__init__(parent)
        self.rows = rows if rows is not None else Rows(columns)
        self._height = height
        self.setModel(self.rows)
        self.setItemDelegate(CellDelegate(self))
        self.setAccessibleName(says)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(look().px(40))
        self.selectionModel().currentRowChanged.connect(self._moved)
        self.doubleClicked.connect(lambda index: self.opened.emit(self.rows.row(index.row())))
        self._rescale()
        look().changed.connect(self._rescale)

    def show_rows(self, rows: Sequence[Any], keep: Callable[[Any], object] | None = None) -> None:
        """Show other rows; `keep` gives what identifies a record, so that the current one stays chosen."""
        current = self.current()
        self.rows.show(rows)
        if keep is not None and current is not None:
            wanted = keep(current)
            for position, record in enumerate(rows):
                if keep(record) == wanted:
                    self.choose(position)
                    return

    def current(self) -> Any:
        """The chosen record, or None."""
        index = self.currentIndex()
        return self.rows.row(index.row()) if index.isValid() else None

    def choose(self, position: int) -> None:
        while position >= self.rows.rowCount() and self.rows.canFetchMore():
            self.rows.fetchMore()
        self.setCurrentIndex(self.rows.index(position, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current() is not None:
            self.opened.emit(self.current())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._spare()

    def _spare(self) -> None:
        """Leave out what can be spared, so that the column which takes the rest can be read."""
        columns = self.rows.columns
        here = look()
        need = here.px(sum(column.width for column in columns) + ROOM)
        order = sorted((column.spare, at) for at, column in enumerate(columns) if column.spare)
        for _, at in order:
            hide = need > self.viewport().width()
            self.setColumnHidden(at, hide)
            if hide:
                need -= here.px(columns[at].width or ROOM)
            if not columns[at].width:
                modes = QHeaderView.ResizeMode
                self.horizontalHeader().setSectionResizeMode(0, modes.Stretch if hide else modes.Interactive)
                if not hide:
                    self.horizontalHeader().resizeSection(0, here.px(columns[0].width))

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        record = self.rows.row(now.row()) if now.isValid() else None
        if record is not None:
            self.chosen.emit(record)

    def _rescale(self) -> None:
        here = look()
        self.verticalHeader().setDefaultSectionSize(here.px(self._height))
        header = self.horizontalHeader()
        header.setFixedHeight(here.px(32))
        for position, column in enumerate(self.rows.columns):
            if column.width:
                header.setSectionResizeMode(position, QHeaderView.ResizeMode.Interactive)
                header.resizeSection(position, here.px(column.width))
            else:
                header.setSectionResizeMode(position, QHeaderView.ResizeMode.Stretch)
        self._spare()
