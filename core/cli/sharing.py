"""The open vault's side of joining: this process runs the commands of people whose own processes found the vault open.

A thread takes connections, and each has one that listens to it; its command runs on a third, with services of its own over the same
vault (`Workbench.beside`). The rules:

1. Nothing is done for a process of another user of the system, nor before the token and the proof of `core.vault.joining`.
2. Who says nothing, or speaks slowly, is let go after a while; so is who sends anything but the next message. It costs the others nothing.
3. One connection runs one command. `MOST_COMMANDS` run at once.
4. A command whose person is gone is stopped as Ctrl-C would. When the vault is locked all are, and are told so; the vault is closed after
   they have ended.
5. A person whose rights in the vault were changed is let go, and what was changed holds for them at once, also for who has the vault open.
   The command that changed the rights of who has the vault open comes to its end, although the vault is locked meanwhile: which
   one that is, is known before anybody who locks the vault for it hears of the change.
"""

import contextlib
import hmac
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

from core.cli import rendezvous
from core.cli.channels import Channel
from core.cli.console import Console
from core.cli.guests import Guest
from core.cli.messages import (
    Cancel,
    Ended,
    Failed,
    FromGuest,
    Given,
    Hello,
    Proof,
    Run,
    Sealed,
    Welcome,
    failed,
    from_guest,
    program,
)
from core.errors import AssayError, Refused, Unavailable
from core.vault import attempts
from core.vault.events import Changed
from core.vault.joining import Challenge, Joined, look_again
from core.vault.roles import Act
from core.workbench import Workbench
from core.workers.frames import BadFrame

Execute = Callable[[Console, Sequence[str]], int]
AFTER: Final = 0.5
"""Seconds after which a command lets others in: they wait for a shorter one (`core.cli.here.PATIENCE`)."""
MOST_CONNECTIONS: Final = 64
MOST_COMMANDS: Final = 8
HELLO_SECONDS: Final = 5.0
"""Until the first message, which a process has ready when it connects."""
PROOF_SECONDS: Final = 60.0
"""Until the command: a key derivation lies in between, which takes seconds even on a slow machine under load."""
FAREWELL_SECONDS: Final = 2.0
"""That the last words may take on their way when the vault is locked."""
ENDING_SECONDS: Final = 20.0
"""That locking waits for stopped commands; after that they meet a locked vault."""
TURN: Final = 0.02
PERSONAL: Final = frozenset({Act.REVOKE_USER, Act.RESET_USER, Act.CHANGE_ROLES, Act.RENEW_CARD})
"""Acts about a person, by name."""
log = logging.getLogger(__name__)


class _Visit:
    """One connection: who it is, once that is known, and their command, once it runs."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.channel: Channel[FromGuest] = Channel(connection, from_guest, HELLO_SECONDS)
        self.thread: threading.Thread | None = None
        self.guest: Guest | None = None
        self.command: threading.Thread | None = None
        self.joined: Joined | None = None
        self.finishing = False
        """Whether the command may come to its end when the vault is locked."""

    def dismiss(self, reason: AssayError) -> None:
        """Say why, end the connection, stop the command."""
        self.channel.part(failed(reason), FAREWELL_SECONDS)
        if self.guest is not None:
            self.guest.stop()


class Listener:
    """Lets this user's other processes work in an open workbench until `stop`. Raises `Unavailable` where the system can't do that.

    `execute` runs one command for a console and gives its exit code; it raises nothing. `peer` says whose process a connection is.
    """

    def __init__(
        self, bench: Workbench, execute: Execute, peer: Callable[[socket.socket], int] = rendezvous.peer
    ) -> None:
        self._bench = bench
        self._execute = execute
        self._peer = peer
        self._visits: set[_Visit] = set()
        self._lock = threading.Lock()
        self._reason: AssayError | None = None
        self._claimed = rendezvous.claim(bench.vault.folder, bench.vault.id, program())
        self._woken, self._waking = os.pipe()
        self._unsubscribe = bench.events.subscribe(self._changed, first=True)
        bench.visitors = self.visitors
        self._door = threading.Thread(target=self._accept, name="sharing", daemon=True)
        self._door.start()

    def commands(self) -> int:
        """How many commands are at work for others."""
        with self._lock:
            return sum(visit.command is not None for visit in self._visits)

    def visitors(self) -> tuple[Guest, ...]:
        """The commands that are at work for others."""
        return tuple(visit.guest for visit in self._all() if visit.guest is not None and visit.guest.code is None)

    def refuse(self) -> None:
        """Take nobody else in; who is in goes on. Safe more than once."""
        with self._lock:
            waking, self._waking = self._waking, -1
        if waking >= 0:
            os.close(waking)
            self._door.join()
            self._claimed.release()

    def stop_staying(self, reason: AssayError) -> None:
        """End the commands of others that would go on until they are stopped, and tell them why."""
        for visit in self._all():
            if visit.guest is not None and visit.guest.staying:
                visit.dismiss(reason)
                if visit.thread is not None:
                    visit.thread.join(ENDING_SECONDS)

    def wait(self) -> None:
        """Until no command of others is at work."""
        for visit in self._all():
            if visit.command is not None:
                visit.command.join()

    def stop(self, reason: AssayError) -> None:
        """End all commands of others, tell them why, and wait for that. Safe more than once; not for a command's own thread."""
        with self._lock:
            self._reason = reason
        self.refuse()
        visits = self._all()
        deadline = time.monotonic() + ENDING_SECONDS
        for visit in sorted(visits, key=lambda visit: visit.finishing):
            if visit.finishing and visit.command is not None:
                visit.command.join(max(0.0, deadline - time.monotonic()))
            visit.dismiss(reason)
        for visit in visits:
            if visit.thread is not None:
                visit.thread.join(max(0.0, deadline - time.monotonic()))
        self._unsubscribe()

    def _all(self) -> list[_Visit]:
        with self._lock:
            return list(self._visits)

    def _accept(self) -> None:
        listening = self._claimed.listening
        with selectors.DefaultSelector() as selector:
            selector.register(listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fd != self._woken for key, _ in selector.select()):
                try:
                    self._take(listening.accept()[0])
                except OSError:
                    time.sleep(TURN)  # who went before they were taken, or no descriptor is left
        os.close(self._woken)

    def _take(self, connection: socket.socket) -> None:
        visit = _Visit(connection)
        visit.thread = threading.Thread(target=self._serve, args=(visit,), name="guest", daemon=True)
        with self._lock:
            full = len(self._visits) >= MOST_CONNECTIONS
            if not full:
                self._visits.add(visit)
        if full:
            connection.close()
            return
        visit.thread.start()

    def _serve(self, visit: _Visit) -> None:
        """Listen to one connection until it ends."""
        channel = visit.channel
        try:
            if self._peer(visit.connection) != os.getuid():
                return
            joined = self._admitted(channel)
            visit.joined = joined
            self._begin(visit, joined)
            try:
                self._listen(visit)
            finally:
                self._finish(visit)
        except AssayError as error:
            channel.part(failed(error), FAREWELL_SECONDS)
        except (BadFrame, EOFError, OSError):
            pass  # gone, too slow, or not speaking our language: there is nobody to be answered
        except Exception as error:  # noqa: BLE001 (a fault in here ends this connection and nothing else)
            log.error("A connection ended: %s", type(error).__name__)
        finally:
            channel.end()
            with self._lock:
                self._visits.discard(visit)
            channel.close()

    def _admitted(self, channel: Channel[FromGuest]) -> Joined:
        """The vault for the person at the other end.

        Raises `Unavailable` (another program), `WrongPassphrase`, `Refused`, and what the channel raises."""
        hello = channel.receive()
        if not isinstance(hello, Hello) or not hmac.compare_digest(hello.token, self._claimed.token):
            raise BadFrame("no token")
        if hello.program != program():
            raise Unavailable(
                what=f"The vault is open in another version of Assay ({program()}, and this is {hello.program[:40]})",
                step="Close it there first, or use that version.",
            )
        challenge = Challenge(self._bench.vault, hello.user, hello.nonce)
        channel.within(PROOF_SECONDS)
        channel.send(Sealed(sealed=challenge.sealed))
        proof = channel.receive()
        if isinstance(proof, Failed):
            attempts.merge(self._bench.vault)  # a wrong passphrase, which the person's process noted beside the vault
        if not isinstance(proof, Proof):
            raise BadFrame("no proof")
        joined, ours = challenge.admit(proof.proof)
        channel.send(Welcome(proof=ours))
        return joined

    def _begin(self, visit: _Visit, joined: Joined) -> None:
        run = visit.channel.receive()
        if not isinstance(run, Run):
            raise BadFrame("no command")
        visit.channel.known()
        visit.channel.take_handles()
        with self._lock:
            if self._reason is not None:
                raise self._reason
            if sum(other.command is not None for other in self._visits) >= MOST_COMMANDS:
                raise Unavailable(
                    what=f"{MOST_COMMANDS} commands are at work in this vault already", step="Wait until one has ended."
                )
            visit.guest = Guest(visit.channel.send, self._bench, joined, run, visit.channel.handle)
            visit.command = threading.Thread(
                target=self._work, args=(visit, visit.guest, joined), name="command", daemon=True
            )
        visit.command.start()

    def _work(self, visit: _Visit, guest: Guest, joined: Joined) -> None:
        """Run the command. When its person hears of its end, the log holds all of it."""
        try:
            with joined.signed_in():
                guest.code = self._execute(guest, guest.arguments)
        except AssayError as error:  # the sign-in couldn't be logged
            guest.code = error.exit_code
            visit.channel.part(failed(error), FAREWELL_SECONDS)
            return
        with contextlib.suppress(EOFError):
            visit.channel.send(Ended(code=guest.code))
        visit.channel.end()

    def _listen(self, visit: _Visit) -> None:
        assert visit.guest is not None
        while True:
            message = visit.channel.receive()
            if isinstance(message, Cancel):
                visit.guest.stop()
            elif isinstance(message, Given | Failed):
                visit.guest.answered(message)
            else:
                raise BadFrame("not the next message")

    def _finish(self, visit: _Visit) -> None:
        """The connection has ended: so does the command."""
        visit.channel.end()
        if visit.guest is not None and visit.command is not None:
            visit.guest.stop()
            visit.command.join()

    def _changed(self, changed: Changed) -> None:
        """What was changed about a person holds at once for all who work here under that name, whoever changed it."""
        if changed.act not in PERSONAL:
            return
        if self._bench.vault.user.user == changed.about:
            look_again(self._bench.vault)
            for visit in self._all():
                visit.finishing = visit.finishing or visit.command is threading.current_thread()
        reason = Refused(act="Work in this vault", reason="Your rights in it were changed. Run the command again.")
        for visit in self._all():
            if visit.joined is None or visit.joined.user.user != changed.about:
                continue
            look_again(visit.joined)
            if changed.act is not Act.RENEW_CARD and visit.command is not threading.current_thread():
                threading.Thread(target=visit.dismiss, args=(reason,), name="dismiss", daemon=True).start()


@contextmanager
def offered(
    bench: Workbench,
    execute: Execute | None,
    waiting: Callable[[int], None],
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Let others in while the block runs, once it has run for a moment. At its end, nobody else is let in and the commands of those who are in
    are waited for, after `waiting` was told how many; an interrupt ends them. Where the block was interrupted or `stopped` already, those that would
    never end by themselves are ended first."""
    if execute is None or not rendezvous.SUPPORTED:
        yield
        return
    offer, interrupted = _Offer(bench, execute), False
    reason = Unavailable(
        what="The Assay that had the vault open was stopped",
        step="What was recorded until then is kept. Run the command again.",
    )
    try:
        yield
    except (click.Abort, KeyboardInterrupt):
        interrupted = True
        raise
    finally:
        listener = offer.end()
        if listener is not None:
            listener.refuse()
            try:
                if interrupted or stopped():
                    listener.stop_staying(reason)
                if listener.commands():
                    waiting(listener.commands())
                    listener.wait()
            finally:
                listener.stop(reason)


class _Offer:
    """A listener that begins after a moment, unless the work has ended by then."""

    def __init__(self, bench: Workbench, execute: Execute) -> None:
        self._bench = bench
        self._execute = execute
        self._lock = threading.Lock()
        self._ended = False
        self._listener: Listener | None = None
        self._timer = threading.Timer(AFTER, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> Listener | None:
        """The listener, if it had begun."""
        self._timer.cancel()
        with self._lock:
            self._ended = True
            return self._listener

    def _begin(self) -> None:
        with self._lock:
            if not self._ended:
                with contextlib.suppress(Unavailable):  # then a second process is refused
                    self._listener = Listener(self._bench, self._execute)
