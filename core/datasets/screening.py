"""What is wrong with a dataset's samples before they are used: duplicates, personal data, and samples that an adapter learned. Pure.

A sample that repeats another is told once, by the strongest reason: exactly the same, the same question but for case, spacing and punctuation,
or nearly the same (of all that is three words in a row in either, at least `NEAR` is in both). Contamination is told in the same three ways,
against the datasets that the adapters were trained on. What was trained on files that aren't kept can't be compared, and is named.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, Literal, NamedTuple

from core.datasets.records import Sample
from core.datasets.texts import asked, bare, content_key, near_pairs, question_key, shingles
from core.jobs import Job
from core.records import Digest, Record

NEAR: Final = 0.8
FEWEST_WORDS: Final = 6
"""Shorter questions are never nearly the same: one other word makes another question."""
How = Literal["exact", "normalised", "near"]


class Repeat(Record, frozen=True, kw_only=True):
    """A sample that repeats an earlier one. `similarity` is 1 unless it is near."""

    sample: str
    of: str
    how: How
    similarity: float = 1.0


class Personal(Record, frozen=True, kw_only=True):
    """A field of a sample that holds personal data of that kind."""

    sample: str
    field: str
    kind: str


class Contaminated(Record, frozen=True, kw_only=True):
    """A sample that an adapter was trained on, or nearly."""

    sample: str
    adapter: str
    dataset: str
    of: str
    how: How
    similarity: float = 1.0


class Learned(Record, frozen=True, kw_only=True):
    """What an adapter was trained on: datasets of the vault, and names of files that aren't kept there."""

    adapter: str
    """The training run that made it: `training-3`."""
    digest: str
    """Of its GGUF; "" while it has none."""
    datasets: tuple[Digest, ...]
    files: tuple[str, ...] = ()


class Screening(Record, frozen=True, kw_only=True):
    """What was found. `unknown` names adapters with files that couldn't be compared."""

    reference: str
    samples: int
    repeats: tuple[Repeat, ...]
    personal: tuple[Personal, ...]
    contaminated: tuple[Contaminated, ...]
    unknown: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return not (self.repeats or self.personal or self.contaminated)


class Source(NamedTuple):
    """One dataset that an adapter learned."""

    adapter: str
    reference: str
    samples: Sequence[Sample]


def repeats(samples: Sequence[Sample], job: Job) -> tuple[Repeat, ...]:
    """The samples that repeat an earlier one, in order."""
    return tuple(
        Repeat(sample=samples[later].id, of=samples[earlier].id, how=how, similarity=alike)
        for earlier, later, how, alike in _alike(samples, 0, job)
    )


def personal(samples: Sequence[Sample], kinds: Callable[[str], Collection[str]], job: Job) -> tuple[Personal, ...]:
    """The fields with personal data, kind by kind. `kinds` says which a text holds."""
    found: list[Personal] = []
    for number, sample in enumerate(samples):
        if number % 500 == 0:
            job.report(number, len(samples), "samples")
        for field, texts in _fields(sample):
            there = dict.fromkeys(kind for text in texts if text for kind in kinds(text))
            found += [Personal(sample=sample.id, field=field, kind=kind) for kind in there]
    return tuple(found)


def contaminated(samples: Sequence[Sample], sources: Iterable[Source], job: Job) -> tuple[Contaminated, ...]:
    """The samples that an adapter was trained on, source by source."""
    found: list[Contaminated] = []
    for source in sources:
        both = (*source.samples, *samples)
        since = len(source.samples)
        found += [
            Contaminated(
                sample=both[later].id,
                adapter=source.adapter,
                dataset=source.reference,
                of=both[earlier].id,
                how=how,
                similarity=alike,
            )
            for earlier, later, how, alike in _alike(both, since, job)
        ]
    return tuple(found)


def _alike(samples: Sequence[Sample], since: int, job: Job) -> list[tuple[int, int, How, float]]:
    """(earlier, later, how, similarity), by the later one. With `since`, the earlier ones lie before it and the later ones from it on."""
    found: dict[int, tuple[int, How, float]] = {}
    ways: tuple[tuple[How, Callable[[Sample], bytes]], ...] = (
        ("exact", content_key),
        ("normalised", lambda sample: question_key(asked(sample))),
    )
    for how, key in ways:
        first: dict[bytes, int] = {}
        for place, sample in enumerate(samples):
            if place % 1_000 == 0:
                job.check()
            its = key(sample)
            earlier = first.get(its)
            if earlier is not None and place >= since and place not in found:
                found[place] = (earlier, how, 1.0)
            elif earlier is None and (place < since or since == 0):
                first[its] = place
    sets = []
    for place, sample in enumerate(samples):
        if place % 1_000 == 0:
            job.report(place, len(samples), "samples compared")
        text = asked(sample)
        long = len(bare(text).split()) >= FEWEST_WORDS and place not in found
        sets.append(shingles(text) if long else frozenset())
    for earlier, later, alike in near_pairs(sets, since, NEAR):
        if later not in found and (since == 0 or earlier < since):
            found[later] = (earlier, "near", round(alike, 3))
    job.report(len(samples), len(samples), "samples compared")
    return [(earlier, later, how, alike) for later, (earlier, how, alike) in sorted(found.items())]


def _fields(sample: Sample) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("input", (sample.input,)),
        ("target", (sample.target or "", *sample.targets, *sample.choices)),
        ("answer", (sample.answer, sample.chosen, sample.rejected)),
        ("quote", (sample.quote,)),
        ("passages", sample.passages),
        ("turns", tuple(turn.content for turn in sample.turns)),
        ("metadata", tuple(sample.metadata.values())),
    )
