"""A place with nothing in it yet: one sentence and one button, at the left, and no picture."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.widgets.basic import column, label, row
from app.widgets.buttons import Button, button


class EmptyState(QWidget):
    """`acted` is its button."""

    acted = Signal()

    def __init__(self, sentence: str, act: str = "", name: str = "", kind: str = "primary") -> None:
        super().__init__()
        self._words = label(sentence, type="answer", tone="secondary", wrap=True)
        self._words.setMaximumWidth(560)
        self.act: Button | None = None
        layout = column(self._words, space=14, margins=(24, 24, 24, 24))
        if act:
            self.act = button(act, name, kind)
            self.act.clicked.connect(self.acted)
            layout.addLayout(row(self.act, None))
        layout.addStretch(1)
        self.setLayout(layout)
        self.setAccessibleName(sentence)

    def say(self, sentence: str) -> None:
        self._words.setText(sentence)
        self.setAccessibleName(sentence)
