"""Ends the process when a piece of native code doesn't come back, for nothing else can end it.

Whoever asked is then told so, as of any other death, and the next request gets a new process. Rules: what is watched is a step, a piece of work whose
length is known to be far below `STUCK`; waiting for one's turn is none; a step that reports how far it is begins anew. A thread looks, and
counts its looks, not the time, so that a process that was stopped meanwhile isn't ended.
"""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core.workers.serving import Call

STUCK: Final = 300.0
"""Seconds; the longest step, 512 tokens of a prompt, takes a model of 13 billion parameters three minutes on two cores."""
_LOOKS: Final = 10


class Watch:
    """Steps under way. Safe from several threads."""

    def __init__(self, stuck: float = STUCK) -> None:
        self._stuck = stuck
        self._pause, self._most = stuck / _LOOKS, _LOOKS
        self._numbers = itertools.count()
        self._looks: dict[int, int] = {}  # how often each step under way was seen
        self._thread = threading.Thread(target=self._look, name="watching", daemon=True)
        self._starting = threading.Lock()

    @contextmanager
    def step(self) -> Iterator["Step"]:
        """One piece of work."""
        if not self._thread.is_alive():
            self._start()
        step = Step(self._looks, next(self._numbers))
        step.goes_on()
        try:
            yield step
        finally:
            step.end()

    def _start(self) -> None:
        with self._starting:
            if not self._thread.is_alive():
                self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(self._pause)
            for number in list(self._looks):
                seen = self._looks.get(number)
                if seen is None:
                    continue
                if seen + 1 >= self._most:
                    os.write(2, f"no progress for {self._stuck:g} s\n".encode())
                    os._exit(1)
                if number in self._looks:
                    self._looks[number] = seen + 1


class Step:
    """One piece of work under way."""

    def __init__(self, looks: dict[int, int], number: int) -> None:
        self._looks = looks
        self._number = number

    def goes_on(self) -> None:
        """It isn't stuck: count anew."""
        self._looks[self._number] = 0

    def end(self) -> None:
        self._looks.pop(self._number, None)


def goes_on(step: Step, call: Call) -> bool:
    """For llama.cpp's callback while it reads a file: the step isn't stuck; whether it shall read on."""
    step.goes_on()
    return not call.cancelled


WATCH: Final = Watch()
"""The process's own."""
