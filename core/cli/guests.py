"""The console of a command that runs in the process that has the vault open, for a person in another process.

What the command prints, asks and reports travels to that person; nothing of this process's own streams, environment or folder is used. When
they stop it, or are gone, its jobs are cancelled and its questions end. A command that serves the API listens on the socket that the person's
own process made and handed over; this process, behind its barrier, makes none.
"""

import contextlib
import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click

from core.cli.messages import PIECE, Ask, Err, Failed, FromHost, Given, Out, Run, error_of
from core.errors import BadInput, Refused, Unavailable
from core.jobs import Job
from core.server.listening import adopted
from core.vault.joining import Joined
from core.workbench import Workbench


class Guest:
    """A `Console` for one command of a person who joined. `send` raises `EOFError` when they are gone."""

    def __init__(
        self,
        send: Callable[[FromHost], None],
        bench: Workbench,
        joined: Joined,
        run: Run,
        handle: Callable[[], int] = lambda: -1,
    ) -> None:
        """`handle` gives the descriptor that came with the last answer."""
        self.arguments: Sequence[str] = tuple(map(os.fsdecode, run.arguments))
        self.vault: str | None = os.fsdecode(run.vault)
        self.user: str | None = run.user
        self.draws = run.draws
        self._folder = Path(os.fsdecode(run.folder))
        self._send = send
        self._bench = bench
        self._joined = joined
        self._handle = handle
        self._answers: queue.SimpleQueue[Given | Failed] = queue.SimpleQueue()
        self._jobs: list[Job] = []
        self._lock = threading.Lock()
        self._stopped = self._asking = False
        self.staying = False
        """Whether the command goes on until it is stopped."""
        self.code: int | None = None
        """The exit code, once the command has ended."""

    @property
    def busy(self) -> Job | None:
        """The long work that is under way; None while there is none, or while the person is asked something."""
        with self._lock:
            return self._jobs[-1] if self._jobs and not self._asking and self.code is None else None

    def out(self, text: str) -> None:
        for start in range(0, len(text), PIECE):
            try:
                self._send(Out(text=text[start : start + PIECE]))
            except EOFError as error:
                raise BrokenPipeError from error

    def err(self, text: str) -> None:
        """What nobody takes is dropped: the work that reports its progress is stopped by `stop`, and ends in order."""
        with contextlib.suppress(EOFError):
            for start in range(0, len(text), PIECE):
                self._send(Err(text=text[start : start + PIECE]))

    def broken(self) -> None:
        """The connection has ended already."""

    def path(self, given: str) -> Path:
        return self._folder / Path(given).expanduser()

    def passphrase(self, prompt: str, confirm: bool) -> str:
        return self._ask("own", prompt, confirm, "")

    def ask_passphrase(self, prompt: str, confirm: bool, step: str) -> str:
        return self._ask("other", prompt, confirm, step)

    def user_name(self, prompt: str, given: str) -> str:
        return self._ask("name", prompt, False, given)

    def agrees(self, question: str, step: str) -> bool:
        return self._ask("yes", question, False, step) == "yes"

    def listening(self) -> socket.socket:
        self._ask("socket", "", False, "")
        if (handle := self._handle()) < 0:
            raise Unavailable(what="No socket came for the API", step="Run the command again.")
        return adopted(handle)

    def watch(self, job: Job) -> None:
        with self._lock:
            self._jobs.append(job)
            stopped = self._stopped
        if stopped:
            job.cancel()

    def stays(self) -> None:
        self.staying = True

    @contextmanager
    def workbench(self, folder: Path, user: str) -> Iterator[Workbench]:
        """The services of the vault that is open here, for the person whose passphrase was checked. Raises `BadInput`, `Refused` for another."""
        if not (self._folder / folder).samefile(self._joined.folder):
            raise BadInput(source=str(folder), problem="another vault is open in the Assay that was asked.")
        if user != self._joined.user.user:
            raise Refused(act="Open the vault", reason=f"The passphrase was that of {self._joined.user.user}.")
        bench = self._bench.beside(self._joined)
        try:
            yield bench
        finally:
            bench.close()

    def answered(self, answer: Given | Failed) -> None:
        """What the person said to the question."""
        self._answers.put(answer)

    def stop(self) -> None:
        """End the jobs and the questions. Returns at once."""
        with self._lock:
            self._stopped = True
            jobs = list(self._jobs)
        self._answers.put(Given(text=None))
        if jobs:
            threading.Thread(target=_cancel, args=(jobs,), name="stop").start()

    def _ask(
        self, what: Literal["own", "other", "name", "yes", "socket"], prompt: str, confirm: bool, step: str
    ) -> str:
        if self._stopped:
            raise click.Abort
        with contextlib.suppress(EOFError):  # then `stop` answers
            self._send(Ask(what=what, prompt=prompt, confirm=confirm, step=step))
        self._asking = True
        answer = self._answers.get()
        self._asking = False
        if isinstance(answer, Failed):
            raise error_of(answer)
        if answer.text is None:
            raise click.Abort
        return answer.text


def _cancel(jobs: Sequence[Job]) -> None:
    """On a thread of its own: what cancelling calls may wait for the work."""
    for job in jobs:
        job.cancel()
