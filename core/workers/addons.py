"""Add-ons: what one kind of worker may load beside the program's own: the packages that training needs, llama.cpp's back end for graphics cards.

Rules: an add-on lies in a folder of its own, below the user's folder of add-ons or the installation's, with its signed manifest
(`addon.json`) and its packages (`site`); `core.installation.addons` puts it there whole and checked. It is used only where its manifest fits
this program, its Python and this system, where it holds exactly the listed files with the listed sizes, and where only this user or the
administrator can write to it. Only the worker whose spec names its folder imports from it, after the sandbox stands; the window and the command
line never do.
"""

import os
import platform
import stat
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec

from core.errors import Damaged, Unsupported
from core.records import Record

MANIFEST: Final = "addon.json"
SIGNATURE: Final = "addon.json.minisig"
KEY: Final = "addon.pub"
SITE: Final = "site"
PROGRAM: Final = "assay-workbench"
TRAINING: Final = "training"
GRAPHICS: Final = "graphics"


class Package(Record, frozen=True, kw_only=True):
    """A package in an add-on, with its licence: an SPDX expression, or the words that it uses."""

    name: str
    release: str
    licence: str


class AddonFile(Record, frozen=True, kw_only=True):
    """A file: its path in the add-on's folder, parted by slashes, bytes, SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


class Manifest(Record, frozen=True, kw_only=True, tag="addon", forbid_unknown_fields=True):
    """What is signed: an add-on's name, what it is for, all its files, and the program, Python and system that it fits."""

    name: str
    release: str
    """The add-on's own version."""
    purpose: str
    programs: tuple[str, ...]
    """Versions of the program."""
    python: str
    """As `cp311`."""
    system: str
    """As `linux_x86_64`."""
    packages: tuple[Package, ...]
    files: tuple[AddonFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def user_folder() -> Path:
    """Where this person's add-ons lie."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "assay" / "addons"


def system_folder() -> Path:
    """Where those of this installation lie, for all who use it: beside the program's folder."""
    if getattr(sys, "frozen", False):
        return Path(sys.executable).resolve().parent.parent / "assay-addons"
    return Path(sys.prefix) / "share" / "assay-addons"


def places() -> tuple[Path, ...]:
    """Folders of add-ons, the installation's first."""
    return system_folder(), user_folder()


def installed(folders: tuple[Path, ...] | None = None) -> tuple[Path, ...]:
    """The folder of each add-on that is there, by name."""
    found = []
    for place in places() if folders is None else folders:
        if place.is_dir():
            found += sorted(each for each in place.iterdir() if not each.name.startswith(".") and each.is_dir())
    return tuple(found)


def read(folder: Path) -> Manifest:
    """The manifest of an add-on that is there. Raises `Damaged`."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise Damaged(
            source=str(folder), problem="the add-on can't be read. Remove it and install it again."
        ) from error


def imports(purpose: str, folders: tuple[Path, ...] | None = None) -> tuple[str, ...]:
    """The folders that a worker for `purpose` imports from: of the first add-on for it, or none. Raises `Unsupported` for one that doesn't fit this
    program, `Damaged` for one whose files aren't there."""
    for folder in installed(folders):
        manifest = read(folder)
        if manifest.purpose != purpose:
            continue
        check_fits(manifest, str(folder))
        check_there(folder, manifest)
        return (str(folder / SITE),)
    return ()


def usable(purpose: str, folders: tuple[Path, ...] | None = None) -> tuple[tuple[str, ...], str]:
    """`imports` for a worker that can do without them; and where an add-on is there that can't be used, the sentence that says why."""
    try:
        return imports(purpose, folders), ""
    except (Damaged, Unsupported) as error:
        return (), str(error)


def check_fits(manifest: Manifest, source: str) -> None:
    """Raises `Unsupported` where an add-on is for another program, Python or system."""
    here = (
        ("version", release(), manifest.programs),
        ("Python", python(), (manifest.python,)),
        ("system", system(), (manifest.system,)),
    )
    for what, own, wanted in here:
        if own not in wanted:
            raise Unsupported(
                source=source,
                reason=f"the add-on {manifest.name} is for {what} {', '.join(wanted) or 'none'}; here it is {own}. "
                "Use the one made for this program.",
            )


def release() -> str:
    """The program's version."""
    try:
        return metadata.version(PROGRAM)
    except metadata.PackageNotFoundError:
        return ""


def python() -> str:
    """This Python, as wheels name it."""
    return (
        f"cp{sys.version_info.major}{sys.version_info.minor}" if platform.python_implementation() == "CPython" else ""
    )


def system() -> str:
    """This system and processor, as wheels name them."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """All that lies below a folder, folders too, by path in it, parted by slashes; links are named and not followed."""
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as found:
            for entry in found:
                told = entry.stat(follow_symlinks=False)
                yield f"{inside}{entry.name}", told
                if stat.S_ISDIR(told.st_mode):
                    waiting.append(f"{inside}{entry.name}/")


def open_to_others(told: os.stat_result) -> bool:
    """Whether somebody beside this user and the administrator can change a file or folder. False on Windows, whose rights are not in its mode."""
    return sys.platform != "win32" and (told.st_uid not in (0, os.geteuid()) or bool(told.st_mode & 0o022))


def check_there(folder: Path, manifest: Manifest) -> None:
    """Raises `Damaged` where an add-on that is there isn't, by names, kinds and sizes, what was signed, or where others can write to it."""
    own = {MANIFEST, SIGNATURE, KEY}
    left = {file.path: file.size for file in manifest.files}
    try:
        _check_own(folder.parent, folder.parent.stat())
        _check_own(folder, folder.lstat())
        for name, told in entries(folder):
            if stat.S_ISLNK(told.st_mode) or open_to_others(told):  # a path is made for the few of thousands only
                _check_own(folder / name, told)
            if stat.S_ISDIR(told.st_mode) or (stat.S_ISREG(told.st_mode) and name in own):
                continue
            if not stat.S_ISREG(told.st_mode) or left.pop(name, None) != told.st_size:
                raise _damaged(folder / name)
    except OSError as error:
        raise _damaged(folder) from error
    if left:
        raise _damaged(folder / min(left))


def _check_own(path: Path, told: os.stat_result) -> None:
    if stat.S_ISLNK(told.st_mode):
        raise Damaged(source=str(path), problem="it is a link. Remove the add-on and install it again.")
    if open_to_others(told):
        raise Damaged(
            source=str(path),
            problem="another person can change it, so the add-on isn't used. Make it writable for you alone, or remove the add-on and "
            "install it again.",
        )


def _damaged(path: Path) -> Damaged:
    return Damaged(source=str(path), problem="it isn't as in the add-on. Remove the add-on and install it again.")
