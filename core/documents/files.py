"""From the paths that a person gave to the files to read, with the names that they get in the collection.

Rules: a folder is walked whole, sorted by name; hidden files and folders are passed over, and links to folders aren't followed. A file's name is its
path inside the folder that was given (with slashes on every system), or its own name where it was given itself; two given files of one name are
told apart by their folders.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.documents.records import Refusal
from core.errors import BadInput, NotFound

LARGEST = 200 * 1000 * 1000
"""Bytes of a file; it travels to its reader in one message, which may have 256 MiB."""


def collect(paths: tuple[str, ...]) -> tuple[list[tuple[str, Path]], list[Refusal]]:
    """(name, file) in order, and the folders that hold nothing. Raises `NotFound` for a path that isn't there."""
    found: list[tuple[str, Path]] = []
    empty: list[Refusal] = []
    for given in paths:
        path = Path(given).expanduser()
        if path.is_dir():
            inside = [(file.relative_to(path).as_posix(), file) for file in _walk(path)]
            if not inside:
                empty.append(
                    Refusal(file=given, reason=f"{given}: the folder holds no files (hidden ones don't count).")
                )
            found += inside
        elif path.exists():
            found.append((path.name, path))
        else:
            raise NotFound(kind="file or folder", name=given, step="Check the path. Nothing was added.")
    return _told_apart(found), empty


def read_bytes(name: str, path: Path) -> bytes:
    """A file's content. Raises `BadInput` where it is no ordinary file, too large, or can't be read."""
    try:
        with os.fdopen(_open_ordinary(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST:
                raise BadInput(source=name, problem=f"{size / 1e6:,.0f} MB; more than 200 MB can't be read. Split it.")
            return file.read(LARGEST + 1)
    except OSError as error:
        why = (error.strerror or "unknown reason").lower()
        raise BadInput(source=name, problem=f"can't be read ({why}). Check the file and its permissions.") from error


def _open_ordinary(path: Path) -> int:
    """Open for reading without waiting for the other end of a pipe."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "not an ordinary file")
    return handle


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(root) / name


def _told_apart(found: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Each file once, and names that are taken twice with more of their folders before them."""
    files = list({path.resolve(): (name, path) for name, path in reversed(found)}.values())[::-1]
    times = Counter(name for name, _ in files)
    named = []
    for name, path in files:
        depth = len(Path(name).parts)
        parts = path.absolute().parts
        while times[name] > 1 and depth < len(parts) - 1:
            depth += 1
            name = "/".join(parts[-depth:])
        named.append((name, path))
    return named


def size(path: Path) -> int:
    """A file's bytes; 0 for what can't be told."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
