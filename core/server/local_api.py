"""The local API as a window has it: off, or on for the vault that is open; started, stopped and started again, on any port.

    api = LocalApi(broker.listen)             once, for the program
    api.start(bench, port)                    raises `Refused`, `Unavailable` (the port is taken), `BadInput`
    api.address, api.running, api.lines()     "" and 0 while it is off
    api.listen(listener)                      call `listener` after each request, on the server's thread
    api.stop()                                waits until all traces are stored

Closing the vault stops it too, and what was seen of requests ends with the vault. `start` and `stop` may wait for seconds: not for the UI thread.
"""

import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from core.server.listening import PORT

if TYPE_CHECKING:
    from core.server.app import Line
    from core.server.service import Server
    from core.workbench import Workbench

LINES: Final = 500


class LocalApi:
    """At most one server. Safe from several threads."""

    def __init__(self, listening: "Callable[[int], socket.socket]") -> None:
        """`listening` makes a listening socket of the loopback address, on a port or, for 0, a free one."""
        self._listening = listening
        self._changing = threading.Lock()
        self._server: Server | None = None
        self._bench: Workbench | None = None
        self._lines: deque[Line] = deque(maxlen=LINES)
        self._listeners: list[Callable[[Line], None]] = []

    def start(self, bench: "Workbench", port: int = PORT) -> str:
        """Serve; the address. Where it is on already, it stays as it is. Raises `Refused`, `Unavailable`, `BadInput`."""
        from core.server.service import Server

        with self._changing:
            if self.address and self._bench is bench:
                return self.address
            self._end()
            if self._bench is not bench:
                self._lines.clear()
                self._bench = bench
                bench.before_closing(lambda: self._closing(bench))
            listening = self._listening(port)
            try:
                server = Server(bench, listening)
            except BaseException:
                listening.close()
                raise
            server.listen(self._note)
            self._server = server
            return server.address

    def stop(self) -> None:
        """End all calls, store their traces, close the port. Nothing happens where it is off."""
        with self._changing:
            self._end()

    @property
    def address(self) -> str:
        """What programs take as their base address; "" while it is off."""
        server = self._server
        return server.address if server is not None else ""

    @property
    def port(self) -> int:
        """0 while it is off."""
        server = self._server
        return server.port if server is not None else 0

    @property
    def running(self) -> int:
        """Calls that are worked on or wait."""
        server = self._server
        return server.running if server is not None else 0

    def lines(self) -> "tuple[Line, ...]":
        """The last requests since the vault was opened, oldest first."""
        return tuple(self._lines)

    def listen(self, listener: "Callable[[Line], None]") -> Callable[[], None]:
        """Call `listener` after each request, on the server's thread; what is given back ends that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def _note(self, line: "Line") -> None:
        self._lines.append(line)
        for listener in tuple(self._listeners):
            listener(line)

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _closing(self, bench: "Workbench") -> None:
        with self._changing:
            if self._bench is bench:
                self._end()
                self._bench = None
                self._lines.clear()
