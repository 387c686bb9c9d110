"""Many things of which any may be ticked, with a field to find some. A row costs nothing until it is scrolled to: 10,000 appear at once."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.basic import SearchField, column, label, row
from app.widgets.painting import focus_ring

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
FEW = 6
"""Rows up to which there is nothing to find."""


class Ticks(QAbstractListModel):
    """`turned` says that another row is ticked or isn't. What is ticked stays so while it isn't among the rows that are looked for."""

    turned = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._all: Sequence[tuple[str, str]] = ()
        self._shown: Sequence[tuple[str, str]] = ()
        self._ticked: set[str] = set()

    def offer(self, rows: Sequence[tuple[str, str]]) -> None:
        """Other rows, each with what names it and its words; none is ticked."""
        self._all, self._ticked = tuple(rows), set()
        self.find("")

    def find(self, text: str) -> None:
        """Only rows whose words hold this text."""
        wanted = text.casefold().strip()
        self.beginResetModel()
        self._shown = [one for one in self._all if wanted in one[1].casefold()] if wanted else self._all
        self.endResetModel()

    def tick(self, names: Sequence[str]) -> None:
        """Tick just those."""
        self.beginResetModel()
        self._ticked = {name for name, _ in self._all if name in set(names)}
        self.endResetModel()

    def ticked(self) -> tuple[str, ...]:
        """What names the ticked rows, in their order."""
        return tuple(name for name, _ in self._all if name in self._ticked) if self._ticked else ()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        name, words = self._shown[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return words
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if name in self._ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{words}, {'ticked' if name in self._ticked else 'not ticked'}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        name = self._shown[index.row()][0]
        if Qt.CheckState(value) is Qt.CheckState.Checked:
            self._ticked.add(name)
        else:
            self._ticked.discard(name)
        self.dataChanged.emit(index, index)
        self.turned.emit()
        return True


class _TickDelegate(QStyledItemDelegate):
    """A box, its tick, and the words, in the look's colours."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        here = look()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = option.rect
        if option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, here.colour("surface.hover"))
        on = index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked
        side = here.px(14)
        box = QRect(area.x() + here.px(6), area.center().y() - side // 2 + 1, side, side)
        painter.setPen(QPen(here.colour("accent.base" if on else "border.strong"), 1))
        painter.setBrush(here.colour("accent.base" if on else "surface.panel"))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        if on:
            paint_icon(painter, box.adjusted(2, 2, -2, -2), "check", "text.on_accent")
        font = here.font("body")
        text = area.adjusted(here.px(28), 0, -here.px(6), 0)
        painter.setFont(font)
        painter.setPen(here.colour("text.primary"))
        words = QFontMetrics(font).elidedText(str(index.data()), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, words)
        view = option.widget
        if isinstance(view, QListView) and view.hasFocus() and view.currentIndex() == index:
            focus_ring(painter, area, 2)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(look().px(80), look().px(24))

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        """A click anywhere on the row ticks it."""
        if event.type() is QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            _turn_over(model, index)
            return True
        return False


def _turn_over(model: QAbstractItemModel, index: Index) -> None:
    on = index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked
    model.setData(index, Qt.CheckState.Unchecked if on else Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)


class _List(QListView):
    """Space ticks the current row."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            _turn_over(self.model(), self.currentIndex())
        else:
            super().keyPressEvent(event)


class TickList(QWidget):
    """A heading, a field to find, and the list. `turned` says that what is ticked changed."""

    turned = Signal()

    def __init__(self, heading: str, note: str, find: str) -> None:
        super().__init__()
        self.find = SearchField(find)
        self.rows = Ticks()
        self.find.textChanged.connect(self.rows.find)
        self.list = _List()
        self.list.setModel(self.rows)
        self.list.setItemDelegate(_TickDelegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setProperty("boxed", True)
        self.list.setAccessibleName(heading)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._count = label("", type="small", tone="secondary")
        self.rows.turned.connect(self._turn)
        head = row(label(heading, strong=True), None, self._count)
        layout = column(space=4)
        layout.addLayout(head)
        if note:
            layout.addWidget(label(note, type="small", tone="tertiary", wrap=True))
        layout.addWidget(self.find)
        layout.addWidget(self.list)
        self.setLayout(layout)

    def offer(self, rows: Sequence[tuple[str, str]]) -> None:
        """Other rows, none ticked; hidden where there are none."""
        self.find.clear()
        self.rows.offer(rows)
        self.find.setVisible(len(rows) > FEW)
        self.list.setFixedHeight(look().px(24 * min(max(len(rows), 1), FEW) + 6))
        self.setVisible(bool(rows))
        self._count.setText("")

    def chosen(self) -> tuple[str, ...]:
        return self.rows.ticked()

    def tick(self, names: Sequence[str]) -> None:
        """Tick just those, without saying so."""
        self.rows.tick(names)
        self._say_count()

    def _turn(self) -> None:
        self._say_count()
        self.turned.emit()

    def _say_count(self) -> None:
        count = len(self.rows.ticked())
        self._count.setText(f"{count:,} chosen" if count else "")
