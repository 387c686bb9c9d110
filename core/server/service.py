"""The local API of one open vault: started and stopped by whoever has the vault open, the command line or the window.

The loop runs on a thread of its own. Requests are read by h11 and asyncio's own loop, both plain Python: this process holds the vault key, and
parses nothing that comes from elsewhere with native code. Stopping ends all calls, stores their traces, and closes the port.
"""

import asyncio
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

import uvicorn

from core.errors import Refused, Unavailable
from core.server.app import Api, Line
from core.server.connections import Connection
from core.server.gate import Gate
from core.server.limits import Limits
from core.server.listening import ADDRESS, check_address
from core.server.tracing import Tracer
from core.server.work import Work
from core.vault.events import Changed
from core.vault.roles import ALLOWED, Act, allowed
from core.workbench import Workbench

LINES = 500
"""Of the live log, that are kept for who looks later."""
STARTING_SECONDS = 10.0
STOPPING_SECONDS = 5
IDLE_SECONDS = 75
"""That a connection without requests stays open: longer than clients keep theirs, or one asks just as it is closed."""


class Server:
    """A running API. Stopped by `stop`, and before its vault is closed."""

    def __init__(self, bench: Workbench, listening: socket.socket) -> None:
        """Serve on a socket that `listening.listen` made. Raises `Refused`, `BadInput` (another address), `Unavailable`."""
        address, self.port = listening.getsockname()[:2]
        check_address(address)
        if not allowed(Act.USE_API, bench.vault.user.roles):
            able = ", ".join(sorted(ALLOWED[Act.USE_API]))
            raise Refused(act="Serve the API", reason=f"Your roles here don't allow it; these do: {able}.")
        self._lines: deque[Line] = deque(maxlen=LINES)
        self._listeners: list[Callable[[Line], None]] = []
        self._limits = Limits(bench.api_calls.used, time.monotonic)
        self._gate = Gate(bench.vault, self._limits, self.port)
        self._work = Work(Tracer(bench.api_calls.keep), self._limits)
        self._unsubscribe = bench.events.subscribe(self._changed)
        self._stopped = threading.Event()
        self._stopping = threading.Lock()
        self._loop = _Loop(Api(bench, self._gate, self._work, self._note), listening)
        bench.before_closing(self.stop)

    @property
    def address(self) -> str:
        """What programs take as their base address."""
        return f"http://{ADDRESS}:{self.port}/v1"

    @property
    def running(self) -> int:
        """Calls that are worked on or wait."""
        return self._work.running

    def lines(self) -> tuple[Line, ...]:
        """The last requests, oldest first."""
        return tuple(self._lines)

    def listen(self, listener: Callable[[Line], None]) -> None:
        """Call `listener` after each request, on the loop's thread."""
        self._listeners.append(listener)

    def stop(self) -> None:
        """End all calls, store their traces, close the port. Safe more than once, from any thread but the loop's."""
        with self._stopping:
            if self._stopped.is_set():
                return
            self._work.stop()
            self._loop.stop()
            self._unsubscribe()
            self._stopped.set()

    def _note(self, line: Line) -> None:
        self._lines.append(line)
        for listener in self._listeners:
            listener(line)

    def _changed(self, changed: Changed) -> None:
        if changed.act in (Act.MAKE_TOKEN, Act.REVOKE_TOKEN):
            self._gate.renew()


class _Loop:
    """uvicorn on a thread."""

    def __init__(self, app: Api, listening: socket.socket) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # its lines may quote requests
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=STOPPING_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._run, args=(listening,), name="api loop", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + STARTING_SECONDS
        while not self._uvicorn.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise Unavailable(what="The API didn't start", step="Try again with another port.")
            time.sleep(0.002)

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join()

    def _run(self, listening: socket.socket) -> None:
        asyncio.run(self._uvicorn.serve(sockets=[listening]))
