"""From the thread that works on a call to the loop that talks to its program: items in order, many at once where they come fast."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Bridge(Generic[T]):
    """One way, for one call. `put` from any thread, `take` in the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[T] = deque()
        self._wake = asyncio.Event()
        self._told = False

    def put(self, item: T) -> None:
        """Hand over an item; when the loop has ended, nobody is there to take it."""
        self._items.append(item)
        if not self._told:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._wake.set)
            except RuntimeError:
                return

    async def take(self) -> list[T]:
        """What has come since the last time; waits for something."""
        while not self._items:
            await self._wake.wait()
            self._wake.clear()
            self._told = False  # before looking: what comes from here on wakes again
        found = []
        while self._items:
            found.append(self._items.popleft())
        return found
