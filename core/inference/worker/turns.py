"""Who has the processor: the thread that computes, or short work that must not run beside it.

Short work goes first, and all that is announced goes at once: prompts that come together are read together, and then computed together. With
a step between two of them, each step had only one prompt more (16 requests with a common beginning took 10 % longer). Rule: computing waits for
`MOST` pieces of short work at most.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

MOST: Final = 32
"""As many as the requests that a worker takes in at once."""


class Turns:
    """A context manager for short work; `computing` is one for a step of computing. One thread at a time is in either."""

    def __init__(self) -> None:
        self.computing = _Computing(self)
        self._changed = threading.Condition()
        self._taken = False
        self._announced = 0
        self._done = 0

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Around asking another thread for short work and waiting for it."""
        with self._changed:
            self._announced += 1
        try:
            yield
        finally:
            with self._changed:
                self._announced -= 1
                self._changed.notify_all()

    def __enter__(self) -> None:
        self._take(lambda: self._taken)

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._done += 1
        self._give()

    def _take_to_compute(self) -> None:
        until = self._done + MOST
        self._take(lambda: self._taken or (self._announced > 0 and self._done < until))

    def _take(self, waits: Callable[[], bool]) -> None:
        with self._changed:
            while waits():
                self._changed.wait()
            self._taken = True

    def _give(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()


class _Computing:
    """A context manager for a step."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def __enter__(self) -> None:
        self._turns._take_to_compute()

    def __exit__(self, *_: object) -> None:
        self._turns._give()
