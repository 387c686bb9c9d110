"""Widgets of one kind side by side, in as many columns as there is room for."""

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme.look import look


class GridOf(QWidget):
    """Each widget gets at least `width` pixels at scale 1.0; hidden ones leave no gap."""

    def __init__(self, widgets: Sequence[QWidget], width: int, most: int = 3) -> None:
        super().__init__()
        self._widgets, self._width, self._most = tuple(widgets), width, most
        self._columns = 0
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(look().px(24))
        self._grid.setVerticalSpacing(look().px(16))
        self.setLayout(self._grid)
        self._arrange(2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(max(1, min(self._most, self.width() // look().px(self._width))))

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, widget in enumerate(self._widgets):
            self._grid.removeWidget(widget)
            self._grid.addWidget(widget, place // columns, place % columns)
        for place in range(self._most):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)
