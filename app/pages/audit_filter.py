"""What the entries of the audit log are narrowed to: words, a person, an act, a time."""

from datetime import date, timedelta

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.pages.role_matrix import act_words
from app.theme.look import look
from app.widgets.basic import SearchField, column, row
from app.widgets.buttons import Button
from app.widgets.forms import Choice, line_edit
from core.vault.roles import Act
from core.vault.trail import TrailQuery

PERIODS = (
    ("Any time", None),
    ("Today", 0),
    ("Last 7 days", 6),
    ("Last 30 days", 29),
    ("Last 365 days", 364),
    ("Between …", -1),
)
PAUSE = 250
"""Milliseconds of quiet before a word that is typed is searched for."""


class AuditFilter(QFrame):
    """`changed` says that another query holds."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setAccessibleName("Filter")
        self.text = SearchField("Find words")
        self.text.setMinimumWidth(look().px(140))
        self.person = Choice()
        self.person.setAccessibleName("Person")
        self.act = Choice()
        self.act.setAccessibleName("Act")
        self.act.addItem("All acts", "")
        for act in sorted(Act, key=act_words):
            self.act.addItem(act_words(act), act.value)
        self.period = Choice()
        self.period.setAccessibleName("Time")
        for words, _ in PERIODS:
            self.period.addItem(words)
        self.since = line_edit("From 2026-11-20")
        self.until = line_edit("To 2026-11-30")
        for edit, says in ((self.since, "From"), (self.until, "To")):
            edit.setAccessibleName(says)
            edit.setFixedWidth(look().px(136))
            edit.hide()
        self.clear = Button("Clear", "close", "quiet")
        self.clear.setAccessibleName("Clear the filter")
        for choice, width in ((self.person, 150), (self.act, 150), (self.period, 130)):
            choice.setFixedWidth(look().px(width))
        first = row(space=8)
        first.addWidget(self.text, 1)
        for widget in (self.person, self.act, self.period):
            first.addWidget(widget)
        self._second = QWidget()
        self._second.setLayout(row(self.clear, None, self.since, self.until, space=8))
        self._second.hide()
        self.setLayout(column(space=6, margins=(16, 8, 16, 8)))
        self.layout().addLayout(first)
        self.layout().addWidget(self._second)
        self.offer({})
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(PAUSE)
        self._typing.timeout.connect(self._tell)
        self.text.textChanged.connect(lambda _: self._typing.start())
        for edit in (self.since, self.until):
            edit.editingFinished.connect(self._tell)
        for choice in (self.person, self.act):
            choice.activated.connect(lambda _: self._tell())
        self.period.activated.connect(lambda _: self._turn())
        self.clear.clicked.connect(self.forget)
        self._told = TrailQuery()

    def offer(self, people: dict[str, str]) -> None:
        """Whose entries can be asked for."""
        chosen = self.person.currentData()
        self.person.clear()
        self.person.addItem("Everybody", "")
        for user, name in people.items():
            self.person.addItem(name, user)
        self.person.setCurrentIndex(max(0, self.person.findData(chosen)))

    def query(self) -> TrailQuery:
        """What is asked for now."""
        since = until = ""
        days = PERIODS[self.period.currentIndex()][1]
        if days == -1:
            since, until = self.since.text().strip(), self.until.text().strip()
        elif days is not None:
            since = (date.today() - timedelta(days=days)).isoformat()
        return TrailQuery(
            text=self.text.text().strip(),
            user=self.person.currentData() or "",
            act=self.act.currentData() or "",
            since=since,
            until=until,
        )

    @property
    def any(self) -> bool:
        """Whether something is narrowed."""
        return self.query() != TrailQuery()

    def forget(self) -> None:
        """Show everything again."""
        self.text.clear()
        self._typing.stop()
        for choice in (self.person, self.act, self.period):
            choice.setCurrentIndex(0)
        self.since.clear()
        self.until.clear()
        self._turn()

    def _turn(self) -> None:
        between = PERIODS[self.period.currentIndex()][1] == -1
        for edit in (self.since, self.until):
            edit.setVisible(between)
        self._tell()

    def _tell(self) -> None:
        now = self.query()
        between = PERIODS[self.period.currentIndex()][1] == -1
        self._second.setVisible(between or self.any)
        if now != self._told:
            self._told = now
            self.changed.emit()
