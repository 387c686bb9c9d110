"""F1: the keys, in groups."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout

from app.theme.look import look
from app.widgets.basic import KeyHint, column, label, line, row
from app.widgets.buttons import Button

Keys = Sequence[tuple[str, Sequence[tuple[str, str]]]]


class KeySheet(QFrame):
    """`left` says that it shall go away."""

    left = Signal()

    def __init__(self, groups: Keys) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Keyboard help")
        close = Button("Close", hint="Esc")
        close.clicked.connect(self.left)
        self.setFocusProxy(close)
        layout = column(
            row(label("Keyboard help", type="title"), None, close), line(), space=10, margins=(24, 18, 24, 22)
        )
        columns = row(space=32)
        for heading, keys in groups:
            grid = QGridLayout()
            grid.setHorizontalSpacing(look().px(12))
            grid.setVerticalSpacing(look().px(8))
            grid.addWidget(label(heading, strong=True), 0, 0, 1, 2)
            for position, (key, does) in enumerate(keys, 1):
                grid.addWidget(KeyHint(key), position, 0, Qt.AlignmentFlag.AlignLeft)
                grid.addWidget(label(does, wrap=True), position, 1)
            grid.setColumnStretch(1, 1)
            grid.setRowStretch(len(keys) + 1, 1)
            columns.addLayout(grid, 1)
        layout.addLayout(columns)
        self.setLayout(layout)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F1):
            self.left.emit()
        else:
            super().keyPressEvent(event)
