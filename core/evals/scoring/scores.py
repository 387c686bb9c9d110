"""Scoring the answers of a run as they come.

Rules: what needs no judge is scored at once, what needs one when all answers are there (`core.evals.judging`), grouped by the judges' models.
Where a scorer fails, the sample ends in that error: nothing is counted that wasn't measured.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from core.assistants.records import Answer
from core.datasets.records import Sample
from core.errors import AssayError, Cancelled, DiskFull
from core.evals.records import Outcome, Score, Spec, Variant
from core.evals.scorers import chosen, score_answer
from core.evals.scoring.base import Tools, Use
from core.evals.scoring.tools import Scoring
from core.jobs import Job


class Scores:
    """The scores of one run. `embedder` is that of the spec's collection, empty without one."""

    def __init__(
        self, spec: Spec, variants: Sequence[Variant], scoring: Scoring | None, embedder: str, job: Job
    ) -> None:
        uses = chosen(spec.scorers, spec.scoring)
        self._at_once = tuple(use for use in uses if use.scorer.when == "at once")
        judges: dict[str, list[Use]] = {}
        for use in uses:
            if use.scorer.when == "after":
                judges.setdefault(str(getattr(use.settings, "model", "")), []).append(use)
        self._judges = tuple(map(tuple, judges.values()))
        self._variants = {variant.name: variant for variant in variants}
        self._order = spec.scorers
        self._scoring = scoring
        self._embedder = embedder
        self._job = job
        self.first = variants[0].name
        """The variant with which judges compare the others."""

    @property
    def judges(self) -> int:
        """How many models judge, one after the other."""
        return len(self._judges)

    def of(self, asked: Iterable[tuple[Sample, Outcome]]) -> Iterator[Outcome]:
        """The outcomes with the scores that need no judge, in the order in which they come."""
        for sample, outcome in asked:
            yield self.at_once(sample, outcome, self._variants[outcome.variant])

    def at_once(self, sample: Sample, outcome: Outcome, variant: Variant) -> Outcome:
        """The outcome with the scores that need no judge."""
        return self._scored(self._at_once, sample, outcome, variant, None)

    def judged(
        self, judge: int, sample: Sample, outcome: Outcome, variant: Variant, baseline: Answer | None
    ) -> Outcome:
        """The outcome with what one judges' model says too; `baseline` is the first variant's answer. Raises `Cancelled`."""
        self._job.check()
        return self._scored(self._judges[judge], sample, outcome, variant, baseline)

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
