"""The base of everything that is stored, signed or sent between processes.

A record is frozen, typed and versioned. What goes into the vault or a pack is a record whose class carries a `tag`: the tag is
the record's kind and never changes its meaning; a new shape gets a higher `version`. Each subclass repeats `frozen=True,
kw_only=True`, which msgspec and the type checker need.
"""

from datetime import datetime
from functools import cache
from typing import NewType

import msgspec

Digest = NewType("Digest", str)
"""SHA-256 as 64 lower-case hexadecimal characters."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What canonical JSON can hold."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all records. `version` is the version of the record's own shape."""

    version: int = 1


def kind(record: Record | type[Record]) -> str:
    """The tag that the record's class was declared with, or its name where it has none."""
    tag = record.__struct_config__.tag
    if tag is None:
        cls = record if isinstance(record, type) else type(record)
        return cls.__name__
    return str(tag)


@cache
def newest(record: type[Record]) -> int:
    """The highest version of the record's shape that this program knows."""
    versions = [field.default for field in msgspec.structs.fields(record) if field.name == "version"]
    return int(versions[0])


def kinds() -> frozenset[str]:
    """The kinds of all records with a tag that this process knows."""
    found: set[str] = set()
    waiting: list[type[Record]] = [Record]
    while waiting:
        record = waiting.pop()
        waiting += record.__subclasses__()
        if record.__struct_config__.tag is not None:
            found.add(kind(record))
    return frozenset(found)


def now() -> str:
    """The workstation's clock, as RFC 3339 with its offset, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
