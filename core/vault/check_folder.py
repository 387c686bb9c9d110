"""Checking a vault's folder: keys that are wrapped for the wrong people, and files that don't belong there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.vault import locking, slots
from core.vault.records import Finding

DATABASE: Final = "vault.db"
BELONGING: Final = frozenset(
    {slots.NAME, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", locking.NAME, "attempts.json", "cache"}
)
"""What an open vault's folder holds."""
_HALF = re.compile(r"\.(.+)\.[a-z0-9_]{8}")
"""How a file is called while it is being written."""


def sweep(folder: Path) -> None:
    """Delete what a killed process left half-written, for whoever holds the folder's lock."""
    for path in folder.iterdir():
        half = _HALF.fullmatch(path.name)
        if half is not None and half[1] in (slots.NAME, DATABASE):
            path.unlink(missing_ok=True)


def findings(folder: Path) -> Iterator[Finding]:
    """What is wrong in a vault's folder beside the database."""
    yield from _epochs(folder)
    yield from _leftovers(folder)


def _leftovers(folder: Path) -> Iterator[Finding]:
    """Files in the folder that no part of the program keeps there."""
    for path in sorted(folder.iterdir()):
        half = _HALF.fullmatch(path.name)
        if half is not None and half[1] in BELONGING:
            yield Finding(where=path.name, what="was left when writing was interrupted.", step="Delete it.")
        elif path.name not in BELONGING:
            yield Finding(where=path.name, what="isn't part of a vault.", step="Move it out of the folder.")


def _epochs(folder: Path) -> Iterator[Finding]:
    """A rotation that stopped half-way, and keys that are wrapped for nobody, or not for everybody."""
    keys = slots.read(folder)
    if len(keys.epochs) > 1:
        yield Finding(
            where=slots.NAME, what="a rotation of the key stopped half-way.", step="Rotate the vault's key again."
        )
    names = {slot.user for slot in keys.slots}
    for epoch in keys.epochs:
        for user in sorted(names ^ epoch.keys.keys()):
            what = (
                "has a key but no slot." if user in epoch.keys else "has a slot but no key: they can't open the vault."
            )
            yield Finding(where=f"{slots.NAME}, {user}", what=what, step="Rotate the vault's key.")
