"""A word that something succeeded, bottom right, for 6 seconds, with Undo where it can be undone. Never for failures.

One kind stays until it is answered: the word that the vault is about to be locked.
"""

from collections.abc import Callable

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPoint, QPropertyAnimation, Qt, QTimer
from PySide6.QtWidgets import QFrame, QWidget

from app.theme.look import look
from app.widgets.announcing import announce
from app.widgets.basic import IconLabel, label, row
from app.widgets.buttons import Button


class Toast(QFrame):
    """One toast over `parent`; a new one takes the place of the one before."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "raised")
        self._words = label("", wrap=True)
        self._undo = Button("Undo", kind="link")
        self._undo.clicked.connect(self._undone)
        self._act: Callable[[], None] | None = None
        self._sign = IconLabel("check", "pass.fg", 18)
        self._warns = False
        layout = row(self._sign, space=10, margins=(14, 10, 10, 10))
        layout.addWidget(self._words, 1)
        layout.addWidget(self._undo)
        self.setLayout(layout)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self._over: QWidget | None = None
        self._slide = QPropertyAnimation(self, b"pos", self)
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        return self._words.text()

    def keep_over(self, widget: QWidget) -> None:
        """Lie above `widget` while that is open."""
        self._over = widget

    def say(self, words: str, undo: Callable[[], None] | None = None) -> None:
        self._warns = False
        self._sign.show_icon("check", "pass.fg")
        self._show(words, "Undo", undo)
        self._timer.start(look().motion("toast_stays"))

    def warn(self, words: str, act: str, acted: Callable[[], None]) -> None:
        """Show what is about to happen, until it is answered or `unwarn` is called; saying it again only changes the words."""
        self._timer.stop()
        if self._warns and self.isVisible():
            self._words.setText(words)
            return
        self._warns = True
        self._sign.show_icon("lock", "warn.fg")
        self._show(words, act, acted)

    def unwarn(self) -> None:
        """Take a warning away; a word of success stays."""
        if self._warns:
            self._warns = False
            self.hide()

    def forget(self) -> None:
        """Hide, and keep nothing of what was said."""
        self._warns, self._act = False, None
        self._timer.stop()
        self._words.clear()
        self.setAccessibleName("")
        self.hide()

    def _show(self, words: str, act: str, acted: Callable[[], None] | None) -> None:
        here = look()
        self._words.setText(words)
        self._act = acted
        self._undo.setText(act)
        self._undo.setAccessibleName(act)
        self._undo.updateGeometry()
        self._undo.setVisible(acted is not None)
        self.setFixedWidth(here.px(360))
        self.adjustSize()
        self.setAccessibleName(words)
        target = self._target()
        self.show()
        self.raise_()
        duration = here.motion("toast_in")
        if duration:
            self._slide.stop()
            self._slide.setDuration(duration)
            self._slide.setEasingCurve(QEasingCurve(here.easing))
            self._slide.setStartValue(target + QPoint(0, here.px(16)))
            self._slide.setEndValue(target)
            self._slide.start()
        else:
            self.move(target)
        announce(self, words)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.move(self._target())
        return super().eventFilter(watched, event)

    def enterEvent(self, event) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event) -> None:
        if not self._warns:
            self._timer.start(look().motion("toast_stays"))
        super().leaveEvent(event)

    def keyPressEvent(self, event) -> None:
        if event.key() == Qt.Key.Key_Escape and not self._warns:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _undone(self) -> None:
        self._warns = False
        self.hide()
        if self._act is not None:
            self._act()

    def _target(self) -> QPoint:
        parent = self.parentWidget()
        gap = look().px(16)
        bottom = parent.height() - look().px(28)
        if self._over is not None and self._over.isVisible():
            bottom = self._over.y()
        return QPoint(parent.width() - self.width() - gap, bottom - self.height() - gap)
