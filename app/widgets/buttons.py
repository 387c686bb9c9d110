"""Buttons: named by a verb, with an icon, a key or a caret; icons alone, which say what they are; segments; frames that are one large button.

A disabled button carries its reason as a tooltip.
"""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from app.theme.icons import icon, paint_icon
from app.theme.look import look
from app.widgets.basic import restyle, row
from app.widgets.painting import focus_ring, hint_size, paint_hint


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

    def setText(self, text: str) -> None:
        """Other words, which also name it where its words did."""
        if self.accessibleName() == self.text():
            self.setAccessibleName(text)
        super().setText(text)

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

    @property
    def stays(self) -> bool:
        """Whether it keeps its place in a bar that is too narrow: it is filled, or opens a menu itself."""
        return self._caret or self.property("kind") == "primary"

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
