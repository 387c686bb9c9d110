"""Reading runs for a comparison: which variants, which samples they have in common, and what was measured of each.

Of an outcome only its scores are read, not its texts: twenty runs of a thousand samples open in a second.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from core.datasets.records import Dataset, Sample
from core.errors import BadInput
from core.evals import comparison, store
from core.evals.comparison import Comparison, Measured
from core.evals.records import Outcome, Run, RunView
from core.evals.scorers import SCORERS
from core.records import Digest
from core.vault.unit import Reader

MOST_RUNS = 20


class _Score(msgspec.Struct, frozen=True):
    scorer: str
    value: float
    passed: bool


class _Outcome(msgspec.Struct, frozen=True):
    sample: str
    variant: str
    scores: tuple[_Score, ...]
    error: str = ""


class _Stored(msgspec.Struct, frozen=True):
    record: _Outcome


_DECODE = msgspec.json.Decoder(_Stored).decode


def compare_runs(
    reader: Reader, show: Callable[[str], RunView], names: Sequence[str], tags: Sequence[str] = (), seed: int = 0
) -> Comparison:
    """Runs against the first of them: its variants after the first one too. `run-3:VARIANT` names one variant of a run alone.

    `tags` are compared on their own as well ("*" for all there are). Raises `NotFound`, `BadInput`.
    """
    if not 1 <= len(names) <= MOST_RUNS:
        raise BadInput(source="comparison", problem=f"it takes 1 to {MOST_RUNS} runs.")
    views = [(show(name.partition(":")[0]), name.partition(":")[2].strip()) for name in names]
    common, left_out = _common(reader, [view.run for view, _ in views])
    read: dict[Digest, dict[str, Measured]] = {}
    wanted: list[Measured] = []
    for view, variant in views:
        if view.digest not in read:
            read[view.digest] = measured(reader, view.digest, view.run, common)
        held = read[view.digest]
        if variant and variant not in held:
            problem = f"it has no variant {variant}. There are: {', '.join(held)}."
            raise BadInput(source=view.run.id, problem=problem)
        wanted += [held[variant]] if variant else list(held.values())
    found = comparison.compare(
        wanted[0],
        wanted[1:],
        groups_of(common),
        _tagged(common, tags),
        lower_is_better(wanted[0].values),
        seed,
    )
    return msgspec.structs.replace(found, left_out=left_out)


def measured(reader: Reader, digest: Digest, run: Run, common: Mapping[str, Sample]) -> dict[str, Measured]:
    """What was measured of each variant on those samples; where a sample was asked more than once, the mean, and whether it passed each time."""
    values: dict[str, dict[str, dict[str, list[float]]]] = {
        variant.name: {scorer: {} for scorer in run.scorers} for variant in run.variants
    }
    passed: dict[str, dict[str, bool]] = {variant.name: {} for variant in run.variants}
    for found in store.outcome_digests(reader, digest):
        outcome = _DECODE(reader.raw(found, Outcome)).record
        if outcome.sample not in common or outcome.variant not in passed:
            continue
        good = not outcome.error
        for score in outcome.scores:
            values[outcome.variant].setdefault(score.scorer, {}).setdefault(outcome.sample, []).append(score.value)
            good = good and score.passed
        passed[outcome.variant][outcome.sample] = good and passed[outcome.variant].get(outcome.sample, True)
    return {
        name: Measured(
            run=run.id,
            variant=name,
            values={
                scorer: {sample: sum(several) / len(several) for sample, several in found.items()}
                for scorer, found in scored.items()
            },
            passed=passed[name],
        )
        for name, scored in values.items()
    }


def samples_of(reader: Reader, run: Run) -> dict[str, Sample]:
    """The samples of a run's dataset, by id."""
    return {sample.id: sample for sample in reader.get(run.dataset, Dataset).samples}


def groups_of(samples: Mapping[str, Sample]) -> dict[str, str]:
    """The samples that don't stand for themselves, with what they hang on: their group (a patient, a case), else their document."""
    return {id: sample.group or sample.document for id, sample in samples.items() if sample.group or sample.document}


def lower_is_better(scorers: Mapping[str, object]) -> frozenset[str]:
    """Those among the scorers of which less is better."""
    return frozenset(
        name for name in scorers if name in SCORERS and getattr(SCORERS[name], "lower_is_better", name == "latency")
    )


def _common(reader: Reader, runs: Sequence[Run]) -> tuple[dict[str, Sample], int]:
    """The samples that all runs' datasets have in common, and how many of the first one's that leaves out."""
    first = samples_of(reader, runs[0])
    common = dict(first)
    for dataset in {run.dataset: run for run in runs[1:] if run.dataset != runs[0].dataset}.values():
        others = samples_of(reader, dataset)
        common = {id: sample for id, sample in common.items() if others.get(id) == sample}
    return common, len(first) - len(common)


def _tagged(samples: Mapping[str, Sample], tags: Sequence[str]) -> dict[str, frozenset[str]]:
    known = dict.fromkeys(tag for sample in samples.values() for tag in sample.tags)
    for tag in tags:
        if tag != "*" and tag not in known:
            raise BadInput(source=f"tag {tag}", problem=f"no sample has it. There are: {', '.join(known) or 'none'}.")
    wanted = known if "*" in tags else dict.fromkeys(tags)
    return {tag: frozenset(id for id, sample in samples.items() if tag in sample.tags) for tag in wanted}
