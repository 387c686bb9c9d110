"""From the thread that works on a call to the loop that talks to its program: items in order, many at once where they come fast.

An item that comes while `take` waits may be dealt with at once, in the loop and without waking the task that waits: for a stream's pieces that is
half of what they cost.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Bridge(Generic[T]):
    """One way, for one call. `put` from any thread, `take` in the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[T] = deque()
        self._wake = asyncio.Event()
        self._told = False
        self._now: Callable[[T], bool] | None = None

    def put(self, item: T) -> None:
        """Hand over an item; when the loop has ended, nobody is there to take it."""
        self._items.append(item)
        if not self._told:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._arrived)
            except RuntimeError:
                return

    async def take(self, now: Callable[[T], bool] | None = None) -> list[T]:
        """What has come since the last time; waits for something. While it waits, `now` is offered each item, and those that it says it has
        dealt with are not given back."""
        self._now = now
        try:
            while not self._items:
                await self._wake.wait()
                self._wake.clear()
        finally:
            self._now = None
        found = []
        while self._items:
            found.append(self._items.popleft())
        return found

    def _arrived(self) -> None:
        self._told = False  # before looking: what comes from here on wakes again
        while self._items and self._now is not None and self._now(self._items[0]):
            self._items.popleft()
        if self._items:
            self._wake.set()
