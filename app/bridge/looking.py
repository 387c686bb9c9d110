"""Looking again after changes: one look at a time.

Changes may come faster than a look takes. What is asked for while a look is under way is one more look after it, however often it was asked for.
"""

from collections.abc import Callable


class Looks:
    """`start` begins a look and is given what to call when it is over, however it ended."""

    def __init__(self, start: Callable[[Callable[[], None]], None]) -> None:
        self._start = start
        self._under_way = False
        self._again = False

    def ask(self) -> None:
        """Look now, or once more after the look that is under way."""
        if self._under_way:
            self._again = True
            return
        self._under_way, self._again = True, False
        self._start(self._over)

    def _over(self) -> None:
        self._under_way = False
        if self._again:
            self.ask()
