"""The local API beside the engine that it calls, both in one process over one worker: what a request and what a token cost more.

The program that asks is a bare socket in the same process, so its own work counts against the API. A call ends when its trace is on disk; what
that takes on this disk is a figure of its own.
"""

import json
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.assistants.api_calls import ApiCall
from core.inference.records import Generate, Message, Token
from core.models.records import AddModel
from core.server.listening import listen
from core.server.service import Server
from core.trust.passphrases import FLOOR_MEMORY, new_kdf
from core.vault import api_tokens
from core.vault.api_tokens import MakeToken
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.benchmarks import shapes
from tests.benchmarks.engines import level
from tests.benchmarks.figures import Figure, figures, seconds

REQUESTS = 101
STREAMS = 7
TOKENS = 24
MODEL = "shape"
HELLO = "Tell me of the tower and its nine floors."


class Program:
    """A program that asks over one connection."""

    def __init__(self, server: Server, secret: str) -> None:
        self.raw = socket.create_connection(("127.0.0.1", server.port))
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = (
            f"Host: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
        )

    def ask(self, path: str, **body: object) -> list[float]:
        """When each part of the answer came."""
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\n{self.head}Content-Length: {len(content)}\r\n\r\n"
        self.raw.sendall(head.encode() + content)
        times, got = [], b""
        ending = b"0\r\n\r\n" if body.get("stream") else b"}}"
        while not got.endswith(ending):
            some = self.raw.recv(65536)
            assert some, "the connection was closed"
            got += some
            times.append(time.perf_counter())
        assert b" 200 OK" in got[:20], got[:400]
        return times


@contextmanager
def served() -> Iterator[tuple[Workbench, Server, Program]]:
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault.create(
            Path(folder) / "A.assay", "ana", "Ana", "several words together", SCHEMA, lambda: new_kdf(FLOOR_MEMORY, 1)
        )
        with Workbench(vault) as bench:
            bench.models.add(AddModel(path=str(shapes.model(shapes.SMALL)), name=MODEL))
            _, secret = api_tokens.make(vault, MakeToken(name="bench", requests_per_minute=0))
            server = Server(bench, listen(0))
            yield bench, server, Program(server, secret)


def generate(bench: Workbench, model: str, tokens: int) -> list[float]:
    """When each piece came from the engine itself."""
    message = Message(role="text", content=HELLO)
    request = Generate(model=model, messages=(message,), max_tokens=tokens, temperature=1.0, seed=1)
    times = [time.perf_counter() for part in bench.engine.generate(request) if isinstance(part, Token)]
    return [*times, time.perf_counter()]


@figures("server.")
def server() -> Iterator[Figure]:
    with served() as (bench, running, program):
        yield from _requests(bench, running, program)
        yield from _tokens(bench, program)


def _requests(bench: Workbench, running: Server, program: Program) -> Iterator[Figure]:
    def whole() -> object:
        return program.ask("/v1/completions", model="fake", prompt=HELLO, seed=1, max_tokens=1)

    def direct() -> object:
        return generate(bench, "fake", 1)

    whole()
    direct()
    with_trace = _more(whole, direct)
    call = ApiCall(
        path="/v1/completions", request_id="r", token="t", began="2026-01-31T10:00:00Z", request="{}", status=200
    )
    commit = statistics.median(seconds(lambda: bench.api_calls.keep((call,))) for _ in range(REQUESTS)) * 1000
    tracer = running._work._tracer
    keep, tracer._keep = tracer._keep, lambda calls: tuple(call.request_id for call in calls)
    without = _more(whole, direct)
    tracer._keep = keep
    yield Figure("server.request_overhead", with_trace, "ms", "<= 3")
    yield Figure("server.request_overhead_without_trace", without, "ms", "<= 3")
    yield Figure("server.trace_commit", commit, "ms")


def _more(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """Milliseconds that one takes longer: the median of the differences of interleaved pairs."""
    return statistics.median(seconds(ours) - seconds(theirs) for _ in range(REQUESTS)) * 1000


def _tokens(bench: Workbench, program: Program) -> Iterator[Figure]:
    asked = {
        "path": "/v1/completions",
        "prompt": HELLO,
        "model": MODEL,
        "stream": True,
        "seed": 1,
        "temperature": 1.0,
        "max_tokens": TOKENS,
    }
    written = len(generate(bench, MODEL, TOKENS)) - 1
    program.ask(**asked)
    level(bench.engine)
    ratios, more = [], []
    for pair in range(STREAMS):
        sides = [lambda: program.ask(**asked), lambda: generate(bench, MODEL, TOKENS)]
        found = [side() for side in (sides if pair % 2 else reversed(sides))]
        ours, theirs = found if pair % 2 else reversed(found)
        # from the first piece to the last one: a stream's last times are those of its trace
        own, other = ours[-3] - ours[0], theirs[-2] - theirs[0]
        ratios.append(own / other)
        more.append((own - other) / written * 1e6)
    yield Figure("server.token_time_over_engine", statistics.median(ratios), "x", "<= 1.03")
    yield Figure("server.token_overhead", statistics.median(more), "us")
    yield Figure("server.tokens_of_the_stream", written, "tokens")
