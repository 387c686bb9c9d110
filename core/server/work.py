"""Working on calls: each on a thread, with its trace stored before its program hears the end.

A program that goes away stops its call as Ctrl-C would, and the trace of what was written until then is stored all the same. The last pieces of a
stream, and a whole answer, are handed over only when the trace is on disk: they name it.
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import msgspec

from core.errors import AssayError, Cancelled
from core.records import Json
from core.server.bridge import Bridge
from core.server.forms import parsed
from core.server.limits import Limits
from core.server.problems import SERVER, Problem, problem
from core.server.running import Running
from core.server.tracing import Tracer

Handler = Callable[
    [Running, dict[str, Any]], "dict[str, Json] | Generator[dict[str, Json], None, list[dict[str, Json]]]"
]
AT_ONCE: Final = 32
"""Calls that are worked on; as many as a model's worker takes in."""
MOST: Final = 256
"""Calls that are worked on or wait."""
BUSY: Final = Problem(
    status=503,
    message=f"{MOST} calls wait here already. Ask again in a moment.",
    type=SERVER,
    code="busy",
    retry_after=1,
)
STOPPING: Final = Problem(status=503, message="The API is being stopped.", type=SERVER, code="stopping")


class Whole(NamedTuple):
    """An answer that isn't a stream."""

    status: int
    body: bytes
    retry_after: int = 0


class Piece(NamedTuple):
    """A part of a stream."""

    body: bytes


class End:
    """Nothing follows."""


Item = Whole | Piece | End


class Work:
    """The calls of one server."""

    def __init__(self, tracer: Tracer, limits: Limits) -> None:
        self._tracer = tracer
        self._limits = limits
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="api")
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._calls: dict[int, Running] = {}
        self._stopping = False

    @property
    def running(self) -> int:
        """Calls that are worked on or wait."""
        with self._lock:
            return len(self._calls)

    def start(self, running: Running, handler: Handler, body: bytes, loop: asyncio.AbstractEventLoop) -> Bridge[Item]:
        """Begin a call; what it gives comes over the bridge and ends with `End`."""
        bridge: Bridge[Item] = Bridge(loop)
        with self._lock:
            refused = STOPPING if self._stopping else BUSY if len(self._calls) >= MOST else None
            if refused is None:
                self._calls[id(running)] = running
        if refused is not None:
            bridge.put(_refusal(refused))
            bridge.put(End())
            return bridge
        self._pool.submit(self._run, running, handler, body, bridge)
        return bridge

    def stop(self) -> None:
        """Cancel all calls and wait until their traces are stored. Takes no more."""
        with self._lock:
            self._stopping = True
            calls = list(self._calls.values())
        for running in calls:
            running.job.cancel()
        self._pool.shutdown(wait=True)

    def _run(self, running: Running, handler: Handler, body: bytes, bridge: Bridge[Item]) -> None:
        begun = False

        def piece(content: dict[str, Json]) -> None:
            nonlocal begun
            begun = True
            bridge.put(Piece(_event(content)))

        try:
            running.request = body.decode("utf-8", "replace")
            running.job.check()
            result = handler(running, parsed(body))
            if isinstance(result, dict):
                content = result | self._kept(running, 200, result.get("assay"))
                bridge.put(Whole(200, msgspec.json.encode(content)))
                return
            last = _drained(result, piece)
            kept = self._kept(running, 200, last[-1].get("assay"))
            last[-1] |= kept
            for content in last:
                piece(content)
            bridge.put(Piece(b"data: [DONE]\n\n"))
        except Exception as error:  # noqa: BLE001 (whatever it is, its program is told and the trace says so)
            found = self._failed(running, error)
            bridge.put(Piece(_event(found.content())) if begun else _refusal(found))
        finally:
            with self._lock:
                del self._calls[id(running)]
            bridge.put(End())

    def _kept(self, running: Running, status: int, more: Json) -> dict[str, Json]:
        """Store the trace; what the answer says of it."""
        digest = self._tracer.store(running.trace(status))
        self._limits.add(running.token, running.prompt_tokens + running.tokens)
        return {"assay": {"trace": digest} | (more if isinstance(more, dict) else {})}

    def _failed(self, running: Running, error: Exception) -> Problem:
        """Store the trace of a call that went wrong; what its program is told."""
        found = problem(error)
        try:
            self._tracer.store(running.trace(found.status, found.message))
        except AssayError as untraced:
            if not isinstance(error, Cancelled):
                return problem(untraced)
        self._limits.add(running.token, running.prompt_tokens + running.tokens)
        return found


def _drained(
    pieces: Generator[dict[str, Json], None, list[dict[str, Json]]], take: Callable[[dict[str, Json]], None]
) -> list[dict[str, Json]]:
    """Hand over the pieces; what a stream ends with."""
    while True:
        try:
            take(next(pieces))
        except StopIteration as end:
            last: list[dict[str, Json]] = end.value
            return last


def _refusal(found: Problem) -> Whole:
    return Whole(found.status, msgspec.json.encode(found.content()), found.retry_after)


def _event(content: dict[str, Json]) -> bytes:
    return b"data: " + msgspec.json.encode(content) + b"\n\n"
