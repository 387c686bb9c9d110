"""Samples that are collected one by one, from what somebody tries out: an input with an answer, or two answers of which one is better.

Rules: what a model wrote is marked synthetic and says by which model; the next version of the dataset is based on its latest.
"""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.assistants.records import Answer
from core.datasets.records import SYNTHETIC, Origin, Sample, SavedDataset, SaveSamples

if TYPE_CHECKING:
    from core.datasets.service import Datasets

NOTE = "Kept from the playground."


def kept(answer: Answer, user: str, trace: str = "") -> Sample:
    """A question with the answer that a model gave, as a sample without an id."""
    return Sample(
        id="",
        input=answer.question.text,
        answer=answer.answer,
        passages=(*_given(answer), *(passage.text for passage in answer.passages if not passage.document)),
        metadata=_values(answer),
        tags=(SYNTHETIC,),
        origin=_origin(answer, user, trace),
    )


def preferred(better: Answer, worse: Answer, user: str, trace: str = "") -> Sample:
    """Two answers to one question, of which the first is better, as a sample without an id."""
    made = {"chosen by": _made(better), "rejected by": _made(worse)}
    return Sample(
        id="",
        input=better.question.text,
        chosen=better.answer,
        rejected=worse.answer,
        metadata=_values(better) | made,
        tags=(SYNTHETIC,),
        origin=_origin(better, user, trace),
    )


def collect(datasets: "Datasets", name: str, sample: Sample) -> SavedDataset:
    """Keep a sample at the end of a dataset, under the next free number. Raises `BadInput`, `Refused`."""
    last = next((dataset for dataset in datasets.list() if dataset.name == name), None)
    samples = last.samples if last is not None else ()
    taken = {one.id for one in samples}
    number = len(samples) + 1
    while f"p{number:04}" in taken:
        number += 1
    request = SaveSamples(
        name=name,
        samples=(*samples, replace(sample, id=f"p{number:04}")),
        based_on=last.reference if last is not None else "",
        note=NOTE,
    )
    return datasets.save(request)


def _values(answer: Answer) -> dict[str, str]:
    return {name: str(value) for name, value in answer.question.values.items() if not isinstance(value, list | tuple)}


def _given(answer: Answer) -> tuple[str, ...]:
    """Passages that a person gave, which a sample has a place of its own for."""
    lists = (value for value in answer.question.values.values() if isinstance(value, list | tuple))
    return tuple(str(part) for some in lists for part in some)


def _made(answer: Answer) -> str:
    return f"{answer.question.prompt or 'built-in'} / {answer.model}"


def _origin(answer: Answer, user: str, trace: str) -> Origin:
    model = f"{answer.model} {answer.model_digest}".strip()
    return Origin(kind="trace", source=trace, by=user, model=model, synthetic=True)
