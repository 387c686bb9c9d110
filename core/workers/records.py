"""What the program and its child processes say to each other.

Every message is one frame (`frames.py`). The body of a request and of a reply is a record of its own, still encoded, because only
the two ends know its type. A child is not trusted: what it sends is decoded against these types, and anything else ends it.
"""

import msgspec

from core.records import Record


class WorkerSpec(Record, frozen=True, kw_only=True):
    """How to start a child process. Two equal specs are the same kind of worker: crashes are counted per spec."""

    module: str
    """Module that defines `handlers()`; imported once the sandbox is up."""
    readable: tuple[str, ...] = ()
    """Files and folders that it may read, beside Python's own installation and this program."""
    imports: tuple[str, ...] = ()
    """Folders of an add-on's packages (`core.workers.addons`), readable, from which it imports before all others."""
    writable: tuple[str, ...] = ()
    """Folders (or device files) that it may read and write. The first one is its home and its temporary folder."""
    hidden: tuple[str, ...] = ()
    """Of the writable folders, those that nobody else need see into: where the system allows it, each becomes storage in memory that is
    the worker's own and ends with it, however it ends ("storage" in its barrier)."""
    devices: tuple[str, ...] = ()
    """Files of devices that it may read, write and steer (`core.workers.graphics`); with them it may look at what the drivers say of themselves."""
    memory: int = 0
    """Address space, bytes; 0 for no limit. Shared libraries and thread stacks count, so leave some hundred MiB for them."""
    seconds: float | None = None
    """Longest time for one call, counted from when the worker begins it; for a stream, the sum of the waits for parts."""
    threads: int = 0
    """Requests handled at once on threads of their own; 0 for one at a time on the main thread."""
    title: str = ""
    """How errors name it ("The parser"); made from the module's name where empty."""
    nice: int = 5
    """Added to the process's niceness, so that the window stays responsive."""


class Start(Record, frozen=True, kw_only=True, tag="start"):
    """The first frame to a child. `parent` is the process that it must not outlive."""

    spec: WorkerSpec
    parent: int


class Request(Record, frozen=True, kw_only=True, tag="request"):
    """`kind` is the request record's kind; `id` is never used twice with one child."""

    id: int
    kind: str
    body: msgspec.Raw


class Cancel(Record, frozen=True, kw_only=True, tag="cancel"):
    """Nobody waits for this request any more."""

    id: int


class Credit(Record, frozen=True, kw_only=True, tag="credit"):
    """The child may send so many further parts of this stream."""

    id: int
    parts: int


class Hello(Record, frozen=True, kw_only=True, tag="hello"):
    """The sandbox is up: what is in force, and what the system refused with its reason."""

    pid: int
    barriers: tuple[str, ...]
    missing: tuple[str, ...]
    tested: bool


class Ready(Record, frozen=True, kw_only=True, tag="ready"):
    """The module is loaded and answers these kinds of request."""

    kinds: tuple[str, ...]


class Begun(Record, frozen=True, kw_only=True, tag="begun"):
    """A request has left the child's queue."""

    id: int


class Reply(Record, frozen=True, kw_only=True, tag="reply"):
    """The whole answer to a call."""

    id: int
    body: msgspec.Raw


class Part(Record, frozen=True, kw_only=True, tag="part"):
    """One part of a stream."""

    id: int
    body: msgspec.Raw


class End(Record, frozen=True, kw_only=True, tag="end"):
    """A stream has no further part."""

    id: int


class Advance(Record, frozen=True, kw_only=True, tag="advance"):
    """How far a request is: `done` of `total` (None while unknown), counted in `unit`."""

    id: int
    done: int
    total: int | None
    unit: str


class Failure(Record, frozen=True, kw_only=True, tag="failure"):
    """A request failed (or the start, with id 0). `error` is a class of `core.errors`, or empty for a bug, which `fields` describe
    as `reason` without any content."""

    id: int
    error: str
    fields: dict[str, str | int | float]


ToChild = Start | Request | Cancel | Credit
FromChild = Hello | Ready | Begun | Reply | Part | End | Advance | Failure
