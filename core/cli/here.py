"""The console of a command that runs in its own process: the process's streams, environment, folder and signals.

Where another process of the same person has the vault open, the command is handed over to it as soon as it asks for the vault; otherwise this
process opens the vault, and after a moment lets others in. Every command reaches streams and environment through here and nowhere else.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from core.cli import joining, rendezvous, sharing
from core.cli.console import Console
from core.errors import AssayError, BadInput, NotFound, Unavailable, VaultBusy
from core.jobs import Job
from core.trust.sealing import SealingKeys
from core.vault import keyring
from core.vault.locking import FolderLock
from core.workbench import SCHEMA, Workbench

Execute = Callable[[Console, Sequence[str]], int]
PATIENCE = 3.0
"""Seconds that a command waits for a short one to end, or for a longer one to let it in (`sharing.AFTER`)."""
TURN = 0.05


class Here:
    """A `Console`. `execute` runs the commands of those who join; without it nobody can. `listening` is the API's socket, or why there is none."""

    def __init__(
        self,
        arguments: Sequence[str] = (),
        execute: Execute | None = None,
        listening: socket.socket | AssayError | None = None,
    ) -> None:
        self.arguments = arguments
        self._listening = listening
        self.vault = os.environ.get("ASSAY_VAULT")
        self.user = os.environ.get("ASSAY_USER")
        self._execute = execute
        self._stopped = False

    @property
    def draws(self) -> bool:
        return sys.stderr.isatty()

    def out(self, text: str) -> None:
        click.echo(text, nl=False)

    def err(self, text: str) -> None:
        click.echo(text, nl=False, err=True)

    def broken(self) -> None:
        """Point standard output at nothing, so that the interpreter can leave quietly."""
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())

    def path(self, given: str) -> Path:
        return Path.cwd() / Path(given).expanduser()

    def passphrase(self, prompt: str, confirm: bool) -> str:
        file = os.environ.get("ASSAY_PASSPHRASE_FILE")
        if file:
            return read_passphrase(Path(file))
        return self.ask_passphrase(prompt, confirm, "Set ASSAY_PASSPHRASE_FILE.")

    def ask_passphrase(self, prompt: str, confirm: bool, step: str) -> str:
        if not sys.stdin.isatty():
            raise Unavailable(what=f"A passphrase is needed ({prompt}) and there is no terminal to ask on", step=step)
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))

    def user_name(self, prompt: str, given: str) -> str:
        if os.environ.get("ASSAY_PASSPHRASE_FILE"):
            return given
        if not sys.stdin.isatty():
            raise Unavailable(
                what=f"A user name is needed ({prompt}) and there is no terminal to ask on", step="Give --user NAME."
            )
        return str(click.prompt(prompt, err=True)).strip()

    def agrees(self, question: str, step: str) -> bool:
        if not sys.stdin.isatty():
            raise Unavailable(what=f"{question} There is no terminal to answer on", step=step)
        return click.confirm(question, err=True)

    def listening(self) -> socket.socket:
        if isinstance(self._listening, AssayError):
            raise self._listening
        if self._listening is None:
            raise Unavailable(what="This process made no socket when it began", step="Use `assay serve`.")
        if threading.current_thread() is threading.main_thread():  # who serves is ended by the system as by Ctrl-C
            signal.signal(signal.SIGTERM, lambda _signal, _frame: signal.raise_signal(signal.SIGINT))
        return self._listening

    def watch(self, job: Job) -> None:
        """Let the first interrupt cancel `job`. On a thread of its own, since the interrupted code may hold what cancelling needs."""

        def stop(_signal: int, _frame: FrameType | None) -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._stopped = True
            threading.Thread(target=job.cancel, name="stop").start()

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, stop)

    def stays(self) -> None:
        """Nothing: Ctrl-C ends it here."""

    @contextmanager
    def workbench(self, folder: Path, user: str) -> Iterator[Workbench]:
        way = self._remembered(folder, user) or self.passphrase(f"Passphrase of {user}", False)
        with (
            self._opened(folder, user, way) as bench,
            sharing.offered(bench, self._execute, self._waiting, lambda: self._stopped),
        ):
            yield bench

    def _opened(self, folder: Path, user: str, way: str | SealingKeys) -> Workbench:
        """The vault, opened here. Where another process has it, the command runs there and `SystemExit` is raised with its exit code."""
        deadline: float | None = None
        while True:
            found = rendezvous.find(folder)
            if found is not None:
                with contextlib.suppress(joining.NobodyThereError):
                    raise SystemExit(joining.run(found, folder, user, way, self))
            try:
                if isinstance(way, SealingKeys):
                    return Workbench(keyring.open_with(folder, user, way, SCHEMA))
                return Workbench.open(folder, user, way)
            except VaultBusy:
                if not rendezvous.SUPPORTED:
                    raise
                deadline = deadline or time.monotonic() + PATIENCE
                while time.monotonic() < deadline and not _open_to_us(folder):
                    time.sleep(TURN)
                if time.monotonic() >= deadline:
                    raise

    def _remembered(self, folder: Path, user: str) -> SealingKeys | None:
        """What opens the vault from the system's keyring, where no passphrase file is set and the keyring has something of worth."""
        if os.environ.get("ASSAY_PASSPHRASE_FILE"):
            return None
        with contextlib.suppress(NotFound, Unavailable):
            return keyring.pair_of(folder, user, keyring.SystemKeyring())
        return None

    def _waiting(self, commands: int) -> None:
        """The work is done, and others still work through this process: Ctrl-C ends that at once."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)
        what = "another command that works" if commands == 1 else f"{commands} other commands that work"
        self.err(f"Done. Waiting for {what} in this vault through this one; Ctrl-C ends that.\n")


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


def _open_to_us(folder: Path) -> bool:
    """Whether the process that had the vault has let go of it, or lets others in."""
    found = rendezvous.find(folder)
    if found is not None:
        found.connection.close()
        return True
    try:
        FolderLock(folder).release()
    except VaultBusy:
        return False
    return True
