"""What a run would take, before it is made: how many requests, how many tokens, how long.

Rules: nothing is recorded. The figures of a variant are those of the newest finished run in the same mode that asked the same prompt version
and model under the same settings; where there is none, a few of the samples are asked now. A run that took answers from earlier ones says
nothing of time, and is passed over. Judges are counted, not timed, where a probe stands in for a run.
"""

import statistics
from collections.abc import Callable, Sequence

from core.datasets.records import Sample
from core.errors import Unavailable
from core.evals import store
from core.evals.records import Outcome, Run, RunResult, Spec, SpecVersion, Variant
from core.evals.scorers import chosen
from core.evals.scoring.judged import Pairwise, Rubric
from core.records import Digest, Record
from core.vault.unit import Reader

PROBED = 3
"""Samples that are asked where nothing is recorded."""
LOOKED_AT = 20
"""Runs that are looked through for figures, the newest first."""


class Cost(Record, frozen=True, kw_only=True):
    """What one answer of a variant takes, and from where that is known: a run's id, or "probe"."""

    source: str
    seconds: float
    prompt_tokens: float
    tokens: float
    loading: float = 0.0
    """Seconds once, before the first answer."""


class VariantEstimate(Record, frozen=True, kw_only=True):
    """All answers of one variant."""

    name: str
    requests: int
    source: str
    """The run from which the figures come, or "probe"."""
    prompt_tokens: int
    tokens: int
    most_tokens: int
    """If each answer were as long as it may be."""
    seconds: float


class Estimate(Record, frozen=True, kw_only=True):
    """A whole run. `samples` × variants × `repetitions` = `requests`."""

    spec: str
    samples: int
    repetitions: int
    requests: int
    judge_requests: int
    variants: tuple[VariantEstimate, ...]
    prompt_tokens: int
    tokens: int
    most_tokens: int
    seconds: float
    probed: bool
    """Whether some figures come from a probe; its time has nothing of scorers and judges."""


Ask = Callable[[Variant, Sample], Outcome]


def estimate(
    reference: str,
    spec: Spec,
    samples: Sequence[Sample],
    variants: Sequence[Variant],
    recorded: Callable[[Variant], Cost | None],
    ask: Ask,
) -> Estimate:
    """Raises `Unavailable` when no probed sample gets an answer, and what `ask` raises."""
    each = len(samples) * spec.repetitions
    known: list[VariantEstimate] = []
    for variant in variants:
        cost = recorded(variant) or probed(variant, samples, ask)
        most = 0 if not variant.model_digest else each * _most(spec, variant)
        known.append(
            VariantEstimate(
                name=variant.name,
                requests=each,
                source=cost.source,
                prompt_tokens=round(cost.prompt_tokens * each),
                tokens=round(cost.tokens * each),
                most_tokens=most,
                seconds=round(cost.loading + cost.seconds * each, 3),
            )
        )
    return Estimate(
        spec=reference,
        samples=len(samples),
        repetitions=spec.repetitions,
        requests=each * len(known),
        judge_requests=judged(spec, each, len(known)),
        variants=tuple(known),
        prompt_tokens=sum(one.prompt_tokens for one in known),
        tokens=sum(one.tokens for one in known),
        most_tokens=sum(one.most_tokens for one in known),
        seconds=round(sum(one.seconds for one in known), 3),
        probed=any(one.source == "probe" for one in known),
    )


def judged(spec: Spec, each: int, variants: int) -> int:
    """How many verdicts judges are asked for, at most."""
    total = 0
    for _, _, settings in chosen(spec.scorers, spec.scoring):
        if isinstance(settings, Rubric):
            total += settings.repeat * each * variants
        elif isinstance(settings, Pairwise):
            total += 2 * settings.repeat * each * max(0, variants - 1)
    return total


def recorded_cost(reader: Reader, variant: Variant, mode: str) -> Cost | None:
    """What the newest run says of a variant; None where none does."""
    for digest, ended in store.runs(reader)[:LOOKED_AT]:
        run = reader.get(digest, Run)
        same = [known for known in run.variants if _alike(known, variant)]
        if not ended or not same or reader.get(run.spec, SpecVersion).spec.mode != mode:
            continue
        result = reader.get(Digest(ended), RunResult)
        outcomes = [outcome for _, outcome in store.outcomes(reader, digest)]
        answers = [o.answer for o in outcomes if o.variant == same[0].name and o.answer is not None]
        if result.status != "finished" or not answers or any(outcome.reused for outcome in outcomes):
            continue
        own = sum(answer.seconds for answer in answers)
        whole = sum(outcome.answer.seconds for outcome in outcomes if outcome.answer is not None)
        share = own / whole if whole > 0 else len(answers) / len(outcomes)
        return Cost(
            source=run.id,
            seconds=result.seconds * share / len(answers),
            prompt_tokens=statistics.fmean(answer.prompt_tokens for answer in answers),
            tokens=statistics.fmean(answer.tokens for answer in answers),
        )
    return None


def probed(variant: Variant, samples: Sequence[Sample], ask: Ask) -> Cost:
    """What a few samples from all over the dataset take now. Raises `Unavailable` when none gets an answer."""
    step = max(1, len(samples) // PROBED)
    made = [ask(variant, sample) for sample in samples[::step][:PROBED]]
    answers = [outcome.answer for outcome in made if outcome.answer is not None]
    if not answers:
        why = next((outcome.error for outcome in made if outcome.error), "the dataset is empty")
        raise Unavailable(
            what=f"An estimate of {variant.name} isn't possible ({why.rstrip('.')})", step="Correct that."
        )
    usual = statistics.median([answer.seconds for answer in answers[1:] or answers])
    return Cost(
        source="probe",
        seconds=usual,
        prompt_tokens=statistics.fmean(answer.prompt_tokens for answer in answers),
        tokens=statistics.fmean(answer.tokens for answer in answers),
        loading=max(0.0, answers[0].seconds - usual),
    )


def _alike(one: Variant, other: Variant) -> bool:
    return (one.prompt_digest, one.model_digest, one.model, one.settings) == (
        other.prompt_digest,
        other.model_digest,
        other.model,
        other.settings,
    )


def _most(spec: Spec, variant: Variant) -> int:
    own = variant.settings.max_tokens if variant.settings is not None else None
    return spec.max_tokens if own is None else own
