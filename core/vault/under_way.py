"""What is under way in this process, so that nothing goes on twice at the same time: a program that opens a vault beside another works in the
first one's process, so that all of it is known here, and whoever works beside it can ask it to stop."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from core.errors import BadInput
from core.records import Digest


class Going(NamedTuple):
    """What is under way: `stop` asks it to end soon, if it can be asked, `over` is set when it has."""

    stop: Callable[[], None] | None
    over: threading.Event


_UNDER_WAY: dict[Digest, Going] = {}
_TURN = threading.Lock()


@contextmanager
def alone(digest: Digest, name: str, problem: str, stop: Callable[[], None] | None = None) -> Iterator[None]:
    """The block in which what `digest` names is under way. Raises `BadInput` with `problem` where it is already."""
    with _TURN:
        if digest in _UNDER_WAY:
            raise BadInput(source=name, problem=problem)
        going = _UNDER_WAY[digest] = Going(stop, threading.Event())
    try:
        yield
    finally:
        with _TURN:
            del _UNDER_WAY[digest]
        going.over.set()


def under_way(digest: Digest) -> Going | None:
    """What goes on with this record, where something does."""
    with _TURN:
        return _UNDER_WAY.get(digest)
