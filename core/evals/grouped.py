"""How sure the figures of a run are of other groups: patients, cases, documents. Computed from the outcomes when it is asked for.

A run records its intervals over samples. Where several samples hang together by their group, or else by their document, these are too narrow for
what is said of groups that weren't asked about; beside them stands the bootstrap that draws whole groups (Davison and Hinkley 1997, section 3.8).
Where all groups have one mean, which resampling takes for certain, the ends are Wilson's for so many groups; of values without bounds nothing is
told from a single group.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence

from core.evals import comparing
from core.evals.paired import cluster_bootstrap_mean
from core.evals.records import RunView
from core.evals.scorers import SCORERS
from core.evals.statistics import wilson
from core.evals.summary import DIGITS
from core.records import Record
from core.vault.unit import Reader


class Grouped(Record, frozen=True, kw_only=True):
    """One scorer of one variant: its mean over `n` samples in `groups` groups, with a 95 % interval that draws groups."""

    variant: str
    scorer: str
    value: float
    low: float
    high: float
    n: int
    groups: int


def grouped(reader: Reader, view: RunView) -> tuple[Grouped, ...]:
    """A run's figures by group, in the order of variants and scorers; none where each sample stands for itself."""
    samples = comparing.samples_of(reader, view.run)
    known = comparing.groups_of(samples)
    if len(set(known.values())) == len(known):
        return ()
    found = []
    for name, measured in comparing.measured(reader, view.digest, view.run, samples).items():
        for scorer, by_sample in measured.values.items():
            if not by_sample:
                continue
            values = list(by_sample.values())
            places = [known.get(sample) or ("", sample) for sample in by_sample]
            groups, mean = len(set(places)), sum(values) / len(values)
            if _alike(values, places) and scorer in SCORERS and SCORERS[scorer].bounded:
                low, high = wilson(mean * groups, groups)
            elif groups < 2:
                continue
            else:
                low, high = cluster_bootstrap_mean(values, places, view.run.seed)
            found.append(
                Grouped(
                    variant=name,
                    scorer=scorer,
                    value=round(mean, DIGITS),
                    low=round(low, DIGITS),
                    high=round(high, DIGITS),
                    n=len(values),
                    groups=groups,
                )
            )
    return tuple(found)


def _alike(values: Sequence[float], places: Sequence[Hashable]) -> bool:
    """Whether all groups have the same mean."""
    own: defaultdict[Hashable, list[float]] = defaultdict(list)
    for value, place in zip(values, places, strict=True):
        own[place].append(value)
    means = [math.fsum(some) / len(some) for some in own.values()]
    return max(means) - min(means) < 1e-9
