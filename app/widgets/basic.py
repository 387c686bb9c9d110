"""The small parts that every page is made of: labels, buttons, badges, hairlines, cards, key hints and the focus ring.

Text comes in whole and is elided only where a widget says so; digests are shortened in the middle. Whatever is only an icon has a tooltip and
an accessible name. A disabled button carries its reason as a tooltip.
"""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.painting import badge_size, hint_size, paint_badge, paint_hint


def label(
    text: str = "", type: str = "body", tone: str = "primary", strong: bool = False, wrap: bool = False
) -> QLabel:
    """A label in one of the type scale's uses and one of the text tones. The text is plain, never markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("type", type)
    made.setProperty("tone", tone)
    made.setProperty("strong", strong)
    made.setWordWrap(wrap)
    return made


def restyle(widget: QWidget, **properties: object) -> None:
    """Change dynamic properties and let the style sheet see it."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


class IconLabel(QWidget):
    """An icon by itself, in a tone, `side` pixels at scale 1.0; decoration beside words, hidden from screen readers."""

    def __init__(self, name: str, tone: str = "text.secondary", side: int = 16) -> None:
        super().__init__()
        self._name, self._tone, self._side = name, tone, side
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_icon(self, name: str, tone: str) -> None:
        self._name, self._tone = name, tone
        self.update()

    def sizeHint(self) -> QSize:
        side = look().px(self._side)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_icon(painter, self.rect(), self._name, self._tone)
        painter.end()


class Badge(QWidget):
    """A word with a tint: a state, a label or a verdict (`pass`, `fail`, `warn`, `info`, `signed`, `unverified`, `accent`, `plain`)."""

    def __init__(self, text: str, meaning: str = "plain", name: str = "", strong: bool = False) -> None:
        super().__init__()
        self._text, self._meaning, self._icon, self._strong = text, meaning, name, strong
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    def say(self, text: str, meaning: str, name: str = "") -> None:
        self._text, self._meaning, self._icon = text, meaning, name
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    @property
    def text(self) -> str:
        return self._text

    def sizeHint(self) -> QSize:
        return badge_size(self._text, bool(self._icon))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_badge(painter, self.rect(), self._text, self._meaning, self._icon)
        painter.end()


class KeyHint(QWidget):
    """A key cap beside a word."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Key {text}")

    def sizeHint(self) -> QSize:
        return hint_size(self._text)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_hint(painter, self.rect(), self._text)
        painter.end()


class Elided(QLabel):
    """One line that gives way: elided at the end, or in the middle (`middle=True`, for digests and paths)."""

    def __init__(
        self, text: str = "", middle: bool = False, type: str = "body", tone: str = "primary", strong: bool = False
    ) -> None:
        super().__init__()
        self._full = text
        self._mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        self.setTextFormat(Qt.TextFormat.PlainText)
        for name, value in (("type", type), ("tone", tone), ("strong", strong)):
            self.setProperty(name, value)
        self.setMinimumWidth(look().px(24))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.say(text)

    def say(self, text: str) -> None:
        self._full = text
        self.setAccessibleName(text)
        self.setText(text)
        self.updateGeometry()

    @property
    def full(self) -> str:
        return self._full

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = QFontMetrics(self.font()).elidedText(self._full, self._mode, self.width())
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()
        self.setToolTip(self._full if shown != self._full else "")


def shorten(digest: str, head: int = 4, tail: int = 4) -> str:
    """A digest shortened in the middle, never at its end."""
    return digest if len(digest) <= head + tail + 1 else f"{digest[:head]}…{digest[-tail:]}"


def line(vertical: bool = False) -> QFrame:
    """A hairline."""
    made = QFrame()
    made.setProperty("line", "vertical" if vertical else "horizontal")
    return made


def frame(surface: str) -> QFrame:
    """A frame with one of the surfaces of the style sheet."""
    made = QFrame()
    made.setProperty("surface", surface)
    return made


def row(*items: QWidget | int | None, space: int = 8, margins: Sequence[int] = (0, 0, 0, 0)) -> QHBoxLayout:
    """Widgets side by side; None stretches, a number is a gap."""
    return _fill(QHBoxLayout(), items, space, margins)


def column(
    *items: QWidget | QLayout | int | None, space: int = 8, margins: Sequence[int] = (0, 0, 0, 0)
) -> QVBoxLayout:
    """Widgets below each other; None stretches, a number is a gap."""
    return _fill(QVBoxLayout(), items, space, margins)


def _fill(layout, items, space, margins):
    here = look()
    layout.setContentsMargins(*(here.px(side) for side in margins))
    layout.setSpacing(here.px(space))
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(here.px(item))
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item)
    return layout


def clear(layout: QLayout, keep: Sequence[QWidget] = ()) -> None:
    """Take everything out of a layout, and its widgets out of the world, but for those to `keep`.

    A widget of a row may be given to another parent only after it was taken out like this: Qt frees the row's item for it by itself
    otherwise, Python isn't told, and takes the next object that lies there for that item, which ends the program."""
    while layout.count():
        item = layout.takeAt(0)
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            if widget not in keep:
                widget.hide()
                widget.deleteLater()
        elif inner is not None:
            clear(inner, keep)


class Card(QFrame):
    """A panel with a subtle border and a heading."""

    def __init__(self, heading: str = "", note: str = "") -> None:
        super().__init__()
        self.setProperty("surface", "card")
        self.body = column(margins=(16, 14, 16, 14), space=8)
        self.setLayout(self.body)
        if heading:
            self.heading = label(heading, type="heading")
            self.body.addWidget(self.heading)
            self.setAccessibleName(heading)
        if note:
            self.body.addWidget(label(note, type="small", tone="secondary", wrap=True))

    def fact(self, what: str, value: str, name: str = "", tone: str = "secondary", lines: bool = False) -> QLabel:
        """A row of a name and its value; returns the value's label."""
        if lines and self.body.count() > 1:
            self.body.addWidget(line())
        shown = label(value, tone=tone)
        shown.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        left = label(what, tone="primary" if name else "secondary")
        items: list[QWidget | int | None] = [left, None, shown]
        if name:
            items.insert(0, IconLabel(name, f"{tone}.fg" if tone in ("pass", "warn", "fail") else "text.secondary"))
        self.body.addLayout(row(*items, space=10))
        return shown


class SearchField(QLineEdit):
    """A line to search in, with a glass before it and, where given, a key cap after it."""

    def __init__(self, placeholder: str, hint: str = "") -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self._hint, self._words = hint, placeholder
        self._rescale()
        look().changed.connect(self._rescale)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where there is no room for the words, the first of them says enough."""
        margins = self.textMargins()
        room = self.width() - margins.left() - margins.right() - look().px(20)
        fits = self.fontMetrics().horizontalAdvance(self._words) <= room
        self.setPlaceholderText(self._words if fits else self._words.split()[0])

    def _rescale(self) -> None:
        here = look()
        right = hint_size(self._hint).width() + here.px(4) if self._hint else 0
        self.setTextMargins(here.px(20), 0, right, 0)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        here = look()
        painter = QPainter(self)
        side = here.px(15)
        paint_icon(painter, QRect(here.px(9), (self.height() - side) // 2, side, side), "search", "text.secondary")
        if self._hint:
            size = hint_size(self._hint)
            spot = QPoint(self.width() - size.width() - here.px(7), (self.height() - size.height()) // 2)
            paint_hint(painter, QRect(spot, size), self._hint)
        painter.end()
