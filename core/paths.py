"""Folders of this program, and careful reading and writing.

Rules: nothing confidential is written in clear outside a vault, but for what a person exports, and what must lie open while it is used: that
goes into a runtime folder, private to the user, in storage that the kernel says is memory. What a killed process left there is removed by the
next one, and never what a living one uses. Files are replaced whole or not at all.
"""

import contextlib
import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import yaml

from core.errors import AssayError, BadInput, DiskFull, NotFound, Unavailable
from core.records import Json

if sys.platform != "win32":
    import fcntl

RESOURCES = Path(getattr(sys, "_MEIPASS", None) or Path(__file__).resolve().parent.parent) / "resources"
"""Icons, themes, starter models, the example workspace; read-only."""


def config_folder() -> Path:
    """Where settings that are not confidential live (window size, theme); created private to the user."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return _private(base / "assay")


_IN_MEMORY: Final = (0x01021994, 0x858458F6)
"""f_type of tmpfs and ramfs (linux/magic.h)."""
_RUNTIME: Final = re.compile(r"assay-(\d+)-(\d+)-[a-z0-9_]{8}")
"""Process number, its start in clock ticks since the machine's (0 where that isn't known), and chance."""
_LOCK: Final = "lock"


def ram_backed() -> Path | None:
    """A folder that the system keeps in memory, writable for us; None where there is none."""
    return next((base for base in _candidates() if in_memory(base) and os.access(base, os.W_OK | os.X_OK)), None)


def in_memory(folder: Path) -> bool:
    """Whether the kernel says that `folder` lies in memory; False where it can't be asked."""
    if sys.platform != "linux":
        return False
    found = (ctypes.c_long * 32)()  # struct statfs: 120 bytes, and f_type the first
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(folder), ctypes.byref(found)) != 0:
        return False
    return found[0] in _IN_MEMORY


@contextmanager
def runtime_folder(purpose: str, base: Path | None = None) -> Iterator[Path]:
    """A private folder for what must lie in clear while it is used; removed afterwards. It lies in `base`, or in memory.

    Raises `Unavailable` where no base is given and the system has no storage in memory."""
    where = base or ram_backed()
    if where is None:
        raise Unavailable(
            what="This system offers no storage in memory",
            step="An administrator may allow that such data lies in clear in the temporary folder.",
        )
    sweep(where)
    made = Path(tempfile.mkdtemp(prefix=".assay-", dir=where))
    try:
        with (made / _LOCK).open("w") as lock:
            _lock(lock.fileno())
            name = f"assay-{os.getpid()}-{_start(os.getpid()) or 0}-{made.name.removeprefix('.assay-')}"
            made = made.rename(made.with_name(name))  # it gets the name that is swept by once it is locked
            (made / purpose).mkdir(mode=0o700)
            yield made / purpose
    finally:
        shutil.rmtree(made, ignore_errors=True)


def sweep(*bases: Path) -> int:
    """Remove the runtime folders of this user's dead processes, and say how many; in `bases`, or wherever such folders may lie."""
    removed = 0
    for base in bases or dict.fromkeys((*_candidates(), Path(tempfile.gettempdir()))):
        try:
            entries = list(os.scandir(base))
        except OSError:
            continue
        for entry in entries:
            if _left_over(entry):
                shutil.rmtree(entry.path, ignore_errors=True)
                removed += not Path(entry.path).exists()
    return removed


def _candidates() -> Iterator[Path]:
    for candidate in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108 (RAM-backed on purpose)
        if candidate and sys.platform == "linux":
            yield Path(candidate)


def _left_over(entry: os.DirEntry[str]) -> bool:
    """Whether this is a runtime folder of ours whose process is dead: neither found under its number and start, nor holding the lock (it
    may live where its number isn't seen, in another container)."""
    found = _RUNTIME.fullmatch(entry.name)
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    if found is None or not stat.S_ISDIR(status.st_mode) or (sys.platform != "win32" and status.st_uid != os.getuid()):
        return False
    if found[2] != "0" and _start(int(found[1])) == int(found[2]):
        return False
    lock = Path(entry.path) / _LOCK
    return _free(lock) if lock.exists() else True


def _start(process: int) -> int | None:
    """When a living process began, in clock ticks since the machine's start; None where it isn't seen."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


_BOOL = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `on`, `off`, `yes` and `no` are words, as whoever writes `on: low` means them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

LARGEST_YAML = 1_000_000
"""Bytes of a prompt or spec file; real ones hold some thousands."""


def read_yaml(path: Path) -> Json:
    """The content of a YAML file that a person wrote. Raises `BadInput` with the line that can't be read."""
    if path.is_dir():
        raise BadInput(source=str(path), problem="this is a folder. Give the name of a file.")
    if not path.is_file():
        raise BadInput(source=str(path), problem="there is no such file. Check the path.")
    if path.stat().st_size > LARGEST_YAML:
        raise BadInput(source=path.name, problem="over 1 MB, too large for such a file.")
    return parse_yaml(path.read_text(encoding="utf-8", errors="replace"), path.name)


def parse_yaml(text: str, source: str) -> Json:
    """The content of a YAML text; `source` names it in errors. Raises `BadInput` with the line that can't be read."""
    try:
        content: Json = yaml.load(text, _Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadInput(source=source, problem=f"{line}not readable as YAML.") from error
    return content


def write_whole(path: Path, content: bytes, private: bool = True) -> None:
    """Replace `path` by `content`, synced, or leave it as it was.

    Raises `DiskFull`, `NotFound` (its folder), `BadInput` (it is a folder itself), `Unavailable` (not writable)."""
    with replacing(path, private) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, private: bool = True) -> Iterator[BinaryIO]:
    """A file to write in the block, which takes the place of `path` at its end, synced. When the block raises, or the process is killed in
    it, `path` is as it was and nothing half-written stays: the file has no name until it is whole, where the file system offers that;
    elsewhere the next writing into the folder removes what is left. Raises as `write_whole`."""
    if path.is_dir():
        raise BadInput(source=str(path), problem="this is a folder. Give the name of a file.")
    try:
        _remove_parts(path.parent)
        file, name = _part(path.parent)
    except FileNotFoundError as error:
        raise NotFound(kind="folder", name=str(path.parent), step="Create it, or choose another place.") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    writing = True
    try:
        with file:
            yield file
            writing = False
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.fileno() if name is None else name, 0o600 if private else 0o644)  # noqa: PTH101 (a handle)
            name = _placed(file.fileno(), path) if name is None else name
        if name is not None:
            Path(name).replace(path)
            name = None
        sync_folder(path.parent)
    except OSError as error:
        if writing and error.filename is not None:
            raise  # of another file, which the block reads
        raise _unwritable(path, error) from error
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only process that works on `path`, which may be replaced meanwhile, while the block runs; for all who ask in this way.

    The lock is a file beside it, which stays: removing it would let two processes lock two files of one name. Raises `Unavailable` when
    another has it, `NotFound` (its folder). On Windows nobody is kept out."""
    beside = path.with_name(f".{path.name}.lock")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileNotFoundError as error:
        raise NotFound(kind="folder", name=str(path.parent), step="Create it, or choose another place.") from error
    except OSError as error:
        raise _unwritable(beside, error) from error
    try:
        if not _lock(handle):
            raise Unavailable(what=f"Another process works with {path}", step="Try again when it has ended.")
        yield
    finally:
        os.close(handle)


_PART = re.compile(r"\.assay-[a-z0-9_]{8}\.part")


def _part(folder: Path) -> tuple[BinaryIO, str | None]:
    """A new file in `folder` to write to: without a name (None) where the system has such files, else under a name and a lock."""
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        try:
            return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), "w+b"), None
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT) or not folder.is_dir():
                raise
    handle, name = tempfile.mkstemp(prefix=".assay-", suffix=".part", dir=folder)
    _lock(handle)
    return os.fdopen(handle, "w+b"), name


def _placed(handle: int, path: Path) -> str | None:
    """Give a nameless file its name: `path` itself (None), or where that is taken one to be renamed."""
    if sys.platform == "win32":
        raise AssertionError
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        source = f"/proc/self/fd/{handle}"
        with contextlib.suppress(FileExistsError):
            os.link(source, path.name, dst_dir_fd=folder, follow_symlinks=True)
            return None
        name = f".assay-{secrets.token_hex(4)}.part"
        os.link(source, name, dst_dir_fd=folder, follow_symlinks=True)
        return str(path.parent / name)
    finally:
        os.close(folder)


def _remove_parts(folder: Path) -> None:
    """Remove what a killed process left half-written in `folder`."""
    for entry in os.scandir(folder):
        if _PART.fullmatch(entry.name) and entry.is_file(follow_symlinks=False) and _free(Path(entry.path)):
            Path(entry.path).unlink(missing_ok=True)


def _lock(handle: int) -> bool:
    """Take the lock of an open file; False while another process holds it. It ends with the process, however that ends."""
    if sys.platform == "win32":
        return True  # there, an open file can't be removed
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _free(path: Path) -> bool:
    """Whether no living process holds the lock of this file. False where that can't be found out."""
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        return _lock(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> AssayError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path=str(path))
    reason = os.strerror(error.errno) if error.errno else "the system refused it"
    return Unavailable(what=f"{path} can't be written ({reason})", step="Choose a place where you may write.")


def sync_folder(folder: Path) -> None:
    """Make a renamed or created entry of `folder` survive a power loss, where the system lets us."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
