"""How one sample went in earlier runs: the same question with the same target, under each variant that it was asked under.

Only runs over the same dataset's versions are looked through, and only those in which the sample is what it is now.
"""

from core.datasets.records import Dataset, Sample
from core.evals import store, summary
from core.evals.records import Outcome, Run
from core.records import Digest, Record
from core.vault.unit import Reader

MOST = 20
"""Runs that are told, newest first."""


class Past(Record, frozen=True, kw_only=True):
    """How a sample went under one variant of a run; where it was asked more than once, how many times it passed."""

    run: str
    started: str
    variant: str
    asked: int
    passed: int
    errors: int
    scores: dict[str, float]
    """Each scorer's value; the mean where the sample was asked more than once."""


def history(reader: Reader, dataset: str, sample: Sample, most: int = MOST) -> tuple[Past, ...]:
    """The sample's outcomes in the newest `most` runs that asked it; `dataset` is its name, without a version."""
    found: list[Past] = []
    told = 0
    same: dict[Digest, bool] = {}
    for digest, _ in store.runs(reader):
        run = reader.get(digest, Run)
        if run.dataset_reference.partition("@")[0] != dataset:
            continue
        if run.dataset not in same:
            held = {one.id: one for one in reader.get(run.dataset, Dataset).samples}
            same[run.dataset] = _is_same(held.get(sample.id), sample)
        if not same[run.dataset]:
            continue
        asked = _asked(reader, digest, run, sample.id)
        found += asked
        told += bool(asked)
        if told == most:
            break
    return tuple(found)


def _is_same(held: Sample | None, sample: Sample) -> bool:
    return held is not None and (held.input, held.target, held.choices) == (sample.input, sample.target, sample.choices)


def _asked(reader: Reader, digest: Digest, run: Run, sample: str) -> list[Past]:
    found = []
    rows = reader.db.execute(
        "SELECT digest FROM outcomes WHERE run = ? AND sample = ? ORDER BY variant, repetition", [digest, sample]
    ).fetchall()
    outcomes = [reader.get(Digest(row[0]), Outcome) for row in rows]
    for variant in run.variants:
        own = [outcome for outcome in outcomes if outcome.variant == variant.name]
        if not own:
            continue
        scorers = dict.fromkeys(score.scorer for outcome in own for score in outcome.scores)
        found.append(
            Past(
                run=run.id,
                started=run.started,
                variant=variant.name,
                asked=len(own),
                passed=sum(outcome.passed for outcome in own),
                errors=sum(bool(outcome.error) for outcome in own),
                scores={name: summary.values_of(own, name)[sample] for name in scorers},
            )
        )
    return found
