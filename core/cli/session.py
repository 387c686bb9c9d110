"""What a command knows before it starts: which vault, which person, how to print; and how passphrases are asked for.

A passphrase comes from the file that `ASSAY_PASSPHRASE_FILE` names, or is asked for on a terminal. It is never an argument, which other
people on the machine could read.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from core.cli.output import Output
from core.errors import BadInput, Unavailable
from core.vault.signing import Signer
from core.workbench import Workbench


class Session:
    """The global options of one command."""

    def __init__(self, vault: str | None, user: str | None, json_wanted: bool) -> None:
        self.output = Output(json_wanted)
        self._vault = vault or os.environ.get("ASSAY_VAULT")
        self._user = user or os.environ.get("ASSAY_USER")

    @property
    def folder(self) -> Path:
        if not self._vault:
            raise Unavailable(what="No vault was named", step="Give --vault DIR, or set ASSAY_VAULT.")
        return Path(self._vault)

    @property
    def user(self) -> str:
        if not self._user:
            raise Unavailable(what="No user was named", step="Give --user NAME, or set ASSAY_USER.")
        return self._user

    def passphrase(self, prompt: str = "Passphrase", confirm: bool = False) -> str:
        """The person's passphrase. Raises `Unavailable` where nobody can be asked."""
        file = os.environ.get("ASSAY_PASSPHRASE_FILE")
        if file:
            return read_passphrase(Path(file))
        return ask_passphrase(prompt, confirm)

    @contextmanager
    def workbench(self) -> Iterator[Workbench]:
        """The services of the vault, open for the length of the command."""
        folder, user = self.folder, self.user
        with Workbench.open(folder, user, self.passphrase(f"Passphrase of {user}")) as bench:
            yield bench

    @contextmanager
    def signer(self, bench: Workbench) -> Iterator[Signer]:
        """The person's signing keys, after their passphrase was asked for again."""
        with bench.vault.confirm(self.passphrase(f"Sign as {bench.vault.user.name}. Passphrase")) as signer:
            yield signer


pass_session = click.make_pass_decorator(Session)


def read_passphrase(path: Path) -> str:
    """The first line of a file that only its owner should read."""
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            source=str(path), problem="the passphrase file can't be read. Check that it is there."
        ) from error
    if not line:
        raise BadInput(source=str(path), problem="the passphrase file is empty.")
    return line


def ask_passphrase(prompt: str, confirm: bool = False, step: str = "Set ASSAY_PASSPHRASE_FILE.") -> str:
    """Ask on the terminal, without showing what is typed. Raises `Unavailable` with `step` where there is none."""
    if not sys.stdin.isatty():
        raise Unavailable(what=f"A passphrase is needed ({prompt}) and there is no terminal to ask on", step=step)
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
