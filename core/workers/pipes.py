"""The parent's side of a child process: starting it, writing to it, reading from it, ending it, and saying why it ended.

Nothing here knows requests: bytes go in, messages and one final reason come out. Rules: the child gets two pipe ends and no other
descriptor, an environment made from scratch, a session of its own (Ctrl+C in a terminal doesn't reach it), and `/` as its folder; its
standard error is kept in a small buffer, used only to tell one kind of death from another, and never logged.
"""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from core.workers.frames import LARGEST, BadFrame, Unpacker, from_child, pack
from core.workers.records import FromChild, ToChild, WorkerSpec
from core.workers.sandbox import PROGRAM

if sys.platform != "win32":
    import fcntl

CHUNK: Final = 1024 * 1024
KEPT_ERRORS: Final = 8192
"""Bytes of a child's standard error that are kept."""
LAST_WORDS: Final = 1.0
"""Seconds that a child may live after it closed its pipe."""
BROKEN_OFF: Final = "a message to it was broken off"
POLL: Final = 0.1
_F_SETPIPE_SZ: Final = 1031


class Process:
    """A running child. `send` is safe from any thread; `listen` is for one thread, and returns when the child is dead."""

    def __init__(self, spec: WorkerSpec) -> None:
        """Start it. PR_SET_PDEATHSIG counts the *thread* that does this as the parent: it has to live as long as the child may."""
        self._memory = spec.memory
        self._ending = threading.Lock()
        self._sending = threading.Lock()
        self._reaped = False
        self._closed = False
        self._why = ""
        self._errors = bytearray()
        self._start(spec)
        self.pid = self._process.pid

    def _start(self, spec: WorkerSpec) -> None:
        if sys.platform == "win32":
            self._process = subprocess.Popen(
                command("-", "-", spec.module),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment(spec),
                creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
            )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._write, self._read = os.dup(self._process.stdin.fileno()), os.dup(self._process.stdout.fileno())
            self._process.stdin.close()
            self._process.stdout.close()
            return
        its_read, self._write = os.pipe()
        self._read, its_write = os.pipe()
        try:
            self._process = subprocess.Popen(
                command(str(its_read), str(its_write), spec.module),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment(spec),
                cwd="/",
                pass_fds=(its_read, its_write),
                start_new_session=True,
            )
        except OSError:
            os.close(self._write)
            os.close(self._read)
            raise
        finally:
            os.close(its_read)
            os.close(its_write)
        os.set_blocking(self._write, False)
        if sys.platform == "linux":
            for end in (self._write, self._read):
                with contextlib.suppress(OSError):  # above the user's share of pipe memory: slower, not worse
                    fcntl.fcntl(end, _F_SETPIPE_SZ, CHUNK)

    def send(self, message: ToChild, waiting: Callable[[], None] = lambda: None) -> None:
        """Write a message. While the child takes no bytes, `waiting` is called now and then; what it raises leaves the pipe useless,
        so the child is ended. Returns quietly when the child is dead: `listen` reports that. Raises `BadFrame` when it is too large."""
        view = memoryview(pack(message))
        while not self._sending.acquire(timeout=POLL):
            waiting()
        begun = False
        try:
            if self._closed:
                return
            while view:
                try:
                    written = os.write(self._write, view)
                except BlockingIOError:
                    self._wait_for_room()
                    waiting()
                    continue
                begun = True
                view = view[written:]
        except BrokenPipeError:
            return
        except BaseException:
            if begun:
                self.kill(BROKEN_OFF)
            raise
        finally:
            self._sending.release()

    def listen(self, receive: Callable[[FromChild], None]) -> str:
        """Hand every message to `receive` until the child is dead; returns why it died. A `BadFrame`, here or from `receive`, ends it."""
        unpacker = Unpacker(LARGEST)
        try:
            if sys.platform == "win32":
                self._listen_on_two_threads(unpacker, receive)
            else:
                self._listen(unpacker, receive)
        except BadFrame as problem:
            self.kill(f"it sent {problem}")
        return self._bury()

    def kill(self, why: str) -> None:
        """End it and whatever it started, at once. The first reason counts."""
        with self._ending:
            self._why = self._why or why
            if self._reaped:
                return
            if sys.platform == "win32":
                self._process.kill()
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _wait_for_room(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._write, selectors.EVENT_WRITE)
            selector.select(POLL)

    def _listen(self, unpacker: Unpacker, receive: Callable[[FromChild], None]) -> None:
        assert self._process.stderr is not None
        errors = self._process.stderr.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            selector.register(errors, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    data = os.read(key.fd, CHUNK)
                    if key.fd == errors:
                        self._keep(data)
                        if not data:
                            selector.unregister(errors)
                    elif data:
                        for payload in unpacker.feed(data):
                            receive(from_child(payload))
                    else:
                        return

    def _listen_on_two_threads(self, unpacker: Unpacker, receive: Callable[[FromChild], None]) -> None:
        errors = self._process.stderr
        assert errors is not None

        def keep() -> None:
            while data := os.read(errors.fileno(), CHUNK):
                self._keep(data)

        threading.Thread(target=keep, name="worker-errors", daemon=True).start()
        while data := os.read(self._read, CHUNK):
            for payload in unpacker.feed(data):
                receive(from_child(payload))

    def _keep(self, data: bytes) -> None:
        self._errors += data
        del self._errors[:-KEPT_ERRORS]

    def _bury(self) -> str:
        """Reap it, close everything, and find out why it died."""
        deadline = time.monotonic() + LAST_WORDS
        while not self._ended() and time.monotonic() < deadline:
            time.sleep(0.002)
        if not self._ended():
            self.kill("it closed its channel")
        elif sys.platform == "linux":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # whatever it started and left behind
        with self._ending:
            status = self._process.wait()
            self._reaped = True
        errors = self._process.stderr
        assert errors is not None
        if sys.platform != "win32":
            os.set_blocking(errors.fileno(), False)
            with contextlib.suppress(OSError):
                self._keep(os.read(errors.fileno(), CHUNK))
        errors.close()
        with self._sending:
            self._closed = True
            os.close(self._write)
        os.close(self._read)
        return self._why or diagnosis(status, bytes(self._errors), self._memory)

    def _ended(self) -> bool:
        if sys.platform != "linux":
            return self._process.poll() is not None
        return (
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        )  # not reaped yet


def command(requests: str, replies: str, module: str) -> list[str]:
    """How a child is started: by this Python, or in a bundle by the program itself, which dispatches on its first word."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--worker", requests, replies, module]
    return [sys.executable, "-P", "-s", "-m", "core.workers.child", requests, replies, module]


def environment(spec: WorkerSpec) -> dict[str, str]:
    """All that a child sees of an environment; nothing of this process's own, least of all where its passphrase is."""
    home = spec.writable[0] if spec.writable else os.sep
    given = {
        "HOME": home,
        "TMPDIR": home,
        "LOGNAME": "assay",  # libraries that name a cache after the user find no list of users
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PROGRAM),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_CACHE_DISABLE": "1",  # there is no place for it
        "MALLOC_ARENA_MAX": "2",  # each arena of glibc reserves 64 MiB of the address space that is limited
    }
    if sys.platform == "win32":  # without these two, Python doesn't start there
        given |= {name: os.environ[name] for name in ("SYSTEMROOT", "WINDIR") if name in os.environ}
        given |= {"TEMP": home, "TMP": home}
    return given


def diagnosis(status: int, errors: bytes, memory: int) -> str:
    """A short reason for a death, from the exit status and from marks in the last output. No part of the output but the name of a
    source file and a line of it is repeated."""
    limit = f" (it may use {memory // 2**20} MiB)" if memory else ""
    if found := re.search(rb"([\w.-]{1,60}\.(?:c|cc|cpp|cu|h|hpp|m)):(\d{1,6}): GGML_ASSERT", errors):
        return f"a check inside llama.cpp failed ({found[1].decode()}, line {found[2].decode()})"
    if b"GGML_ASSERT" in errors:
        return "a check inside llama.cpp failed"
    if found := re.search(rb"no progress for ([\d.]{1,10}) s\n", errors):
        return f"it made no progress for {found[1].decode()} s"
    if any(mark in errors for mark in (b"bad_alloc", b"MemoryError", b"annot allocate memory", b"ut of memory")):
        return f"out of memory{limit}"
    if status == -9:
        return "killed, probably out of memory"
    if status < 0:
        try:
            return f"a native crash ({signal.Signals(-status).name})"
        except ValueError:
            return f"signal {-status}"
    return f"it ended with status {status}"
