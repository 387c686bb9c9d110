"""Whether the program's own files are those that were built.

An installation knows its files in one of two ways: a bundle by the list `program.json` in its folder (written by `write_list` when it is built, and
covered by the signature over the bundle); a wheel by the list that the installer of packages keeps. A checkout knows none. The list lies beside
what it lists: it finds damage and careless changes, and who changes both is found by the signature alone (`resources/help/security.md`).

At start only names and sizes are compared (`quick`), which takes milliseconds; `whole` reads everything.
"""

import base64
import hashlib
import os
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

import msgspec

from core.errors import Damaged
from core.installation.records import Finding
from core.jobs import Job
from core.paths import write_whole
from core.records import Record

LIST: Final = "program.json"
DISTRIBUTION: Final = "assay-workbench"
_CHUNK: Final = 1024**2
AGAIN: Final = "Install Assay again from a bundle whose signature you checked."
_MOST: Final = 5
"""Files named in a sentence; the others are counted."""
_LOADED: Final = (".py", ".pyc", ".so", ".dll", ".dylib", ".pyd", ".pth")
"""Endings of files that would run if they lay in the program's folder."""


class File(Record, frozen=True, kw_only=True):
    """A file of the program: its path below the program's folder, parted by slashes, bytes, SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


class FileList(Record, frozen=True, kw_only=True, tag="program-files"):
    """All files of one build, by path."""

    program: str
    files: tuple[File, ...]


class Difference(Record, frozen=True, kw_only=True):
    """A file that isn't as it was built."""

    path: str
    how: Literal["missing", "changed", "added"]


def listed(folder: Path, program: str) -> FileList:
    """The files below `folder` as they are now, but for the list itself."""
    return FileList(
        program=program,
        files=tuple(
            File(path=name, size=path.stat().st_size, sha256=_sha256(path))
            for name, path in sorted(_walk(folder))
            if name != LIST
        ),
    )


def write_list(folder: Path, program: str) -> FileList:
    """List the files of a finished bundle in its folder."""
    found = listed(folder, program)
    write_whole(folder / LIST, msgspec.json.encode(found), private=False)
    return found


def installed() -> tuple[Path, FileList] | None:
    """The folder of this installation and the list of its files; None for a checkout. Raises `Damaged` for a list that can't be read."""
    if getattr(sys, "frozen", False):
        folder = Path(sys.executable).resolve().parent
        return folder, read_list(folder)
    try:
        found = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None
    files = []
    for entry in found.files or ():
        if entry.hash is None or entry.size is None or entry.hash.mode != "sha256" or entry.suffix == ".pyc":
            continue
        padded = entry.hash.value + "=" * (-len(entry.hash.value) % 4)
        files.append(File(path=str(entry), size=entry.size, sha256=base64.urlsafe_b64decode(padded).hex()))
    base = Path(str(found.locate_file("")))
    if not any(file.path.startswith("core/") for file in files):
        return None  # installed in place: the files are the checkout's
    return base, FileList(program=f"{DISTRIBUTION} {found.version}", files=tuple(files))


def read_list(folder: Path) -> FileList:
    """The list of a bundle. Raises `Damaged` where it is missing or not one."""
    try:
        return msgspec.json.decode((folder / LIST).read_bytes(), type=FileList)
    except (OSError, msgspec.DecodeError) as error:
        raise Damaged(source=str(folder / LIST), problem="the list of the program's files can't be read.") from error


def quick(folder: Path, expected: FileList) -> tuple[Difference, ...]:
    """Files that are missing or of another size. Paths are joined as text: as objects they take longer than the looking."""
    found = []
    base = str(folder)
    for file in expected.files:
        try:
            size = os.stat(f"{base}/{file.path}").st_size  # noqa: PTH116
        except OSError:
            found.append(Difference(path=file.path, how="missing"))
            continue
        if size != file.size:
            found.append(Difference(path=file.path, how="changed"))
    return tuple(found)


def whole(folder: Path, expected: FileList, job: Job) -> tuple[Difference, ...]:
    """Files that are missing or have other bytes, and, in a bundle, files that could run and weren't built."""
    found = []
    for number, file in enumerate(expected.files):
        job.report(number, len(expected.files), "files")
        path = folder / file.path
        try:
            same = path.stat().st_size == file.size and _sha256(path) == file.sha256
        except OSError:
            found.append(Difference(path=file.path, how="missing"))
            continue
        if not same:
            found.append(Difference(path=file.path, how="changed"))
    if (folder / LIST).exists():
        known = {file.path for file in expected.files}
        found += [
            Difference(path=name, how="added")
            for name, path in sorted(_walk(folder))
            if name not in known and name != LIST and path.suffix in _LOADED
        ]
    job.report(len(expected.files), len(expected.files), "files")
    return tuple(found)


def examine(job: Job, thorough: bool = True) -> Finding:
    """What `doctor` says of the program's own files."""
    try:
        known = installed()
    except Damaged as error:
        return Finding(about="program files", state="fault", sentence=str(error), step="Install Assay again.")
    if known is None:
        return Finding(
            about="program files",
            state="note",
            sentence="The program runs from a checkout, whose files no list vouches for.",
            step="`git status` shows what was changed in it.",
        )
    folder, expected = known
    differences = whole(folder, expected, job) if thorough else quick(folder, expected)
    if differences:
        return Finding(
            about="program files",
            state="fault",
            sentence=f"{len(differences):,} of {len(expected.files):,} are not as they were built: {_named(differences)}.",
            step=AGAIN,
            figures={"files": len(expected.files), "different": len(differences)},
        )
    how = "byte for byte" if thorough else "by name and size"
    return Finding(
        about="program files",
        state="good",
        sentence=f"All {len(expected.files):,} are as they were built ({how}).",
        figures={"files": len(expected.files), "different": 0},
    )


def warning() -> tuple[str, str]:
    """What a starting program says of its own files, compared by name and size, and the next step; both empty where nothing differs, and in a
    checkout. It blocks nothing: who can change a file can change this too, so it finds damage and carelessness."""
    try:
        known = installed()
    except Damaged as error:
        return f"Assay can't tell whether its own files are whole: {error}", AGAIN
    differences = quick(*known) if known is not None else ()
    if not differences:
        return "", ""
    count = len(differences)
    many = f"{count:,} of its files are" if count > 1 else "one of its files is"
    return (
        f"Assay was changed after it was built: {many} not as built, {_named(differences)}.",
        f"The doctor (assay doctor) reads all of them. {AGAIN}",
    )


def _named(differences: tuple[Difference, ...]) -> str:
    named = ", ".join(f"{one.path} ({one.how})" for one in differences[:_MOST])
    return named + (f" and {len(differences) - _MOST:,} more" if len(differences) > _MOST else "")


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = Path(place) / name
            yield path.relative_to(folder).as_posix(), path


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
