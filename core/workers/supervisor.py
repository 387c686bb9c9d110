"""Starts child processes and talks to them.

Rules: a worker that died is not restarted by itself; whoever needs one starts another, and asks `Supervisor.crashes` whether that still
makes sense. Every death, of whatever kind, is one `WorkerFailed` for everybody who waits. A child's messages are not trusted: an unknown
id, an answer of another shape or more parts than were asked for ends it. A cancelled request that isn't given up within `PATIENCE` seconds
ends the child too, because nothing else would get its turn.
"""

import itertools
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType, UnionType
from typing import Final, TypeVar, cast

import msgspec

from core.egress import Barrier
from core.errors import AssayError, BadInput, Cancelled, WorkerFailed, from_fields
from core.jobs import Job
from core.records import Record, kind
from core.workers import frames
from core.workers.frames import BadFrame
from core.workers.pipes import BROKEN_OFF, Process
from core.workers.records import (
    Advance,
    Begun,
    Cancel,
    Credit,
    End,
    Failure,
    FromChild,
    Hello,
    Part,
    Ready,
    Reply,
    Request,
    Start,
    WorkerSpec,
)
from core.workers.serving import GRANT, OUT_OF_MEMORY, WINDOW, cost

R = TypeVar("R", bound=Record)

PATIENCE: Final = 5.0
"""Seconds that a child has to give up a cancelled request."""
START_SECONDS: Final = 120.0
"""Longest start; importing the training libraries from a cold disk took 20 s."""
KEPT: Final = "What was recorded until then is kept."
CLOSED: Final = "it was closed"


class _Dead:
    """In a pending request's queue: the worker died."""


class _Stop:
    """In a pending request's queue: the job was cancelled."""


_Item = Begun | Reply | Part | End | Advance | Failure | Ready | _Dead | _Stop


class _Pending:
    """A request somebody waits for."""

    def __init__(self) -> None:
        self.items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self.sent = time.monotonic()
        self.begun: float | None = None
        self.cancelled: float | None = None
        self.ended = False
        self.allowance = WINDOW  # credit that the child may still use
        self.advance: Advance | None = None  # the latest; only one waits in `items`


class Worker:
    """One child process. Several threads may call it at once. Made by `Supervisor.start`."""

    def __init__(self, spec: WorkerSpec, process: Process, died: "Callable[[Worker, bool], None]") -> None:
        self.spec = spec
        self.pid = process.pid
        self.barrier = Barrier(missing=("sandbox: not reported yet",))
        self.start_seconds = 0.0
        self.title = spec.title or title(spec.module)
        self._process = process
        self._died = died
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._pending: dict[int, _Pending] = {}
        self._abandoned: dict[
            int, float | None
        ] = {}  # given up: since when the child owes its end, None while it waits its turn
        self._moved = time.monotonic()
        self._death: str | None = None
        self._expected = False
        self._greeted = False
        self._buried = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether it can still be called."""
        return self._death is None

    @property
    def resident(self) -> int:
        """Bytes of memory that the process holds; 0 where the system doesn't say, and after its end."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def call(self, request: Record, reply: type[R], job: Job | None = None, seconds: float | None = None) -> R:
        """Ask and wait for the one answer. `seconds` overrides the spec's limit.

        Raises whatever `AssayError` the handler raised, `Cancelled` when `job` is cancelled, `WorkerFailed`."""
        limit = self.spec.seconds if seconds is None else seconds
        with _Exchange(self, request, job, limit) as exchange:
            while True:
                match exchange.next(limit):
                    case Reply() as answer:
                        return self._decode(answer.body, reply)
                    case Part() | End():
                        raise self._distrust("it answered in parts where one answer was asked for")

    def stream(
        self, request: Record, part: type[R] | UnionType, job: Job | None = None, seconds: float | None = None
    ) -> Iterator[R]:
        """Ask, and yield the parts as they come; nothing is asked before the first `next`. Closing the iterator early cancels the request
        in the child. `seconds` limits the sum of the waits. Errors as for `call`."""
        left = self.spec.seconds if seconds is None else seconds
        with _Exchange(self, request, job, left) as exchange:
            read = 0
            while True:
                asked = time.monotonic()
                item = exchange.next(left)
                if left is not None and not isinstance(item, Begun):
                    left = max(left - (time.monotonic() - asked), 0.001)
                match item:
                    case Part():
                        read += cost(item.body)
                        if read >= GRANT:
                            exchange.grant(read)
                            read = 0
                        yield self._decode(item.body, part)
                    case End():
                        return
                    case Reply():
                        raise self._distrust("it gave one answer where parts were asked for")

    def close(self) -> None:
        """End the process. Whoever still waits gets `WorkerFailed`."""
        self._expected = True
        self._process.kill(CLOSED)
        self._buried.wait()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def failed(self, reason: str) -> WorkerFailed:
        """The error that says so."""
        return WorkerFailed(worker=self.title, reason=reason, safe=KEPT)

    def _run(self) -> None:
        """The reader thread: until the child is dead."""
        reason = self._process.listen(self._receive)
        with self._lock:
            self._death = reason
            waiting = list(self._pending.values())
        for pending in waiting:
            pending.items.put(_Dead())
        self._died(self, self._expected or reason == BROKEN_OFF)
        self._buried.set()

    def _receive(self, message: FromChild) -> None:
        if isinstance(message, Hello):
            if self._greeted:  # only the first one was sent before the module's code ran
                raise BadFrame("a second greeting")
            self._greeted = True
            self.barrier = Barrier(names=message.barriers, missing=message.missing, tested=message.tested)
            return
        number = 0 if isinstance(message, Ready) else message.id
        with self._lock:
            pending = self._pending.get(number)
            if pending is None or pending.ended:
                self._receive_late(message, number)
                return
            now = time.monotonic()
            if isinstance(message, Begun):
                if pending.begun is not None:
                    raise BadFrame("a second beginning")
                pending.begun = now
            if isinstance(message, Advance):
                waiting, pending.advance = pending.advance, message
                if waiting is not None:
                    return
            if isinstance(message, Part):
                pending.allowance -= cost(message.body)
                if pending.allowance < 0:
                    raise BadFrame("more parts than were asked for")
            if not isinstance(message, Part | Advance):
                self._moved = now
            pending.ended = pending.ended or isinstance(message, Reply | End | Failure | Ready)
        pending.items.put(message)

    def _receive_late(self, message: FromChild, number: int) -> None:
        if number not in self._abandoned:
            raise BadFrame("an answer that nobody asked for")
        self._moved = time.monotonic()
        if isinstance(message, Begun):
            self._abandoned[number] = self._moved
        if isinstance(message, Reply | End | Failure):
            del self._abandoned[number]

    def _overdue(self, now: float) -> bool:
        """Whether a request that was given up still holds the child."""
        with self._lock:
            return any(since is not None and now - since > PATIENCE for since in self._abandoned.values())

    def _decode(self, body: msgspec.Raw, type_: type[R] | UnionType) -> R:
        try:
            return cast(R, msgspec.msgpack.decode(body, type=type_))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._distrust("it sent an answer of another shape") from None

    def _distrust(self, why: str) -> WorkerFailed:
        self._process.kill(why)
        self._buried.wait(PATIENCE)
        return self.failed(self._death or why)


class _Exchange:
    """One request to a worker, from sending to its end. Leaving it unfinished gives the request up."""

    def __init__(self, worker: Worker, request: Record | None, job: Job | None, limit: float | None) -> None:
        self._worker = worker
        self._limit = limit  # seconds in all, as errors give it
        self._request = request
        self._job = job
        self._id = next(worker._ids) if request is not None else 0
        self._pending = _Pending()
        self._forget_job: Callable[[], None] = lambda: None

    def __enter__(self) -> "_Exchange":
        worker, pending = self._worker, self._pending
        if self._job is not None:
            self._job.check()
        body = None if self._request is None else frames.body(self._request)
        with worker._lock:
            if worker._death is not None:
                raise worker.failed(worker._death)
            worker._pending[self._id] = pending
        if self._job is not None:
            self._forget_job = self._job.on_cancel(lambda: pending.items.put(_Stop()))
        if self._request is None or body is None:
            return self
        try:
            worker._process.send(Request(id=self._id, kind=kind(self._request), body=body), self._while_sending)
        except BadFrame as problem:
            self._drop()
            raise BadInput(source=worker.title, problem=f"The request is {problem}. Use a smaller file.") from None
        except BaseException:
            self._drop()
            raise
        pending.sent = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget_job()
        worker, pending = self._worker, self._pending
        with worker._lock:
            worker._pending.pop(self._id, None)
            owed = not pending.ended and worker._death is None
            if owed:
                begun = None if pending.begun is None else pending.cancelled or time.monotonic()
                worker._abandoned[self._id] = begun
        if owed and pending.cancelled is None:
            self._send_cancel()

    def next(self, limit: float | None) -> Begun | Reply | Part | End | Ready:
        """The next thing that happens, within `limit` seconds. Raises for failures, death, cancelling and time."""
        worker, pending = self._worker, self._pending
        asked = time.monotonic()
        while True:
            try:
                item = pending.items.get(timeout=self._wait(limit, asked))
            except queue.Empty:
                self._look_at_the_clock(limit, asked)
                continue
            match item:
                case Begun():
                    pass
                case Advance():
                    self._report()
                case Failure():
                    if self._job is not None:
                        self._job.check()
                    raise self._error(item)
                case _Dead():
                    if pending.cancelled is not None:
                        raise self._cancelled()
                    raise worker.failed(worker._death or "it ended")
                case _Stop():
                    self._cancel()
                    if pending.begun is None:
                        raise self._cancelled()
                case _:
                    if pending.cancelled is None:
                        return item
                    if pending.ended and not isinstance(item, Part):
                        raise self._cancelled()

    def grant(self, parts: int) -> None:
        """Let the child send more parts."""
        with self._worker._lock:
            self._pending.allowance += parts
        self._worker._process.send(Credit(id=self._id, parts=parts))

    def _wait(self, limit: float | None, asked: float) -> float | None:
        ends = [self._end(limit, asked)]
        if self._pending.cancelled is not None:
            ends.append(self._pending.cancelled + PATIENCE)
        with self._worker._lock:
            ends += [since + PATIENCE for since in self._worker._abandoned.values() if since is not None]
        known = [end for end in ends if end is not None]
        return max(min(known) - time.monotonic(), 0.001) if known else None

    def _end(self, limit: float | None, asked: float) -> float | None:
        """When the time is over. Until the child has begun this request, others may be before it in the queue: their moving counts."""
        if limit is None:
            return None
        since = self._pending.begun or max(self._pending.sent, self._worker._moved)
        return max(since, asked) + limit

    def _look_at_the_clock(self, limit: float | None, asked: float) -> None:
        now = time.monotonic()
        end = self._end(limit, asked)
        if self._pending.cancelled is not None and now >= self._pending.cancelled + PATIENCE:
            self._worker._expected = True
            self._worker._process.kill("it did not stop when asked to")
        elif end is not None and now >= end:
            self._worker._process.kill(f"took longer than {self._limit:g} s")
        elif self._worker._overdue(now):
            self._worker._process.kill("it did not stop when asked to")

    def _while_sending(self) -> None:
        if self._job is not None:
            self._job.check()
        limit = self._limit
        if limit is not None and time.monotonic() > max(self._pending.sent, self._worker._moved) + limit:
            self._worker._process.kill(f"took longer than {limit:g} s")

    def _report(self) -> None:
        with self._worker._lock:
            item, self._pending.advance = self._pending.advance, None
        if item is not None and self._job is not None and not self._job.cancelled:
            try:
                self._job.report(item.done, item.total, item.unit)
            except Cancelled:
                self._cancel()

    def _cancel(self) -> None:
        if self._pending.cancelled is None:
            self._pending.cancelled = time.monotonic()
            self._send_cancel()

    def _send_cancel(self) -> None:
        patient_until = time.monotonic() + PATIENCE

        def waiting() -> None:
            if time.monotonic() > patient_until:
                self._worker._process.kill("it did not stop when asked to")

        self._worker._process.send(Cancel(id=self._id), waiting)

    def _cancelled(self) -> Cancelled:
        return Cancelled(what=self._job.title if self._job is not None else "The request")

    def _error(self, failure: Failure) -> AssayError:
        if failure.error:
            return from_fields(failure.error, failure.fields)
        reason = str(failure.fields.get("reason", "an unknown error"))[:200]
        memory = self._worker.spec.memory
        if reason == OUT_OF_MEMORY and memory:
            reason += f" (it may use {memory // 2**20} MiB)"
        return self._worker.failed(reason)

    def _drop(self) -> None:
        self._forget_job()
        with self._worker._lock:
            self._worker._pending.pop(self._id, None)


class Supervisor:
    """Starts workers and ends them all when it is closed. One per program; safe from any thread."""

    def __init__(self) -> None:
        # A child dies with the thread that started it (PR_SET_PDEATHSIG), so one long-lived thread starts them all.
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="workers")
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._crashes: Counter[WorkerSpec] = Counter()
        self._closed = False

    def start(self, spec: WorkerSpec, job: Job | None = None) -> Worker:
        """Start a worker and wait until it is ready. Raises `WorkerFailed`, or the `AssayError` that its `handlers()` raised."""
        started = time.monotonic()
        worker = Worker(spec, self._spawn(spec), self._died)
        with self._lock:
            self._workers.add(worker)
            closed = self._closed
        threading.Thread(target=worker._run, name=f"worker-{worker.pid}", daemon=True).start()
        exchange = _Exchange(worker, None, job, START_SECONDS)
        try:
            with exchange:
                worker._process.send(Start(spec=spec, parent=os.getpid()))
                if not closed and not isinstance(exchange.next(START_SECONDS), Ready):
                    raise worker._distrust("it answered before it was ready")
        except BaseException:
            worker.close()
            raise
        if closed:
            worker.close()
            raise worker.failed(CLOSED)
        worker.start_seconds = time.monotonic() - started
        return worker

    def crashes(self, spec: WorkerSpec) -> int:
        """How many workers of this spec died unasked since the last `forgive`."""
        with self._lock:
            return self._crashes[spec]

    def forgive(self, spec: WorkerSpec) -> None:
        """Start counting anew."""
        with self._lock:
            del self._crashes[spec]

    def workers(self) -> tuple[Worker, ...]:
        """Those that run."""
        with self._lock:
            return tuple(self._workers)

    def close(self) -> None:
        """End all workers; none can be started afterwards."""
        with self._lock:
            self._closed = True
        for worker in self.workers():
            worker.close()
        self._spawner.shutdown(wait=True)

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _spawn(self, spec: WorkerSpec) -> Process:
        named = spec.title or title(spec.module)
        with self._lock:
            if self._closed:
                raise WorkerFailed(worker=named, reason=CLOSED, safe=KEPT)
            process = self._spawner.submit(Process, spec)
        try:
            return process.result()
        except OSError as error:
            raise WorkerFailed(worker=named, reason=f"it did not start ({error.strerror})", safe=KEPT) from error

    def _died(self, worker: Worker, expected: bool) -> None:
        with self._lock:
            self._workers.discard(worker)
            if not expected:
                self._crashes[worker.spec] += 1


def title(module: str) -> str:
    """How errors name a worker: `core.documents.worker.parse` -> "The parse worker"."""
    words = [word for word in module.split(".") if word not in ("core", "worker")]
    return f"The {(words or [module])[-1].replace('_', ' ')} worker"
