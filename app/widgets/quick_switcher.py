"""Ctrl+K: go to anything by typing a part of its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.basic import SearchField, column, line
from app.widgets.table import Index

LIMIT = 50


@dataclass(frozen=True)
class Target:
    """Something to go to: its word, what it is, its icon, and how to go there."""

    word: str
    what: str
    icon: str
    go: Callable[[], None]
    key: str = ""


def rank(query: str, word: str) -> int | None:
    """How well a query fits: 0 begins the word, 1 begins a part of it, 2 is inside, 3 its letters in order; None when not."""
    wanted, given = query.casefold().strip(), word.casefold()
    if given.startswith(wanted):
        return 0
    if any(part.startswith(wanted) for part in given.replace("-", " ").split()):
        return 1
    if wanted in given:
        return 2
    rest = iter(given)
    return 3 if all(letter in rest for letter in wanted) else None


class QuickSwitcher(QFrame):
    """`went` comes after a target was chosen, `left` when none was."""

    went = Signal()
    left = Signal()

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Go to anything")
        self._targets = tuple(targets)
        self.field = SearchField("Go to anything")
        self.list = QListWidget()
        self.list.setAccessibleName("Found")
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setStyleSheet("QListWidget { background: transparent; border: 0; }")
        self.list.setUniformItemSizes(True)
        self.list.setFixedHeight(look().px(34) * 9)
        self.setLayout(column(self.field, line(), self.list, space=8, margins=(10, 10, 10, 10)))
        self.setFocusProxy(self.field)
        self.field.textChanged.connect(self._narrow)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(lambda _: self._go())
        self._narrow("")

    def found(self) -> list[str]:
        return [self.list.item(position).text() for position in range(self.list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                count = max(1, self.list.count())
                self.list.setCurrentRow((self.list.currentRow() + step) % count)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._go()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.left.emit()
                return True
        return super().eventFilter(watched, event)

    def _narrow(self, text: str) -> None:
        ranked = [(rank(text, target.word), position) for position, target in enumerate(self._targets)]
        kept = sorted((score, position) for score, position in ranked if score is not None)[:LIMIT]
        self.list.clear()
        for _, position in kept:
            target = self._targets[position]
            item = QListWidgetItem(target.word)
            item.setData(Qt.ItemDataRole.UserRole, target)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{target.word}, {target.what}")
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _go(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        target: Target = item.data(Qt.ItemDataRole.UserRole)
        self.went.emit()
        target.go()


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(look().px(200), look().px(34))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        here = look()
        target: Target = index.data(Qt.ItemDataRole.UserRole)
        area = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, here.colour("surface.selected"))
            painter.fillRect(QRect(area.x(), area.y(), here.px(3), area.height()), here.colour("accent.base"))
        side = here.px(16)
        paint_icon(
            painter,
            QRect(area.x() + here.px(12), area.center().y() - side // 2, side, side),
            target.icon,
            "text.secondary",
        )
        inner = area.adjusted(here.px(38), 0, -here.px(12), 0)
        painter.setFont(here.font("body"))
        painter.setPen(here.colour("text.primary"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, target.word)
        painter.setFont(here.font("small"))
        painter.setPen(here.colour("text.tertiary"))
        aside = f"{target.what} · {target.key}" if target.key else target.what
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, aside)
        painter.restore()
