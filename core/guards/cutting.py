"""Putting marks in the place of stretches of a text, and moving positions along. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

Stretch = tuple[int, int, str]
"""Start, end and mark."""


def merged(found: Iterable[Stretch]) -> list[Stretch]:
    """In order and apart; of those that overlap, the mark of the one that begins first and is longest."""
    kept: list[Stretch] = []
    for start, end, mark in sorted(found, key=lambda one: (one[0], -one[1])):
        if kept and start < kept[-1][1]:
            first, last, earlier = kept[-1]
            kept[-1] = (first, max(last, end), earlier or mark)
        else:
            kept.append((start, end, mark))
    return kept


def cut(text: str, stretches: Sequence[Stretch]) -> str:
    """The text with marks in the place of stretches, which are in order and apart."""
    parts, at = [], 0
    for start, end, mark in stretches:
        parts += [text[at:start], mark]
        at = end
    return "".join([*parts, text[at:]])


def moves(stretches: Sequence[Stretch]) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """Where a position that begins something goes, and one that ends something: to the mark's start and to its end, inside of a stretch."""
    starts = [start for start, _, _ in stretches]
    shifts = [0]
    for start, end, mark in stretches:
        shifts.append(shifts[-1] + len(mark) - (end - start))

    def moved(position: int, ends: bool) -> int:
        at = bisect_right(starts, position - 1 if ends else position) - 1
        if at < 0:
            return position
        start, end, mark = stretches[at]
        if position < end or (ends and position == end):
            return start + shifts[at] + (len(mark) if ends else 0)
        return position + shifts[at + 1]

    return lambda position: moved(position, False), lambda position: moved(position, True)
