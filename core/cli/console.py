"""Where a command's words go and come from. A command never touches the process's own streams, folder, environment or signals: it may be
running for somebody in another process (`core.cli.guests`), whose streams, folder and environment these are then.
"""

import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from core.jobs import Job
from core.workbench import Workbench


class Console(Protocol):
    """One person at one command."""

    arguments: Sequence[str]
    """The command's words, without the program's name."""
    vault: str | None
    """The vault where none is named on the line; `user` likewise."""
    user: str | None

    @property
    def draws(self) -> bool:
        """Whether progress is drawn."""

    def out(self, text: str) -> None:
        """The result. Raises `BrokenPipeError` when nobody takes it any more."""

    def err(self, text: str) -> None:
        """Remarks, progress, errors."""

    def broken(self) -> None:
        """Nobody takes the result any more: leave quietly."""

    def path(self, given: str) -> Path:
        """A path that the person gave, absolute, from the folder that they are in."""

    def passphrase(self, prompt: str, confirm: bool) -> str:
        """The person's own passphrase, from their file or their terminal. Raises `Unavailable`, `BadInput`, `click.Abort`."""

    def ask_passphrase(self, prompt: str, confirm: bool, step: str) -> str:
        """A passphrase from the terminal, never from the file. Raises `Unavailable` with `step`, `click.Abort`."""

    def user_name(self, prompt: str, given: str) -> str:
        """The user name for a signature, typed where the passphrase is; `given`, the one that was set beforehand, where a file holds
        the passphrase. Raises `Unavailable`, `click.Abort`."""

    def agrees(self, question: str, step: str) -> bool:
        """Whether the person says yes on their terminal. Raises `Unavailable` with `step`, `click.Abort`."""

    def listening(self) -> socket.socket:
        """The loopback socket that this process made before its barrier, for the API. Raises `Unavailable` where it made none."""

    def watch(self, job: Job) -> None:
        """Let the person stop this job."""

    def stays(self) -> None:
        """The command goes on until somebody stops it; so it ends too when the process that it runs in is stopped."""

    def workbench(self, folder: Path, user: str) -> AbstractContextManager[Workbench]:
        """The services of a vault for a person. Raises what `Workbench.open` raises."""
