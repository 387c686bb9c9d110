"""What a spec asks: its variants, and each sample under each of them as a task with its question.

Rules: a variant is a prompt version on a model under one of the settings, named by them; adapters stand in it by their digests. Tasks are
in the order in which they cost least: by model, then adapters, then prompt, so that a model is loaded once and the beginning that prompts
share is computed once. A repetition has the spec's seed plus its number.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from core.assistants.records import QUOTES, Question
from core.datasets.records import Dataset, Sample
from core.documents.service import Documents
from core.errors import BadInput
from core.evals.records import Settings, Spec, Variant
from core.inference.records import AdapterUse
from core.models.service import Models
from core.prompts.service import Prompts
from core.records import Digest


class Task(NamedTuple):
    """One answer to be made; `repetition` counts from 0."""

    variant: Variant
    sample: Sample
    repetition: int


def variants_of(spec: Spec, prompts: Prompts, models: Models, documents: Documents) -> tuple[Variant, ...]:
    """The spec's variants in the order in which they are shown.

    Raises `NotFound` for a prompt version, model, adapter or settings' collection that isn't there, `BadInput` for a criterion on no variant.
    """
    found = []
    ways = [_resolved(settings, models, documents) for settings in spec.settings] or [(None, "")]
    for reference in spec.prompts:
        prompt = prompts.show(reference)
        for name in spec.models:
            model = models.show(name)
            for settings, embedder in ways:
                found.append(
                    Variant(
                        name=" / ".join((prompt.prompt.reference, model.name, *_named(settings))),
                        prompt=prompt.prompt.reference,
                        prompt_digest=prompt.digest,
                        model=model.name,
                        model_digest=model.digest,
                        settings=settings,
                        embedder=embedder,
                    )
                )
    if spec.include_quotes:
        found += _quotes(ways)
    names = [variant.name for variant in found]
    for criterion in spec.criteria:
        if criterion.variant not in names:
            raise BadInput(
                source=spec.name,
                problem=f"the criterion on {criterion.metric} is for {criterion.variant}, which is no variant. "
                f"There are: {', '.join(names)}.",
            )
    return tuple(found)


def documents_of(spec: Spec, documents: Documents) -> tuple[tuple[Digest, ...], Digest]:
    """(the documents of all the collections that a spec searches, the embedding model of its own). Raises `NotFound`."""
    names = dict.fromkeys(name for name in (spec.collection, *(s.collection for s in spec.settings)) if name)
    embedder = documents.collection(spec.collection).embedder if spec.collection else Digest("")
    return tuple(dict.fromkeys(digest for name in names for digest, _ in documents.list(name))), embedder


def check_asked_alone(dataset: Dataset) -> None:
    """Raise `BadInput` where a sample has a conversation before its question, which would be left out without a word."""
    found = next((sample.id for sample in dataset.samples if sample.turns), None)
    if found is not None:
        problem = f"its sample {found} has a conversation before the question, which evaluations don't ask yet. Use samples of one question."
        raise BadInput(source=dataset.reference, problem=problem)


def used(variants: Sequence[Variant]) -> tuple[Digest, ...]:
    """The digests of the models and adapters that answer."""
    models = [variant.model_digest for variant in variants if variant.model_digest]
    adapters = [str(use.model) for v in variants if v.settings is not None for use in v.settings.adapters]
    return tuple(Digest(digest) for digest in dict.fromkeys((*models, *adapters)))


def in_order(variants: Sequence[Variant], samples: Sequence[Sample], repetitions: int) -> list[Task]:
    """All tasks, grouped by what the engine has to hold and to compute for them."""
    places = {variant.model_digest: place for place, variant in reversed(list(enumerate(variants)))}

    def cost(variant: Variant) -> tuple[int, tuple[tuple[str, float], ...]]:
        adapters = variant.settings.adapters if variant.settings is not None else ()
        return places[variant.model_digest], tuple((str(use.model), use.scale) for use in adapters)

    return [
        Task(variant, sample, repetition)
        for variant in sorted(variants, key=cost)
        for sample in samples
        for repetition in range(repetitions)
    ]


def question_of(spec: Spec, task: Task) -> Question:
    """What is asked, with everything that decides over the answer. Named settings win over those of the prompt version; without them the
    version's own hold, where it has some. Where no documents are searched, it is asked about the sample's own passages."""
    settings = task.variant.settings or Settings(name="")
    searched = spec.collection if settings.collection is None else settings.collection
    return Question(
        collection=searched,
        text=task.sample.input,
        model=task.variant.model,
        prompt=task.variant.prompt or None,
        passages=spec.passages if settings.passages is None else settings.passages,
        max_tokens=spec.max_tokens if settings.max_tokens is None else settings.max_tokens,
        seed=spec.seed + task.repetition,
        mode=spec.mode,
        trim=spec.trim,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=settings.top_k,
        repeat_penalty=settings.repeat_penalty,
        adapters=settings.adapters,
        texts=() if searched else task.sample.passages,
        sampling="prompt" if task.variant.settings is None else "question",
    )


def _quotes(ways: Sequence[tuple[Settings | None, str]]) -> list[Variant]:
    """The mode without a model, once for each way of searching."""
    found: list[Variant] = []
    seen = set()
    for settings, embedder in ways:
        own = settings if settings is not None and (settings.collection, settings.passages) != (None, None) else None
        searched = (own.collection, own.passages) if own is not None else None
        if searched in seen or (own is not None and own.collection == ""):
            continue
        seen.add(searched)
        found.append(
            Variant(
                name=" / ".join((QUOTES, *_named(own))),
                prompt="",
                prompt_digest="",
                model=QUOTES,
                model_digest="",
                settings=own,
                embedder=embedder if own is not None else "",
            )
        )
    return found


def _named(settings: Settings | None) -> tuple[str, ...]:
    return (settings.name,) if settings is not None else ()


def _resolved(settings: Settings, models: Models, documents: Documents) -> tuple[Settings | None, str]:
    """The settings with adapters by digest, and the embedding model of their own collection."""
    adapters = tuple(AdapterUse(model=models.show(use.model).digest, scale=use.scale) for use in settings.adapters)
    embedder = documents.collection(settings.collection).embedder if settings.collection else ""
    return msgspec.structs.replace(settings, adapters=adapters), embedder
