"""How long a run will still take, by how long it took so far: for each of its phases by itself, since an answer and a verdict take their own time."""

import time
from collections.abc import Callable

from core.documents.pipeline import duration

FEWEST = 3
"""Steps of a phase before its pace is told."""
SHORTEST = 1.0
"""Seconds of a phase before its pace is told."""


class Pace:
    """Counts the steps of one phase after the other. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._phase = ""
        self._done = 0
        self._began = clock()

    def step(self, phase: str, left: int) -> str:
        """One more step of a phase, of which so many are left: what is told of it, "" where nothing can be or nothing is left. A phase's name is told
        with it, for others follow; one without a name is the whole run."""
        if phase != self._phase:
            self._phase, self._done = phase, 0
        self._done += 1
        passed = self._clock() - self._began
        told = ""
        if left > 0 and self._done >= FEWEST and passed >= SHORTEST:
            told = f"{duration(passed / self._done * left)}{f' of {phase}' if phase else ''} left"
        if left == 0:
            self._began = self._clock()
        return told
