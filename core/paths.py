"""Folders of this program, and careful reading and writing.

Nothing confidential is written outside a vault except into `runtime`, which is private to the user and RAM-backed where the system
offers that. Files are replaced whole or not at all.
"""

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from core.errors import AssayError, BadInput, DiskFull, NotFound, Unavailable
from core.records import Json

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


def ram_backed() -> Path | None:
    """A folder that the system keeps in memory, or None where there is none."""
    for candidate in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108 (RAM-backed on purpose)
        if candidate and sys.platform == "linux" and os.access(candidate, os.W_OK):
            return Path(candidate)
    return None


_BOOL = "tag:yaml.org,2002:bool"


@contextmanager
def runtime_folder(purpose: str) -> Iterator[Path]:
    """A private folder for what must lie in clear while it is used; removed afterwards. RAM-backed where there is such storage."""
    with tempfile.TemporaryDirectory(prefix=f"assay-{purpose}-", dir=ram_backed()) as name:
        yield Path(name)


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
    try:
        content: Json = yaml.load(path.read_text(encoding="utf-8", errors="replace"), _Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadInput(source=path.name, problem=f"{line}not readable as YAML.") from error
    return content


def write_whole(path: Path, content: bytes, private: bool = True) -> None:
    """Replace `path` by `content`, synced, or leave it as it was.

    Raises `DiskFull`, `NotFound` (its folder), `BadInput` (it is a folder itself), `Unavailable` (not writable)."""
    if path.is_dir():
        raise BadInput(source=str(path), problem="this is a folder. Give the name of a file.")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except FileNotFoundError as error:
        raise NotFound(kind="folder", name=str(path.parent), step="Create it, or choose another place.") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o600 if private else 0o644)
        Path(temporary).replace(path)
        sync_folder(path.parent)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise _unwritable(path, error) from error


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
