"""Runs against a baseline: what differs, by how much, whether that may be chance, and on which samples. Pure.

Rules: figures are paired by sample, over samples that both sides measured and that are the same in both datasets; a sample that was asked more
than once counts once. Samples of one group (a patient, a case), or on one document, stand or fall together: where there are several, whole groups are
drawn and flipped. Yes or no is tested with McNemar's exact test where each sample stands for itself; anything else by flipping signs. All differences
that are told together are corrected together, by Holm (no false finding among them) and by Benjamini and Hochberg (few among those found); those
within tags are a family of their own.
"""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core.evals import paired
from core.evals.statistics import LEVEL, RESAMPLES
from core.evals.summary import DIGITS
from core.records import Record

Values = np.ndarray[Any, np.dtype[np.floating[Any]]]
FEWEST = 2
"""A tag with fewer samples in common isn't compared."""


class Measured(Record, frozen=True, kw_only=True):
    """One variant of one run: each scorer's value for each sample, and which samples passed every scorer."""

    run: str
    variant: str
    values: dict[str, dict[str, float]]
    passed: dict[str, bool]


class Compared(Record, frozen=True, kw_only=True):
    """One scorer's difference from the baseline, `variant` minus baseline; `tag` is empty for all samples."""

    run: str
    variant: str
    scorer: str
    tag: str
    before: float
    after: float
    value: float
    low: float
    high: float
    p: float
    holm: float
    """The p-value with which no false finding at all is expected among the differences."""
    false_discovery: float
    effect: float
    effect_name: str
    """"h" for proportions, "d" for means (Cohen)."""
    test: str
    """"mcnemar" or "permutation"."""
    n: int
    groups: int
    detectable: float
    """The smallest difference that so many samples would show 8 times in 10; infinite where none is."""
    better: bool | None
    """Whether the difference is for the better; None for no difference."""


class Changed(Record, frozen=True, kw_only=True):
    """The samples that one variant gained and lost against the baseline."""

    run: str
    variant: str
    improved: tuple[str, ...]
    """They failed before and pass now."""
    regressed: tuple[str, ...]


class Comparison(Record, frozen=True, kw_only=True):
    baseline_run: str
    baseline_variant: str
    rows: tuple[Compared, ...]
    changed: tuple[Changed, ...]
    left_out: int = 0
    """Samples of the baseline that the others' datasets don't have, or have with another content."""


def compare(
    baseline: Measured,
    others: Sequence[Measured],
    groups: Mapping[str, Hashable],
    tags: Mapping[str, frozenset[str]],
    lower: frozenset[str] = frozenset(),
    seed: int = 0,
) -> Comparison:
    """Each of the others against the baseline.

    `groups` gives a sample's group (its document), where it has one; `tags` the samples with each tag that is asked for; `lower` names the
    scorers that are better when lower.
    """
    draws = _Draws(seed)
    rows = _corrected(
        _rows([pair for other in others for pair in _pairs(baseline, other, groups, None, "", lower)], draws)
    )
    tagged = _rows(
        [
            pair
            for tag, samples in tags.items()
            for other in others
            for pair in _pairs(baseline, other, groups, samples, tag, lower)
        ],
        draws,
    )
    return Comparison(
        baseline_run=baseline.run,
        baseline_variant=baseline.variant,
        rows=(*rows, *_corrected(tagged)),
        changed=tuple(_changed(baseline, other) for other in others),
    )


class _Draws:
    """The same resamples and sign flips for every comparison over so many groups, made once."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made: dict[int, tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], ...]] = {}

    def of(self, count: int) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], ...]:
        """(how often each group is drawn in each resample, the signs of each flip)."""
        if count not in self._made:
            generator = np.random.default_rng(self._seed)
            drawn = generator.multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(np.float32)
            signs = 1 - 2 * generator.integers(0, 2, size=(RESAMPLES, count), dtype=np.int8).astype(np.float32)
            self._made[count] = (drawn, signs)
        return self._made[count]


class _Pair(NamedTuple):
    """One scorer of one variant beside the baseline's, sample by sample."""

    other: Measured
    scorer: str
    tag: str
    before: Values
    after: Values
    sums: Values
    """The differences, added up by group."""
    sizes: Values
    """How many samples each group has."""
    yes_no: bool
    lower: bool

    @property
    def alone(self) -> bool:
        """Whether each sample is a group of its own."""
        return len(self.sums) == len(self.before)

    @property
    def flips(self) -> bool:
        """Whether its p-value comes from random sign flips: not from McNemar's test, and not from all ways there are."""
        few = np.count_nonzero(self.sums) <= paired.EXACT or len(self.sums) < 2
        return not few and not (self.yes_no and self.alone)


def _pairs(
    baseline: Measured,
    other: Measured,
    groups: Mapping[str, Hashable],
    only: frozenset[str] | None,
    tag: str,
    lower: frozenset[str],
) -> Iterator[_Pair]:
    for scorer, values in other.values.items():
        known = baseline.values.get(scorer, {})
        both = sorted(sample for sample in known.keys() & values.keys() if only is None or sample in only)
        if both and (only is None or len(both) >= FEWEST):
            before, after = np.array([known[sample] for sample in both]), np.array([values[sample] for sample in both])
            places: dict[Hashable, int] = {}
            where = np.array([places.setdefault(groups.get(sample, ("", sample)), len(places)) for sample in both])
            yield _Pair(
                other=other,
                scorer=scorer,
                tag=tag,
                before=before,
                after=after,
                sums=np.bincount(where, weights=after - before).astype(np.float64),
                sizes=np.bincount(where).astype(np.float64),
                yes_no=bool(((before == 0) | (before == 1)).all() and ((after == 0) | (after == 1)).all()),
                lower=scorer in lower,
            )


def _rows(pairs: Sequence[_Pair], draws: _Draws) -> list[Compared]:
    """All pairs over as many groups are resampled together: the draws are large, and are gone through once for all of them."""
    rows: dict[int, Compared] = {}
    for count in dict.fromkeys(len(pair.sums) for pair in pairs):
        places = [place for place, pair in enumerate(pairs) if len(pair.sums) == count]
        means = np.zeros((0, len(places)), dtype=np.float32)
        flipped: dict[int, Values] = {}
        if count > 1:
            drawn, signs = draws.of(count)
            sizes = [np.ones(count) if pairs[place].alone else pairs[place].sizes for place in places]
            means = (drawn @ _columns([pairs[place].sums for place in places])) / (drawn @ _columns(sizes))
            random = [place for place in places if pairs[place].flips]
            if random:
                found = np.abs(signs @ _columns([pairs[place].sums for place in random]))
                flipped = {place: found[:, column] for column, place in enumerate(random)}
        tail = (1 - LEVEL) / 2 * 100
        ends = np.percentile(means, [tail, 100 - tail], axis=0) if count > 1 else None
        for column, place in enumerate(places):
            interval = (float(ends[0, column]), float(ends[1, column])) if ends is not None else None
            rows[place] = _row(pairs[place], interval, flipped.get(place))
    return [rows[place] for place in range(len(pairs))]


def _columns(values: Sequence[Values]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32).T


def _row(pair: _Pair, interval: tuple[float, float] | None, flipped: Values | None) -> Compared:
    other, before, after, sums, yes_no, lower = pair.other, pair.before, pair.after, pair.sums, pair.yes_no, pair.lower
    change = after - before
    n, value = len(change), float(change.mean())
    unknown = (-1.0, 1.0) if yes_no and n > 1 else (value, value)  # of a single group
    low, high = paired.certain(before.tolist(), after.tolist(), len(sums)) or interval or unknown
    gained, lost = int(np.count_nonzero(change > 0)), int(np.count_nonzero(change < 0))
    if yes_no and pair.alone:
        p, test = paired.mcnemar_p(gained, lost), "mcnemar"
    elif flipped is None:
        p, test = paired.permutation_p([0.0] * len(sums), sums.tolist(), 0), "permutation"
    else:
        bound = abs(float(sums.sum())) - 1e-5 * max(1.0, float(np.abs(sums).sum()))
        p, test = (int(np.count_nonzero(flipped >= bound)) + 1) / (RESAMPLES + 1), "permutation"
    spread = float(change.std(ddof=1)) if n > 1 else math.inf
    worth = n if pair.alone or n < 2 else paired.independent(sums.tolist(), pair.sizes.tolist(), spread)
    means_of = float(before.mean()), float(after.mean())
    return Compared(
        run=other.run,
        variant=other.variant,
        scorer=pair.scorer,
        tag=pair.tag,
        before=round(means_of[0], DIGITS),
        after=round(means_of[1], DIGITS),
        value=round(value, DIGITS),
        low=round(low, DIGITS),
        high=round(high, DIGITS),
        p=p,
        holm=1.0,
        false_discovery=1.0,
        effect=round(
            paired.cohens_h(*means_of) if yes_no else paired.cohens_d(before.tolist(), after.tolist()), DIGITS
        ),
        effect_name="h" if yes_no else "d",
        test=test,
        n=n,
        groups=len(sums),
        detectable=paired.detectable_share((gained + lost) / n, worth)
        if yes_no
        else paired.detectable_mean(spread, worth),
        better=None if not gained and not lost else (value < 0) == lower if value else None,
    )


def _corrected(rows: Sequence[Compared]) -> list[Compared]:
    values = [row.p for row in rows]
    return [
        _with_p(row, holm, found)
        for row, holm, found in zip(rows, paired.holm(values), paired.benjamini_hochberg(values), strict=True)
    ]


def _with_p(row: Compared, holm: float, found: float) -> Compared:
    return msgspec.structs.replace(
        row, p=round(row.p, DIGITS), holm=round(holm, DIGITS), false_discovery=round(found, DIGITS)
    )


def _changed(baseline: Measured, other: Measured) -> Changed:
    both = sorted(baseline.passed.keys() & other.passed.keys())
    return Changed(
        run=other.run,
        variant=other.variant,
        improved=tuple(sample for sample in both if other.passed[sample] and not baseline.passed[sample]),
        regressed=tuple(sample for sample in both if baseline.passed[sample] and not other.passed[sample]),
    )
