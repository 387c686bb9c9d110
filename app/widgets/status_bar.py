"""The status bar: the barrier in force, the loaded models, the local API while it runs, the jobs, the person and their role.

It is always there, 28 high."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.basic import line, row
from app.widgets.painting import focus_ring


class StatusItem(QAbstractButton):
    """An icon and words; a press tells more. May carry a small bar of progress."""

    def __init__(self, name: str, tone: str = "text.secondary", least: int = 36) -> None:
        super().__init__()
        self._icon, self._tone, self._least = name, tone, least
        self._share: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def say(self, words: str, tone: str = "text.secondary", detail: str = "", share: float | None = None) -> None:
        """Show `words`; `share` (0 to 1) draws the small bar."""
        self._tone, self._share = tone, share
        self.setText(words)
        self.setAccessibleName(words)
        self.setAccessibleDescription(detail)
        self.setToolTip(detail or words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        here = look()
        width = QFontMetrics(here.font("small")).horizontalAdvance(self.text()) + here.px(34)
        return QSize(width + (here.px(82) if self._share is not None else 0), here.px(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(look().px(self._least), self.sizeHint().width()), look().px(28))

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = here.px(15)
        paint_icon(painter, QRect(here.px(8), (self.height() - side) // 2, side, side), self._icon, self._tone)
        painter.setFont(here.font("small"))
        painter.setPen(here.colour("text.primary" if self.underMouse() else self._tone))
        start = here.px(28)
        bar = here.px(82) if self._share is not None else 0
        room = self.width() - start - bar
        words = QFontMetrics(painter.font()).elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(start, 0, room, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
        if self._share is not None:
            track = QRectF(self.width() - here.px(80), (self.height() - here.px(6)) / 2, here.px(72), here.px(6))
            paint_bar(painter, track, self._share)
        if self.hasFocus():
            focus_ring(painter, self.rect())
        painter.end()


def paint_bar(painter: QPainter, track: QRectF, share: float) -> None:
    """A bar of progress, `share` of it filled."""
    here = look()
    radius = track.height() / 2
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(here.colour("border.default"))
    painter.drawRoundedRect(track, radius, radius)
    if share > 0:
        done = QRectF(track)
        done.setWidth(max(track.height(), track.width() * min(1.0, share)))
        painter.setBrush(here.colour("accent.base"))
        painter.drawRoundedRect(done, radius, radius)
    painter.restore()


class StatusBar(QFrame):
    """`barrier`, `model`, `api`, `jobs` and `person` are its items; `jobs_asked` opens the tray. `api` is there while the local API runs."""

    jobs_asked = Signal()
    model_asked = Signal()
    barrier_asked = Signal()
    api_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "rail")
        self.setAccessibleName("Status")
        self.barrier = StatusItem("barrier", least=168)
        self.model = StatusItem("models", least=124)
        self.api = StatusItem("pipelines", least=130)
        self.jobs = StatusItem("jobs", least=130)
        self.person = StatusItem("person", least=112)
        self.barrier.clicked.connect(self.barrier_asked)
        self.model.clicked.connect(self.model_asked)
        self.api.clicked.connect(self.api_asked)
        self.jobs.clicked.connect(self.jobs_asked)
        separators = [line(vertical=True) for _ in range(4)]
        self.setLayout(
            row(
                self.barrier,
                separators[0],
                self.model,
                separators[3],
                self.api,
                None,
                separators[1],
                self.jobs,
                separators[2],
                self.person,
                space=4,
            )
        )
        self.layout().setContentsMargins(8, 0, 8, 0)
        self._separators = separators
        self.model.say("No model loaded")
        self.jobs.say("No jobs")
        self.person.say("Nobody")
        self.barrier.say("Outside connections: not checked")
        self.show_api(0, 0, 0)
        self._rescale()
        look().changed.connect(self._rescale)

    def show_api(self, port: int, running: int, asked: int) -> None:
        """Say that the local API runs on a port, how many requests are under way and how many came; port 0: it is off."""
        on = bool(port)
        self.api.setVisible(on)
        self._separators[3].setVisible(on)
        if not on:
            return
        many = f"{asked:,} request{'' if asked == 1 else 's'}" if asked else "no requests yet"
        words = f"Local API · {port}" + (f" · {running} running" if running else "")
        detail = f"The local API runs on port {port}: {many}" + (f", {running} under way" if running else "") + "."
        if (self.api.text(), self.api.toolTip()) != (words, detail):
            self.api.say(words, tone="info.fg", detail=detail)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(look().colour("border.default"))
        painter.drawLine(0, 0, self.width(), 0)
        painter.end()

    def _rescale(self) -> None:
        self.setFixedHeight(look().px(28))
        for separator in self._separators:
            separator.setFixedHeight(look().px(16))
