"""Asks for one name, in the middle of the window: a verb as its title, the same verb as its button."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame

from app.widgets.basic import column, label, row
from app.widgets.buttons import Button
from app.widgets.forms import Field, line_edit, required


class NameForm(QFrame):
    """`named` gives the name; `left` says that nothing shall be done."""

    named = Signal(str)
    left = Signal()

    def __init__(
        self, act: str, word: str, text: str = "", note: str = "", check: Callable[[str], str] | None = None
    ) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(act)
        self.field = Field(word, line_edit(text=text), note, check or required(word))
        self.field.edit.returnPressed.connect(self._take)
        self.field.edit.selectAll()
        self.cancel = Button("Cancel", hint="Esc")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.left)
        self.take = Button(act, kind="primary", hint="Enter")
        self.take.setAutoDefault(False)
        self.take.clicked.connect(self._take)
        self.setLayout(
            column(
                label(act, type="title"),
                self.field,
                4,
                row(None, self.cancel, self.take),
                space=12,
                margins=(24, 20, 24, 20),
            )
        )
        self.setFocusProxy(self.field.edit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def _take(self) -> None:
        if self.field.good():
            self.named.emit(self.field.text.strip())
