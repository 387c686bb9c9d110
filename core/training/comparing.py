"""Base against adapter: both are asked the same questions, greedily, and what each got right is compared sample by sample.

Measures: `value`, the sample's target stands in the answer; `citation`, the passages that it cites as [n] are those of the sample's answer;
`form`, the whole answer matches the house style's regular expression; `exact`, the answer is the sample's answer word for word; `refusal`, of
samples that are marked unanswerable and count for no other measure: the answer says so in the sample's words. The difference is paired, its
interval by the bootstrap (`core.evals.statistics`).
"""

import re
import time
from collections.abc import Sequence

from core.datasets.records import Sample, SavedDataset
from core.errors import BadInput
from core.evals.scorers import normalised
from core.evals.statistics import paired_difference
from core.inference.records import AdapterUse, Generate, Message, Token
from core.inference.service import Engine
from core.jobs import Job
from core.records import Digest
from core.training.records import Compared, Judged, Rated

SEED = 0
REFUSAL = "refusal"
_MARK = re.compile(r"\[\d+\]")


def check(judged: Judged, source: str) -> None:
    """Raises `BadInput` for a form that is no regular expression."""
    try:
        re.compile(judged.form)
    except re.error as error:
        raise BadInput(source=source, problem=f"evaluation.form is no regular expression ({error}).") from error


def compare(
    engine: Engine,
    base: Digest,
    adapter: Digest,
    judged: Judged,
    dataset: SavedDataset,
    run: str,
    job: Job,
    tuned: Digest | None = None,
) -> Compared:
    """Ask both every sample; with `tuned` that model is asked in place of base and adapter. Raises as `Engine.generate`."""
    began = time.monotonic()
    samples = dataset.dataset.samples
    given: list[list[str]] = []
    uses = () if tuned else (AdapterUse(model=adapter),)
    for number, (model, use) in enumerate(((base, ()), (tuned or base, uses))):
        answers = []
        for place, sample in enumerate(samples):
            job.report(number * len(samples) + place, 2 * len(samples), "answers")
            answers.append(_answer(engine, model, use, judged, sample, job))
        given.append(answers)
    rated = []
    for measure in _measures(judged, samples):
        counted = [place for place, sample in enumerate(samples) if sample.unanswerable == (measure == REFUSAL)]
        some = [samples[place] for place in counted]
        before, after = (
            [_right(measure, judged, samples[place], answers[place]) for place in counted] for answers in given
        )
        rated.append(_rated(measure, before, after, some))
    return Compared(
        run=run,
        dataset=dataset.dataset.reference,
        dataset_digest=dataset.digest,
        rated=tuple(rated),
        seconds=round(time.monotonic() - began, 3),
    )


def _answer(
    engine: Engine, base: Digest, uses: tuple[AdapterUse, ...], judged: Judged, sample: Sample, job: Job
) -> str:
    system = (Message(role="system", content=judged.system),) if judged.system else ()
    request = Generate(
        model=base,
        messages=(*system, Message(role="user", content=sample.input)),
        max_tokens=judged.max_tokens,
        temperature=0.0,
        adapters=uses,
    )
    return "".join(part.text for part in engine.generate(request, job) if isinstance(part, Token)).strip()


def _measures(judged: Judged, samples: Sequence[Sample]) -> tuple[str, ...]:
    answerable = [sample for sample in samples if not sample.unanswerable]
    found = ["value"] if any(sample.target for sample in answerable) else []
    found += ["citation"] if any(_MARK.search(sample.answer) for sample in answerable) else []
    found += ["form"] if judged.form and answerable else []
    found += ["exact"] if answerable else []
    return (*found, *([REFUSAL] if len(answerable) < len(samples) else []))


def _right(measure: str, judged: Judged, sample: Sample, answer: str) -> float:
    if measure == "form":
        return float(re.fullmatch(judged.form, answer, re.DOTALL) is not None)
    if measure == REFUSAL:
        return float(bool(sample.answer) and normalised(sample.answer) in normalised(answer))
    if measure == "citation":
        return float(set(_MARK.findall(answer)) == set(_MARK.findall(sample.answer)))
    if measure == "value":
        return float(bool(sample.target) and normalised(sample.target or "") in normalised(answer))
    return float(answer == (sample.answer or sample.target or "").strip())


def _rated(measure: str, before: list[float], after: list[float], samples: Sequence[Sample]) -> Rated:
    value, low, high, p = paired_difference(before, after, SEED)
    n = len(samples)
    return Rated(
        measure=measure,
        base=sum(before) / n,
        adapter=sum(after) / n,
        difference=value,
        low=low,
        high=high,
        p=p,
        n=n,
        worse=tuple(s.id for s, one, two in zip(samples, before, after, strict=True) if one > two),
    )
