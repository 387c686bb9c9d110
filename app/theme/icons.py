"""Icons by what they mean here, drawn in the colour of the moment.

The glyphs are Phosphor's (MIT), from the font file that the QtAwesome package carries; the font is read directly, because importing the
package costs 0.3 s of the window's start and brings a second layer over Qt. A few that the set lacks are strokes on a 24-unit grid. An icon
keeps a token's name, not a colour: after a restyle the next paint is right. `stamp` is only for signing, `barrier` only for the
network barrier.
"""

import importlib.util
from functools import cache
from pathlib import Path

import msgspec
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPainterPath, QPen, QPixmap

from app.theme.look import look

GLYPHS = {
    "home": "house",
    "chat": "chats",
    "documents": "books",
    "prompts": "note-pencil",
    "datasets": "table",
    "training": "graduation-cap",
    "models": "cube",
    "monitoring": "activity",
    "pipelines": "flow-arrow",
    "settings": "gear",
    "lock": "lock-simple",
    "unlock": "lock-simple-open",
    "barrier": "shield-check",
    "folder": "folder",
    "folder-open": "folder-open",
    "folder-plus": "folder-plus",
    "file": "file-text",
    "file-plus": "file-plus",
    "file-search": "file-search",
    "file-broken": "file-x",
    "file-question": "question",
    "question": "question",
    "mail": "envelope",
    "check": "check-bold",
    "cross": "x-bold",
    "close": "x",
    "warning": "warning",
    "alert": "warning-circle",
    "info": "info",
    "copy": "copy",
    "good": "thumbs-up",
    "bad": "thumbs-down",
    "again": "arrow-counter-clockwise",
    "open": "arrow-square-out",
    "up": "caret-up",
    "down": "caret-down",
    "left": "caret-left",
    "right": "caret-right",
    "zoom-in": "magnifying-glass-plus",
    "zoom-out": "magnifying-glass-minus",
    "search": "magnifying-glass",
    "columns": "columns",
    "pack": "package",
    "fingerprint": "fingerprint",
    "save": "download-simple",
    "processor": "cpu",
    "disk": "hard-drives",
    "jobs": "stack",
    "person": "user",
    "people": "users",
    "plus": "plus",
    "minus": "minus",
    "pause": "pause",
    "play": "play",
    "stop": "stop",
    "hidden": "eye-slash",
    "shown": "eye",
    "clock": "clock",
    "send": "arrow-up",
    "new": "note-pencil",
    "keyboard": "keyboard",
    "tray": "tray",
    "book": "book-open",
    "trash": "trash",
    "pdf": "file-pdf",
    "label": "tag",
    "scan": "frame-corners",
    "theme": "circle-half",
    "history": "clock-counter-clockwise",
    "compare": "git-diff",
    "log": "list-bullets",
    "safe": "archive",
    "person-plus": "user-plus",
    "person-minus": "user-minus",
    "key": "key",
    "roles": "identification-badge",
    "upload": "upload-simple",
    "health": "heartbeat",
    "filter": "funnel-simple",
    "picture": "image",
    "adapter": "sliders-horizontal",
    "tokens": "brackets-curly",
}
STROKES: dict[str, tuple[str, ...]] = {
    "stamp": (
        "M5 21 L19 21",
        "M9.2 13.5 L8.6 8.6 C7.6 6 9.2 3 12 3 C14.8 3 16.4 6 15.4 8.6 L14.8 13.5",
        "M5 17.5 L5 15.2 C5 14.2 5.8 13.5 6.8 13.5 L17.2 13.5 C18.2 13.5 19 14.2 19 15.2 L19 17.5 Z",
    ),
    "evaluations": (
        "M12.5 6 L21 6",
        "M12.5 12 L21 12",
        "M12.5 18 L21 18",
        "M3 6.2 L5 8 L8.6 4",
        "M3 12.2 L5 14 L8.6 10",
        "M3 18.2 L5 20 L8.6 16",
    ),
    "memory": (
        "M3 7 L21 7 L21 16 L3 16 Z",
        "M7 10 L7 13",
        "M12 10 L12 13",
        "M17 10 L17 13",
        "M6 16 L6 18.5",
        "M10 16 L10 18.5",
        "M14 16 L14 18.5",
        "M18 16 L18 18.5",
    ),
}
STROKE_WIDTH = 1.75


def icon(name: str, tone: str = "text.primary", active: str = "") -> QIcon:
    """An icon in the colour of the token `tone`; when checked or selected in that of `active` (where one is given)."""
    return QIcon(_Engine(name, tone, active))


def paint_icon(painter: QPainter, area: QRect | QRectF, name: str, tone: str | QColor) -> None:
    """Paint an icon centred in `area`, as large as its shorter side."""
    colour = tone if isinstance(tone, QColor) else look().colour(tone)
    side = min(area.width(), area.height())
    centre = QPointF(area.x() + area.width() / 2, area.y() + area.height() / 2)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if name in STROKES:
        painter.translate(centre.x() - side / 2, centre.y() - side / 2)
        painter.scale(side / 24, side / 24)
        pen = QPen(colour, STROKE_WIDTH, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(_strokes(name))
    else:
        painter.setFont(_font(round(side * 4) / 4))
        painter.setPen(colour)
        box = QRectF(centre.x() - side, centre.y() - side, 2 * side, 2 * side)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _glyph(GLYPHS[name]))
    painter.restore()


class _Engine(QIconEngine):
    """Paints at the painter's own ratio, so the icon is sharp on every screen."""

    def __init__(self, name: str, tone: str, active: str) -> None:
        super().__init__()
        if name not in STROKES and name not in GLYPHS:
            raise KeyError(name)
        self._name, self._tone, self._active = name, tone, active

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        tone = self._tone
        if mode == QIcon.Mode.Disabled:
            tone = "text.disabled"
        elif self._active and (state == QIcon.State.On or mode == QIcon.Mode.Selected):
            tone = self._active
        paint_icon(painter, rect, self._name, tone)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> "_Engine":
        return _Engine(self._name, self._tone, self._active)


@cache
def _folder() -> Path:
    found = importlib.util.find_spec("qtawesome")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("QtAwesome's icon fonts are missing. Install Assay again.")
    return Path(found.submodule_search_locations[0]) / "fonts"


@cache
def _charmap() -> dict[str, str]:
    return msgspec.json.decode(next(_folder().glob("phosphor-charmap-*.json")).read_bytes(), type=dict[str, str])


@cache
def _family() -> str:
    number = QFontDatabase.addApplicationFont(str(next(_folder().glob("phosphor-*.ttf"))))
    return QFontDatabase.applicationFontFamilies(number)[0]


@cache
def _glyph(name: str) -> str:
    return chr(int(_charmap()[name], 16))


@cache
def _font(size: float) -> QFont:
    font = QFont(_family())
    font.setPixelSize(max(1, round(size)))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


@cache
def _strokes(name: str) -> QPainterPath:
    path = QPainterPath()
    for stroke in STROKES[name]:
        words = stroke.replace("M", " M ").replace("L", " L ").replace("C", " C ").replace("Z", " Z ").split()
        at = 0
        while at < len(words):
            command = words[at]
            if command == "Z":
                path.closeSubpath()
                at += 1
                continue
            count = 6 if command == "C" else 2
            numbers = [float(word) for word in words[at + 1 : at + 1 + count]]
            if command == "M":
                path.moveTo(*numbers)
            elif command == "L":
                path.lineTo(*numbers)
            else:
                path.cubicTo(*numbers)
            at += 1 + count
    return path
