"""A zip in one canonical byte form, and a strict reader of it.

The form: entries stored without compression, sorted by name, dated 1980-01-01, with fixed attributes, no extra fields, no comments,
nothing before, between or after. So a pack's bytes follow from its entries, and a reader need not trust a byte: it writes the entries
again and compares. Names are ASCII paths without `..`, a leading slash or an empty part. Since nothing is compressed, an
archive can't unpack to more than it is; `LARGEST`, `MOST` and the cap on names bound what is read, in pure Python, before anything
looks inside. (Format: PKWARE APPNOTE 6.3.)
"""

import re
import struct
import zlib
from collections.abc import Mapping

from core.errors import BadInput, Damaged

LARGEST = 1024 * 1024 * 1024
"""Bytes of a whole pack: some 70,000 samples with what was found for each."""
MOST = 10_000
"""Entries."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
_LONGEST_NAME = 200
_VERSION, _DATE, _TIME = 20, 0x21, 0
_MADE_BY = 3 << 8 | _VERSION
_ATTRIBUTES = 0o100644 << 16
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")


def write(entries: Mapping[str, bytes]) -> bytes:
    """The archive of these entries. Raises `BadInput` for a name or a size that the form doesn't have."""
    return b"".join(_parts(entries))


def read(data: bytes) -> dict[str, bytes]:
    """The entries of an archive that `write` could have written. Raises `Damaged` for any other."""
    if len(data) > LARGEST:
        raise Damaged(source="pack", problem="too large to be read.")
    try:
        entries = _entries(data)
        parts = _parts(entries)
    except (struct.error, UnicodeDecodeError, BadInput) as error:
        raise Damaged(source="pack", problem="not a zip of a pack's form.") from error
    place = 0
    for part in parts:
        if not data.startswith(part, place):
            break
        place += len(part)
    else:
        if place == len(data):
            return entries
    raise Damaged(
        source="pack", problem="its bytes are not those that its entries give: altered, or written by other means."
    )


def _parts(entries: Mapping[str, bytes]) -> list[bytes]:
    """The archive in pieces, one after the other."""
    total = sum(map(len, entries.values()))
    if len(entries) > MOST or total > LARGEST:
        raise BadInput(
            source="pack",
            problem=f"it would have {len(entries):,} files of {total >> 20:,} MiB; a pack holds at most {MOST:,} of {LARGEST >> 20:,} MiB. "
            "Split the dataset, and export a run of each part.",
        )
    parts: list[bytes] = []
    directory: list[bytes] = []
    place = 0
    for name in sorted(entries):
        if not allowed(name):
            raise BadInput(source="pack", problem=f"{name[:80]!r} is no name for an entry.")
        content, label = entries[name], name.encode("ascii")
        crc, size = zlib.crc32(content), len(content)
        common = (_VERSION, 0, 0, _TIME, _DATE, crc, size, size, len(label), 0)
        directory.append(_CENTRAL.pack(b"PK\x01\x02", _MADE_BY, *common, 0, 0, 0, _ATTRIBUTES, place) + label)
        parts += (_LOCAL.pack(b"PK\x03\x04", *common), label, content)
        place += _LOCAL.size + len(label) + size
    whole = b"".join(directory)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(directory), len(directory), len(whole), place, 0)
    return [*parts, whole, end]


def allowed(name: str) -> bool:
    """Whether an entry may have that name."""
    return len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None


def _entries(data: bytes) -> dict[str, bytes]:
    """What the central directory names. Only bounds are checked here; the comparison afterwards checks the rest."""
    start = len(data) - _END.size
    if start < 0 or data[start : start + 4] != b"PK\x05\x06":
        raise Damaged(source="pack", problem="cut short, or no pack at all.")
    _, _, _, _, count, _, place, _ = _END.unpack_from(data, start)
    if count > MOST:
        raise Damaged(source="pack", problem=f"has over {MOST} entries.")
    entries: dict[str, bytes] = {}
    total = 0
    for _ in range(count):
        fields = _CENTRAL.unpack_from(data, place)
        size, length, local = fields[9], fields[10], fields[16]
        name = data[place + _CENTRAL.size : place + _CENTRAL.size + length].decode("ascii")
        first = local + _LOCAL.size + length
        total += size
        if name in entries or first + size > len(data) or total > len(data):
            raise Damaged(
                source="pack", problem=f"entry {name[:80]!r} is there twice, or holds more than the file does."
            )
        entries[name] = data[first : first + size]
        place += _CENTRAL.size + length
    return entries
