"""Keeping the next version of a dataset, in a unit that is open.

Each sample keeps its origin; one without gets one. What was ever synthetic, told by its id where a person edits and by its question always,
stays so.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from core.datasets.records import SYNTHETIC, Dataset, Origin, Sample, SavedDataset, Splitting
from core.datasets.texts import asked, question_key
from core.records import Digest, now
from core.vault import versions
from core.vault.unit import Reader, Unit

KIND: Final = "dataset"
How = Literal["file", "person"]


def keep(
    unit: Unit,
    name: str,
    samples: Sequence[Sample],
    source: str,
    how: How,
    note: str = "",
    parted: Splitting | None = None,
) -> SavedDataset:
    """The next version, or the latest where it holds the same."""
    kept = _marked(samples, latest(unit, name), source, how, unit.user.user)

    def make(number: int, parent: Digest | None) -> Dataset:
        return Dataset(
            name=name,
            number=number,
            samples=kept,
            source=source,
            parent=parent,
            author=unit.user.user,
            saved=now(),
            note=note,
            splitting=parted,
        )

    digest, dataset, created = versions.save(unit, KIND, name, Dataset, lambda last: last.samples == kept, make)
    return SavedDataset(digest=digest, dataset=dataset, created=created)


def append(unit: Unit, name: str, samples: Sequence[Sample], source: str, note: str) -> SavedDataset:
    """The latest version with further samples, whose ids are made unique."""
    before = latest(unit, name)
    taken = {sample.id for sample in before}
    added = []
    for sample in samples:
        its, number = sample.id, 1
        while its in taken:
            number += 1
            its = f"{sample.id}-{number}"
        taken.add(its)
        added.append(msgspec.structs.replace(sample, id=its))
    return keep(unit, name, (*before, *added), source, "person", note)


def latest(reader: Reader, name: str) -> tuple[Sample, ...]:
    """The samples of the newest version that wasn't erased; none where there is none."""
    known = versions.left(reader, KIND, name)
    return reader.get(known[max(known)], Dataset).samples if known else ()


def _marked(
    samples: Sequence[Sample], before: Sequence[Sample], source: str, how: How, user: str
) -> tuple[Sample, ...]:
    known = {sample.id: sample for sample in before}
    made_up = [sample for sample in before if sample.synthetic]
    questions = {question_key(asked(sample)) for sample in made_up}
    ids = {sample.id for sample in made_up} if how == "person" else set()
    kept = []
    for sample in samples:
        was = known.get(sample.id)
        origin, tags = sample.origin or (was.origin if was is not None else None), sample.tags
        if origin is None and was is None:
            origin = Origin(kind=how, source=source, by=user)
        if sample.synthetic or sample.id in ids or (questions and question_key(asked(sample)) in questions):
            tags = tags if SYNTHETIC in tags else (*tags, SYNTHETIC)
            origin = msgspec.structs.replace(origin or Origin(kind=how, source=source, by=user), synthetic=True)
        same = origin == sample.origin and tags is sample.tags
        kept.append(sample if same else msgspec.structs.replace(sample, origin=origin, tags=tags))
    return tuple(kept)
