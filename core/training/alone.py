"""No run and no sweep is gone on with twice at the same time, and whoever works beside it can ask it to stop."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from core.records import Digest
from core.vault import under_way

PROBLEM = "it is under way already. Wait for it, or pause it there first."


def alone(digest: Digest, name: str, stop: Callable[[], None]) -> AbstractContextManager[None]:
    """The block in which a run or a sweep is under way. Raises `BadInput` where it is already."""
    return under_way.alone(digest, name, PROBLEM, stop)
