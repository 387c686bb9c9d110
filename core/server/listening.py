"""The listening socket: on this machine's loopback address, and nowhere else.

It is made before the barrier (`core.egress`) is raised, since afterwards the process makes no socket that could leave the machine; accepting goes
on working. A process that serves later has a `broker`. A socket that is bound to the loopback address reaches nothing else either, should
somebody try to connect with it.
"""

import errno
import os
import socket
from typing import Final

from core.errors import BadInput, Unavailable

ADDRESS: Final = "127.0.0.1"
PORT: Final = 11535
WAITING: Final = 128
"""Connections that wait to be accepted."""


def check_address(address: str) -> None:
    """Raise `BadInput` for every address but this machine's own."""
    if address != ADDRESS:
        raise BadInput(
            source="The address", problem=f"the API listens on {ADDRESS} only, where no other machine reaches it."
        )


def check_port(port: int) -> None:
    """Raise `BadInput` for what is no port."""
    if not 0 <= port <= 65535:
        raise BadInput(source="The port", problem="use a number from 1 to 65535, or 0 for a free one.")


def bind(port: int = PORT, address: str = ADDRESS) -> socket.socket:
    """A socket that has the port and doesn't listen yet; port 0 takes a free one. Raises `BadInput`, `Unavailable` (the port is taken)."""
    check_address(address)
    check_port(port)
    # named as TCP, or asyncio leaves Nagle's delay on, and an answer in two writes waits 40 ms
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere this would let two programs have the same port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ADDRESS, port))
    except OSError as error:
        made.close()
        raise _unavailable(port, error) from error
    made.setblocking(False)
    return made


def listen(port: int = PORT, address: str = ADDRESS) -> socket.socket:
    """A listening socket; otherwise as `bind`."""
    made = bind(port, address)
    try:
        made.listen(WAITING)
    except OSError as error:
        made.close()
        raise _unavailable(port, error) from error
    return made


def adopted(handle: int) -> socket.socket:
    """A listening socket that another process of this person made, by its descriptor. Raises `BadInput` for anything else, which is closed."""
    try:
        given = socket.socket(fileno=handle)
    except OSError as error:
        os.close(handle)
        raise BadInput(source="The socket", problem="it is none.") from error
    with given:
        listens = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if (given.family, given.type) != (socket.AF_INET, socket.SOCK_STREAM) or not listens:
            raise BadInput(source="The socket", problem="it doesn't listen for programs of this machine.")
        check_address(given.getsockname()[0])
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=given.detach())
    found.setblocking(False)
    return found


def _unavailable(port: int, error: OSError) -> Unavailable:
    taken = error.errno == errno.EADDRINUSE
    reason = "another program has it" if taken else os.strerror(error.errno or 0)
    return Unavailable(what=f"Port {port}: {reason}", step="Choose another one, or 0 for a free one.")
