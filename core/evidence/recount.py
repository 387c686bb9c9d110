"""Working a run's figures out again from its outcomes, and comparing them with those that were recorded.

Counts, means and Wilson intervals are recomputed and must agree to the last recorded decimal; whether the criteria are met follows
from them. Bootstrap intervals depend on a generator's stream, which another version may change: they are checked to enclose the value
and taken as recorded. Everything here stands in the clear in a pack, so a redacted pack is recounted as well as a whole one.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.errors import Damaged
from core.evals.statistics import wilson
from core.evidence.opened import Opened, Row
from core.records import Digest

CLOSE = 1.5e-6
"""Figures are recorded with six decimals; a sum taken in another order may round to the neighbour."""
SOURCE = "scores"


# What version 1 of the pack relies on, whatever else the records hold: this judges old packs when evaluations have long changed.
class _RunVariant(msgspec.Struct, frozen=True):
    name: str
    prompt: str
    prompt_digest: str


class _Run(msgspec.Struct, frozen=True):
    spec: str
    dataset: str
    variants: tuple[_RunVariant, ...]
    criteria: list[dict[str, Any]]
    scorers: list[str]
    samples: int
    repetitions: int = 1


class _Locked(msgspec.Struct, frozen=True):
    criteria: list[dict[str, Any]]
    scorers: list[str]


class _Spec(msgspec.Struct, frozen=True):
    spec: _Locked


class _Criterion(msgspec.Struct, frozen=True):
    metric: str
    variant: str
    at_least: float | None
    at_most: float | None
    on: str


class _Judged(msgspec.Struct, frozen=True):
    criterion: dict[str, Any]
    measured: float | None
    met: bool


class _Metric(msgspec.Struct, frozen=True):
    scorer: str
    value: float
    low: float
    high: float
    n: int
    method: str


class _Variant(msgspec.Struct, frozen=True):
    name: str
    metrics: tuple[_Metric, ...]
    passed: int
    failed: int
    errors: int


class _Difference(msgspec.Struct, frozen=True):
    scorer: str
    baseline: str
    variant: str
    value: float
    n: int


class _Result(msgspec.Struct, frozen=True):
    run: str
    status: str
    variants: tuple[_Variant, ...]
    differences: tuple[_Difference, ...]
    criteria: tuple[_Judged, ...]
    passed: bool


class _Score(msgspec.Struct, frozen=True):
    scorer: str
    value: float
    passed: bool


class _Outcome(msgspec.Struct, frozen=True):
    run: str
    sample: str
    variant: str
    answer: dict[str, Any] | None
    scores: tuple[_Score, ...]
    repetition: int = 0


class Figures(msgspec.Struct, frozen=True):
    """A run found consistent: how many outcomes and samples it rests on."""

    outcomes: int
    samples: int


def recount(pack: Opened) -> Figures:
    """Returns if every recorded figure follows from the outcomes. Raises `Damaged` naming the first that doesn't."""
    run_row, spec_row, dataset = pack.one("run"), pack.one("spec"), pack.one("dataset")
    run: _Run = _as(run_row, _Run, "run")
    result: _Result = _as(pack.one("run-result"), _Result, "result")
    locked = _as(spec_row, _Spec, "spec").spec
    samples = _sample_ids(dataset)
    _require(run.spec == spec_row.digest, "the run is of another spec than the one enclosed.")
    _require(run.dataset == dataset.digest, "the run is of another dataset than the one enclosed.")
    _require(result.run == run_row.digest, "the result is of another run.")
    same = run.criteria == locked.criteria and run.scorers == locked.scorers
    _require(same, "the run used other criteria or scorers than its spec.")
    _require(run.samples == len(samples) == len(set(samples)), "the number of samples differs from the dataset's.")
    prompts = {row.digest for row in pack.rows["prompt-version"]}
    _require(all(v.prompt_digest in prompts for v in run.variants if v.prompt), "a prompt version is missing.")
    outcomes: list[_Outcome] = [_as(row, _Outcome, "outcome") for row in pack.rows["outcome"]]
    _check_outcomes(outcomes, run, run_row.digest, result, set(samples))
    _require([v.name for v in result.variants] == [v.name for v in run.variants], "the results name other variants.")
    for variant in result.variants:
        _check_variant(variant, [o for o in outcomes if o.variant == variant.name], run.scorers)
    for difference in result.differences:
        _check_difference(difference, outcomes)
    _check_criteria(run, result)
    return Figures(len(outcomes), len(samples))


def _check_criteria(run: _Run, result: _Result) -> None:
    """The criteria are judged here again; this is not the code that judged them when the run was made."""
    _require(
        [judged.criterion for judged in result.criteria] == run.criteria,
        "the result judges other criteria than the run's.",
    )
    for judged in result.criteria:
        try:
            criterion = msgspec.convert(judged.criterion, _Criterion)
        except msgspec.ValidationError as error:
            raise Damaged(source=SOURCE, problem=f"a criterion is not of the form expected ({error}).") from error
        measured, met = _judge(criterion, result.variants)
        _require(
            (judged.measured, judged.met) == (measured, met), "a criterion's outcome doesn't follow from the figures."
        )
    met = result.status == "finished" and all(judged.met for judged in result.criteria)
    _require(result.passed == met, "the run's verdict doesn't follow from its criteria.")


def _judge(criterion: _Criterion, variants: Sequence[_Variant]) -> tuple[float | None, bool]:
    found = [m for v in variants if v.name == criterion.variant for m in v.metrics if m.scorer == criterion.metric]
    if not found or found[0].n == 0:
        return None, False
    ends: Mapping[str, float] = {"value": found[0].value, "low": found[0].low, "high": found[0].high}
    _require(criterion.on in ends, "a criterion is on something that isn't measured.")
    measured = ends[criterion.on]
    whole = not any(v.errors for v in variants if v.name == criterion.variant)
    high_enough = criterion.at_least is None or measured >= criterion.at_least
    return measured, whole and high_enough and (criterion.at_most is None or measured <= criterion.at_most)


def _check_outcomes(
    outcomes: Sequence[_Outcome], run: _Run, digest: Digest, result: _Result, samples: set[str]
) -> None:
    names = {variant.name for variant in run.variants}
    _require(all(o.run == digest for o in outcomes), "an outcome is of another run.")
    _require(
        all(o.sample in samples and o.variant in names for o in outcomes),
        "an outcome is of no sample or variant of the run.",
    )
    _require(len({(o.sample, o.variant, o.repetition) for o in outcomes}) == len(outcomes), "a sample is there twice.")
    _require(all(0 <= o.repetition < run.repetitions for o in outcomes), "a sample was asked more often than planned.")
    if result.status == "finished":
        _require(len(outcomes) == run.samples * len(run.variants) * run.repetitions, "outcomes are missing.")
    for outcome in outcomes:
        scorers = [score.scorer for score in outcome.scores]
        _require(
            set(scorers) <= set(run.scorers) and len(set(scorers)) == len(scorers),
            "an outcome has a score twice or too many.",
        )
        _require(bool(outcome.answer is not None or not scorers), "an outcome without an answer has scores.")


def _check_variant(variant: _Variant, outcomes: Sequence[_Outcome], scorers: Sequence[str]) -> None:
    answered = [outcome for outcome in outcomes if outcome.answer is not None]
    passed = sum(all(score.passed for score in outcome.scores) for outcome in answered)
    counts = (passed, len(answered) - passed, len(outcomes) - len(answered))
    _require(
        (variant.passed, variant.failed, variant.errors) == counts,
        f"{variant.name}: passed, failed or errors are miscounted.",
    )
    _require([metric.scorer for metric in variant.metrics] == list(scorers), f"{variant.name}: metrics are missing.")
    for metric in variant.metrics:
        _check_metric(f"{variant.name}, {metric.scorer}", metric, list(_values(outcomes, metric.scorer).values()))


def _check_metric(name: str, metric: _Metric, values: list[float]) -> None:
    _require(metric.n == len(values), f"{name}: counted over another number of samples.")
    _require(
        _close(metric.value, math.fsum(values) / len(values) if values else 0.0),
        f"{name}: the mean doesn't follow from the samples.",
    )
    if metric.method == "wilson":
        low, high = wilson(round(math.fsum(values)), len(values))
        _require(
            _close(metric.low, low) and _close(metric.high, high),
            f"{name}: the interval doesn't follow from the samples.",
        )
    else:
        _require(metric.method == "bootstrap", f"{name}: an interval of an unknown kind.")
        _require(
            metric.low - CLOSE <= metric.value <= metric.high + CLOSE,
            f"{name}: the interval doesn't enclose the value.",
        )


def _check_difference(difference: _Difference, outcomes: Sequence[_Outcome]) -> None:
    name = f"{difference.variant} against {difference.baseline}, {difference.scorer}"
    before = _values([o for o in outcomes if o.variant == difference.baseline], difference.scorer)
    after = _values([o for o in outcomes if o.variant == difference.variant], difference.scorer)
    both = before.keys() & after.keys()
    _require(difference.n == len(both) > 0, f"{name}: counted over another number of samples.")
    value = math.fsum(after[sample] - before[sample] for sample in both) / len(both)
    _require(_close(difference.value, value), f"{name}: the difference doesn't follow from the samples.")


def _values(outcomes: Sequence[_Outcome], scorer: str) -> dict[str, float]:
    """The mean for each sample, which may have been asked more than once."""
    found: dict[str, list[float]] = {}
    for outcome in outcomes:
        for score in outcome.scores:
            if score.scorer == scorer:
                found.setdefault(outcome.sample, []).append(score.value)
    return {sample: math.fsum(values) / len(values) for sample, values in found.items()}


def _sample_ids(dataset: Row) -> list[str]:
    samples = dataset.record.get("samples")
    if isinstance(samples, list):
        ids = [sample.get("id") for sample in samples if isinstance(sample, dict)]
        if len(ids) == len(samples) and all(isinstance(id, str) for id in ids):
            return [str(id) for id in ids]
    raise Damaged(source="records/dataset.json", problem="its samples have no ids.")


def _as(row: Row, type: Any, name: str) -> Any:
    try:
        return msgspec.convert(row.record, type)
    except msgspec.ValidationError as error:
        raise Damaged(source=f"{name} {row.digest[:8]}", problem=f"not of the form expected ({error}).") from error


def _close(recorded: float, found: float) -> bool:
    return abs(recorded - found) <= CLOSE


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise Damaged(source=SOURCE, problem=problem)
