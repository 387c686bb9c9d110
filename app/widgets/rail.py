"""The rail: where you are and where you can go. Home, then Work, Build and Prove; the vault, Settings and Lock at its foot.

184 wide, or 52 with icons only when folded. The current place has the panel's fill, a 3 px accent bar and a semibold name. Arrow keys move,
Enter goes; Ctrl and a number go to the sections in their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEasingCurve, QRect, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy, QVBoxLayout, QWidget

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.painting import focus_ring
from app.widgets.seal import paint_logo

WIDE, FOLDED = 184, 52


@dataclass(frozen=True)
class Place:
    """One entry: the page's name, its word, its icon and its key."""

    name: str
    word: str
    icon: str
    key: str = ""


class RailItem(QAbstractButton):
    """A place in the rail, 30 high, or a little less where the window is low."""

    def __init__(self, place: Place, checkable: bool = True) -> None:
        super().__init__()
        self.place = place
        self.setCheckable(checkable)
        self.setAutoExclusive(False)
        self.setText(place.word)
        self.setAccessibleName(place.word)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._folded = False

    def fold(self, folded: bool) -> None:
        self._folded = folded
        key = f" ({self.place.key})" if self.place.key else ""
        self.setToolTip(f"{self.place.word}{key}" if folded or self.place.key else "")
        self.update()

    def sizeHint(self) -> QSize:
        here = look()
        return QSize(here.px(WIDE if not self._folded else FOLDED) - here.px(16), here.px(30))

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(36), look().px(23))

    def enterEvent(self, event) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event) -> None:
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        current = self.isChecked()
        area = QRectF(self.rect())
        if current or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(here.colour("surface.panel" if current else "surface.hover"))
            painter.drawRoundedRect(area, here.px(4), here.px(4))
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(here.colour("accent.base"))
            painter.drawRoundedRect(QRectF(0, here.px(7), here.px(3), area.height() - here.px(14)), 1.5, 1.5)
        side = here.px(18)
        left = here.px(8) if not self._folded else (self.width() - side) // 2
        tone = "text.disabled" if not self.isEnabled() else "accent.base" if current else "text.secondary"
        paint_icon(painter, QRect(left, (self.height() - side) // 2, side, side), self.place.icon, tone)
        if not self._folded:
            painter.setFont(here.font("body", 600 if current else 400))
            words = "text.disabled" if not self.isEnabled() else "text.primary" if current else "text.secondary"
            painter.setPen(here.colour(words))
            start = left + side + here.px(9)
            painter.drawText(
                QRect(start, 0, self.width() - start, self.height()), Qt.AlignmentFlag.AlignVCenter, self.place.word
            )
            if not self.isCheckable() and self.place.key:
                painter.setFont(here.font("small"))
                painter.setPen(here.colour("text.tertiary"))
                box = QRect(0, 0, self.width() - here.px(8), self.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.place.key)
        if self.hasFocus():
            focus_ring(painter, area)
        painter.end()


class Rail(QFrame):
    """`chosen` gives the name of the place that the person went to; `left` says that the vault shall be locked."""

    chosen = Signal(str)
    lock_asked = Signal()

    def __init__(self, groups: Sequence[tuple[str, Sequence[Place]]], foot: Sequence[Place], lock: Place) -> None:
        super().__init__()
        self.setProperty("surface", "rail")
        self.setAccessibleName("Sections")
        self._items: dict[str, RailItem] = {}
        self._headings: list[_Heading] = []
        self._folded = False
        self._head = _Head()
        self._layout = QVBoxLayout(self)
        self._layout.addWidget(self._head)
        for word, places in groups:
            if word:
                heading = _Heading(word)
                self._headings.append(heading)
                self._layout.addWidget(heading)
            for place in places:
                self._add(place)
        self._layout.addStretch(1)
        for place in foot:
            self._add(place)
        self._lock = RailItem(lock, checkable=False)
        self._lock.clicked.connect(self.lock_asked)
        self._layout.addWidget(self._lock)
        self._animation = QVariantAnimation(self)
        self._animation.setEasingCurve(QEasingCurve(look().easing))
        self._animation.valueChanged.connect(self._widen)
        self._rescale()
        look().changed.connect(self._rescale)

    @property
    def folded(self) -> bool:
        return self._folded

    @property
    def current(self) -> str:
        return next((name for name, item in self._items.items() if item.isChecked()), "")

    def item(self, name: str) -> RailItem:
        return self._items[name]

    def names(self) -> list[str]:
        return list(self._items)

    def go(self, name: str) -> None:
        """Show `name` as the current place (without emitting `chosen`)."""
        for other, item in self._items.items():
            item.setChecked(other == name)

    def name_vault(self, vault: str, place: str) -> None:
        self._head.say(vault, place)

    def fold(self, folded: bool, animated: bool = True) -> None:
        if folded == self._folded:
            return
        self._folded = folded
        for item in [*self._items.values(), self._lock]:
            item.fold(folded)
        for heading in self._headings:
            heading.fold(folded)
        self._head.fold(folded)
        target = look().px(FOLDED if folded else WIDE)
        duration = look().motion("panel") if animated and self.isVisible() else 0
        self._animation.stop()
        if duration:
            self._animation.setDuration(duration)
            self._animation.setStartValue(self.width())
            self._animation.setEndValue(target)
            self._animation.start()
        else:
            self._widen(target)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where the window is too low for all, the logo gives way to the places."""
        margins = self._layout.contentsMargins()
        items = [*self._items.values(), self._lock]
        least = margins.top() + margins.bottom() + sum(item.minimumSizeHint().height() for item in items)
        least += sum(heading.sizeHint().height() for heading in self._headings) + self._head.sizeHint().height()
        self._head.setVisible(self.height() >= least)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)

    def _add(self, place: Place) -> None:
        item = RailItem(place)
        item.clicked.connect(lambda _=False, name=place.name: self._clicked(name))
        self._items[place.name] = item
        self._layout.addWidget(item)

    def _clicked(self, name: str) -> None:
        self.go(name)
        self.chosen.emit(name)

    def _widen(self, width: int) -> None:
        self.setFixedWidth(int(width))

    def _rescale(self) -> None:
        here = look()
        self._layout.setContentsMargins(here.px(8), here.px(8), here.px(8), here.px(12))
        self._layout.setSpacing(0)
        self._widen(here.px(FOLDED if self._folded else WIDE))


class _Heading(QWidget):
    def __init__(self, word: str) -> None:
        super().__init__()
        self._word, self._folded = word, False
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def fold(self, folded: bool) -> None:
        self._folded = folded
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(look().px(36), look().px(13 if self._folded else 32))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        if self._folded:
            painter.setPen(here.colour("border.default"))
            middle = self.height() // 2
            painter.drawLine(here.px(6), middle, self.width() - here.px(6), middle)
        else:
            painter.setFont(here.font("small", 500))
            painter.setPen(here.colour("text.tertiary"))
            box = self.rect().adjusted(here.px(8), here.px(6), 0, 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._word)
        painter.end()


class _Head(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._vault, self._place, self._folded = "Assay", "", False
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, vault: str, place: str) -> None:
        self._vault, self._place = vault, place
        self.setAccessibleName(f"Vault {vault}")
        self.setToolTip(f"{vault}\n{place}" if place else vault)
        self.update()

    def fold(self, folded: bool) -> None:
        self._folded = folded
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(look().px(36), look().px(50))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        side = here.px(27)
        left = (self.width() - side) / 2 if self._folded else here.px(7)
        paint_logo(painter, QRectF(left, here.px(9), side, side))
        if not self._folded:
            start = here.px(42)
            painter.setFont(here.font("body", 600))
            painter.setPen(here.colour("text.primary"))
            room = self.width() - start
            name = QFontMetrics(painter.font()).elidedText(self._vault, Qt.TextElideMode.ElideRight, room)
            second = bool(self._place)
            painter.drawText(
                QRect(start, here.px(6 if second else 13), room, here.px(18)), Qt.AlignmentFlag.AlignVCenter, name
            )
            if second:
                painter.setFont(here.font("small"))
                painter.setPen(here.colour("text.tertiary"))
                place = QFontMetrics(painter.font()).elidedText(self._place, Qt.TextElideMode.ElideMiddle, room)
                painter.drawText(QRect(start, here.px(22), room, here.px(16)), Qt.AlignmentFlag.AlignVCenter, place)
        painter.end()
