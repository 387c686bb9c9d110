"""What lies over the window for a while: the scrim that dims the rest, and panels docked at the right or in the middle.

The content that a panel is about may stay lit: `lit` widgets are left out of the dimming. Esc closes; the focus stays inside.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QWidget

from app.theme.look import look


class Overlay(QWidget):
    """Dims its parent and holds one panel. `close_panel` takes both away and gives the focus back."""

    def __init__(self, parent: QWidget, below: int = 0) -> None:
        super().__init__(parent)
        self._panel: QWidget | None = None
        self._lit: tuple[QWidget, ...] = ()
        self._docked = True
        self._width = 536
        self._below = below
        self._before: QWidget | None = None
        parent.installEventFilter(self)
        self.hide()

    @property
    def panel(self) -> QWidget | None:
        return self._panel

    def open_panel(self, panel: QWidget, lit: Sequence[QWidget] = (), docked: bool = True, width: int = 536) -> None:
        """Show `panel`, docked at the right over the full height or in the middle at its own height."""
        self.close_panel()
        self._before = QApplication.focusWidget()
        self._panel, self._lit, self._docked, self._width = panel, tuple(lit), docked, width
        panel.setParent(self)
        panel.installEventFilter(self)
        self._place()
        self.show()
        self.raise_()
        panel.show()
        panel.setFocus()
        panel.nextInFocusChain().setFocus(Qt.FocusReason.TabFocusReason)

    def close_panel(self) -> None:
        if self._panel is None:
            return
        gone, self._panel, self._lit = self._panel, None, ()
        gone.hide()
        gone.deleteLater()
        self.hide()
        if self._before is not None:
            try:
                self._before.setFocus()
            except RuntimeError:
                self._before = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        grown = watched is self.parent() and kind == QEvent.Type.Resize
        changed = watched is self._panel and kind == QEvent.Type.LayoutRequest and not self._docked
        if self._panel is not None and (grown or changed):
            self._place()
        return super().eventFilter(watched, event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        found = super().focusNextPrevChild(forward)
        focused = QApplication.focusWidget()
        if self._panel is not None and (focused is None or not self._panel.isAncestorOf(focused)):
            self._panel.setFocus()
            return True
        return found

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()

    def mousePressEvent(self, event) -> None:
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        region = QRegion(self.rect())
        for widget in self._lit:
            if widget.isVisible():
                region -= QRegion(QRect(self.mapFromGlobal(widget.mapToGlobal(widget.rect().topLeft())), widget.size()))
        painter.setClipRegion(region)
        painter.fillRect(self.rect(), look().colour("surface.scrim"))
        painter.end()

    def _place(self) -> None:
        here = look()
        parent = self.parentWidget()
        self.setGeometry(0, 0, parent.width(), parent.height() - self._below)
        if self._panel is None:
            return
        gap = here.px(16)
        width = min(here.px(self._width), self.width() - 2 * gap)
        if self._docked:
            self._panel.setGeometry(self.width() - width - gap, gap, width, self.height() - 2 * gap)
            return
        panel = self._panel
        wanted = panel.heightForWidth(width) if panel.hasHeightForWidth() else panel.sizeHint().height()
        height = min(wanted, self.height() - 2 * gap)
        top = min(here.px(88), (self.height() - height) // 2)
        self._panel.setGeometry((self.width() - width) // 2, top, width, height)
