"""One process per open vault.

The file `lock` in the vault's folder holds the process id of whoever has the vault open. What counts is the system's own lock on
that file, which ends with the process however it ends: a file left over by a killed process stops nobody.
"""

import os
import sys
from pathlib import Path

from core.errors import Unavailable, VaultBusy

NAME = "lock"
_LOCKED_BYTE = 1 << 20  # Windows locks a range, which must not cover the process id that others read


class FolderLock:
    """Held from construction to `release`. Raises `VaultBusy` when another process (or this one) has the vault open."""

    def __init__(self, folder: Path) -> None:
        try:
            self._handle: int | None = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unavailable(what=f"{folder} can't be written", step="Make the folder writable for you.") from error
        try:
            _lock(self._handle)
        except OSError as error:
            os.lseek(self._handle, 0, os.SEEK_SET)
            held_by = os.read(self._handle, 32)
            os.close(self._handle)
            self._handle = None
            process = held_by.decode("ascii", "replace").strip()
            raise VaultBusy(vault=str(folder), process=process or "unknown") from error
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Let others open the vault. The file stays: removing it would let two processes lock two files of one name."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
