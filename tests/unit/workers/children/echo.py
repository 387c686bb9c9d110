"""A worker that does simple things, for the tests."""

import os
import signal
import threading
import time
from collections.abc import Iterator

from core.errors import BadInput, TemplateError
from core.records import Record
from core.workers.serving import Call, Handler

MEETING = threading.Barrier(4)


class Echo(Record, frozen=True, kw_only=True):
    text: str = ""
    data: bytes = b""


class Count(Record, frozen=True, kw_only=True):
    to: int
    pause: float = 0.0


class Number(Record, frozen=True, kw_only=True):
    value: int


class Pages(Record, frozen=True, kw_only=True):
    count: int
    size: int


class Do(Record, frozen=True, kw_only=True):
    what: str
    amount: float = 0.0


def echo(request: Echo, call: Call) -> Echo:
    return request


def count(request: Count, call: Call) -> Iterator[Number]:
    for value in range(request.to):
        time.sleep(request.pause)
        yield Number(value=value)


def pages(request: Pages, call: Call) -> Iterator[Echo]:
    for _ in range(request.count):
        yield Echo(data=bytes(request.size))


def do(request: Do, call: Call) -> Number:
    match request.what:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            os.abort()
        case "exit":
            os._exit(7)
        case "sleep":
            time.sleep(request.amount)
        case "work":
            end = time.monotonic() + request.amount
            while time.monotonic() < end:
                call.report(1, None, "steps")
                time.sleep(0.01)
        case "meet":
            MEETING.wait(120)
        case "eat":
            return Number(value=len(bytearray(int(request.amount))))
        case "bad input":
            raise BadInput(source="row 3", problem="The column is missing.")
        case "template":
            raise TemplateError(source="prompt", line=4, problem="Unknown tag.")
        case "bug":
            raise ValueError("a secret in a message")
        case "report":
            for step in range(5):
                call.report(step + 1, 5, "steps")
        case "assert":
            os.write(2, b"/src/ggml.c:123: GGML_ASSERT(secret == 1) failed\n")
            os.abort()
        case "noise":
            for _ in range(1000):
                os.write(2, b"x" * 10_000)
                os.write(1, b"x" * 10_000)
    return Number(value=1)


def handlers() -> dict[type[Record], Handler]:
    return {Echo: echo, Count: count, Pages: pages, Do: do}
