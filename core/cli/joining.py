"""The side of the person whose process found the vault open in another one: the command runs there, and this process is its terminal.

The passphrase that opens the vault stays here; what crosses is the proof of it (`core.vault.joining`). A passphrase crosses only to sign, and
only after the other side has proved that it has the vault open. The socket of `assay serve` is made here and listens there. Ctrl-C asks the
command to stop; a second one leaves it.
"""

import contextlib
import os
import selectors
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import click

from core.cli.channels import Channel
from core.cli.console import Console
from core.cli.messages import (
    Ask,
    Cancel,
    Ended,
    Err,
    Failed,
    FromGuest,
    FromHost,
    Given,
    Hello,
    Out,
    Proof,
    Run,
    Sealed,
    Welcome,
    error_of,
    failed,
    from_host,
    program,
)
from core.cli.rendezvous import Found
from core.errors import AssayError, Unavailable, WrongPassphrase
from core.trust.sealing import SealingKeys
from core.vault.joining import answer, new_nonce, not_this_vault
from core.workers.frames import BadFrame

ANSWER_SECONDS: Final = 30.0
"""That the other process may take for its part of getting to know each other."""


class NobodyThereError(Exception):
    """The other process ended, or stopped letting others in, before the command was sent."""


def run(found: Found, folder: Path, user: str, way: str | SealingKeys, console: Console) -> int:
    """Run the console's command in the process that has the vault open; its exit code. `way`: the passphrase, or the private half of the slot.

    Raises `NobodyThereError`, `WrongPassphrase`, `Refused` (revoked, or what listens isn't this vault), `Unavailable` (the other process ended, was
    locked, or is another version), `BrokenPipeError` (nobody takes the output here), and `KeyboardInterrupt` for the second Ctrl-C."""
    channel: Channel[FromHost] = Channel(found.connection, from_host, ANSWER_SECONDS)
    try:
        try:
            _introduce(channel, found, folder, user, way)
        except (EOFError, BadFrame) as error:
            raise NobodyThereError from error
        except TimeoutError as error:
            raise _gone(found, "doesn't answer") from error
        return _Terminal(channel, console).attend(_request(folder, user, console))
    except (EOFError, BadFrame) as error:
        raise _gone(found, "ended") from error
    finally:
        channel.close()


def _introduce(channel: Channel[FromHost], found: Found, folder: Path, user: str, way: str | SealingKeys) -> None:
    nonce = new_nonce()
    channel.send(Hello(program=program(), token=found.notice.token, user=user, nonce=nonce))
    sealed = channel.receive()
    if not isinstance(sealed, Sealed):
        refusal = _refusal(sealed)
        if isinstance(refusal, WrongPassphrase):
            answer(folder, user, way, nonce, b"")  # an unknown name is counted and costs what a wrong passphrase costs
        raise refusal
    try:
        answered = answer(folder, user, way, nonce, sealed.sealed)
    except WrongPassphrase as error:
        channel.send(failed(error))
        raise
    channel.within(ANSWER_SECONDS)
    channel.send(Proof(proof=answered.proof))
    welcome = channel.receive()
    if not isinstance(welcome, Welcome):
        raise _refusal(welcome)
    if not answered.accepts(welcome.proof):
        raise not_this_vault(folder)
    channel.known()


def _request(folder: Path, user: str, console: Console) -> Run:
    return Run(
        arguments=tuple(map(os.fsencode, console.arguments)),
        vault=os.fsencode(console.path(str(folder))),
        user=user,
        folder=os.fsencode(console.path("")),
        draws=console.draws,
    )


class _Terminal:
    """Prints what comes, asks what is asked, and passes Ctrl-C on."""

    def __init__(self, channel: Channel[FromHost], console: Console) -> None:
        self._channel = channel
        self._console = console

    def attend(self, request: Run) -> int:
        """Send the command and stay until it has ended; its exit code."""
        with _interrupts() as woken, selectors.DefaultSelector() as selector:
            self._say(request)
            selector.register(self._channel, selectors.EVENT_READ, data="message")
            selector.register(woken, selectors.EVENT_READ, data="interrupt")
            while True:
                ready = {key.data for key, _ in selector.select()}
                if "interrupt" in ready:
                    os.read(woken, 1)
                    self._say(Cancel())
                for message in self._channel.read() if "message" in ready else ():
                    if isinstance(message, Ended):
                        return message.code
                    self._take(message)

    def _take(self, message: FromHost) -> None:
        if isinstance(message, Out):
            self._console.out(message.text)
        elif isinstance(message, Err):
            self._console.err(message.text)
        elif isinstance(message, Ask) and message.what == "socket":
            self._hand_over()
        elif isinstance(message, Ask):
            self._say(self._answer(message))
        else:
            raise _refusal(message)

    def _say(self, message: FromGuest) -> None:
        with contextlib.suppress(EOFError):  # its last words, which tell why, are still to be read
            self._channel.send(message)

    def _hand_over(self) -> None:
        """Give the other side the API's socket; from then on it listens there alone."""
        try:
            with self._console.listening() as listening, contextlib.suppress(EOFError):
                self._channel.send(Given(text=""), listening.fileno())
        except AssayError as error:
            self._say(failed(error))

    def _answer(self, ask: Ask) -> Given | Failed:
        with _breakable():
            try:
                if ask.what == "own":
                    return Given(text=self._console.passphrase(ask.prompt, ask.confirm))
                if ask.what == "other":
                    return Given(text=self._console.ask_passphrase(ask.prompt, ask.confirm, ask.step))
                if ask.what == "name":
                    return Given(text=self._console.user_name(ask.prompt, ask.step))
                return Given(text="yes" if self._console.agrees(ask.prompt, ask.step) else "no")
            except AssayError as error:
                return failed(error)
            except (click.Abort, KeyboardInterrupt):
                return Given(text=None)


@contextmanager
def _interrupts() -> Iterator[int]:
    """A descriptor that can be read after the first Ctrl-C; the second raises `KeyboardInterrupt`."""
    reading, writing = os.pipe()

    def note(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(writing, b"!")

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, note) if main else None
    try:
        yield reading
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
        os.close(reading)
        os.close(writing)


@contextmanager
def _breakable() -> Iterator[None]:
    """Ctrl-C breaks off the question that is asked inside the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _refusal(message: FromHost) -> Exception:
    return error_of(message) if isinstance(message, Failed) else BadFrame("not the next message")


def _gone(found: Found, how: str) -> Unavailable:
    return Unavailable(
        what=f"The Assay that has the vault open (process {found.notice.process}) {how}",
        step="What was recorded until then is kept. Run the command again.",
    )
