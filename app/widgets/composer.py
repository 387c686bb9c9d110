"""Where a question is written. Pictures that are pasted or dropped into it are handed on."""

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit

from app.theme.look import look
from app.widgets.picture_tray import holds_pictures


class Composer(QPlainTextEdit):
    """Where the question is written. Enter asks, Shift+Enter begins a line; `pictured` carries what holds pictures, while it is told."""

    sent = Signal()
    stopped = Signal()
    pictured = Signal(object)

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

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return holds_pictures(source) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if holds_pictures(source):
            self.pictured.emit(source)
        else:
            super().insertFromMimeData(source)
