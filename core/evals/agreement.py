"""How far two who judged the same answers agree: a judge and a person, or two people. Pure: pairs of marks in, figures out.

Beside the share of equal marks stands Cohen's kappa, which takes off what two would agree by chance who marked as often as they did; once
plain, once with quadratic weights, for which a mark that is nearly the same counts nearly as much. Marks of the same sample hang together,
so the intervals of kappa resample whole samples, and that of the share counts samples. Where both always give one and the same mark there
is no kappa.

Sources: Cohen (1960), "A coefficient of agreement for nominal scales", EPM 20, 37-46; Cohen (1968), "Weighted kappa", Psychological
Bulletin 70, 213-220; Wilson (1927) for the share, with the number of samples; the percentile bootstrap for kappa.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.evals.statistics import LEVEL, RESAMPLES, wilson
from core.records import Record

DIGITS = 6
CELLS = 4_000_000
"""Numbers that are held at once while resampling."""
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Pair(NamedTuple):
    """Two marks of one answer, and the sample that it answers."""

    sample: str
    first: int
    second: int


class Figure(Record, frozen=True, kw_only=True):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Agreement(Record, frozen=True, kw_only=True):
    """Of `n` answers that both judged. `table[i][j]` counts those to which the first gave `marks[i]` and the second `marks[j]`.

    `kappa` and `weighted` are None where they aren't defined: nothing was judged by both, or all marks are one and the same."""

    first: str
    second: str
    n: int
    samples: int
    share: Figure
    kappa: Figure | None
    weighted: Figure | None
    marks: tuple[int, ...]
    table: tuple[tuple[int, ...], ...]


def agreement(first: str, second: str, pairs: Sequence[Pair], seed: int) -> Agreement:
    """The agreement of two, named `first` and `second`, on the answers that both judged."""
    marks = tuple(sorted({mark for pair in pairs for mark in (pair.first, pair.second)}))
    place = {mark: index for index, mark in enumerate(marks)}
    samples = {name: index for index, name in enumerate(dict.fromkeys(pair.sample for pair in pairs))}
    counts = np.zeros((len(samples), len(marks) ** 2), dtype=np.float64)
    for pair in pairs:
        counts[samples[pair.sample], place[pair.first] * len(marks) + place[pair.second]] += 1
    whole = counts.sum(axis=0)
    same = sum(pair.first == pair.second for pair in pairs)
    low, high = wilson(same * len(samples) / len(pairs) if pairs else 0.0, len(samples))
    return Agreement(
        first=first,
        second=second,
        n=len(pairs),
        samples=len(samples),
        share=Figure(value=round(same / len(pairs), DIGITS) if pairs else 0.0, low=_rounded(low), high=_rounded(high)),
        kappa=_figure(counts, _unequal(marks), seed),
        weighted=_figure(counts, _squared(marks), seed),
        marks=marks,
        table=tuple(tuple(int(n) for n in line) for line in whole.reshape(len(marks), len(marks))),
    )


def _unequal(marks: Sequence[int]) -> Floats:
    return 1.0 - np.eye(len(marks))


def _squared(marks: Sequence[int]) -> Floats:
    at = np.asarray(marks, dtype=np.float64)
    return (at[:, None] - at[None, :]) ** 2


def _figure(counts: Floats, weights: Floats, seed: int) -> Figure | None:
    """Kappa with its interval from tables of each sample, one a row."""
    if not counts.size:
        return None
    value = float(_kappas(counts.sum(axis=0)[None, :], weights)[0])
    if math.isnan(value):
        return None
    generator = np.random.default_rng(seed)
    size = len(counts)
    rows = max(1, CELLS // max(size, counts.shape[1]))
    parts = []
    for start in range(0, RESAMPLES, rows):
        drawn = generator.multinomial(size, np.full(size, 1 / size), size=min(rows, RESAMPLES - start))
        parts.append(_kappas(drawn @ counts, weights))
    found = np.concatenate(parts)
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(found[~np.isnan(found)], [tail, 100 - tail])
    return Figure(value=_rounded(value), low=_rounded(float(low)), high=_rounded(float(high)))


def _kappas(tables: Floats, weights: Floats) -> Floats:
    """Kappa of each flattened table: one less the disagreement seen over that expected by chance; NaN where none is expected."""
    k = len(weights)
    square = tables.reshape(-1, k, k)
    total = square.sum(axis=(1, 2))
    seen = (square * weights).sum(axis=(1, 2))
    expected = np.einsum("ri,ij,rj->r", square.sum(axis=2), weights, square.sum(axis=1)) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1.0 - seen / expected, np.nan)


def _rounded(value: float) -> float:
    return round(value, DIGITS) + 0.0
