"""One connection between a person's process and the one that has the vault open, from either end: whole messages in and out.

A deadline holds for everything that is read before the two know each other, however slowly it drips in. One thread reads; any may send. Who
takes descriptors keeps the last one that came, until it is asked for or the connection is closed; before the two know each other none comes in.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from core.cli.messages import FIRST_FRAMES, LARGEST, FromGuest, FromHost, frame
from core.workers.frames import BadFrame, Unpacker

CHUNK: Final = 64 * 1024
M = TypeVar("M")


class Channel(Generic[M]):
    """Reads messages with `decode`. `seconds` is how long the first ones may take in all."""

    def __init__(self, connection: socket.socket, decode: Callable[[bytes], M], seconds: float) -> None:
        self._connection = connection
        self._decode = decode
        self._deadline: float | None = time.monotonic() + seconds
        self._unpacker = Unpacker(FIRST_FRAMES)
        self._arrived: list[M] = []
        self._sending = threading.Lock()
        self._taking = False
        self._handle = -1

    def within(self, seconds: float) -> None:
        """A new deadline."""
        self._deadline = time.monotonic() + seconds

    def known(self) -> None:
        """The other side is known: longer frames may come, in their own time. Raises `BadFrame` when some came before they were asked for."""
        if self._arrived or not self._unpacker.empty:
            raise BadFrame("more than was asked for")
        self._unpacker = Unpacker(LARGEST)
        self._deadline = None
        self._connection.settimeout(None)

    def take_handles(self) -> None:
        """From now on, let descriptors come in."""
        self._taking = True

    def handle(self) -> int:
        """The descriptor that came last, which is the caller's now; -1 where none did."""
        found, self._handle = self._handle, -1
        return found

    def send(self, message: FromGuest | FromHost, handle: int = -1) -> None:
        """With `handle`, a copy of that descriptor crosses too. Raises `EOFError` when the other side is gone."""
        data = frame(message)
        with self._sending:
            try:
                if handle >= 0:
                    data = data[socket.send_fds(self._connection, [data], [handle]) :]
                self._connection.sendall(data)
            except OSError as error:
                raise EOFError from error

    def receive(self) -> M:
        """The next message. Raises `EOFError` when the other side is gone, `TimeoutError` past the deadline, `BadFrame`."""
        while not self._arrived:
            if self._deadline is not None:
                left = self._deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._connection.settimeout(left)
            self._arrived = list(self.read())
        return self._arrived.pop(0)

    def read(self) -> Iterator[M]:
        """The messages that one piece of the stream completes: none, or some. Raises as `receive`."""
        try:
            data = self._received()
        except TimeoutError:
            raise
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        for payload in self._unpacker.feed(data):
            yield self._decode(payload)

    def _received(self) -> bytes:
        if not self._taking:
            return self._connection.recv(CHUNK)  # the system drops descriptors that come with it
        data, handles, _, _ = socket.recv_fds(self._connection, CHUNK, 1)
        for handle in handles:
            self._close_handle()
            os.set_inheritable(handle, False)
            self._handle = handle
        return data

    def _close_handle(self) -> None:
        if (left := self.handle()) >= 0:
            os.close(left)

    def part(self, last: FromHost, seconds: float) -> None:
        """Send the last message, if the other side takes it in time, and end the connection for all threads that use it."""
        if self._sending.acquire(timeout=seconds):
            try:
                self._connection.settimeout(seconds)
                self._connection.sendall(frame(last))
            except OSError:
                pass  # it is gone, or doesn't read: then there is nobody to be told
            finally:
                self._sending.release()
        self.end()

    def end(self) -> None:
        """Nothing more is read or written, by any thread."""
        with contextlib.suppress(OSError):  # it has ended already
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Once no thread uses it any more."""
        self._close_handle()
        self._connection.close()

    def fileno(self) -> int:
        """For a selector."""
        return self._connection.fileno()
