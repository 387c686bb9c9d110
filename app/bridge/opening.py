"""Opening, making and remembering vaults, and what the window says of this machine.

The core's services are imported here when the first vault is opened, off the UI thread: they take longer to load than the window may take
to appear.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import settings
from core.errors import AssayError, Unavailable
from core.jobs import Job

if TYPE_CHECKING:
    from core.workbench import Workbench

RECENT = 8
SUFFIX = ".assay"


@dataclass(frozen=True)
class NewVault:
    """What a new vault needs."""

    folder: Path
    user: str
    name: str
    passphrase: str


def open_vault(folder: Path, user: str, passphrase: str, job: Job) -> "Workbench":
    """Unlock a vault and remember where it is."""
    from core.cli.main import share  # late, and off the UI thread
    from core.workbench import Workbench

    workbench = Workbench.open(folder, user, passphrase)
    share(workbench)
    remember(folder)
    return workbench


@dataclass(frozen=True)
class Remembered:
    """What the system's keyring can do: `why` it can't be used here (a sentence, else empty), and whether it opens this vault for this user."""

    why: str
    has: bool


def remembered(folder: Path, user: str) -> Remembered:
    """Ask the system's keyring about a vault and a user."""
    from core.vault import keyring

    try:
        system = keyring.SystemKeyring()
        return Remembered("", bool(user) and keyring.remembers(folder, user, system))
    except Unavailable as error:
        return Remembered(str(error).partition(". ")[0].rstrip(".") + ".", False)
    except AssayError:
        return Remembered("", False)


def open_and_remember(folder: Path, user: str, passphrase: str, job: Job) -> "Workbench":
    """Have the system's keyring open the vault from now on, and unlock it. Raises as `open_vault`, and `Unavailable`: then nothing is opened."""
    from core.vault import keyring

    keyring.remember(folder, user, passphrase, keyring.SystemKeyring())
    return open_vault(folder, user, passphrase, job)


def open_remembered(folder: Path, user: str, job: Job) -> "Workbench":
    """Unlock a vault by what the system's keyring has. Raises `NotFound` where that is worthless (and it forgets it), `Unavailable`."""
    from core.cli.main import share  # late, and off the UI thread
    from core.vault import keyring
    from core.workbench import SCHEMA, Workbench

    workbench = Workbench(keyring.open_vault(folder, user, keyring.SystemKeyring(), SCHEMA))
    share(workbench)
    remember(folder)
    return workbench


def forget_vault(folder: Path, user: str) -> None:
    """Have the system's keyring forget what opens a vault for a user. Raises `NotFound`, `Unavailable`."""
    from core.vault import keyring

    keyring.forget(folder, user, keyring.SystemKeyring())


def create_vault(request: NewVault, job: Job) -> "Workbench":
    """Make a vault and remember where it is."""
    from core.cli.main import share  # late, and off the UI thread
    from core.workbench import Workbench

    workbench = Workbench.create(request.folder, request.user, request.name, request.passphrase)
    share(workbench)
    remember(request.folder)
    return workbench


def names(folder: Path) -> tuple[str, ...]:
    """The user names that a vault knows, or none where the folder is no vault."""
    from core.vault.vault import Vault  # late, and off the UI thread

    try:
        return Vault.names(folder)
    except AssayError:
        return ()


def remember(folder: Path) -> None:
    """Put a vault at the head of the recent ones."""
    known = settings.load()
    path = str(folder.absolute())
    recent = (path, *(other for other in known.recent_vaults if other != path))[:RECENT]
    settings.save(msgspec.structs.replace(known, recent_vaults=recent))


def recent_vaults() -> tuple[Path, ...]:
    """The vaults opened lately that are still there."""
    return tuple(path for path in map(Path, settings.load().recent_vaults) if path.is_dir())


def shown_name(folder: Path) -> str:
    """A vault's name as people say it."""
    return folder.name.removesuffix(SUFFIX)


@dataclass(frozen=True)
class Machine:
    """What the home page says of this machine. Sizes in bytes; `processors` is how many cores may be used."""

    processors: int
    memory: int | None
    memory_free: int | None
    disk_free: int


def machine(folder: Path) -> Machine:
    """Look at the machine now."""
    total = free = None
    try:
        with Path("/proc/meminfo").open() as file:
            found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file if line.rstrip().endswith("kB")}
        total, free = found.get("MemTotal"), found.get("MemAvailable")
    except OSError:
        total = free = None
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(usable, total, free, shutil.disk_usage(folder).free)


def size(count: float) -> str:
    """A size in bytes, in words."""
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit in ("bytes", "KB", "MB") or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return ""
