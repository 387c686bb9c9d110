"""
What Linux tells of running processes, read in a way that holds while they change.

A running process opens and closes files, starts and ends threads while its entries below ``/proc`` are read: what has
gone between listing and reading is left out.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


def links(process: int | str) -> set[str]:
    """To what its open descriptors lead. Raises `PermissionError` where the system doesn't let us look."""
    found: set[str] = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return found


def children(process: int | str) -> set[int]:
    """Its child processes, whichever of its threads started them."""
    found: set[int] = set()
    for thread in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found |= {int(child) for child in (thread / "children").read_text().split()}
    return found


def runs(process: int) -> bool:
    """Whether it is there and has not ended; one that nobody has waited for yet has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait until something is true, looking often; False when it is not after this long."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
