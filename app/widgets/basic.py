"""The small parts that every page is made of: labels, buttons, badges, hairlines, cards, key hints and the focus ring.

Text comes in whole and is elided only where a widget says so; digests are shortened in the middle. Whatever is only an icon has a tooltip and
an accessible name. A disabled button carries its reason as a tooltip.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme.icons import icon, paint_icon
from app.theme.look import look


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


def button(text: str, name: str = "", kind: str = "normal", small: bool = False, hint: str = "") -> "Button":
    """A button named by a verb; `kind` is normal, primary, quiet or link; `hint` is its key."""
    return Button(text, name, kind, small, hint)


class Button(QPushButton):
    """A push button whose key hint, where it has one, is drawn inside it."""

    def __init__(self, text: str, name: str = "", kind: str = "normal", small: bool = False, hint: str = "") -> None:
        super().__init__(text)
        self.setProperty("kind", kind)
        self.setProperty("small", small)
        self._hint = hint
        self._caret = False
        self._icon_name = name
        if name:
            self.setIcon(icon(name, _icon_tone(kind)))
        self.setAccessibleName(text)
        if hint:
            self.setAccessibleDescription(f"Key: {hint}")
        self._rescale()
        look().changed.connect(self._rescale)

    def become(self, kind: str) -> None:
        """Change its kind: a view has one primary button, and which one may change."""
        if kind == self.property("kind"):
            return
        if self._icon_name:
            self.setIcon(icon(self._icon_name, _icon_tone(kind)))
        restyle(self, kind=kind)

    def with_caret(self) -> "Button":
        """Show that it opens a menu."""
        self._caret = True
        return self

    def refuse(self, reason: str) -> None:
        """Disable it and say why; an empty reason enables it."""
        self.setEnabled(not reason)
        self.setToolTip(reason)

    def sizeHint(self) -> QSize:
        here = look()
        small = bool(self.property("small"))
        width = self._content_width() + 2 * here.px(self._pad()) + 2
        return QSize(width, here.px(24 if small else 30))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _pad(self) -> int:
        return 4 if self.property("kind") == "link" else 8 if self.property("small") else 12

    def _face(self) -> QFont:
        kind = str(self.property("kind"))
        use = "small" if self.property("small") else "body"
        return look().font(use, {"primary": 600, "row": 600 if self.isChecked() else 400}.get(kind, 500))

    def _content_width(self) -> int:
        here = look()
        width = QFontMetrics(self._face()).horizontalAdvance(self.text())
        if not self.icon().isNull():
            width += here.px(16) + (here.px(7) if self.text() else 0)
        if self._hint:
            width += hint_size(self._hint).width() + here.px(10)
        if self._caret:
            width += here.px(14) + here.px(8)
        return width

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        kind = str(self.property("kind"))
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        tone = {"primary": "text.on_accent", "link": "text.link"}.get(kind, "text.primary")
        if not self.isEnabled():
            tone = "text.disabled"
        font = self._face()
        if kind == "link" and self.underMouse():
            font = QFont(font)
            font.setUnderline(True)
        painter.setFont(font)
        room = self.width() - 2 * here.px(self._pad() - 2)
        needed = self._content_width()
        least = here.px(self._pad() - 2)
        x = least if kind == "row" else max(least, (self.width() - needed) // 2)
        side = here.px(16)
        if not self.icon().isNull():
            mode = QIcon.Mode.Normal if self.isEnabled() else QIcon.Mode.Disabled
            self.icon().paint(
                painter, QRect(x, (self.height() - side) // 2, side, side), Qt.AlignmentFlag.AlignCenter, mode
            )
            x += side + here.px(7)
        words = QFontMetrics(font).horizontalAdvance(self.text()) - max(0, needed - room)
        painter.setPen(here.colour(tone))
        text = QFontMetrics(font).elidedText(self.text(), Qt.TextElideMode.ElideRight, max(0, words) + 1)
        painter.drawText(QRect(x, 0, words + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        x += words
        if self._hint:
            size = hint_size(self._hint)
            area = QRect(x + here.px(10), (self.height() - size.height()) // 2, size.width(), size.height())
            filled = kind == "primary"
            paint_hint(painter, area, self._hint, tone if filled else "text.secondary", bare=filled)
        elif self._caret:
            small = here.px(14)
            paint_icon(painter, QRect(x + here.px(8), (self.height() - small) // 2, small, small), "down", tone)
        painter.end()

    def _rescale(self) -> None:
        side = look().px(16)
        self.setIconSize(QSize(side, side))
        self.updateGeometry()


def _icon_tone(kind: str) -> str:
    return {"primary": "text.on_accent", "link": "text.link"}.get(kind, "text.primary")


def icon_button(name: str, says: str, key: str = "") -> QToolButton:
    """A button that is only an icon; `says` is its tooltip and accessible name."""
    made = QToolButton()
    made.setIcon(icon(name, "text.secondary"))
    side = look().px(18)
    made.setIconSize(QSize(side, side))
    made.setToolTip(f"{says} ({key})" if key else says)
    made.setAccessibleName(says)
    if key:
        made.setShortcut(key)
    return made


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


def badge_size(text: str, with_icon: bool = False) -> QSize:
    here = look()
    width = QFontMetrics(here.font("small", 500)).horizontalAdvance(text) + here.px(12)
    return QSize(width + (here.px(18) if with_icon else 0), here.px(20))


def paint_badge(painter: QPainter, area: QRect, text: str, meaning: str, name: str = "") -> None:
    """Paint a badge; `plain` is an outline without a tint."""
    here = look()
    if meaning == "plain":
        tint, tone, line = None, here.colour("text.secondary"), here.colour("border.strong")
    elif meaning == "accent":
        tint, tone, line = here.colour("accent.tint"), here.colour("text.link"), None
    else:
        tint, tone, line = here.colour(f"{meaning}.tint"), here.colour(f"{meaning}.fg"), None
    if here.theme == "high_contrast" and line is None:
        line = tone
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(line, 1) if line is not None else Qt.PenStyle.NoPen)
    painter.setBrush(tint if tint is not None else Qt.BrushStyle.NoBrush)
    radius = here.px(3)
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    inner = area.adjusted(here.px(6), 0, -here.px(4), 0)
    if name:
        side = here.px(13)
        paint_icon(painter, QRect(inner.x(), inner.center().y() - side // 2 + 1, side, side), name, tone)
        inner.setLeft(inner.left() + here.px(18))
    painter.setFont(here.font("small", 500))
    painter.setPen(tone)
    painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    painter.restore()


def hint_size(text: str) -> QSize:
    here = look()
    return QSize(QFontMetrics(here.font("key")).horizontalAdvance(text) + here.px(10), here.px(18))


def paint_hint(painter: QPainter, area: QRect, text: str, tone: str = "text.secondary", bare: bool = False) -> None:
    """Paint a key cap."""
    here = look()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(here.colour(tone if bare else "border.default"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush if bare else here.colour("surface.sunken"))
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), here.px(3), here.px(3))
    painter.setPen(here.colour(tone))
    painter.setFont(here.font("key"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


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


def clear(layout: QLayout) -> None:
    """Take everything out of a layout, and its widgets out of the world."""
    while layout.count():
        item = layout.takeAt(0)
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


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
        self._hint = hint
        self._rescale()
        look().changed.connect(self._rescale)

    def _rescale(self) -> None:
        here = look()
        right = hint_size(self._hint).width() + here.px(4) if self._hint else 0
        self.setTextMargins(here.px(20), 0, right, 0)

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


class Segments(QWidget):
    """Choices of which exactly one holds, side by side; each may carry a count. `chosen` gives its name."""

    chosen = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], says: str = "") -> None:
        super().__init__()
        self.setAccessibleName(says)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, _Segment] = {}
        layout = row(space=0)
        for position, (name, text) in enumerate(choices):
            place = (
                ("first" if position == 0 else "last" if position == len(choices) - 1 else "middle")
                if len(choices) > 1
                else "only"
            )
            made = _Segment(text, place)
            made.clicked.connect(lambda _=False, which=name: self.chosen.emit(which))
            self._group.addButton(made)
            self._buttons[name] = made
            layout.addWidget(made)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if choices:
            self.choose(choices[0][0])

    def choose(self, name: str) -> None:
        self._buttons[name].setChecked(True)

    def current(self) -> str:
        return next(name for name, made in self._buttons.items() if made.isChecked())

    def count(self, name: str, number: int) -> None:
        self._buttons[name].say_count(number)

    def segment(self, name: str) -> QPushButton:
        return self._buttons[name]


class _Segment(QPushButton):
    def __init__(self, text: str, place: str) -> None:
        super().__init__(text)
        self.setCheckable(True)
        self._text, self._place, self._count = text, place, ""
        self.setAccessibleName(text)

    def say_count(self, number: int) -> None:
        self._count = f"{number:,}"
        self.setAccessibleName(f"{self._text}, {number}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        here = look()
        width = QFontMetrics(here.font("body", 600)).horizontalAdvance(self._text) + here.px(22)
        if self._count:
            width += QFontMetrics(here.font("body")).horizontalAdvance(self._count) + here.px(6)
        return QSize(width, here.px(30))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5 if self._place in ("last", "only") else 0.5, -0.5)
        chosen = self.isChecked()
        fill = "surface.selected" if chosen else "surface.hover" if self.underMouse() else "surface.panel"
        radius = here.px(4)
        painter.setClipRect(self.rect())
        wide = QRectF(area)
        if self._place in ("first", "middle"):
            wide.setRight(wide.right() + 2 * radius)
        if self._place in ("middle", "last"):
            wide.setLeft(wide.left() - 2 * radius)
        painter.setBrush(here.colour(fill))
        painter.setPen(QPen(here.colour("border.strong"), 1))
        painter.drawRoundedRect(wide, radius, radius)
        if self._place in ("middle", "last"):
            painter.drawLine(QPoint(0, 0), QPoint(0, self.height()))
        x = here.px(11)
        weight = 600 if chosen else 400
        metrics = QFontMetrics(here.font("body", weight))
        total = metrics.horizontalAdvance(self._text)
        if self._count:
            total += here.px(6) + QFontMetrics(here.font("body")).horizontalAdvance(self._count)
        x = (self.width() - total) // 2
        tone = "text.disabled" if not self.isEnabled() else "text.primary"
        painter.setPen(here.colour(tone))
        painter.setFont(here.font("body", weight))
        painter.drawText(QRect(x, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, self._text)
        if self._count:
            x += metrics.horizontalAdvance(self._text) + here.px(6)
            painter.setFont(here.font("body"))
            painter.setPen(here.colour("text.tertiary"))
            painter.drawText(QRect(x, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, self._count)
        if self.hasFocus():
            focus_ring(painter, self.rect(), 3)
        painter.end()


def focus_ring(painter: QPainter, area: QRect | QRectF, radius: float = 4, inside: bool = True) -> None:
    """Paint the 2 px focus ring just inside `area`."""
    here = look()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(here.colour("border.focus"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -1), here.px(radius), here.px(radius))
    painter.restore()


class Clickable(QFrame):
    """A frame that is one large button: by mouse, Enter or Space."""

    clicked = Signal()

    def __init__(self, surface: str = "card", says: str = "") -> None:
        super().__init__()
        self.setProperty("surface", surface)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(says)

    def mouseReleaseEvent(self, event) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            focus_ring(painter, self.rect())
            painter.end()


def blend(base: QColor, over: QColor, share: float) -> QColor:
    """`over` laid on `base` with `share` of it."""
    mix = [round(b + (o - b) * share) for b, o in zip(base.getRgb()[:3], over.getRgb()[:3], strict=True)]
    return QColor(*mix)


def on_restyle(widget: QWidget, act: Callable[[], None]) -> None:
    """Do `act` now and after each restyle, for what a style sheet can't say (fixed heights, margins)."""
    act()
    look().changed.connect(act)


def is_style_change(event: QEvent) -> bool:
    return event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange, QEvent.Type.FontChange)
