"""Taking turns at the processor, in the order of asking.

A plain lock goes to whoever is quickest, which for a loop that takes it again at once is always the loop.
"""

import threading
from collections import deque


class Turns:
    """A context manager that one thread at a time is in; the others come in the order in which they asked."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._line: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._line.append(mine)
        mine.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._line:
                self._line.popleft().release()
            else:
                self._taken = False
