"""Listening sockets for a process that is behind the barrier: a small process beside it makes them, on the loopback address only.

The window raises its barrier first and serves when somebody asks for it, on a port that they choose. So it starts a broker before the barrier,
which takes a port number and hands over the listening socket (SCM_RIGHTS), and does nothing else. Rules: the broker is forked before there are
threads, keys or content. The kernel keeps it from connecting, sending anything but its answers to the window, and starting programs. It ends
with the process that started it. Where there is no barrier (see `core.egress`), there is no broker either: the process makes its sockets itself.
"""

import os
import signal
import socket
import struct
import sys
import threading
from typing import Final, NoReturn

import msgspec

from core import egress
from core.egress import Rule
from core.errors import AssayError, Unavailable, from_fields, to_fields
from core.server.listening import PORT, check_port, listen

ANSWER_SECONDS: Final = 5.0
_PORT: Final = struct.Struct("!H")
_LONGEST: Final = 4096
_Fields = tuple[str, dict[str, str | int | float]]
_PR_SET_PDEATHSIG: Final = 1
_MSG_FASTOPEN: Final = 0x20000000  # sending with it connects first
_TCP_ONLY: Final = (
    (Rule("socket", argument=0, allowed=(int(socket.AF_INET),)),),
    (Rule("socket", argument=1, mask=0xF, allowed=(int(socket.SOCK_STREAM),)),),
    (Rule("socket", argument=2, allowed=(int(socket.IPPROTO_TCP),)),),
)
"""One filter each, since a filter looks at one argument of a call; the kernel asks all of them."""
_NOTHING_ELSE: Final = (
    Rule("connect"),
    Rule("accept"),
    Rule("accept4"),
    Rule("sendto"),
    Rule("sendmmsg"),
    Rule("sendmsg", argument=2, mask=_MSG_FASTOPEN, allowed=(0,)),
    Rule("socketpair"),
    Rule("execve"),
    Rule("execveat"),
    Rule("fork"),
    Rule("vfork"),
    Rule("clone"),
    Rule("clone3"),
    Rule("ptrace"),
    Rule("io_uring_setup"),
    Rule("io_uring_enter"),
    Rule("io_uring_register"),
)


class Broker:
    """Asks the process beside this one for sockets. Safe from several threads."""

    def __init__(self, channel: socket.socket | None) -> None:
        self._channel = channel
        self._lock = threading.Lock()

    @classmethod
    def start(cls) -> "Broker":
        """Fork the broker. Call it first of all: before the barrier, before there is a thread."""
        if sys.platform != "linux":
            return cls(None)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            _be(theirs)
        theirs.close()
        ours.settimeout(ANSWER_SECONDS)
        return cls(ours)

    def listen(self, port: int = PORT) -> socket.socket:
        """A listening socket on the loopback address; port 0 takes a free one. Raises `BadInput`, `Unavailable`."""
        check_port(port)
        if self._channel is None:
            return listen(port)
        with self._lock:
            try:
                self._channel.sendall(_PORT.pack(port))
                answer, handles, _, _ = socket.recv_fds(self._channel, _LONGEST, 1)
            except OSError as error:
                raise _gone() from error
        if not handles:
            raise from_fields(*msgspec.json.decode(answer, type=_Fields)) if answer else _gone()
        found = socket.socket(fileno=handles[0])
        found.setblocking(False)
        return found

    def close(self) -> None:
        """Let the broker end. It makes no sockets any more; those that it made go on."""
        if self._channel is not None:
            self._channel.close()


def confine() -> None:
    """Keep this process, for good, to making TCP sockets of the loopback's kind, and to handing them over."""
    for rules in (*_TCP_ONLY, _NOTHING_ELSE):
        egress.deny(rules)


def _be(channel: socket.socket) -> NoReturn:
    """The broker's life, in the forked process."""
    status = 1
    try:
        handle = os.dup2(channel.fileno(), 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        channel.detach()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the window
        egress.control(_PR_SET_PDEATHSIG, signal.SIGKILL)
        channel = socket.socket(fileno=handle)
        confine()
        _serve(channel)
        status = 0
    finally:
        os._exit(status)


def _serve(channel: socket.socket) -> None:
    """Answer until the other end is gone."""
    while len(asked := channel.recv(_LONGEST)) == _PORT.size:
        try:
            found = listen(_PORT.unpack(asked)[0])
        except AssayError as error:
            channel.sendmsg([msgspec.json.encode(to_fields(error))])
            continue
        with found:
            socket.send_fds(channel, [b"+"], [found.fileno()])


def _gone() -> Unavailable:
    return Unavailable(
        what="The process that makes the API's sockets has ended",
        step="Close the program and open it again to serve.",
    )
