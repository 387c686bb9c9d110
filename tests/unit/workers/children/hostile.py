"""A worker that answers with what no honest one would send, or tries to get out, for the tests."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from core import egress
from core.records import Record
from core.workers import frames
from core.workers.records import Advance, Begun, End, Failure, Hello, Part, Ready, Reply
from core.workers.serving import Call, Handler


class Attack(Record, frozen=True, kw_only=True):
    how: str


class Try(Record, frozen=True, kw_only=True):
    """Try one thing at `path`."""

    what: str
    path: str = ""
    number: int = 0


class Outcome(Record, frozen=True, kw_only=True):
    done: bool
    detail: str = ""


def attack(request: Attack, call: Call) -> Outcome:
    write = int(sys.argv[2])
    junk = msgspec.Raw(msgspec.msgpack.encode({"done": "perhaps"}))
    own = Reply(id=call.id, body=frames.body(Outcome(done=True)))
    attacks: dict[str, Callable[[], bytes]] = {
        "junk": lambda: os.urandom(4096),
        "oversize": lambda: b"\xff\xff\xff\xff" + bytes(100),
        "not a message": lambda: (5).to_bytes(4, "big") + b"\xc1\xc1\xc1\xc1\xc1",
        "deep": lambda: (100_000).to_bytes(4, "big") + b"\x91" * 100_000,
        "request": lambda: (
            (20).to_bytes(4, "big") + msgspec.msgpack.encode({"type": "cancel", "id": call.id}).ljust(20)
        ),
        "wrong id": lambda: frames.pack(Reply(id=4711, body=frames.body(Outcome(done=True)))),
        "ready again": lambda: frames.pack(Ready(kinds=())),
        "other shape": lambda: frames.pack(Reply(id=call.id, body=junk)),
        "part": lambda: frames.pack(Part(id=call.id, body=frames.body(Outcome(done=True)))),
        "end": lambda: frames.pack(End(id=call.id)),
        "flood": lambda: frames.pack(Part(id=call.id, body=frames.body(Outcome(done=True)))) * 1000,
        "greeting": lambda: frames.pack(Hello(pid=1, barriers=("everything",), missing=(), tested=True)),
        "begun again": lambda: frames.pack(Begun(id=call.id)),
        "advance": lambda: frames.pack(Advance(id=call.id, done=1, total=2, unit="u")) * 20_000 + frames.pack(own),
        "twice": lambda: frames.pack(own) * 2,
        "long": lambda: frames.pack(Failure(id=call.id, error="", fields={"reason": "x" * 100_000})),
        "error": lambda: frames.pack(Failure(id=call.id, error="SystemExit", fields={"code": 1})),
    }
    if request.how == "close":
        os.close(write)
    else:
        data = attacks[request.how]()
        while data:
            data = data[os.write(write, data) :]
    time.sleep(30)
    return Outcome(done=True)


def attempt(request: Try, call: Call) -> Outcome:
    """Do what is asked; a refusal by the system is an outcome."""
    tries: dict[str, Callable[[], object]] = {
        "read": lambda: Path(request.path).read_bytes(),
        "list": lambda: list(Path(request.path).iterdir()),
        "link": lambda: Path(request.path).readlink(),
        "first byte": lambda: _first_byte(request.path),
        "vm read": lambda: _called("process_vm_readv", request.number, None, 0, None, 0, 0),
        "write": lambda: Path(request.path).write_bytes(b"x"),
        "remove": lambda: Path(request.path).unlink(),
        "null": lambda: Path(os.devnull).write_bytes(b"x"),
        "program": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        "exec": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606 (the refusal is the test)
        "fork": lambda: os.fork() or os._exit(0),
        "signal": lambda: os.kill(request.number, 0),
        "stream pair": socket.socketpair,
        "datagram pair": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "trace": lambda: _called("ptrace", 16, request.number, 0, 0),
        "namespace": lambda: _called("unshare", 0x10000000),
        "mount": lambda: _called("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "empty": lambda: os.truncate(request.path, 0),
        "rights": lambda: Path(request.path).chmod(0o777),
        "times": lambda: os.utime(request.path, (0, 0)),
        "mark": lambda: os.setxattr(request.path, "user.mark", b"x"),
        "shared memory": lambda: _number("shmget", 0x4173, 4096, 0o1600),
        "queue": lambda: _number("msgget", 0x4173, 0o1600),
        "watch": lambda: _number("inotify_init"),
        "kernel's log": lambda: _number("klogctl", 10, None, 0),
        "loopback": lambda: socket.create_connection(("127.0.0.1", request.number), 1).close(),
        "socket file": lambda: _connected(request.path),
        "core file": os.abort,
    }
    try:
        result = tries[request.what]()
    except OSError as error:
        return Outcome(done=False, detail=error.strerror or "")
    return Outcome(done=True, detail=str(result)[:100])


def _first_byte(path: str) -> bytes:
    with Path(path).open("rb", buffering=0) as file:
        return file.read(1)


def _connected(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(path)


def _number(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc[name](*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _called(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc[name](*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Look(Record, frozen=True, kw_only=True):
    """Tell about this process."""


class Seen(Record, frozen=True, kw_only=True):
    environment: dict[str, str]
    descriptors: tuple[int, ...]
    arguments: tuple[str, ...]
    folder: str
    session: int
    barrier: egress.Barrier
    attempts: tuple[egress.Attempt, ...]


def look(request: Look, call: Call) -> Seen:
    return Seen(
        environment=dict(os.environ),
        descriptors=tuple(number for number in range(300) if _open(number)),
        arguments=tuple(sys.argv),
        folder=str(Path.cwd()),
        session=os.getsid(0),
        barrier=egress.barrier(),
        attempts=egress.attempt(),
    )


def _open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def handlers() -> dict[type[Record], Handler]:
    return {Attack: attack, Try: attempt, Look: look}
