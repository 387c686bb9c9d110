"""Fields with their label above (or at the left, in dialogs) and their error below, checked when the field is left."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QWidget,
)

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.basic import IconLabel, column, label, restyle, row

LABEL_WIDTH = 104


class Field(QWidget):
    """A label, an input and the place for an error. `check` gives what is wrong with the text, or nothing."""

    left = Signal()

    def __init__(
        self,
        word: str,
        edit: QLineEdit | QPlainTextEdit | QComboBox,
        note: str = "",
        check: Callable[[str], str] | None = None,
        beside: bool = False,
    ) -> None:
        super().__init__()
        self.edit = edit
        self._check = check
        edit.setAccessibleName(word)
        edit.setSizePolicy(QSizePolicy.Policy.Expanding, edit.sizePolicy().verticalPolicy())
        title = label(word, strong=not beside, wrap=beside)
        title.setBuddy(edit)
        self._note = label(note, type="small", tone="tertiary", wrap=True)
        if not note:
            self._note.hide()
        self._sign = IconLabel("alert", "fail.fg", 14)
        self._error = label("", type="small", tone="fail", wrap=True)
        error = row(self._sign, space=6)
        error.addWidget(self._error, 1)
        body = column(edit, self._note, space=4)
        body.addLayout(error)
        if beside:
            title.setFixedWidth(look().px(LABEL_WIDTH))
            title.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            title.setContentsMargins(0, look().px(7), 0, 0)
            layout = row(title, space=8)
            layout.addLayout(body, 1)
        else:
            layout = column(title, body, space=4)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        edit.installEventFilter(self)
        self.fail("")

    @property
    def text(self) -> str:
        if isinstance(self.edit, QPlainTextEdit):
            return self.edit.toPlainText()
        if isinstance(self.edit, QComboBox):
            return self.edit.currentText()
        return self.edit.text()

    @property
    def error(self) -> str:
        return self._error.text()

    def fail(self, sentence: str) -> None:
        """Show what is wrong; an empty sentence takes it away."""
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        self._sign.setVisible(bool(sentence))
        self.edit.setAccessibleDescription(sentence or self._note.text())
        restyle(self.edit, state="failed" if sentence else "")

    def say_note(self, note: str) -> None:
        """Another note below the input, or none."""
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def good(self) -> bool:
        """Check now, show what is wrong, and say whether nothing is."""
        self.fail(self._check(self.text) if self._check is not None else "")
        return not self.error

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.edit and event.type() == QEvent.Type.FocusOut:
            if self._check is not None and self.text:
                self.good()
            self.left.emit()
        return super().eventFilter(watched, event)


def line_edit(placeholder: str = "", text: str = "") -> QLineEdit:
    made = QLineEdit(text)
    made.setPlaceholderText(placeholder)
    return made


def passphrase_edit() -> QLineEdit:
    """Hides what is typed, and keeps it from being copied or guessed by an input method."""
    made = QLineEdit()
    made.setEchoMode(QLineEdit.EchoMode.Password)
    hints = Qt.InputMethodHint
    made.setInputMethodHints(
        hints.ImhHiddenText | hints.ImhSensitiveData | hints.ImhNoPredictiveText | hints.ImhNoAutoUppercase
    )
    return made


class Choice(QComboBox):
    """A combo box whose arrow is painted, because a style sheet has no picture for it."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        side = look().px(14)
        spot = QRect(self.width() - side - look().px(8), (self.height() - side) // 2, side, side)
        paint_icon(painter, spot, "down", "text.secondary" if self.isEnabled() else "text.disabled")
        painter.end()

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """A style sheet cuts a long text off where its room ends; three dots say that there is more."""
        super().initStyleOption(option)
        place = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, place, self).width() - look().px(
            4
        )
        metrics = self.fontMetrics()
        option.currentText = metrics.elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)

    def wheelEvent(self, event) -> None:
        event.ignore()


class Check(QCheckBox):
    """A check box whose mark is painted."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        area = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        painter = QPainter(self)
        paint_icon(painter, area.adjusted(2, 2, -2, -2), "check", "text.on_accent")
        painter.end()


def required(what: str) -> Callable[[str], str]:
    """A check that something was written."""
    return lambda text: "" if text.strip() else f"{what} is missing."
