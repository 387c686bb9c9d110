"""The base of everything that is stored, signed or sent between processes.

A record is frozen, typed and versioned. What goes into the vault or a pack is a record whose class carries a `tag`: the tag is
the record's kind and never changes its meaning; a new shape gets a higher `version`. Each subclass repeats `frozen=True,
kw_only=True`, which msgspec and the type checker need.
"""

from datetime import datetime
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


def now() -> str:
    """The workstation's clock, as RFC 3339 with its offset, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
