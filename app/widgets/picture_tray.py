"""Pictures that a question comes with: a small copy of each in a row, with its name and size in words, and the way to take it away."""

from collections.abc import Sequence
from itertools import pairwise, zip_longest

from PySide6.QtCore import QMimeData, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from app.theme.look import look
from app.widgets.basic import column, row
from app.widgets.buttons import Clickable, icon_button
from app.widgets.painting import focus_ring

SIDE = 56
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
KINDS = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff")


def pixels(width: int, height: int, data: bytes) -> QImage:
    """An image of RGB pixels, three bytes each."""
    return QImage(data, width, height, width * 3, QImage.Format.Format_RGB888).copy()


def picture_files(mime: QMimeData) -> list[str]:
    """The pictures among the files that are dropped or pasted, by their names."""
    paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()] if mime.hasUrls() else []
    return [path for path in paths if path.lower().endswith(SUFFIXES)]


def holds_pictures(mime: QMimeData) -> bool:
    """Whether what is dropped or pasted is pictures; where it is text too, it is text."""
    if picture_files(mime):
        return True
    return not mime.hasText() and (mime.hasImage() or any(mime.hasFormat(kind) for kind in KINDS))


def picture_bytes(mime: QMimeData) -> bytes:
    """The file of a picture on the clipboard, as it came; or made anew of pixels."""
    from PySide6.QtCore import QBuffer, QIODevice

    for kind in KINDS:
        if mime.hasFormat(kind):
            return mime.data(kind).data()
    image = mime.imageData()
    if not isinstance(image, QImage) or image.isNull():
        return b""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return buffer.data().data()


class Thumb(Clickable):
    """A picture in small; a press shows it large."""

    def __init__(self, image: QImage, says: str) -> None:
        super().__init__(surface="none", says=says)
        self._image = image
        self.setToolTip(says)
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(look().px(SIDE), look().px(SIDE))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(area, here.px(4), here.px(4))
        painter.fillPath(outline, here.colour("surface.paper"))
        painter.save()
        painter.setClipPath(outline)
        size = self._image.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(area.center())
        painter.drawImage(place, self._image)
        painter.restore()
        painter.setPen(QPen(here.colour("border.default"), 1))
        painter.drawPath(outline)
        if self.hasFocus():
            focus_ring(painter, self.rect())
        painter.end()


class PictureTray(QFrame):
    """`taken` gives the place of the picture that was taken away, `asked` of that which shall be seen large. `removable` pictures have a cross."""

    taken = Signal(int)
    asked = Signal(int)

    def __init__(self, removable: bool = True) -> None:
        super().__init__()
        self.setProperty("surface", "plain")
        self.setAccessibleName("Pictures")
        self._removable = removable
        self._following: tuple[QWidget, ...] = ()
        self.thumbs: list[Thumb] = []
        self.crosses: list[QWidget] = []
        self._row = row(space=8, margins=(2, 2, 2, 2))
        self._row.addStretch(1)
        inside = QWidget()
        inside.setProperty("plain", True)
        inside.setLayout(self._row)
        self._scroll = QScrollArea()
        self._scroll.setAccessibleName("Pictures")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setLayout(column(self._scroll, space=0))
        self.setFixedHeight(look().px(SIDE + 18))
        self.hide()

    def before(self, *following: QWidget) -> None:
        """By Tab the pictures come before these, which follow in this order."""
        self._following = following

    def show_pictures(self, pictures: Sequence[tuple[QImage, str]]) -> None:
        """Show these, each with what is said of it."""
        while self._row.count() > 1:
            item = self._row.takeAt(0)
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.thumbs, self.crosses = [], []
        for place, (image, says) in enumerate(pictures):
            thumb = Thumb(image, says)
            thumb.clicked.connect(lambda which=place: self.asked.emit(which))
            self.thumbs.append(thumb)
            held = QWidget()
            parts = row(thumb, space=2)
            if self._removable:
                cross = icon_button("close", f"Take away {says}")
                cross.clicked.connect(lambda _=False, which=place: self.taken.emit(which))
                self.crosses.append(cross)
                parts.addWidget(cross)
                parts.setAlignment(cross, Qt.AlignmentFlag.AlignTop)
            held.setLayout(parts)
            self._row.insertWidget(place, held)
        self.setVisible(bool(pictures))
        self._order()

    def _order(self) -> None:
        own = [widget for pair in zip_longest(self.thumbs, self.crosses) for widget in pair if widget is not None]
        if own and self._following:
            for first, second in pairwise([*own, *self._following]):
                QWidget.setTabOrder(first, second)
