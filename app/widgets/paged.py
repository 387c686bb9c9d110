"""Rows of a very long table, of which only those near the screen are held: what isn't there yet is asked for and shows three dots meanwhile.

The number of rows is known from the start (a whole log) or grows as pages come in (a search). Pages that were seen longest ago are let go.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal

from app.widgets.table import _NOWHERE, Cell, Column, Index, Rows

HELD = 60
"""Pages in memory."""
WAITING = Cell("…", tone="text.tertiary", spoken="Not read yet")


class PagedRows(Rows):
    """`wanted` gives the number of a page that the view is about to show and that isn't here; `more` that a growing table is at its end."""

    wanted = Signal(int)
    more = Signal()

    def __init__(self, columns: Sequence[Column], size: int) -> None:
        super().__init__(columns)
        self._size = size
        self._pages: OrderedDict[int, tuple[Any, ...]] = OrderedDict()
        self._asked: int | None = None
        self._grows = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._ask)

    def begin(self, count: int, grows: bool = False) -> None:
        """Show a table of `count` rows, none of which is here; `grows`: there may be more than that."""
        self.beginResetModel()
        self._pages.clear()
        self._known = count
        self._grows = grows
        self._asked = None
        self.endResetModel()

    def put(self, page: int, rows: Sequence[Any]) -> None:
        """A page came in."""
        self._pages[page] = tuple(rows)
        self._pages.move_to_end(page)
        while len(self._pages) > HELD and not self._grows:
            self._pages.popitem(last=False)
        first = page * self._size
        last = min(first + len(rows), self._known) - 1
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))

    def append(self, rows: Sequence[Any], grows: bool) -> None:
        """More rows of a growing table; whether there may be more still."""
        self._grows = grows
        if rows:
            before = self._known
            self.beginInsertRows(QModelIndex(), before, before + len(rows) - 1)
            kept = [*self._pages.get(before // self._size, ()), *rows] if before % self._size else list(rows)
            for start in range(0, len(kept), self._size):
                self._pages[before // self._size + start // self._size] = tuple(kept[start : start + self._size])
            self._known = before + len(rows)
            self.endInsertRows()

    def has(self, page: int) -> bool:
        return page in self._pages

    def all(self) -> Sequence[Any]:
        """The rows that are here."""
        return [row for page in sorted(self._pages) for row in self._pages[page]]

    def row(self, position: int) -> Any:
        """A row, or None while it isn't here."""
        page, at = divmod(position, self._size)
        held = self._pages.get(page)
        return held[at] if held is not None and at < len(held) else None

    def canFetchMore(self, parent: Index = _NOWHERE) -> bool:
        return self._grows

    def fetchMore(self, parent: Index = _NOWHERE) -> None:
        if self._grows:
            self._grows = False
            self.more.emit()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        record = self.row(index.row())
        if record is not None:
            self._pages.move_to_end(index.row() // self._size)
            return self._shown(record, index.column(), role)
        if role in (self.CellRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.DisplayRole):
            self._asked = index.row() // self._size
            if not self._timer.isActive():
                self._timer.start()
            return WAITING if role == self.CellRole else WAITING.spoken
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft
        return None

    def _ask(self) -> None:
        if self._asked is not None and not self.has(self._asked):
            self.wanted.emit(self._asked)
        self._asked = None
