"""Scoring the answers of a run as they come.

Rules: what needs no judge is scored at once. With judges in the spec, answers are held until `TOGETHER` of them are there or a variant
ends, and judged then, so that the answering model and the judge take turns seldom; a crash loses those at most. Where a scorer fails, the
sample ends in that error: nothing is counted that wasn't measured.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from core.assistants.records import Answer
from core.datasets.records import Sample
from core.errors import AssayError, Cancelled, DiskFull
from core.evals.records import Outcome, Score, Spec, Variant
from core.evals.scorers import chosen, score_answer
from core.evals.scoring.base import Tools, Use
from core.evals.scoring.tools import Scoring
from core.jobs import Job

TOGETHER: Final = 256
"""Answers that are judged in one go."""


class Scores:
    """The scores of one run. `embedder` is that of the spec's collection, empty without one."""

    def __init__(self, spec: Spec, scoring: Scoring | None, embedder: str, job: Job) -> None:
        uses = chosen(spec.scorers, spec.scoring)
        self._at_once = tuple(use for use in uses if use.scorer.when == "at once")
        self._after = tuple(use for use in uses if use.scorer.when == "after")
        self._order = spec.scorers
        self._scoring = scoring
        self._embedder = embedder
        self._job = job

    def of(
        self, asked: Iterable[tuple[Sample, Outcome]], variants: Sequence[Variant], earlier: Sequence[Outcome] = ()
    ) -> Iterator[Outcome]:
        """The outcomes with their scores, in the order in which they come; `earlier` are those that the run has already."""
        by_name = {variant.name: variant for variant in variants}
        if not self._after:
            for sample, outcome in asked:
                yield self._scored(self._at_once, sample, outcome, by_name[outcome.variant], None)
            return
        first = variants[0].name
        held: list[tuple[Sample, Outcome]] = []
        baselines = {(o.sample, o.repetition): o.answer for o in earlier if o.variant == first and o.answer is not None}
        for sample, outcome in asked:
            if held and (len(held) >= TOGETHER or held[-1][1].variant != outcome.variant):
                yield from self._judged(held, by_name, baselines)
                held.clear()
            if outcome.variant == first and outcome.answer is not None:
                baselines[sample.id, outcome.repetition] = outcome.answer
            held.append((sample, self._scored(self._at_once, sample, outcome, by_name[outcome.variant], None)))
        yield from self._judged(held, by_name, baselines)

    def _judged(
        self,
        held: Sequence[tuple[Sample, Outcome]],
        variants: dict[str, Variant],
        baselines: dict[tuple[str, int], Answer],
    ) -> Iterator[Outcome]:
        first = next(iter(variants))
        for sample, outcome in held:
            self._job.check()
            other = baselines.get((sample.id, outcome.repetition)) if outcome.variant != first else None
            yield self._scored(self._after, sample, outcome, variants[outcome.variant], other)

    def _scored(
        self, uses: tuple[Use, ...], sample: Sample, outcome: Outcome, variant: Variant, baseline: Answer | None
    ) -> Outcome:
        if outcome.answer is None:
            return outcome
        scores: list[Score] = list(outcome.scores)
        tools, asked = Tools(), None
        if self._scoring is not None:
            tools = self._scoring.tools(variant.embedder or self._embedder, self._job)
            asked = self._scoring.asked(variant, sample, outcome.answer)
        for use in uses:
            try:
                scores += score_answer((use,), sample, outcome.answer, tools, asked, baseline)
            except (Cancelled, DiskFull):
                raise
            except AssayError as error:
                failed = f"scorer {use.label}: {error}"
                return msgspec.structs.replace(outcome, answer=None, scores=(), error=failed)
        scores.sort(key=lambda score: self._order.index(score.scorer))
        return msgspec.structs.replace(outcome, scores=tuple(scores))
