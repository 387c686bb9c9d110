"""From outcomes to metrics, differences and the verdict on the criteria. Pure, and repeatable from the outcomes alone."""

import math
from collections.abc import Sequence

from core.evals.paired import certain
from core.evals.records import (
    Criterion,
    CriterionResult,
    Difference,
    Metric,
    Outcome,
    VariantResult,
)
from core.evals.scorers import SCORERS
from core.evals.statistics import mean_interval, paired_difference

DIGITS = 6
"""Decimals that a stored figure keeps, so that a recomputation compares equal on any machine."""


def summarise(variant: str, outcomes: Sequence[Outcome], scorers: Sequence[str], seed: int) -> VariantResult:
    """The metrics of one variant's outcomes, in the order of `scorers`."""
    own = [outcome for outcome in outcomes if outcome.variant == variant]
    return VariantResult(
        name=variant,
        metrics=tuple(_metric(name, list(values_of(own, name).values()), seed) for name in scorers),
        passed=sum(outcome.passed for outcome in own),
        failed=sum(not outcome.passed and not outcome.error for outcome in own),
        errors=sum(bool(outcome.error) for outcome in own),
    )


def differences(
    variants: Sequence[str], outcomes: Sequence[Outcome], scorers: Sequence[str], seed: int
) -> tuple[Difference, ...]:
    """Each variant against the first one, for each scorer, paired by sample."""
    found = []
    for variant in variants[1:]:
        for name in scorers:
            before = values_of([o for o in outcomes if o.variant == variants[0]], name)
            after = values_of([o for o in outcomes if o.variant == variant], name)
            both = sorted(before.keys() & after.keys())
            if not both:
                continue
            pair = [before[s] for s in both], [after[s] for s in both]
            value, low, high, p = paired_difference(*pair, seed)
            low, high = certain(*pair) or (low, high)
            found.append(
                Difference(
                    scorer=name,
                    baseline=variants[0],
                    variant=variant,
                    value=round(value, DIGITS),
                    low=round(low, DIGITS),
                    high=round(high, DIGITS),
                    p=round(p, DIGITS),
                    n=len(both),
                )
            )
    return tuple(found)


def judge(criteria: Sequence[Criterion], variants: Sequence[VariantResult]) -> tuple[CriterionResult, ...]:
    """Whether each criterion is met: not without a sample to measure, and not while a sample of its variant ended in an error, for which
    nothing was measured."""
    results = []
    for criterion in criteria:
        metric = next(
            (m for v in variants if v.name == criterion.variant for m in v.metrics if m.scorer == criterion.metric),
            None,
        )
        if metric is None or metric.n == 0:
            results.append(CriterionResult(criterion=criterion, measured=None, met=False))
            continue
        measured = {"value": metric.value, "low": metric.low, "high": metric.high}[criterion.on]
        whole = not any(variant.errors for variant in variants if variant.name == criterion.variant)
        high_enough = criterion.at_least is None or measured >= criterion.at_least
        met = whole and high_enough and (criterion.at_most is None or measured <= criterion.at_most)
        results.append(CriterionResult(criterion=criterion, measured=measured, met=met))
    return tuple(results)


def values_of(outcomes: Sequence[Outcome], scorer: str) -> dict[str, float]:
    """A scorer's value for each sample of one variant's outcomes: the mean where the sample was asked more than once."""
    found: dict[str, list[float]] = {}
    for outcome in outcomes:
        for score in outcome.scores:
            if score.scorer == scorer:
                found.setdefault(outcome.sample, []).append(score.value)
    return {
        sample: values[0] if len(values) == 1 else math.fsum(values) / len(values) for sample, values in found.items()
    }


def _metric(scorer: str, values: Sequence[float], seed: int) -> Metric:
    value = sum(values) / len(values) if values else 0.0
    low, high, method = mean_interval(values, SCORERS[scorer].method, seed, SCORERS[scorer].bounded)
    return Metric(
        scorer=scorer,
        value=round(value, DIGITS),
        low=round(low, DIGITS),
        high=round(high, DIGITS),
        n=len(values),
        method=method,
    )
