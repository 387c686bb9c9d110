"""Beginnings of prompts that wait outside the model's memory, until a prompt begins like one of them.

What lies in the memory costs each step, also of other sequences: attention walks all cells up to the last one in use (a kept row of 160 tokens
cost an answer 5 to 9 %, 1,000 tokens 13 to 20 %). Copied out it costs nothing, and copying back is a thousandth of computing it (2,000 tokens:
9 ms; 14 s). Rules: the keys and values of `room` tokens at most; the least recently used goes first; what another one begins with is not kept twice;
what was computed with one set of adapters is never found for another.
"""

import ctypes
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.inference.worker.adapters import NONE, AdapterSet
from core.inference.worker.sequences import Row, common


class Parked(NamedTuple):
    """A sequence's tokens, what it was computed with, and its state as llama.cpp wrote it."""

    tokens: Row
    adapters: AdapterSet
    state: npt.NDArray[np.uint8]


class Shelf:
    """What is parked of one context, for its own thread alone."""

    def __init__(self, library: ModuleType, context: Any, room: int) -> None:
        self.room = room
        self.adapters = NONE
        """What the context computes with: all but `taken` is about what was parked with these."""
        self._library = library
        self._context = context
        self._parked: list[Parked] = []  # the most recently used last

    @property
    def taken(self) -> int:
        """Tokens."""
        return sum(len(one.tokens) for one in self._parked)

    def best(self, tokens: Row) -> tuple[Parked | None, int]:
        """The one that begins most like `tokens`, and how many tokens they share."""
        found, length = None, 0
        for one in self._own():
            shared = common(one.tokens, tokens)
            if shared and shared >= length:
                found, length = one, shared
        return found, length

    def contains(self, tokens: Row) -> bool:
        """Whether one begins with `tokens`."""
        return any(common(one.tokens, tokens) == len(tokens) for one in self._own())

    def put(self, tokens: Row, number: int) -> None:
        """Copy the sequence `number` of the memory, which holds `tokens`; one that is longer than the room is left."""
        if not len(tokens) or len(tokens) > self.room or self.contains(tokens):
            return
        begun = [one for one in self._own() if common(one.tokens, tokens) == len(one.tokens)]
        self._parked = [one for one in self._parked if all(one is not other for other in begun)]
        while self.taken + len(tokens) > self.room:
            del self._parked[0]
        size = int(self._library.llama_state_seq_get_size(self._context, number))
        state = np.empty(size, dtype=np.uint8)
        if self._library.llama_state_seq_get_data(self._context, _pointer(state), size, number) == size:
            self._parked.append(Parked(tokens.copy(), self.adapters, state))

    def fetch(self, parked: Parked, number: int) -> bool:
        """Copy one back, as the sequence `number`, for which there is room; False where llama.cpp can't, and the memory is as it was."""
        self._parked = [one for one in self._parked if one is not parked]
        size = len(parked.state)
        if self._library.llama_state_seq_set_data(self._context, _pointer(parked.state), size, number) != size:
            return False
        self._parked.append(parked)
        return True

    def drop(self, parked: Parked) -> None:
        """Forget one."""
        self._parked = [one for one in self._parked if one is not parked]

    def clear(self) -> None:
        """Forget all, of all sets."""
        self._parked.clear()

    def _own(self) -> list[Parked]:
        return [one for one in self._parked if one.adapters == self.adapters]


def _pointer(state: npt.NDArray[np.uint8]) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
