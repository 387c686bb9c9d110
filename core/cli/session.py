"""What a command knows before it starts: which vault, which person, how to print; and how passphrases are asked for.

A passphrase comes from the file that `ASSAY_PASSPHRASE_FILE` names, or is asked for on a terminal. It is never an argument, which other
people on the machine could read. Where the system's keyring remembers the vault (`core.vault.keyring`) and no file is named, opening asks for
none; signing always does. A command is a sitting of its own, whose signing takes user name and passphrase (21 CFR 11.200): a name that stands
in the environment and not on the command's line is asked for too, where the passphrase is typed. Everything of the person's surroundings comes
through the session's console: the command may be running in the process that has the vault open, for a person in another one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from core.cli.console import Console
from core.cli.here import Here, read_passphrase
from core.cli.output import Output
from core.errors import Unavailable
from core.vault import retention
from core.vault.signing import Signer
from core.workbench import ERASABLES, Workbench

__all__ = ["FILE", "Session", "ask_passphrase", "pass_session", "read_passphrase"]


class Session:
    """The global options of one command."""

    def __init__(self, vault: str | None, user: str | None, json_wanted: bool, console: Console | None = None) -> None:
        self.console = console or Here()
        self.output = Output(json_wanted, self.console)
        self._vault = vault or self.console.vault
        self._user = user or self.console.user
        self._typed = bool(user)
        self._given: dict[Path, str] = {}

    @property
    def folder(self) -> Path:
        """The vault's folder, as it was named."""
        if not self._vault:
            raise Unavailable(what="No vault was named", step="Give --vault DIR, or set ASSAY_VAULT.")
        return Path(self._vault)

    @property
    def user(self) -> str:
        """The person's user name."""
        if not self._user:
            raise Unavailable(what="No user was named", step="Give --user NAME, or set ASSAY_USER.")
        return self._user

    def path(self, given: str) -> Path:
        """A path from the command line, absolute: relative ones begin in the folder that the person is in, whichever process works for them."""
        path = self.console.path(given)
        self._given[path] = given
        return path

    def as_given(self, path: Path) -> str:
        """The path as the person wrote it, for what is printed."""
        return self._given.get(path, str(path))

    def passphrase(self, prompt: str = "Passphrase", confirm: bool = False) -> str:
        """The person's passphrase. Raises `Unavailable` where nobody can be asked."""
        return self.console.passphrase(prompt, confirm)

    def agrees(self, question: str, step: str) -> bool:
        """Whether the person says yes. Raises `Unavailable` with `step` where nobody can be asked."""
        return self.console.agrees(question, step)

    @contextmanager
    def workbench(self) -> Iterator[Workbench]:
        """The services of the vault, open for the length of the command; what a command does before this, it may do twice: where another
        process has the vault open, the whole command runs there, and here it ends at this place."""
        folder, user = self.folder, self.user
        with self.console.workbench(folder, user) as bench:
            self._remind(bench)
            for warning in bench.vault.warnings:
                self.output.say(warning)
            yield bench

    def _remind(self, bench: Workbench) -> None:
        """Say what is due by the retention rules, to an administrator."""
        due = retention.reminder(bench.vault, ERASABLES, datetime.now().astimezone())
        if due:
            self.output.say(due)

    @contextmanager
    def signer(self, bench: Workbench) -> Iterator[Signer]:
        """The person's signing keys, after they said who they are and gave their passphrase again. Raises `WrongPassphrase`, `Refused`."""
        who = f"Sign as {bench.vault.user.name}."
        user = self.user
        if not self._typed and bench.vault.sitting.needs_name:
            user = self.console.user_name(f"{who} User name", user)
        passphrase = self.passphrase(f"{who} Passphrase")
        with bench.vault.sitting.confirm(passphrase, user) as signer:
            yield signer


pass_session = click.make_pass_decorator(Session)


class _File(click.ParamType):  # type: ignore[type-arg]
    """A file or a folder, by its path. What a command gets is absolute; `Session.as_given` is what it prints."""

    name = "path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        session = ctx.find_object(Session) if ctx is not None else None
        if isinstance(value, Path):
            return value
        return session.path(str(value)) if session is not None else Here().path(str(value))


FILE = _File()
"""The type of every argument and option that names a file or a folder."""


def ask_passphrase(prompt: str, confirm: bool = False, step: str = "Set ASSAY_PASSPHRASE_FILE.") -> str:
    """Ask on the person's terminal, without showing what is typed. Raises `Unavailable` with `step` where there is none."""
    context = click.get_current_context(silent=True)
    session = context.find_object(Session) if context is not None else None
    return (session.console if session is not None else Here()).ask_passphrase(prompt, confirm, step)
