"""In the child: takes requests from the pipe, runs the module's handlers, sends what they return.

A worker module defines `handlers() -> dict[type[Record], Handler]`. A handler gets the request and a `Call`; it returns a record (the
answer to `Worker.call`) or an iterator of records (the parts of `Worker.stream`). Rules: an `AssayError` crosses as itself, any other
exception only as its class and the line where it arose, because its text may hold content; a handler meets cancelling at
`Call.check` and whenever it yields; a stream runs ahead of its reader by `WINDOW` at most; when the program at the other end goes, so does the child,
at once.
"""

import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import PurePath
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from core.errors import AssayError, Cancelled, to_fields
from core.records import Record, kind
from core.workers import frames
from core.workers.records import (
    Advance,
    Begun,
    Cancel,
    Credit,
    End,
    Failure,
    FromChild,
    Part,
    Reply,
    Request,
    ToChild,
)

T = TypeVar("T")

WINDOW: Final = 32
"""Credit of one stream: parts that may be under way and not yet read by whoever asked; a large part costs one more per MiB."""
GRANT: Final = WINDOW // 4
"""Credit is given back in lots of this size."""
CHUNK: Final = 1024 * 1024
REPORT_EVERY: Final = 0.05
"""Seconds between two reports of progress."""
OUT_OF_MEMORY: Final = "out of memory"


class Channel:
    """The child's two pipe ends. Sending is safe from any thread; when the other end is gone, the process ends."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = requests
        self._replies = replies
        self._unpacker = frames.Unpacker()
        self._sending = threading.Lock()

    def receive(self) -> Iterator[ToChild]:
        """Messages as they come. Ends the process at the end of the stream."""
        while True:
            data = os.read(self._requests, CHUNK)
            if not data:
                os._exit(0)
            for payload in self._unpacker.feed(data):
                yield frames.to_child(payload)

    def send(self, message: FromChild) -> None:
        """Raises `BadFrame` when the message is too large."""
        view = memoryview(frames.pack(message))
        with self._sending:
            try:
                while view:
                    view = view[os.write(self._replies, view) :]
            except BrokenPipeError:
                os._exit(0)


def cost(body: msgspec.Raw) -> int:
    """What a part takes of the stream's credit. Never more than a reader is sure to have given back, or both ends would wait."""
    return min(1 + memoryview(body).nbytes // 2**20, WINDOW - GRANT + 1)


class Call:
    """One request as its handler sees it."""

    def __init__(self, id: int, channel: Channel, main: "MainThread | None" = None) -> None:
        self.id = id
        self._main = main
        self._channel = channel
        self._cancelled = threading.Event()
        self._credit = threading.Semaphore(WINDOW)
        self._reported = 0.0

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more (for a native library's abort callback)."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if nobody waits for the answer any more."""
        if self._cancelled.is_set():
            raise Cancelled(what="The request")

    def report(self, done: int, total: int | None, unit: str) -> None:
        """Say how far the work is (`done` of `total`, counted in `unit`); also a place where cancelling takes effect."""
        self.check()
        now = time.monotonic()
        if now - self._reported < REPORT_EVERY and done != total:
            return
        self._reported = now
        self._channel.send(Advance(id=self.id, done=done, total=total, unit=unit))

    def on_main_thread(self, work: Callable[[], T]) -> T:
        """What `work` gives, run on the process's main thread (the one that signals reach), in the order of asking."""
        return work() if self._main is None else self._main.run(work)

    def cancel(self) -> None:
        self._cancelled.set()
        self._credit.release(WINDOW)

    def grant(self, parts: int) -> None:
        if parts > 0:
            self._credit.release(parts)

    def take_credit(self, credit: int) -> None:
        """Wait until the other end has room for one more part. Raises `Cancelled`."""
        for _ in range(credit):
            self._credit.acquire()
            self.check()


Handler = Callable[[Any, Call], Record | Iterator[Record]]


class MainThread:
    """Work that other threads leave to the main one."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def run(self, work: Callable[[], T]) -> T:
        done: Future[T] = Future()

        def task() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 (raised again where it was asked for)
                done.set_exception(error)

        self._waiting.put(task)
        return done.result()

    def work(self) -> NoReturn:
        """For the main thread: do what comes, for ever."""
        while True:
            self._waiting.get()()


class _Desk:
    """The requests that wait or run."""

    def __init__(self, channel: Channel, handlers: Mapping[type[Record], Handler]) -> None:
        self._channel = channel
        self._handlers = {kind(type_): (type_, handler) for type_, handler in handlers.items()}
        self._calls: dict[int, Call] = {}
        self.main: MainThread | None = None
        self._waiting: queue.SimpleQueue[tuple[Request, Call]] = queue.SimpleQueue()

    def read(self, messages: Iterator[ToChild]) -> NoReturn:
        """Sort incoming messages, for ever. What can't be read, or doesn't fit into memory, ends the process, for nothing would come after it."""
        try:
            for message in messages:
                match message:
                    case Request():
                        call = self._calls[message.id] = Call(message.id, self._channel, self.main)
                        self._waiting.put((message, call))
                    case Cancel():
                        if found := self._calls.get(message.id):
                            found.cancel()
                    case Credit():
                        if found := self._calls.get(message.id):
                            found.grant(message.parts)
                    case _:
                        break
        except MemoryError:
            os.write(2, b"MemoryError\n")
        finally:
            os._exit(1)

    def work(self) -> NoReturn:
        """Handle requests one after the other, for ever."""
        while True:
            request, call = self._waiting.get()
            self._channel.send(Begun(id=request.id))
            try:
                self._handle(request, call)
            except Exception as error:  # noqa: BLE001 (whatever a handler raises is reported to whoever asked)
                self._channel.send(failure(request.id, error))
            self._calls.pop(request.id, None)

    def _handle(self, request: Request, call: Call) -> None:
        type_, handler = self._handlers[request.kind]
        call.check()
        outcome = handler(msgspec.msgpack.decode(request.body, type=type_), call)
        if isinstance(outcome, Record):
            self._channel.send(Reply(id=request.id, body=frames.body(outcome)))
            return
        try:
            for part in outcome:
                body = frames.body(part)
                call.take_credit(cost(body))
                self._channel.send(Part(id=request.id, body=body))
        finally:
            if close := getattr(outcome, "close", None):
                close()
        self._channel.send(End(id=request.id))


def serve(
    channel: Channel, messages: Iterator[ToChild], handlers: Mapping[type[Record], Handler], threads: int
) -> NoReturn:
    """Answer requests until the other end goes. `threads` above 0: that many at once, and this one is left for what must be done on it; else
    one at a time on this thread."""
    desk = _Desk(channel, handlers)
    if threads > 0:
        desk.main = MainThread()
    threading.Thread(target=desk.read, args=(messages,), name="requests", daemon=True).start()
    for number in range(threads):
        threading.Thread(target=desk.work, name=f"handler-{number}", daemon=True).start()
    if desk.main is not None:
        desk.main.work()
    desk.work()


def failure(id: int, error: BaseException) -> Failure:
    """What of an exception may leave the child: an `AssayError` whole, of any other one its class and its line."""
    if isinstance(error, AssayError):
        name, fields = to_fields(error)
        return Failure(id=id, error=name, fields=fields)
    if isinstance(error, MemoryError):
        return Failure(id=id, error="", fields={"reason": OUT_OF_MEMORY})
    if isinstance(error, frames.BadFrame):
        return Failure(id=id, error="", fields={"reason": str(error)})
    reason = type(error).__name__
    if isinstance(error, ImportError):
        reason += f" ({error.name})"
    if steps := traceback.extract_tb(error.__traceback__):
        reason += f" in {PurePath(steps[-1].filename).name}, line {steps[-1].lineno}"
    return Failure(id=id, error="", fields={"reason": reason})
