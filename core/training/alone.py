"""No run and no sweep is gone on with twice at the same time: a program that opens a vault beside another works in the first one's process, so
that what is under way is known here, and so that whoever works beside it can ask it to stop."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from core.errors import BadInput
from core.records import Digest


class Going(NamedTuple):
    """What is under way: `stop` asks it to end soon, `over` is set when it has."""

    stop: Callable[[], None]
    over: threading.Event


_UNDER_WAY: dict[Digest, Going] = {}
_TURN = threading.Lock()


@contextmanager
def alone(digest: Digest, name: str, stop: Callable[[], None]) -> Iterator[None]:
    """The block in which a run or a sweep is under way. Raises `BadInput` where it is already."""
    with _TURN:
        if digest in _UNDER_WAY:
            raise BadInput(source=name, problem="it is under way already. Wait for it, or pause it there first.")
        going = _UNDER_WAY[digest] = Going(stop, threading.Event())
    try:
        yield
    finally:
        with _TURN:
            del _UNDER_WAY[digest]
        going.over.set()


def under_way(digest: Digest) -> Going | None:
    """The run or the sweep, where it is under way."""
    with _TURN:
        return _UNDER_WAY.get(digest)
