"""The tray of jobs, over the status bar: newest first; a job keeps its result until it is dismissed."""

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.theme.look import look
from app.widgets.basic import IconLabel, column, label, line, row
from app.widgets.buttons import Button, icon_button
from app.widgets.long_work import Bar


class JobState(StrEnum):
    """How a job stands; the value is the word shown."""

    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    STOPPED = "Stopped"


@dataclass(frozen=True)
class JobRow:
    """A job as it is shown."""

    number: int
    title: str
    state: JobState = JobState.RUNNING
    words: str = ""
    share: float | None = None


_SIGNS = {
    JobState.RUNNING: ("clock", "text.secondary"),
    JobState.DONE: ("check", "pass.fg"),
    JobState.FAILED: ("alert", "fail.fg"),
    JobState.STOPPED: ("stop", "text.secondary"),
}


class JobTray(QFrame):
    """`cancel_asked` and `dismissed` give a job's number."""

    cancel_asked = Signal(int)
    dismissed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "raised")
        self.setAccessibleName("Jobs")
        self._rows: dict[int, JobRow] = {}
        self._items: dict[int, _JobItem] = {}
        self._list = column(space=0)
        self._empty = label("No jobs. What takes longer shows here while it runs.", tone="secondary", wrap=True)
        inside = QWidget()
        inside.setProperty("plain", True)
        inside.setLayout(self._list)
        self._list.addWidget(self._empty)
        self._list.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inside)
        close = icon_button("close", "Close the jobs")
        close.clicked.connect(self.hide)
        layout = column(row(label("Jobs", type="heading"), None, close), scroll, space=6, margins=(14, 10, 10, 12))
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.hide()

    def rows(self) -> tuple[JobRow, ...]:
        """Newest first."""
        return tuple(self._rows[number] for number in sorted(self._rows, reverse=True))

    def say(self, job: JobRow) -> None:
        """Show a job, or how it stands now."""
        self._rows[job.number] = job
        item = self._items.get(job.number)
        if item is None:
            item = _JobItem(job.number)
            item.cancel.clicked.connect(lambda _=False, number=job.number: self.cancel_asked.emit(number))
            item.dismiss.clicked.connect(lambda _=False, number=job.number: self.dismiss(number))
            self._items[job.number] = item
            self._list.insertWidget(0, item)
        item.show_row(job)
        self._empty.setVisible(False)

    def dismiss(self, number: int) -> None:
        self._rows.pop(number, None)
        item = self._items.pop(number, None)
        if item is not None:
            item.deleteLater()
        self._empty.setVisible(not self._rows)
        self.dismissed.emit(number)

    def clear(self) -> None:
        for number in list(self._rows):
            self.dismiss(number)

    def place(self, over: QWidget) -> None:
        """Take the place above the right end of `over`."""
        here = look()
        parent = self.parentWidget()
        width, height = here.px(380), min(here.px(320), parent.height() - here.px(100))
        bottom = over.mapTo(parent, over.rect().topLeft()).y()
        self.setGeometry(parent.width() - width - here.px(12), bottom - height - here.px(8), width, height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)


class _JobItem(QWidget):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self._sign = IconLabel("clock", "text.secondary", 16)
        self._title = label("", strong=True, wrap=True)
        self._words = label("", type="small", tone="secondary", wrap=True)
        self._bar = Bar(6)
        self.cancel = Button("Cancel", kind="quiet", small=True)
        self.dismiss = icon_button("close", "Dismiss")
        body = row(self._sign, space=10, margins=(0, 8, 0, 8))
        body.setAlignment(self._sign, Qt.AlignmentFlag.AlignTop)
        body.addLayout(column(self._title, self._bar, self._words, space=4), 1)
        body.addWidget(self.cancel)
        body.addWidget(self.dismiss)
        self.setLayout(column(body, line(), space=0))

    def show_row(self, job: JobRow) -> None:
        self._sign.show_icon(*_SIGNS[job.state])
        self._title.setText(job.title)
        self._words.setText(job.words or job.state.value)
        running = job.state is JobState.RUNNING
        self._bar.setVisible(running and job.share is not None)
        self._bar.show_share(job.share)
        self.cancel.setVisible(running)
        self.dismiss.setVisible(not running)
        self.setAccessibleName(f"{job.title}: {job.state.value}. {job.words}")
