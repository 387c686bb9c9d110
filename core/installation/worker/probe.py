"""Tries, from inside a worker's sandbox, what a worker must not be able to do: reach outside, start a program, read what isn't its own.

Nothing is sent: a socket that could be made is closed again, and a route to the outside is only asked for.
"""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from core import egress
from core.egress import Attempt
from core.records import Record
from core.workers.serving import Call, Handler

OUTSIDE: Final = "192.0.2.1"
"""An address that belongs to nobody (RFC 5737)."""


class Probe(Record, frozen=True, kw_only=True, tag="probe"):
    """Try everything. `forbidden`: files that exist and that this worker has no business with."""

    forbidden: tuple[str, ...] = ()


class Tried(Record, frozen=True, kw_only=True, tag="tried"):
    """Every way, and whether it was refused."""

    attempts: tuple[Attempt, ...]


def reach() -> tuple[Attempt, ...]:
    """Sockets of every kind, and a route to the outside."""
    return (*egress.attempt(), _tried("route to the outside", _route))


def probe(request: Probe, call: Call) -> Tried:
    """All that `reach` tries, a program started, and the forbidden files read."""
    call.check()
    others = [_tried(f"read {Path(path).name}", lambda p=path: _read(p)) for path in request.forbidden]  # type: ignore[misc]
    return Tried(attempts=(*reach(), _tried("program started", _start), *others))


def handlers() -> Mapping[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {Probe: probe}


def _route() -> None:
    """Connecting a datagram socket sends nothing; it fails where there is no way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect((OUTSIDE, 443))


def _start() -> None:
    if sys.platform == "win32":
        raise PermissionError("not tried on Windows")
    process = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) != 0:
        raise PermissionError("it ended at once")


def _read(path: str) -> None:
    with Path(path).open("rb") as file:
        file.read(1)


def _tried(kind: str, way: Callable[[], object]) -> Attempt:
    try:
        way()
    except OSError as error:
        return Attempt(kind=kind, refused=True, detail=error.strerror or type(error).__name__)
    return Attempt(kind=kind, refused=False, detail="it worked")
