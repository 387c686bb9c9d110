"""A panel beside what it is about; below it where there is no room beside."""

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from app.theme.look import look
from app.widgets.basic import line

NARROW = 840
"""Pixels at scale 1.0 under which the panel goes below."""
SHARE = 0.4
"""Of the height, what the panel gets there at most."""
ANY = 16_777_215


class Beside(QWidget):
    """`main` takes what is left; `side` has `width` pixels at scale 1.0 and may be hidden; under `narrow` of them it goes below."""

    def __init__(self, main: QWidget, side: QWidget, width: int = 340, narrow: int = NARROW) -> None:
        super().__init__()
        self._side, self._width, self._narrow, self._share = side, width, narrow, SHARE
        self._edge, self._rule = line(vertical=True), line()
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(main, 1)
        for part in (self._edge, self._rule, side):
            self._layout.addWidget(part)
        self.setLayout(self._layout)
        self.below = False
        self._arrange()

    def give(self, width: int, share: float = SHARE) -> None:
        """Another width for the side, and another share of the height where it lies below."""
        if (width, share) != (self._width, self._share):
            self._width, self._share = width, share
            self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        here = look()
        self.below = self.width() < here.px(self._narrow)
        down = QBoxLayout.Direction.TopToBottom if self.below else QBoxLayout.Direction.LeftToRight
        self._layout.setDirection(down)
        self._edge.setVisible(not self.below)
        self._rule.setVisible(self.below)
        if self.below:
            self._side.setMinimumWidth(0)
            self._side.setMaximumWidth(ANY)
            self._side.setFixedHeight(int(self.height() * self._share))
        else:
            self._side.setFixedWidth(here.px(self._width))
            self._side.setMinimumHeight(0)
            self._side.setMaximumHeight(ANY)
