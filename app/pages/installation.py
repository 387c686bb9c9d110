"""This installation: what the doctor finds of the machine, the barriers against the network and the program's own files; add-ons. Needs no vault."""

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.bridge import installing as bridge
from app.bridge.clipboard import copy
from app.bridge.operations import Failure, Handle
from app.pages.installation_addons import AddonsCard
from app.pages.page import Page, Shell, scrolled
from app.theme.look import look
from app.widgets.announcing import announce
from app.widgets.basic import Card, IconLabel, clear, column, label, line, row
from app.widgets.buttons import button
from app.widgets.long_work import LongWork

if TYPE_CHECKING:
    from core.installation.records import Examination, Finding

SIGNS = {
    "good": ("check", "pass.fg"),
    "note": ("info", "text.secondary"),
    "warning": ("warning", "warn.fg"),
    "fault": ("alert", "fail.fg"),
}
NOT_YET = (
    "Nothing was examined since this page was opened. It takes some seconds, and nothing of it leaves this machine."
)
PARTLY = "Stopped. What was found until then is shown."


class InstallationPage(Page):
    """The page. An examination goes on while other pages are shown, and can be stopped."""

    title = "This installation"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._work: Handle | None = None
        self._found: list[Finding] = []
        self._when = ""
        self.examine = button("Examine", "health", "primary")
        self.examine.clicked.connect(self.begin)
        self.copy = button("Copy as text", "copy")
        self.copy.clicked.connect(self._copy)
        self.bar.act(self.copy, self.examine)
        self.work = LongWork()
        self.work.cancelled.connect(self._stop)
        self._working = Card()
        self._working.body.addWidget(self.work)
        self._working.hide()
        self._sign = IconLabel("info", "text.secondary", 18)
        self.verdict = label(NOT_YET, wrap=True)
        self._summary = QWidget()
        said = row(self._sign, space=10)
        said.addWidget(self.verdict, 1)
        self._summary.setLayout(said)
        self._groups = column(space=16)
        self.addons = AddonsCard(shell)
        inside = QWidget()
        inside.setLayout(
            column(self._working, self._summary, self._groups, self.addons, None, margins=(24, 20, 24, 24), space=16)
        )
        inside.setMaximumWidth(look().px(900))
        self.body.addWidget(scrolled(inside))
        self._say()

    def start(self) -> QWidget:
        return self.examine if self.examine.isEnabled() else self.work.cancel

    def opened(self) -> None:
        self.addons.refresh()

    def begin(self) -> None:
        """Examine everything; what was found before goes."""
        if self._work is not None:
            return
        self.banner.forget()
        self._found, self._when = [], ""
        clear(self._groups)
        self._work = self.operations.watch_alone(
            "Examine this installation", bridge.examine, self._take, self._done, self._failed, self._stopped, shown=True
        )
        self.work.begin("Examining", "A process of each kind tries to reach outside")
        self._work.progress.connect(lambda made: self.work.say(made.done, made.total, made.unit))
        self._say()

    def _take(self, found: "list[Finding]") -> None:
        self._found += found
        self._show()

    def _done(self, found: "Examination") -> None:
        self._found = list(found.findings)
        self._end(bridge.verdict(self._found))
        announce(self, self.verdict.text())

    def _failed(self, found: Failure) -> None:
        self._end(PARTLY)
        self.fail(found)

    def _stopped(self) -> None:
        self._end(PARTLY)

    def _end(self, words: str) -> None:
        self._work = None
        self._when = f"{datetime.now():%Y-%m-%d %H:%M}"
        self.verdict.setText(words)
        self._show()
        self._say()

    def _say(self) -> None:
        """Bring buttons and summary up to what is so."""
        busy = self._work is not None
        self._working.setVisible(busy)
        self._summary.setVisible(not busy)
        self.examine.refuse("It is being examined." if busy else "")
        self.copy.refuse("" if self._when else "There is nothing to copy yet.")
        if self._when:
            worst = next(
                (state for state in ("fault", "warning") if any(one.state == state for one in self._found)), "good"
            )
            self._sign.show_icon(*SIGNS["note" if self.verdict.text() == PARTLY else worst])

    def _show(self) -> None:
        clear(self._groups)
        for heading, found in bridge.grouped(self._found):
            card = Card(heading)
            for number, one in enumerate(found):
                if number:
                    card.body.addWidget(line())
                card.body.addWidget(_row(one))
            self._groups.addWidget(card)

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _copy(self) -> None:
        copy(bridge.as_text(self._found, self._when))
        self.shell.toast("The findings are on the clipboard")


def _row(found: "Finding") -> QWidget:
    made = QWidget()
    name = label(bridge.named(found.about), strong=True, wrap=True)
    name.setFixedWidth(look().px(168))
    words = column(label(found.sentence, wrap=True), space=2)
    if found.step and found.state != "good":
        words.addWidget(label(found.step, tone="secondary", wrap=True))
    layout = row(space=10)
    sign = column(IconLabel(*SIGNS[found.state]), None, margins=(0, 2, 0, 0))
    layout.addLayout(sign)
    layout.addLayout(column(name, None))
    layout.addLayout(words, 1)
    made.setLayout(layout)
    made.setAccessibleName(f"{bridge.WORDS[found.state]}. {bridge.named(found.about)}: {found.sentence}")
    return made
