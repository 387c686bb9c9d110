"""Where a question is written."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit

from app.theme.look import look


class Composer(QPlainTextEdit):
    """Where the question is written. Enter asks, Shift+Enter begins a line."""

    sent = Signal()
    stopped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("bare", True)
        self.setPlaceholderText("Ask the documents a question")
        self.setAccessibleName("Question")
        self.setTabChangesFocus(True)
        self.setFixedHeight(look().px(44))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        ):
            self.sent.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.stopped.emit()
        else:
            super().keyPressEvent(event)
