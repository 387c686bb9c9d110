"""Puts an add-on that came as a file in its place, looks whether it is whole, and removes it.

The file is a zip: `addon.json` (the manifest of `core.workers.addons`), `addon.json.minisig` (its signature), and the files that the manifest
lists. Rules: nothing of it is written before its signature and its fit are good; only files that the manifest lists are read, each no
further than its size, into names that stay in the folder and are the same on every system; links and other kinds are refused; nobody else
can write to what is made, whatever the user's habit for new files; an add-on appears in its place by one renaming, with
every file compared with its SHA-256 before. What a killed installation left is removed by the next one.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

import msgspec

from core.errors import AlreadyExists, BadInput, Damaged, DiskFull, NotFound, Unavailable, Unsupported
from core.installation.records import Finding
from core.jobs import Job
from core.paths import RESOURCES, alone, sync_folder, write_whole
from core.trust import minisign
from core.workers import addons
from core.workers.addons import KEY, MANIFEST, SIGNATURE, Manifest

RELEASE_KEY: Final = RESOURCES / "release.pub"
"""The releaser's public key, in a program that was built with one."""
LARGEST_MANIFEST: Final = 32 * 1024**2
LARGEST: Final = 16 * 1024**3
"""Bytes of all files of an add-on."""
MOST: Final = 100_000
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PART: Final = re.compile(r"[^\x00-\x1f\x7f\\:*?\"<>|/]{1,200}")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that mean devices on Windows."""
_BLOCK: Final = 1024**2


def install(file: Path, job: Job, key: Path | None = None, place: Path | None = None) -> Manifest:
    """Check an add-on's file and put it below `place` (the user's folder). `key` is the public key to trust, in place of the program's own.

    Raises `NotFound` (no such file), `Unavailable` (no key, no right to write), `Damaged` (not signed, changed), `Unsupported` (for another program,
    Python or system), `BadInput` (names or kinds of files that no add-on has), `AlreadyExists`, `DiskFull`, `Cancelled`."""
    place = place or addons.user_folder()
    trusted, told = _trusted(key)
    if not file.is_file():
        raise NotFound(kind="file", name=str(file), step="Check the path.")
    try:
        with zipfile.ZipFile(file) as archive:
            content, signature, manifest = _manifest(archive, trusted, file.name)
            _check_names(manifest, file.name)
            entries = _check_entries(archive, manifest, file.name)
            with _folder(place):
                target = place / manifest.name
                if target.exists():
                    raise AlreadyExists(
                        kind="add-on", name=manifest.name, step=f"Remove it first: assay addon remove {manifest.name}"
                    )
                if shutil.disk_usage(place).free < manifest.size + _BLOCK:
                    raise DiskFull(path=str(place))
                with _part(place) as part:
                    _unpack(archive, entries, manifest, part, file.name, job)
                    write_whole(part / SIGNATURE, signature.encode(), private=False)
                    write_whole(part / KEY, told.encode(), private=False)
                    write_whole(part / MANIFEST, content, private=False)
                    part.rename(target)
                sync_folder(place)
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path=str(place)) from error
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # which seeking before the start gives
            what = f"{error.filename or place} can't be used ({error.strerror})"
            raise Unavailable(
                what=what, step="Choose a place where you may write, and a file that you may read."
            ) from error
        raise Damaged(source=file.name, problem="it can't be read as an add-on. Copy it again.") from error
    return manifest


def remove(name: str, place: Path | None = None) -> Path:
    """Remove an add-on with all its files; returns where it was. Raises `NotFound`, `Unavailable`."""
    place = place or addons.user_folder()
    target = place / name
    if not _NAME.fullmatch(name) or not target.is_dir():
        raise NotFound(
            kind="add-on",
            name=name,
            step=f"`assay addon list` names those that are there; it was looked for in {place}.",
        )
    with _folder(place), _part(place, make=False) as part:
        target.rename(part)
    return target


def differences(folder: Path, job: Job) -> list[str]:
    """What isn't as in the add-on that was signed: its manifest, and files that are missing, changed or added. Reads every file. Raises
    `Damaged` where the manifest itself doesn't stand."""
    try:
        content = (folder / MANIFEST).read_bytes()
        key = minisign.read_key((folder / KEY).read_text(), KEY)
        minisign.verify(content, (folder / SIGNATURE).read_text(), (key,), str(folder))
    except (OSError, UnicodeDecodeError, BadInput) as error:
        raise Damaged(source=str(folder), problem="its signature can't be read.") from error
    manifest = addons.read(folder)
    all_ = {"": folder.lstat(), **dict(addons.entries(folder))}
    others = [name or str(folder) for name, told in all_.items() if addons.open_to_others(told)]
    there = {name: told for name, told in all_.items() if not stat.S_ISDIR(told.st_mode)}
    found = []
    for number, file in enumerate(manifest.files):
        job.report(number, len(manifest.files), "files")
        told = there.pop(file.path, None)
        if told is None:
            found.append(f"{file.path} (missing)")
        elif not stat.S_ISREG(told.st_mode) or told.st_size != file.size or _sha256(folder / file.path) != file.sha256:
            found.append(f"{file.path} (changed)")
    own = {MANIFEST, SIGNATURE, KEY}
    found += sorted(
        f"{name} (added)" for name, told in there.items() if not (name in own and stat.S_ISREG(told.st_mode))
    )
    found += sorted(f"{name} (writable for others)" for name in others)
    job.report(len(manifest.files), len(manifest.files), "files")
    return found


def examine(job: Job, folders: tuple[Path, ...] | None = None) -> Iterator[Finding]:
    """What `doctor` says of each add-on that is there."""
    for folder in addons.installed(folders):
        about = f"add-on: {folder.name}"
        try:
            manifest = addons.read(folder)
            addons.check_fits(manifest, str(folder))
            wrong = differences(folder, job)
            other = _other_key(folder)
        except Damaged as error:
            yield Finding(about=about, state="fault", sentence=str(error), step=_AGAIN)
            continue
        except Unsupported as error:
            yield Finding(
                about=about,
                state="warning",
                sentence=str(error),
                step="It isn't used. Install the one for this program.",
            )
            continue
        if wrong:
            named = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5:,} more" if len(wrong) > 5 else "")
            yield Finding(
                about=about,
                state="fault",
                sentence=f"{len(wrong):,} of its files are not as signed: {named}.",
                step=_AGAIN,
            )
            continue
        if other:
            yield Finding(
                about=about,
                state="note",
                sentence=f"Its {len(manifest.files):,} files are as signed, but with the key {other}, which isn't the one that this program carries.",
                step="Keep it if you trust whoever has that key; else remove it (assay addon remove).",
                figures={"files": len(manifest.files), "bytes": manifest.size},
            )
            continue
        yield Finding(
            about=about,
            state="good",
            sentence=f"All {len(manifest.files):,} files of {manifest.name} {manifest.release} in {folder} are as signed.",
            figures={"files": len(manifest.files), "bytes": manifest.size},
        )


_UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError, OverflowError
)  # fmt: skip
"""What reading a zip raises that was changed on its way."""
_AGAIN: Final = "Remove it (assay addon remove) and install it again from its file."


def _other_key(folder: Path) -> str:
    """The number of the key that signed an add-on, where the program carries another; else nothing. Raises `Damaged`."""
    if not RELEASE_KEY.is_file():
        return ""
    try:
        found = minisign.read_key((folder / KEY).read_text(), KEY)
    except (OSError, UnicodeDecodeError, BadInput) as error:
        raise Damaged(source=str(folder), problem="its signature can't be read.") from error
    return "" if found == _trusted(None)[0] else found.name


def _trusted(key: Path | None) -> tuple[minisign.PublicKey, str]:
    """The key that counts, and its file's text. Raises `Unavailable`, `BadInput`."""
    chosen = key or RELEASE_KEY
    try:
        with chosen.open("rb") as file:
            text = file.read(minisign.LARGEST).decode()
    except FileNotFoundError as error:
        if key is not None:
            raise NotFound(kind="file", name=str(key), step="Check the path.") from error
        raise Unavailable(
            what="This program carries no releaser's key to check add-ons with",
            step="Name the key that you trust: --key FILE.pub",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            source=str(chosen), problem="this isn't a public key of minisign. Give the signer's .pub file."
        ) from error
    return minisign.read_key(text, chosen.name), text


def _manifest(archive: zipfile.ZipFile, key: minisign.PublicKey, source: str) -> tuple[bytes, str, Manifest]:
    content = _small(archive, MANIFEST, LARGEST_MANIFEST, source)
    signature = _small(archive, SIGNATURE, minisign.LARGEST, source).decode()
    minisign.verify(content, signature, (key,), source)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise Damaged(source=source, problem="its list of files can't be read.") from error
    addons.check_fits(manifest, source)
    return content, signature, manifest


def _small(archive: zipfile.ZipFile, name: str, limit: int, source: str) -> bytes:
    try:
        entry = archive.getinfo(name)
    except KeyError as error:
        raise Damaged(source=source, problem=f"it isn't an add-on: it holds no {name}.") from error
    _check_kind(entry, source)
    with archive.open(entry) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise BadInput(source=source, problem=f"its {name} is too large.")
    return content


def _check_names(manifest: Manifest, source: str) -> None:
    """Raises `BadInput` for a manifest with names or sizes that no add-on has."""
    if not _NAME.fullmatch(manifest.name):
        raise BadInput(source=source, problem="the add-on's name isn't one that a folder may have.")
    if len(manifest.files) > MOST or any(file.size < 0 for file in manifest.files) or manifest.size > LARGEST:
        raise BadInput(source=source, problem="it holds more than an add-on may.")
    seen: set[str] = set()
    folders: dict[str, str] = {}
    for file in manifest.files:
        parts = file.path.split("/")
        if parts[0] != addons.SITE or len(parts) < 2 or not all(map(_is_name, parts)):
            raise BadInput(source=source, problem=f"{file.path!r} isn't a path that an add-on may have.")
        if _same(file.path) in seen:
            raise BadInput(source=source, problem=f"{file.path!r} comes twice.")
        seen.add(_same(file.path))
        for parent in PurePosixPath(file.path).parents:
            name = parent.as_posix()
            if folders.setdefault(_same(name), name) != name:
                raise BadInput(source=source, problem=f"{name!r} comes twice.")
    if both := sorted(seen & folders.keys()):
        raise BadInput(source=source, problem=f"{both[0]!r} is a file and a folder.")


def _is_name(part: str) -> bool:
    """Whether it names a file on every system: no sign with a meaning there, no end that Windows drops, no device's name."""
    return bool(_PART.fullmatch(part)) and part[-1] not in ". " and not _DEVICE.fullmatch(part)


def _same(path: str) -> str:
    """Equal for paths that are one on a system which compares names without their case or their way of writing an accent."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _check_entries(archive: zipfile.ZipFile, manifest: Manifest, source: str) -> dict[str, zipfile.ZipInfo]:
    """The archive's entries by name. Raises `Damaged` where they aren't those of the manifest."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    listed = {file.path: file.size for file in manifest.files}
    if len(entries) != len(archive.infolist()) or entries.keys() != listed.keys() | {MANIFEST, SIGNATURE}:
        raise Damaged(source=source, problem="it holds other files than its signed list says.")
    for name, size in listed.items():
        _check_kind(entries[name], source)
        if entries[name].file_size != size:
            raise Damaged(source=source, problem=f"{name} isn't as its signed list says.")
    return entries


def _check_kind(entry: zipfile.ZipInfo, source: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.is_dir() or kind not in (0, stat.S_IFREG) or entry.flag_bits & 1:
        raise BadInput(source=source, problem=f"{entry.filename!r} is a link or another kind that no add-on holds.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput(source=source, problem=f"{entry.filename!r} is compressed in a way that no add-on is.")


def _unpack(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], manifest: Manifest, part: Path, source: str, job: Job
) -> None:
    done = 0
    for file in manifest.files:
        job.report(done, manifest.size, "bytes")
        target = part / file.path
        _make_folder(target.parent)
        try:
            with archive.open(entries[file.path]) as opened, open(target, "xb", opener=_private) as written:
                good = _copy(opened, written, file.size, job) == file.sha256
        except zipfile.BadZipFile:
            good = False
        if not good:
            raise Damaged(source=source, problem=f"{file.path} isn't as its signed list says.")
        target.chmod(0o644)
        done += file.size
    job.report(manifest.size, manifest.size, "bytes")


def _private(path: str, flags: int) -> int:
    """Nobody else gets hold of a file before it is whole and its rights are set."""
    return os.open(path, flags, 0o600)


def _copy(opened: IO[bytes], written: IO[bytes], size: int, job: Job) -> str:
    """Copy at most `size` bytes; the SHA-256 of what was there, or nothing where there is more or less."""
    digest = hashlib.sha256()
    left = size
    while left and (block := opened.read(min(_BLOCK, left))):
        job.check()
        digest.update(block)
        written.write(block)
        left -= len(block)
    return "" if left or opened.read(1) else digest.hexdigest()


@contextmanager
def _folder(place: Path) -> Iterator[None]:
    """Be alone in the folder of add-ons, without what others left. Raises `Unavailable`."""
    try:
        _make_folder(place)
        others = addons.open_to_others(place.stat())
    except OSError as error:
        raise Unavailable(
            what=f"{place} can't be made", step="Choose a place where you may write, or ask an administrator."
        ) from error
    if others:
        raise Unavailable(
            what=f"Another person can write to {place}, the folder of add-ons", step="Make it writable for you alone."
        )
    with alone(place / MANIFEST):
        for left in place.glob(".*.part"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def _part(place: Path, make: bool = True) -> Iterator[Path]:
    """A folder that is removed after the block, unless it got another name."""
    part = place / f".{secrets.token_hex(8)}.part"
    if make:
        _make_folder(part)
    try:
        yield part
    finally:
        if part.is_symlink():  # somebody's own, in the place of an add-on's folder: what it leads to isn't ours
            part.unlink()
        shutil.rmtree(part, ignore_errors=True)


def _make_folder(folder: Path) -> None:
    """A folder that all may read and only its owner may change, with those above it that are missing."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o755, exist_ok=True)
        folder.chmod(0o755)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
