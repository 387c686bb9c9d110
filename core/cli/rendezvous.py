"""Where a second process finds the one that has a vault open.

A folder that belongs to this system's user and that nobody else may enter holds, for each open vault, a socket and a file with a random
token. Both are named by a hash of the vault's id and its folder's place on the disk: never inside the vault, whose folder may be a share, and
never by its name. The rules:

1. A folder that somebody else owns or may enter is not used, whatever it holds.
2. Only the process that holds the vault's lock makes or replaces them; what a killed process left refuses connections and is replaced.
3. Both sides ask the system whose process the other is; only this user's counts, not even the superuser's.
4. The socket has a path, never an abstract name, which every process of the machine could reach.

Windows tells nobody who the other side of such a socket is: there a second process is refused.
"""

import contextlib
import hashlib
import os
import secrets
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from core.errors import AssayError, Unavailable
from core.paths import write_whole
from core.records import Record
from core.vault import slots

TOKEN: Final = 32
LARGEST: Final = 4096
"""Bytes of the file with the token."""
WAITING: Final = 64
"""Connections that the system keeps for the listener to take."""
CONNECT_SECONDS: Final = 5.0
SUPPORTED: Final = sys.platform in ("linux", "darwin")


class Notice(Record, frozen=True, kw_only=True, tag="open-vault"):
    """What the process that has a vault open leaves for this user's other processes."""

    token: bytes
    process: int
    program: str


class Claimed:
    """The listening end. `release` removes it."""

    def __init__(self, path: Path, listening: socket.socket, token: bytes) -> None:
        self._path = path
        self.listening = listening
        self.token = token

    def release(self) -> None:
        """Nobody finds this process any more. Safe more than once."""
        for path in (_notice(self._path), self._path):
            with contextlib.suppress(OSError):
                path.unlink()
        self.listening.close()


class Found(NamedTuple):
    """A connection to the process that has the vault open."""

    connection: socket.socket
    notice: Notice


def claim(folder: Path, vault: str, program: str) -> Claimed:
    """Listen for this user's other processes; the caller holds the vault's lock. Raises `Unavailable` where this system can't."""
    if not SUPPORTED:
        raise Unavailable(what="A second process can't join on this system", step="Close the first one.")
    for base in _private_folders(make=True):
        path = base / _name(folder, vault)
        with contextlib.suppress(OSError, AssayError):
            return _claimed(path, program)
    raise Unavailable(
        what="There is no private folder for a socket that a second process could find",
        step="Set XDG_RUNTIME_DIR to a folder of your own.",
    )


def find(folder: Path) -> Found | None:
    """Connect to the process of this user that has the vault open, if one listens. Raises `NotFound` (not a vault), `Damaged`, `NewerVault`."""
    if not SUPPORTED:
        return None
    name = _name(folder, slots.read(folder).vault)
    for base in _private_folders(make=False):
        notice = _read(_notice(base / name))
        if notice is None:
            continue
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(str(base / name))
            if peer(connection) == os.getuid():
                return Found(connection, notice)
        except OSError:
            pass
        connection.close()
    return None


def peer(connection: socket.socket) -> int:
    """The system's user on the other side of a connection. Raises `OSError` where the system doesn't say."""
    if sys.platform == "linux":
        asked = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", asked)[1])
    if sys.platform == "darwin":
        asked = connection.getsockopt(
            0, 1, 76
        )  # SOL_LOCAL, LOCAL_PEERCRED: struct xucred, its version (0) and the user first
        version, user = struct.unpack_from("=II", asked)
        if version == 0:
            return int(user)
    raise OSError("the system doesn't say whose process this is")


def _claimed(path: Path, program: str) -> Claimed:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        for old in (_notice(path), path):
            old.unlink(missing_ok=True)
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(WAITING)
        listening.setblocking(False)
        token = secrets.token_bytes(TOKEN)
        notice = Notice(token=token, process=os.getpid(), program=program)
        write_whole(_notice(path), msgspec.msgpack.encode(notice))
    except BaseException:
        listening.close()
        raise
    return Claimed(path, listening, token)


def _name(folder: Path, vault: str) -> str:
    place = folder.stat()
    return hashlib.sha256(f"{vault} {place.st_dev} {place.st_ino}".encode()).hexdigest()[:20]


def _notice(path: Path) -> Path:
    return path.with_name(f"{path.name}.open")


def _read(path: Path) -> Notice | None:
    """The notice, if it is there, this user's and readable."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            return msgspec.msgpack.decode(file.read(LARGEST), type=Notice)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _private_folders(make: bool) -> Iterator[Path]:
    """Places for the socket, the best first: a session may have a runtime folder that a service of the same user lacks."""
    user = os.getuid() if sys.platform != "win32" else 0
    given = (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{user}", "/dev/shm", tempfile.gettempdir())  # noqa: S108
    for base in dict.fromkeys(given):
        if not base or not Path(base).is_dir():
            continue
        folder = Path(base) / f"assay.{user}"
        with contextlib.suppress(OSError):
            if make:
                folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077:
                yield folder
