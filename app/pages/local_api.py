"""The local API: programs on this machine ask the vault's models and collections. Started and stopped here, with its tokens and a live log.

The log says who asked what kind of thing, when, and how it went: never what was asked or answered. A token is shown once, when it is made.
The API stops when the vault is locked.
"""

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QFrame, QWidget

from app.bridge import serving as bridge
from app.bridge.clipboard import copy
from app.bridge.operations import Failure
from app.pages.page import Page, Shell, side_pane
from app.pages.person_card import day
from app.pages.removal import Removal
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.basic import Badge, Card, Elided, IconLabel, clear, column, frame, label, line, row
from app.widgets.beside import Beside
from app.widgets.buttons import Button, button, icon_button
from app.widgets.forms import Field, line_edit, required
from app.widgets.table import Cell, Column, Table
from core.vault.api_tokens import PER_MINUTE, ApiToken, MakeToken
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from core.server.app import Line

LOOK_AGAIN = 500
"""Milliseconds between two looks at the log."""
SERVES_NOT = "Your roles here don’t allow serving; an author or reviewer may."
MAKES_NOT = "Your roles here don’t allow making tokens; an author or reviewer may."
STOPPED = "It is stopped. Nothing listens."


class LocalApiPage(Page):
    """The page. What runs is the bridge's; it goes on while other pages are shown."""

    title = "Local API"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.api = bridge.api()
        self._lines: tuple[Line, ...] = ()
        self.start_button = button("Start", "play", "primary")
        self.start_button.clicked.connect(self.begin)
        self.stop_button = button("Stop", "stop")
        self.stop_button.clicked.connect(self.end)
        self.bar.act(self.stop_button, self.start_button)
        self._sign = IconLabel("stop", "text.secondary")
        self.state = label(STOPPED, strong=True, wrap=True)
        self.address = label("", type="code")
        self.copy_address = icon_button("copy", "Copy the address")
        self.copy_address.clicked.connect(lambda: copy(self.address.text()))
        self.calls = label("", tone="secondary")
        port = line_edit(text=f"{bridge.wanted_port()}")
        port.setValidator(QIntValidator(0, 65535))
        port.setMaximumWidth(look().px(110))
        self.port = Field("Port", port, check=_port)
        self._where = QWidget()
        self._where.setLayout(row(self.address, self.copy_address, None, self.calls, space=6))
        said = row(self._sign, space=8)
        said.addWidget(self.state, 1)
        note = label(
            "Programs on this machine ask in the form of OpenAI’s API and show a token. No other machine reaches it. "
            "Each call leaves its trace in the vault. Locking the vault stops it.",
            type="small",
            tone="secondary",
            wrap=True,
        )
        top = QWidget()
        top.setLayout(column(said, self._where, self.port, note, space=8, margins=(20, 16, 20, 14)))
        self.table = Table(
            [
                Column("Time", lambda one: Cell(_clock(one.time), mono=True, tone="text.secondary"), 92),
                Column("Method", lambda one: Cell(one.method, tone="text.secondary"), 76, spare=1),
                Column("Path", lambda one: Cell(one.path)),
                Column("Status", _status, 128),
                Column("Took", lambda one: Cell(f"{one.seconds:.2f} s", tone="text.secondary"), 76, right=True),
                Column("Token", lambda one: Cell(one.token or "No token", tone="text.secondary"), 140),
            ],
            "Log of requests",
        )
        self.nothing = label("No requests yet.", tone="secondary")
        self.nothing.setContentsMargins(look().px(20), look().px(12), 0, 0)
        self._middle = middle = frame("panel")
        inner = column(top, line(), self.nothing, self.table, space=0)
        inner.setStretch(3, 1)
        inner.addStretch(0)
        middle.setLayout(inner)
        self._tokens = Card(
            "Tokens", "A program shows one with each call. What it does counts as done by whose token it is."
        )
        self._rows = column(space=10)
        self.revokes: dict[str, Button] = {}
        self.make = button("Make a token…", "key", small=True)
        self.make.clicked.connect(self._ask_token)
        self._tokens.body.addLayout(self._rows)
        self._tokens.body.addLayout(row(self.make, None))
        self._side = side_pane(self._tokens, width=336)
        across = row(space=0)
        across.addWidget(Beside(middle, self._side, 336, narrow=760), 1)
        self.body.addLayout(across)
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_AGAIN)
        self._clock.timeout.connect(self.look_again)
        self._busy, self._runs = "", False
        self._say()

    # what the window asks of a page

    def opened(self) -> None:
        self.operations.run("Read the tokens", bridge.tokens, self._show_tokens, self.fail)
        self._say()

    def changed(self, event: object) -> None:
        if getattr(event, "act", "") in (Act.MAKE_TOKEN, Act.REVOKE_TOKEN):
            self.opened()

    def panes(self) -> list[QWidget]:
        return [self._middle, self._side]

    def side(self) -> QWidget | None:
        return self._side

    def start(self) -> QWidget:
        return self.stop_button if self.api.address else self.start_button

    # serving

    def begin(self) -> None:
        """Start the API on the port that is written."""
        if not self.port.good():
            return
        self.banner.forget()
        port = int(self.port.text)
        self._busy = "It is being started."
        self._say()

        def started(_: str) -> None:
            self._quiet()
            self.stop_button.setFocus()

        def failed(found: Failure) -> None:
            self._quiet()
            self.fail(found)

        self.operations.run(
            "Start the local API", lambda bench, job: bridge.start(bench, job, port), started, failed, self._quiet
        )

    def end(self) -> None:
        """Stop the API: calls under way end, their traces are kept."""
        self._busy = "It is being stopped."
        self._say()

        def failed(found: Failure) -> None:
            self._quiet()
            self.fail(found)

        self.operations.run("Stop the local API", lambda bench, job: self.api.stop(), lambda _: self._quiet(), failed)

    def look_again(self) -> None:
        """Show what was asked since."""
        lines = self.api.lines()
        if lines[-1:] != self._lines[-1:] or len(lines) != len(self._lines):
            self._lines = lines
            self.table.show_rows(tuple(reversed(lines)), keep=lambda one: one.request_id)
            self.nothing.setVisible(not lines)
            self.table.setVisible(bool(lines))
        if not self.api.address:
            self._clock.stop()
            if self._runs:
                self._say()
            return
        running = self.api.running
        self.calls.setText(f"{running} call{'s' if running != 1 else ''} under way" if running else "No call under way")

    def _quiet(self) -> None:
        self._busy = ""
        self._say()

    def _say(self) -> None:
        """Bring words and buttons up to what is so."""
        runs = self._runs = bool(self.api.address)
        roles = self._roles()
        self.state.setText(self._busy or (f"It runs on port {self.api.port}." if runs else STOPPED))
        self._sign.show_icon("check" if runs else "stop", "pass.fg" if runs else "text.secondary")
        self.address.setText(self.api.address)
        self._where.setVisible(runs)
        self.port.setVisible(not runs)
        self.start_button.setVisible(not runs)
        self.stop_button.setVisible(runs)
        self.start_button.refuse(self._busy or ("" if allowed(Act.USE_API, roles) else SERVES_NOT))
        self.stop_button.refuse(self._busy)
        self.make.refuse("" if allowed(Act.MAKE_TOKEN, roles) else MAKES_NOT)
        self.nothing.setVisible(not self._lines)
        self.nothing.setText("No requests yet." if runs else "The log of requests appears here.")
        self.table.setVisible(bool(self._lines))
        if runs:
            self._clock.start()
        self.look_again()

    def _roles(self) -> tuple[str, ...]:
        workbench = self.operations.workbench
        return tuple(workbench.vault.user.roles) if workbench is not None else ()

    # tokens

    def _show_tokens(self, found: tuple[ApiToken, ...]) -> None:
        clear(self._rows)
        self.revokes = {}
        for one in found:
            if not one.revoked:
                self._rows.addWidget(self._row(one))
        ended = sum(1 for one in found if one.revoked)
        if len(found) == ended:
            self._rows.addWidget(label("There are none in force. A program needs one.", tone="secondary", wrap=True))
        if ended:
            words = f"{ended} revoked token{'s' if ended > 1 else ''}: "
            names = ", ".join(one.name for one in found if one.revoked)
            self._rows.addWidget(Elided(words + names, type="small", tone="tertiary"))

    def _row(self, one: ApiToken) -> QWidget:
        made = QWidget()
        made.setAccessibleName(f"Token {one.name}")
        revoke = Button("Revoke", "trash", "quiet", small=True)
        revoke.setAccessibleName(f"Revoke {one.name}")
        revoke.clicked.connect(lambda: self._ask_revoke(one.name))
        mine = self.operations.workbench is not None and one.user == self.operations.workbench.vault.user.user
        able = (mine or "admin" in self._roles()) and allowed(Act.REVOKE_TOKEN, self._roles())
        revoke.refuse("" if able else f"It is {one.user}’s; they or an administrator revoke it.")
        self.revokes[one.name] = revoke
        words = column(
            Elided(one.name, strong=True), label(limits(one), type="small", tone="secondary", wrap=True), space=1
        )
        layout = row(IconLabel("key"), space=10)
        layout.addLayout(words, 1)
        layout.addWidget(revoke)
        made.setLayout(layout)
        return made

    def _ask_token(self) -> None:
        form = TokenForm()
        form.cancelled.connect(self.shell.close_overlay)

        def done(made: tuple[ApiToken, str]) -> None:
            self.shell.close_overlay()
            self.show_secret(*made)

        def go() -> None:
            wanted = form.request()
            form.wait("It is being made.")
            self.operations.run(
                "Make a token",
                lambda bench, job: bridge.make_token(bench, wanted),
                done,
                lambda found: form.refuse(found.sentence),
            )

        form.acted.connect(go)
        self.shell.open_dialog(form, 480)

    def show_secret(self, made: ApiToken, secret: str) -> None:
        """Show a new token, this once."""
        panel = Secret(made.name, secret)
        panel.close_button.clicked.connect(self.shell.close_overlay)
        self.shell.open_dialog(panel, 620)

    def _ask_revoke(self, name: str) -> None:
        panel = Removal("Revoke token", f"Programs that show {name} are refused from then on. That can’t be undone.")
        panel.keep.clicked.connect(self.shell.close_overlay)

        def revoke() -> None:
            self.shell.close_overlay()
            self.operations.run(
                "Revoke a token",
                lambda bench, job: bridge.revoke_token(bench, name),
                lambda _: self.shell.toast(f"{name} opens nothing any more."),
                self.fail,
            )

        panel.remove.clicked.connect(revoke)
        self.shell.open_dialog(panel, 440)


class TokenForm(ActForm):
    """The name and the limits of a new token."""

    def __init__(self) -> None:
        self.name = Field("Name", line_edit("notebook"), "It stands in each trace.", required("The name"), beside=True)
        self.minute = Field(
            "A minute", line_edit(text=f"{PER_MINUTE}"), "Requests; 0 for no limit.", _number, beside=True
        )
        self.day = Field("A day", line_edit(text="0"), "Model tokens; 0 for no limit.", _number, beside=True)
        super().__init__(
            "Make the token",
            "What a program does with it counts as done by you, and only while you have the vault open.",
            (self.name, self.minute, self.day),
            "key",
            title="Make a token",
        )
        self.setFocusProxy(self.name.edit)

    def request(self) -> MakeToken:
        return MakeToken(
            name=self.name.text.strip(), requests_per_minute=int(self.minute.text), tokens_per_day=int(self.day.text)
        )


class Secret(QFrame):
    """A token, shown this once."""

    def __init__(self, name: str, secret: str) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(f"Token {name}")
        self.shown = line_edit(text=secret)
        self.shown.setReadOnly(True)
        self.shown.setAccessibleName("The token")
        self.shown.setFont(look().font("code"))
        self.shown.setCursorPosition(0)
        self.take = button("Copy", "copy")
        self.take.clicked.connect(lambda: (copy(secret), self.take.setText("Copied")))
        self.close_button = Button("Close", hint="Esc")
        says = "It is shown this once; the vault keeps only a hash. Lost, it can’t be shown again: make another."
        inside = row(self.shown, self.take)
        inside.setStretch(0, 1)
        self.setLayout(
            column(
                row(label(f"Token {name}", type="title"), Badge("Shown once", "warn", "warning"), None),
                label(says, tone="secondary", wrap=True),
                inside,
                row(None, self.close_button),
                space=12,
                margins=(24, 20, 24, 20),
            )
        )
        self.setFocusProxy(self.take)


def limits(one: ApiToken) -> str:
    """A token's owner, age and limits."""
    minute = f"{one.requests_per_minute:,} a minute" if one.requests_per_minute else "no limit a minute"
    daily = f", {one.tokens_per_day:,} tokens a day" if one.tokens_per_day else ""
    return f"{one.user}, {day(one.made)}, {minute}{daily}"


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def _status(one: "Line") -> Cell:
    if one.status < 400:
        return Cell(f"{one.status}", "check", icon_tone="pass.fg")
    return Cell(f"{one.status} {'refused' if one.status < 500 else 'failed'}", "cross", icon_tone="fail.fg")


def _number(text: str) -> str:
    words = text.strip()
    return "" if words.isascii() and words.isdigit() and len(words) <= 9 else "Write a number, or 0 for no limit."


def _port(text: str) -> str:
    words = text.strip()
    good = words.isascii() and words.isdigit() and 1 <= int(words) <= 65535
    return "" if good else "Write a number from 1 to 65535."
