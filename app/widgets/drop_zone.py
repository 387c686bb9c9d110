"""A place to drop files on, which is a button as well: whatever can be dropped can also be chosen."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFileDialog

from app.theme.look import look
from app.widgets.basic import IconLabel, column, label
from app.widgets.buttons import Clickable
from app.widgets.painting import focus_ring


class DropZone(Clickable):
    """`dropped` gives the paths. `suffixes` narrows what may be dropped and chosen; none means anything."""

    dropped = Signal(list)

    def __init__(
        self, words: str, note: str = "", name: str = "pack", suffixes: Sequence[str] = (), folders: bool = False
    ) -> None:
        super().__init__(surface="none", says=words)
        self.setAccessibleDescription(note)
        self.setAcceptDrops(True)
        self._suffixes, self._folders, self._title = tuple(suffixes), folders, words
        self._over = False
        sign = IconLabel(name, "text.secondary", 20)
        title = label(words, strong=True)
        below = label(note, type="small", tone="secondary", wrap=True)
        layout = column(sign, title, below, space=6, margins=(12, 14, 12, 14))
        for item in (sign, title):
            layout.setAlignment(item, Qt.AlignmentFlag.AlignHCenter)
        below.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        if not note:
            below.hide()
        self.setLayout(layout)
        self.clicked.connect(self._choose)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and any(self._fits(url.toLocalFile()) for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._over = True
            self.update()

    def dragLeaveEvent(self, event) -> None:
        self._over = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._over = False
        self.update()
        paths = [url.toLocalFile() for url in event.mimeData().urls() if self._fits(url.toLocalFile())]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(here.colour("accent.base" if self._over else "border.strong"), 1, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(
            here.colour("surface.selected" if self._over else "surface.hover" if self.underMouse() else "surface.panel")
        )
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), here.px(6), here.px(6))
        if self.hasFocus():
            focus_ring(painter, self.rect(), 6)
        painter.end()

    def _fits(self, path: str) -> bool:
        found = Path(path)
        if found.is_dir():
            return self._folders
        return not self._suffixes or found.suffix.lower() in self._suffixes

    def _choose(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in self._suffixes) or "*"
        paths, _ = QFileDialog.getOpenFileNames(self, self._title, "", f"Files ({kinds})")
        if paths:
            self.dropped.emit(paths)
