"""Archives that have the same bytes whenever they are made of the same files.

Rules: names are sorted; owner and group are root; every time is the build's; modes are 0755 for folders and what may run, else 0644; links stay
links. Compression is gzip without a name and a time, or none.

`python -m installers.same FOLDER OTHER` says in what two builds of a folder differ.
"""

import gzip
import io
import os
import stat
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def entries(folder: Path) -> Iterator[Path]:
    """Everything below a folder, sorted by its path in bytes; a folder comes before what it holds."""
    found = []
    for place, folders, names in os.walk(folder):
        found += [Path(place) / name for name in (*folders, *names)]
    yield from sorted(found, key=lambda path: os.fsencode(path.relative_to(folder).as_posix()))


def write_tar(folder: Path, target: BinaryIO, epoch: int, prefix: str = "") -> None:
    """Write a folder's content as a tar, with `prefix` before each name."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in entries(folder):
            archive.addfile(*_member(path, prefix + path.relative_to(folder).as_posix(), epoch))


def write_tar_gz(folder: Path, target: Path, epoch: int, prefix: str = "", level: int = 6) -> None:
    """The same, compressed."""
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=level, mtime=0) as packed,
    ):
        write_tar(folder, packed, epoch, prefix)  # type: ignore[arg-type]


def plain_modes(folder: Path) -> None:
    """Leave the right to be run to what a system runs: native programs and scripts, not libraries and texts, whatever a wheel gave them."""
    for path in entries(folder):
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            begins = file.read(4)
        runs = ".so" not in path.suffixes and (begins == b"\x7fELF" or begins[:2] == b"#!")
        if not runs:
            path.chmod(0o644)


def settle(folder: Path, epoch: int) -> None:
    """Give everything in a folder, and the folder, the build's time and plain modes."""
    for path in (*entries(folder), folder):
        if not path.is_symlink():
            path.chmod(_mode(path))
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def link_equals(folder: Path, pattern: str) -> int:
    """Make links of files in one folder that are the same byte for byte (wheels can't hold links); returns the bytes saved."""
    seen: dict[bytes, Path] = {}
    saved = 0
    for path in sorted(folder.glob(pattern)):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        first = seen.setdefault(content, path)
        if first != path:
            path.unlink()
            path.symlink_to(first.name)
            saved += len(content)
    return saved


def _member(path: Path, name: str, epoch: int) -> tuple[tarfile.TarInfo, BinaryIO | None]:
    member = tarfile.TarInfo(name)
    member.mtime, member.uname, member.gname = epoch, "root", "root"
    if path.is_symlink():
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, os.fspath(path.readlink()), 0o777
        return member, None
    member.mode = _mode(path)
    if path.is_dir():
        member.type = tarfile.DIRTYPE
        return member, None
    content = path.read_bytes()
    member.size = len(content)
    return member, io.BytesIO(content)


def _mode(path: Path) -> int:
    return 0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644


def differences(one: Path, other: Path) -> list[str]:
    """A line for each thing that isn't the same in two folders: there, kind, mode, a link's target, bytes with the first place where they differ."""
    left, right = ({path.relative_to(folder).as_posix(): path for path in entries(folder)} for folder in (one, other))
    found = [f"{name}: only in {one if name in left else other}" for name in sorted(left.keys() ^ right.keys())]
    for name in sorted(left.keys() & right.keys()):
        if how := _differ(left[name], right[name]):
            found.append(f"{name}: {how}")
    return found


def _differ(one: Path, other: Path) -> str:
    kinds = [(path.is_symlink(), path.is_dir()) for path in (one, other)]
    if kinds[0] != kinds[1]:
        return "of another kind"
    if one.is_symlink():
        return "" if one.readlink() == other.readlink() else "a link to another place"
    if _mode(one) != _mode(other):
        return "another mode"
    if one.is_dir():
        return ""
    first, second = one.read_bytes(), other.read_bytes()
    if first == second:
        return ""
    at = next(
        (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    count = sum(a != b for a, b in zip(first, second, strict=False)) + abs(len(first) - len(second))
    return f"{len(first):,} and {len(second):,} bytes, {count:,} of them other, the first at {at:,}"


if __name__ == "__main__":
    told = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write("".join(f"{line}\n" for line in told) or "The same.\n")
    raise SystemExit(bool(told))
