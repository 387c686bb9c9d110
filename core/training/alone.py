"""No run and no sweep is gone on with twice at the same time: a program that opens a vault beside another works in the first one's process, so
that what is under way is known here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import BadInput
from core.records import Digest

_UNDER_WAY: set[Digest] = set()
_TURN = threading.Lock()


@contextmanager
def alone(digest: Digest, name: str) -> Iterator[None]:
    """The block in which a run or a sweep is under way. Raises `BadInput` where it is already."""
    with _TURN:
        if digest in _UNDER_WAY:
            raise BadInput(source=name, problem="it is under way already. Wait for it, or pause it there first.")
        _UNDER_WAY.add(digest)
    try:
        yield
    finally:
        with _TURN:
            _UNDER_WAY.discard(digest)
