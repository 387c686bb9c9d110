"""A list at the left of a page: one or two lines a row, an icon or a seal, a count; headings between groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.painting import badge_size, focus_ring, paint_badge
from app.widgets.seal import SealState, paint_seal
from app.widgets.table import _NOWHERE, Index


@dataclass(frozen=True)
class SideRow:
    """A row by its key. `heading` (an icon's name) makes it a group's heading, which can't be chosen. `lines` are smaller lines below."""

    key: str
    text: str
    icon: str = ""
    count: str = ""
    lines: tuple[str, ...] = ()
    seal: SealState | None = None
    badge: tuple[str, str] | None = None
    heading: str = ""


class _Rows(QAbstractListModel):
    RowRole = Qt.ItemDataRole.UserRole + 1

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[SideRow, ...] = ()

    def show(self, rows: Sequence[SideRow]) -> None:
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and self.rows[index.row()].heading:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == self.RowRole:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            badge = row.badge[0] if row.badge else ""
            seal = row.seal.value if row.seal else ""
            return ", ".join(part for part in (row.text, badge, row.count, *row.lines, seal) if part)
        return None


class SideList(QListView):
    """`picked` gives the key of the row that a person chose."""

    picked = Signal(str)

    def __init__(self, says: str) -> None:
        super().__init__()
        self._model = _Rows()
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName(says)
        self.setProperty("surface", "window")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self._quiet = False
        self.selectionModel().currentChanged.connect(self._moved)

    def show_rows(self, rows: Sequence[SideRow]) -> None:
        """Show other rows; the chosen one stays chosen where it is still there."""
        current = self.current
        self._quiet = True
        self._model.show(rows)
        self.choose(current)
        self._quiet = False

    def rows(self) -> tuple[SideRow, ...]:
        return self._model.rows

    @property
    def current(self) -> str:
        index = self.currentIndex()
        return self._model.rows[index.row()].key if index.isValid() else ""

    def choose(self, key: str) -> None:
        """Choose a row by its key, as if a person had."""
        for position, row in enumerate(self._model.rows):
            if row.key == key and not row.heading:
                self.setCurrentIndex(self._model.index(position, 0))
                return

    def mark(self, key: str) -> None:
        """Choose a row without saying so."""
        self._quiet = True
        self.choose(key)
        self._quiet = False

    def _moved(self, now: Index, _before: Index) -> None:
        if now.isValid() and not self._quiet:
            self.picked.emit(self._model.rows[now.row()].key)


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        here = look()
        row: SideRow = index.data(_Rows.RowRole)
        height = 31 if not row.lines else 26 + 17 * len(row.lines) + 10
        return QSize(here.px(120), here.px(height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        here = look()
        row: SideRow = index.data(_Rows.RowRole)
        area = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.heading:
            side = here.px(15)
            paint_icon(
                painter,
                QRect(area.x() + here.px(8), area.center().y() - side // 2, side, side),
                row.heading,
                "text.tertiary",
            )
            painter.setFont(here.font("body"))
            painter.setPen(here.colour("text.tertiary"))
            painter.drawText(area.adjusted(here.px(29), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, row.text)
            painter.restore()
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(here.colour("surface.selected" if chosen else "surface.hover"))
            painter.drawRoundedRect(area.adjusted(0, 0, 0, -1), here.px(3), here.px(3))
        left = area.x() + here.px(8)
        first = QRect(left, area.y(), area.width() - here.px(16), area.height())
        if row.lines:
            first = QRect(left, area.y() + here.px(6), area.width() - here.px(16), here.px(20))
        if row.seal is not None:
            side = here.px(24)
            paint_seal(painter, QRectF(left - 1, first.center().y() - side / 2, side, side), row.seal)
            first.setLeft(left + here.px(32))
        elif row.icon:
            side = here.px(16)
            paint_icon(painter, QRect(left, first.center().y() - side // 2, side, side), row.icon, "text.secondary")
            first.setLeft(left + here.px(24))
        font = here.font("body", 600 if chosen or row.seal is not None else 400)
        metrics = QFontMetrics(font)
        aside = QFontMetrics(here.font("body")).horizontalAdvance(row.count) + here.px(8) if row.count else 0
        painter.setFont(font)
        painter.setPen(here.colour("text.primary"))
        text = metrics.elidedText(row.text, Qt.TextElideMode.ElideRight, first.width() - aside)
        painter.drawText(first, Qt.AlignmentFlag.AlignVCenter, text)
        if row.badge is not None:
            size = badge_size(row.badge[0])
            start = first.x() + metrics.horizontalAdvance(text) + here.px(8)
            paint_badge(painter, QRect(start, first.y(), size.width(), size.height()), *row.badge)
        if row.count:
            painter.setFont(here.font("body"))
            painter.setPen(here.colour("text.tertiary"))
            painter.drawText(first, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, row.count)
        painter.setFont(here.font("small"))
        for position, words in enumerate(row.lines):
            box = QRect(first.x(), area.y() + here.px(26 + 17 * position), first.width(), here.px(17))
            painter.setPen(here.colour("text.primary" if position == 0 and len(row.lines) > 1 else "text.secondary"))
            shown = QFontMetrics(here.font("small")).elidedText(words, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)
        view = option.widget
        if isinstance(view, SideList) and view.hasFocus() and view.currentIndex() == index:
            focus_ring(painter, area.adjusted(0, 0, 0, -1), 3)
        painter.restore()
