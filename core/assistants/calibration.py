"""How well the scores of the quotes mode are calibrated: each question's best score when its own answer took no part in the fit, kept as data.

From it, for each needed score, how many questions would be answered rightly, wrongly or not at all, and, for ranges of the score, how often the
answer is right. Shares have Wilson's 95 % intervals. `tests/benchmarks/calibrate_quotes.py` makes the data.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from core.assistants import quotes
from core.paths import RESOURCES
from core.records import Record

CURVE: Final = RESOURCES / "quotes" / "calibration.json"
NEEDED: Final = tuple(round(step / 20, 2) for step in range(2, 19))
RANGES: Final = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0))
_Z: Final = 1.959964


class CurvePoint(Record, frozen=True, kw_only=True):
    """One question: the score of its best sentence, whether the documents answer it, and whether that sentence does."""

    score: float
    answerable: bool
    right: bool


class QuotesCurve(Record, frozen=True, kw_only=True):
    """The questions that the scores were fitted on, cross-validated; best score first."""

    weights: quotes.Calibration
    """Those that the program used when the data were made."""
    collections: tuple[str, ...]
    points: tuple[CurvePoint, ...]


class Share(NamedTuple):
    """A share of so many, and the interval that it lies in."""

    number: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """None of none."""
        return self.number / self.of if self.of else None


class AtNeeded(NamedTuple):
    """What would be answered, were this score needed."""

    needed: float
    answered: Share
    """Of all questions."""
    right: Share
    """Of the answers."""
    unanswerable: Share
    """Of the questions that the documents don't answer: those that are answered all the same."""


class InRange(NamedTuple):
    """How often the best sentence is right when its score is from `low` up to `high`."""

    low: float
    high: float
    said: float | None
    """The mean of the scores; None where no question has such a score."""
    right: Share


def curve() -> QuotesCurve:
    """The data that came with the program."""
    return msgspec.json.decode(CURVE.read_bytes(), type=QuotesCurve)


def at_needed(points: Sequence[CurvePoint], needed: float) -> AtNeeded:
    """What would be answered, were `needed` the score that an answer needs."""
    answered = [point for point in points if point.score >= needed]
    unanswerable = [point for point in points if not point.answerable]
    return AtNeeded(
        needed,
        share(len(answered), len(points)),
        share(sum(point.answerable and point.right for point in answered), len(answered)),
        share(sum(point.score >= needed for point in unanswerable), len(unanswerable)),
    )


def in_range(points: Sequence[CurvePoint], low: float, high: float) -> InRange:
    """The questions whose best score is in [low, high), the highest range with its end."""
    found = [point for point in points if low <= point.score and (point.score < high or high == 1.0)]
    said = sum(point.score for point in found) / len(found) if found else None
    return InRange(low, high, said, share(sum(point.answerable and point.right for point in found), len(found)))


def share(number: int, of: int) -> Share:
    """With Wilson's interval; 0 to 1 of none."""
    if not of:
        return Share(0, 0, 0.0, 1.0)
    part, square = number / of, _Z * _Z
    middle = (part + square / (2 * of)) / (1 + square / of)
    half = _Z * math.sqrt(part * (1 - part) / of + square / (4 * of * of)) / (1 + square / of)
    return Share(number, of, max(middle - half, 0.0), min(middle + half, 1.0))
