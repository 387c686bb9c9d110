"""ZIP archives: the files inside, each to be read as a document of its own; the archive has no text itself.

Rules: sizes are summed up before anything is unpacked, and an archive beyond the limit is refused whole; a member whose path leads out of the
archive, or whose packing or password can't be opened, is refused by itself; hidden files and the system's own are passed over, as in folders;
links are not followed.
"""

import lzma
import stat
import zipfile
import zlib
from collections.abc import Sequence
from typing import Final

from core.documents import formats
from core.documents.worker import packing
from core.documents.worker.records import Inside, Parsed
from core.errors import BadInput, Unsupported

LARGEST: Final = 200 * 1000 * 1000
"""Bytes of all members: they travel in one message, which may have 256 MiB."""
MOST_MEMBERS: Final = 10_000
SYSTEM: Final = ("__MACOSX",)


def read(name: str, data: bytes, passwords: Sequence[str] = ()) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    archive = packing.opened(name, data)
    members = [member for member in archive.infolist() if not member.is_dir() and not _hidden(member.filename)]
    if not members:
        raise BadInput(source=name, problem="an archive without files; there is nothing to read.")
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > LARGEST:
        reason = f"unpacks to over {MOST_MEMBERS:,} files or 200 MB. Unpack it yourself and add its folder."
        raise Unsupported(source=name, reason=reason)
    return Parsed(
        media=formats.ZIP, title="", pages=(), inside=tuple(_member(archive, each, passwords) for each in members)
    )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, passwords: Sequence[str]) -> Inside:
    path = member.filename.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/") or ":" in path.split("/")[0]:
        return Inside(name=path, refused="a path that leads out of its archive. It was left out.")
    if stat.S_ISLNK(member.external_attr >> 16):
        return Inside(name=path, refused="a link, not a file. It was left out.")
    if member.flag_bits & 1:
        return _locked(archive, member, path, passwords)
    try:
        return Inside(name=path, data=packing.part("", archive, member.filename))
    except BadInput:
        return Inside(name=path, refused="damaged, or packed in a way that can't be read. Get another copy.")


def _locked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, passwords: Sequence[str]) -> Inside:
    for password in passwords:
        try:
            return Inside(name=path, data=archive.read(member, password.encode()))
        except NotImplementedError:
            return Inside(name=path, refused="encrypted in a way that can't be opened here. Unpack it yourself.")
        except (RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
            continue  # a wrong password shows as any kind of broken packing
    return Inside(name=path, refused=formats.LOCKED)


def _hidden(path: str) -> bool:
    parts = path.replace("\\", "/").split("/")
    return parts[0] in SYSTEM or any(part.startswith(".") and part not in ("..", ".") for part in parts)
