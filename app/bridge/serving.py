"""The local API of the window: its sockets, made before the barrier, and the server, started and stopped off the UI thread.

After the barrier a process makes no socket but those of the display. So some are made before, bound to this machine's own address, from where
they reach nothing else; none of them listens until somebody starts the API. Each start uses one up. Where a system has no barrier they
are made when they are needed.
"""

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import settings
from core.errors import AssayError, Unavailable
from core.server.listening import WAITING, bind, listen

if TYPE_CHECKING:
    from core.jobs import Job
    from core.server.service import Server
    from core.vault.api_tokens import ApiToken, MakeToken
    from core.workbench import Workbench

STARTS = 16
"""How often the API can be started before the window must be."""


class Sockets:
    """The sockets that wait; `port` is theirs, 0 where there are none."""

    def __init__(self) -> None:
        self._kept: list[socket.socket] = []
        self.port = 0

    def reserve(self, port: int, starts: int = STARTS) -> None:
        """Make them, for a port; where another program has it, for a free one."""
        try:
            first = bind(port)
        except Unavailable:
            first = bind(0)
        self.port = int(first.getsockname()[1])
        self._kept = [first]
        for _ in range(starts - 1):
            try:
                self._kept.append(bind(self.port))
            except (
                Unavailable
            ):  # a system where two sockets never share a port: the first start has one, further ones need a new window
                break

    def take(self, port: int) -> socket.socket:
        """A listening socket for a port. Raises `Unavailable`."""
        if port == self.port and self._kept:
            taken = self._kept.pop()
            try:
                taken.listen(WAITING)
            except OSError as error:
                taken.close()
                raise Unavailable(what=f"Port {port}: another program has it", step="Choose another port.") from error
            return taken
        try:
            return listen(port)
        except Unavailable as error:
            raise Unavailable(what=f"Port {port}: another program has it", step="Choose another port.") from error
        except OSError as error:
            raise Unavailable(
                what=f"Port {port} can’t be opened any more while the network is barred",
                step="It is kept, and used when the window is started next.",
            ) from error

    def close(self) -> None:
        """Let go of all."""
        for kept in self._kept:
            kept.close()
        self._kept, self.port = [], 0


SOCKETS = Sockets()
"""The window's own."""


def reserve() -> None:
    """Before the barrier is raised: make the sockets for the port that is set. The window starts without them where that fails."""
    try:
        SOCKETS.reserve(settings.load().api_port)
    except (AssayError, OSError):
        SOCKETS.close()


def wanted_port() -> int:
    """The port that a start would take."""
    return SOCKETS.port or settings.load().api_port


@dataclass(frozen=True)
class Tokens:
    """Everybody's tokens, newest first."""

    known: "tuple[ApiToken, ...]" = ()


def start(bench: "Workbench", job: "Job", port: int) -> "Server":
    """Serve. Raises `Unavailable`, `Refused`."""
    from core.server.service import Server

    listening = SOCKETS.take(port)
    try:
        return Server(bench, listening)
    except BaseException:
        listening.close()
        raise


def tokens(bench: "Workbench", job: "Job") -> Tokens:
    """All tokens that were ever made."""
    from core.vault import api_tokens

    with bench.vault.read() as reader:
        return Tokens(tuple(reversed(api_tokens.tokens(reader))))


def make_token(bench: "Workbench", wanted: "MakeToken") -> "tuple[ApiToken, str]":
    """A new token, and the token itself, which nobody can show again."""
    from core.vault import api_tokens

    return api_tokens.make(bench.vault, wanted)


def revoke_token(bench: "Workbench", name: str) -> "ApiToken":
    """End a token."""
    from core.vault import api_tokens

    return api_tokens.revoke(bench.vault, name)
