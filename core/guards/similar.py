"""Texts that are nearly the same, by MinHash (Broder 1997): an estimate of the share of word sequences that two texts have in common.

The estimate of a Jaccard index J by n values has a standard deviation of sqrt(J (1 - J) / n): 0.044 at worst with the 128 that are kept here. How
well it agrees with the exact index is measured in `tests/unit/guards/test_similar.py`. A text is compared as its words, without case and punctuation.
"""

import re
import zlib
from typing import Final

import numpy as np

VALUES: Final = 128
WORDS: Final = 5
"""In a sequence; shorter texts are one sequence."""
NEAR: Final = 0.8
"""The index from which two texts count as nearly the same."""
FEWEST: Final = 20
"""Words; shorter texts are compared with nothing."""
_WORD: Final = re.compile(r"\w+")
Signature = np.ndarray[tuple[int], np.dtype[np.uint32]]
_PRIME: Final = np.uint64((1 << 31) - 1)
_BITS: Final = np.uint64(31)
_BASE: Final = np.uint64(1_000_003)
_SEED: Final = np.random.Generator(np.random.PCG64(20251121))
_FACTORS: Final = _SEED.integers(1, int(_PRIME), VALUES, dtype=np.uint64)
_SHIFTS: Final = _SEED.integers(0, int(_PRIME), VALUES, dtype=np.uint64)
_AT_ONCE: Final = 4096


def shingles(text: str) -> set[str]:
    """The sequences of words in a text."""
    words = _WORD.findall(text.casefold())
    if len(words) <= WORDS:
        return {" ".join(words)} if words else set()
    return {" ".join(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1)}


def jaccard(one: str, other: str) -> float:
    """The exact index of two texts."""
    first, second = shingles(one), shingles(other)
    both = len(first | second)
    return len(first & second) / both if both else 0.0


def signature(text: str) -> Signature | None:
    """128 values (uint32) that stand for a text; None where it is too short."""
    words = _WORD.findall(text.casefold())
    if len(words) < FEWEST:
        return None
    each = np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)
    hashes = np.zeros(len(words) - WORDS + 1, dtype=np.uint64)
    for place in range(WORDS):
        hashes = (hashes * _BASE + each[place : place + len(hashes)]) % _PRIME
    hashes = np.unique(hashes)
    least = np.full(VALUES, _PRIME, dtype=np.uint64)
    for start in range(0, len(hashes), _AT_ONCE):
        part = hashes[start : start + _AT_ONCE]
        for at in range(VALUES):
            least[at] = min(least[at], _rest(part * _FACTORS[at] + _SHIFTS[at]).min())
    found: Signature = least.astype(np.uint32)
    return found


def _rest(numbers: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """What is left of numbers below 2^62 when they are divided by the prime: a number's upper part counts as much as its lower."""
    for _ in range(2):
        upper = numbers >> _BITS
        numbers &= _PRIME
        numbers += upper
    rest: np.ndarray[tuple[int], np.dtype[np.uint64]] = np.minimum(
        numbers, numbers - _PRIME
    )  # below zero it wraps around
    return rest


def likeness(
    one: Signature, others: np.ndarray[tuple[int, int], np.dtype[np.uint32]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The estimated index of a text and each of the others (n, 128)."""
    return np.asarray((others == one).mean(axis=1))
