"""Statistics of comparisons: two ways of answering the same samples, and many such comparisons at once. Pure, like `statistics`.

Sources: Davison and Hinkley (1997), "Bootstrap Methods and their Application", section 3.8 (resampling clusters); McNemar (1947),
Psychometrika 12, 153-157, in its exact form; Cohen (1988), "Statistical Power Analysis for the Behavioral Sciences", chapters 2 and 6;
Newcombe (1998), Statistics in Medicine 17, 2635-2650 (square-and-add interval of paired proportions); Holm (1979), Scandinavian Journal
of Statistics 6, 65-70; Benjamini and Hochberg (1995), JRSS B 57, 289-300; Connor (1987), Biometrics 43, 207-211 (power of McNemar's test).
"""

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np

from core.evals.statistics import LEVEL, RESAMPLES, wilson

EXACT = 16
"""Up to so many differences other than zero, all ways of flipping their signs are gone through; above, they are drawn at random."""
POWER = 0.8
"""How often a real difference of the size that is told as detectable would be found."""
_NORMAL = NormalDist()


def cluster_bootstrap_mean(values: Sequence[float], groups: Sequence[Hashable], seed: int) -> tuple[float, float]:
    """The 95 % percentile interval of the mean where values of a group (questions on one document) stand or fall together.

    Whole groups are drawn, as many as there are. With fewer than two groups nothing can be said: the interval is the value alone.
    Raises `ValueError` when there isn't a group for each value.
    """
    if len(values) != len(groups):
        raise ValueError("a group for each value")
    places = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    sums, sizes = np.zeros(len(places)), np.zeros(len(places))
    for value, group in zip(values, groups, strict=True):
        sums[places[group]] += value
        sizes[places[group]] += 1
    if len(places) < 2:
        only = float(sums.sum() / sizes.sum()) if values else 0.0
        return only, only
    picked = np.random.default_rng(seed).integers(0, len(places), size=(RESAMPLES, len(places)))
    means = sums[picked].sum(axis=1) / sizes[picked].sum(axis=1)
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def permutation_p(before: Sequence[float], after: Sequence[float], seed: int) -> float:
    """The two-sided p-value of a paired permutation test of the mean: exact with few differences, from random sign flips with many."""
    change = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    change = change[np.abs(change) > 1e-12]
    if change.size == 0:
        return 1.0
    seen = abs(float(change.sum())) - 1e-9
    if change.size <= EXACT:
        signs = 1.0 - 2.0 * (np.arange(2**change.size)[:, None] >> np.arange(change.size) & 1)
        return float(np.mean(np.abs(signs @ change) >= seen))
    flips = np.random.default_rng(seed).integers(0, 2, size=(RESAMPLES, change.size), dtype=np.int8)
    flipped = np.abs((1.0 - 2.0 * flips) @ change)
    return (int(np.count_nonzero(flipped >= seen)) + 1) / (RESAMPLES + 1)


def mcnemar_p(gained: int, lost: int) -> float:
    """The exact two-sided p-value of McNemar's test: `gained` samples passed only after, `lost` only before."""
    n, least = gained + lost, min(gained, lost)
    if n == 0:
        return 1.0
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2) for k in range(least + 1)
    ]
    return min(1.0, 2 * math.fsum(math.exp(log) for log in logs))


def cohens_h(before: float, after: float) -> float:
    """The size of a difference of two proportions: 0.2 is small, 0.5 medium, 0.8 large."""
    return 2 * math.asin(math.sqrt(min(1.0, max(0.0, after)))) - 2 * math.asin(math.sqrt(min(1.0, max(0.0, before))))


def cohens_d(before: Sequence[float], after: Sequence[float]) -> float:
    """The size of a difference of two means in pooled standard deviations; 0 where nothing varies."""
    one, two = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if one.size < 2 or two.size < 2:
        return 0.0
    freedom = one.size + two.size - 2
    pooled = math.sqrt(((one.size - 1) * float(one.var(ddof=1)) + (two.size - 1) * float(two.var(ddof=1))) / freedom)
    return float(two.mean() - one.mean()) / pooled if pooled > 1e-12 else 0.0


def risk_difference(both: float, gained: float, lost: float, neither: float) -> tuple[float, float, float]:
    """The difference of two proportions of the same samples, after minus before, with Newcombe's 95 % interval (his method 10):
    (value, low, high). `both` passed each time, `gained` only after, `lost` only before."""
    n = both + gained + lost + neither
    if n == 0:
        return 0.0, -1.0, 1.0
    first, second = (both + lost) / n, (both + gained) / n
    (low_1, high_1), (low_2, high_2) = wilson(both + lost, n), wilson(both + gained, n)
    value = second - first
    table = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    cross = both * neither - gained * lost
    correlated = float(cross)
    if cross > 0:
        correlated = max(cross - n / 2, 0.0)
    phi = correlated / math.sqrt(table) if table else 0.0
    below = (second - low_2) ** 2 - 2 * phi * (second - low_2) * (high_1 - first) + (high_1 - first) ** 2
    above = (high_2 - second) ** 2 - 2 * phi * (high_2 - second) * (first - low_1) + (first - low_1) ** 2
    return value, max(-1.0, value - math.sqrt(max(0.0, below))), min(1.0, value + math.sqrt(max(0.0, above)))


def certain(before: Sequence[float], after: Sequence[float], groups: int | None = None) -> tuple[float, float] | None:
    """Newcombe's interval where each value is a yes or a no and all samples changed alike, which resampling takes for certain; None elsewhere.

    Of samples in `groups` it is that for as many samples as there are groups."""
    changes = {two - one for one, two in zip(before, after, strict=True)}
    if len(changes) != 1 or not all(value in (0.0, 1.0) for value in (*before, *after)):
        return None
    both = sum(one + two == 2 for one, two in zip(before, after, strict=True))
    gained, lost = sum(changes) > 0, sum(changes) < 0
    n = len(before)
    share = 1.0 if groups is None else groups / n
    neither = 0 if gained or lost else n - both
    return risk_difference(both * share, n * gained * share, n * lost * share, neither * share)[1:]


def independent(sums: Sequence[float], sizes: Sequence[float], spread: float) -> int:
    """How many independent samples groups of samples are worth for their mean, by the design effect: between 1 and their number.

    `sums` and `sizes` are each group's sum and number of samples, `spread` the standard deviation over all samples. Where nothing varies between
    groups, as many as there are groups.
    """
    totals, counts = np.asarray(sums, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    n, groups = int(counts.sum()), len(totals)
    if groups < 2:
        return min(n, 1)
    mean = totals.sum() / n
    between = groups / (groups - 1) * float(((totals - mean * counts) ** 2).sum())
    return groups if between <= 1e-12 else max(1, min(n, int(n * n * spread * spread / between)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: comparing them with 0.05 keeps the chance of even one false finding among all under 5 %."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: of what is under 0.05, about 5 % at most is expected to be false."""
    adjusted, least, count = [0.0] * len(p_values), 1.0, len(p_values)
    for rank, place in sorted(enumerate(sorted(range(count), key=lambda place: p_values[place]), 1), reverse=True):
        least = min(least, p_values[place] * count / rank)
        adjusted[place] = least
    return adjusted


def detectable_mean(spread: float, n: int, alpha: float = 1 - LEVEL, power: float = POWER) -> float:
    """The smallest mean difference that n pairs would show: `spread` is the standard deviation of the pairs' differences."""
    if n < 2:
        return math.inf
    return (_NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)) * spread / math.sqrt(n)


def power_of_mean(difference: float, spread: float, n: int, alpha: float = 1 - LEVEL) -> float:
    """How often a two-sided test of n pairs finds a mean difference of that size (normal approximation)."""
    if n < 1 or spread <= 0:
        return 1.0 if n >= 1 and difference else 0.0
    shift, bound = abs(difference) * math.sqrt(n) / spread, _NORMAL.inv_cdf(1 - alpha / 2)
    return _NORMAL.cdf(shift - bound) + _NORMAL.cdf(-shift - bound)


def power_of_pairs(difference: float, discordant: float, n: int, alpha: float = 1 - LEVEL) -> float:
    """How often McNemar's test of n pairs finds a difference of proportions, where a share of `discordant` pairs differ (Connor)."""
    if n < 1 or discordant <= 0 or abs(difference) > discordant:
        return 0.0
    spread = math.sqrt(max(discordant - difference * difference, 1e-12))
    bound = _NORMAL.inv_cdf(1 - alpha / 2) * math.sqrt(discordant)
    return _NORMAL.cdf((abs(difference) * math.sqrt(n) - bound) / spread)


def detectable_share(discordant: float, n: int, alpha: float = 1 - LEVEL, power: float = POWER) -> float:
    """The smallest difference of two proportions of the same n samples that McNemar's test would show; 1.0 where not even the largest is.

    `discordant` is the share of samples on which the two differ; at least the difference itself.
    """
    low, high = 0.0, 1.0
    if power_of_pairs(1.0, 1.0, n, alpha) < power:
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if power_of_pairs(middle, max(discordant, middle), n, alpha) < power:
            low = middle
        else:
            high = middle
    return high
