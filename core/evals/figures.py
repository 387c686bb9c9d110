"""What the variants of a run reached and what they cost: each scorer's mean as the run recorded it, and the seconds and tokens of an answer.

Of an outcome only its times and counts are read. Answers that were taken from earlier outcomes count: what they cost then is what they cost.
"""

import msgspec

from core.evals import store
from core.evals.records import Outcome, RunView
from core.records import Record
from core.vault.unit import Reader


class Figures(Record, frozen=True, kw_only=True):
    """One variant: its metrics by scorer, and the means over its answers; `answers` is 0 where none was given."""

    run: str
    variant: str
    metrics: dict[str, float]
    seconds: float
    tokens: float
    answers: int


class _Answer(msgspec.Struct, frozen=True):
    seconds: float = 0.0
    tokens: int = 0


class _Outcome(msgspec.Struct, frozen=True):
    variant: str
    answer: _Answer | None = None


class _Stored(msgspec.Struct, frozen=True):
    record: _Outcome


_DECODE = msgspec.json.Decoder(_Stored).decode


def figures(reader: Reader, view: RunView) -> tuple[Figures, ...]:
    """A run's variants in their order; a run without a result has no metrics."""
    costs: dict[str, list[_Answer]] = {variant.name: [] for variant in view.run.variants}
    for digest in store.outcome_digests(reader, view.digest):
        outcome = _DECODE(reader.raw(digest, Outcome)).record
        if outcome.answer is not None and outcome.variant in costs:
            costs[outcome.variant].append(outcome.answer)
    results = {one.name: one for one in view.result.variants} if view.result is not None else {}
    found = []
    for variant in view.run.variants:
        own = costs[variant.name]
        count = len(own) or 1
        metrics = results[variant.name].metrics if variant.name in results else ()
        found.append(
            Figures(
                run=view.run.id,
                variant=variant.name,
                metrics={metric.scorer: metric.value for metric in metrics if metric.n},
                seconds=sum(answer.seconds for answer in own) / count,
                tokens=sum(answer.tokens for answer in own) / count,
                answers=len(own),
            )
        )
    return tuple(found)
