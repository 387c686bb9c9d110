"""The top bar of a page: its title, what it is about, the quick switcher's field, and at most two buttons. 52 high."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QLayout, QMenu, QSizePolicy, QWidget

from app.theme.icons import icon, paint_icon
from app.theme.look import look
from app.widgets.basic import label, row
from app.widgets.buttons import Button
from app.widgets.painting import focus_ring, hint_size, paint_hint


class ContextChip(QAbstractButton):
    """What the page is about: a collection (accent) or a signed prompt (signed). A press opens a choice where there is one."""

    def __init__(self, name: str, text: str, meaning: str = "accent") -> None:
        super().__init__()
        self._icon, self._meaning = name, meaning
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.say(text, meaning)

    def say(self, text: str, meaning: str = "") -> None:
        self._meaning = meaning or self._meaning
        self.setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        here = look()
        return QSize(QFontMetrics(here.font("body", 500)).horizontalAdvance(self.text()) + here.px(34), here.px(21))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        accent = self._meaning == "accent"
        tone = here.colour("text.link" if accent else f"{self._meaning}.fg")
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(here.colour("accent.tint" if accent else f"{self._meaning}.tint"))
        painter.setPen(QPen(tone, 1) if here.theme == "high_contrast" or self.underMouse() else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), here.px(3), here.px(3))
        side = here.px(14)
        paint_icon(painter, QRect(here.px(6), (self.height() - side) // 2, side, side), self._icon, tone)
        painter.setFont(here.font("body", 500))
        painter.setPen(tone)
        start = here.px(24)
        words = QFontMetrics(painter.font()).elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width() - start - here.px(4)
        )
        painter.drawText(QRect(start, 0, self.width() - start, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
        if self.hasFocus():
            focus_ring(painter, self.rect())
        painter.end()


class Chooser(Button):
    """A button with an icon, the chosen name and a caret; its menu holds the choices. `picked` gives a choice's key."""

    picked = Signal(str)

    def __init__(self, name: str, says: str) -> None:
        super().__init__("", name)
        self.with_caret()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._says = says
        self._choices: list[tuple[str, str]] = []
        self.current = ""
        self._menu = QMenu(self)
        self.clicked.connect(self._open)
        self.offer([], "")

    def offer(self, choices: list[tuple[str, str]], current: str) -> None:
        """Set the choices as (key, words) and which one holds."""
        self._choices, self.current = choices, current
        words = next((text for key, text in choices if key == current), "None")
        self.setText(words)
        self.setAccessibleName(f"{self._says}: {words}")
        self.setEnabled(bool(choices))
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        return QSize(min(look().px(112), self.sizeHint().width()), self.sizeHint().height())

    def choices(self) -> list[str]:
        return [key for key, _ in self._choices]

    def choose(self, key: str) -> None:
        """Take a choice as if it had been picked in the menu."""
        self.offer(self._choices, key)
        self.picked.emit(key)

    def _open(self) -> None:
        self._menu.clear()
        for key, text in self._choices:
            action = self._menu.addAction(text)
            if key == self.current:
                action.setIcon(icon("check", "accent.base"))
            action.triggered.connect(lambda _=False, which=key: self.choose(which))
        self._menu.popup(self.mapToGlobal(QPoint(0, self.height() + 2)))


class SwitcherField(QAbstractButton):
    """Looks like a field, opens the quick switcher."""

    def __init__(self) -> None:
        super().__init__()
        self.setText("Go to anything")
        self.setAccessibleName("Go to anything")
        self.setAccessibleDescription("Key: Ctrl K")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.IBeamCursor)

    def sizeHint(self) -> QSize:
        return QSize(look().px(232), look().px(30))

    def minimumSizeHint(self) -> QSize:
        """Where the bar is full, the glass alone is left."""
        return QSize(look().px(34), look().px(30))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(here.colour("border.strong"), 1))
        painter.setBrush(here.colour("surface.panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), here.px(4), here.px(4))
        side = here.px(16)
        paint_icon(painter, QRect(here.px(9), (self.height() - side) // 2, side, side), "search", "text.secondary")
        if self.width() < here.px(216):
            if self.hasFocus():
                focus_ring(painter, self.rect())
            painter.end()
            return
        painter.setFont(here.font("body"))
        painter.setPen(here.colour("text.tertiary"))
        painter.drawText(self.rect().adjusted(here.px(32), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        size = hint_size("Ctrl K")
        spot = QRect(
            self.width() - size.width() - here.px(8), (self.height() - size.height()) // 2, size.width(), size.height()
        )
        paint_hint(painter, spot, "Ctrl K")
        if self.hasFocus():
            focus_ring(painter, self.rect())
        painter.end()


class TopBar(QFrame):
    """`switcher_asked` opens the quick switcher. `about` and `act` put things after the title and at the right end.

    Where there is no room for all, the switcher's field shrinks to its glass, then buttons go into a menu, the leftmost first; a button that
    is filled or opens a menu of its own stays. The title goes last.
    """

    switcher_asked = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.title = label(title, type="title")
        self._switcher = SwitcherField()
        self._switcher.clicked.connect(self.switcher_asked)
        self._about = row(space=8)
        self._acts = row(space=8)
        self._offered: list[QWidget] = []
        self._folded: list[Button] = []
        self._menu = QMenu(self)
        self.more = Button("More")
        self.more.with_caret()
        self.more.setAccessibleDescription("Opens a menu with what there is no room for")
        self.more.clicked.connect(self._open)
        self.more.hide()
        layout = row(space=8, margins=(20, 0, 16, 0))
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        layout.addWidget(self.title)
        layout.addSpacing(look().px(8))
        layout.addLayout(self._about)
        layout.addStretch(1)
        layout.addWidget(self._switcher)
        layout.addWidget(self.more)
        layout.addLayout(self._acts)
        self.setLayout(layout)
        self._rescale()
        look().changed.connect(self._rescale)

    def about(self, *widgets: QWidget) -> None:
        for widget in widgets:
            self._about.addWidget(widget)

    def act(self, *widgets: QWidget) -> None:
        for widget in widgets:
            holder = _Holder(widget)
            widget.installEventFilter(self)
            self._offered.append(widget)
            self._acts.addWidget(holder)

    def folded(self) -> list[Button]:
        """The buttons that are in the menu now."""
        return list(self._folded)

    def hide_switcher(self) -> None:
        """Without a vault there is nowhere to go."""
        self._switcher.hide()

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(200), look().px(52))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kinds = QEvent.Type
        if event.type() in (kinds.ShowToParent, kinds.HideToParent):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """Put into the menu what there is no room for."""
        wanted = [act for act in self._offered if not act.isHidden()]
        able = [act for act in wanted if isinstance(act, Button) and not act.stays]
        room = self.width() - self._least()
        gap = self._acts.spacing()
        full, glass = self._switcher.sizeHint().width(), self._switcher.minimumSizeHint().width()
        need = sum(act.sizeHint().width() + gap for act in wanted)
        folded: list[Button] = []
        for act in able:
            if need <= room - (self.more.sizeHint().width() + gap if folded else 0):
                break
            folded.append(act)
            need -= act.sizeHint().width() + gap
        grows = sum(max(0, widget.sizeHint().width() - widget.minimumSizeHint().width()) for widget in self._shown())
        self._switcher.setMaximumWidth(full if room - need - grows >= full - glass else glass)
        more = self.more.sizeHint().width() + gap if folded else 0
        self.title.setVisible(need + more <= room + look().px(4))
        self._folded = folded
        for act in self._offered:
            act.parentWidget().setVisible(act in wanted and act not in folded)
        self.more.setVisible(bool(folded))

    def _least(self) -> int:
        """What everything beside the buttons takes at least."""
        margins = self.layout().contentsMargins()
        least = margins.left() + margins.right() + look().px(8) + self.title.sizeHint().width()
        if not self._switcher.isHidden():
            least += self._switcher.minimumSizeHint().width() + self._acts.spacing()
        return least + sum(widget.minimumSizeHint().width() + self._about.spacing() for widget in self._shown())

    def _shown(self) -> list[QWidget]:
        """What stands after the title."""
        found = [self._about.itemAt(position).widget() for position in range(self._about.count())]
        return [widget for widget in found if widget is not None and not widget.isHidden()]

    def _open(self) -> None:
        self._menu.clear()
        for act in self._folded:
            action = self._menu.addAction(act.text())
            action.setEnabled(act.isEnabled())
            action.setToolTip(act.toolTip())
            action.triggered.connect(lambda _=False, which=act: which.click())
        self._menu.setToolTipsVisible(True)
        self._menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(look().colour("border.subtle"))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.end()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.ignore()

    def _rescale(self) -> None:
        self.setFixedHeight(look().px(52))
        self._fit()


class _Holder(QWidget):
    """Around a button of the bar, so that the bar can put it away without changing whether its page shows it."""

    def __init__(self, held: QWidget) -> None:
        super().__init__()
        self.setLayout(row(held, space=0))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
