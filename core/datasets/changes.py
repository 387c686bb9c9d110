"""What differs between two versions of a dataset: samples added, removed and changed, by their ids. Pure."""

from collections.abc import Sequence
from typing import Literal

from core.datasets.records import Sample
from core.datasets.worker.forms import FIELDS
from core.records import Record

_SEEN = tuple(field for field in FIELDS if field != "id")


class Change(Record, frozen=True, kw_only=True):
    """One sample before and after; `fields` are those that differ."""

    kind: Literal["added", "removed", "changed"]
    id: str
    before: Sample | None = None
    after: Sample | None = None
    fields: tuple[str, ...] = ()


def changes(before: Sequence[Sample], after: Sequence[Sample]) -> tuple[Change, ...]:
    """Removed samples in the order of `before`, then added and changed ones in the order of `after`."""
    old = {sample.id: sample for sample in before}
    new = {sample.id for sample in after}
    found = [Change(kind="removed", id=sample.id, before=sample) for sample in before if sample.id not in new]
    for sample in after:
        was = old.get(sample.id)
        if was is None:
            found.append(Change(kind="added", id=sample.id, after=sample))
        elif was != sample:
            fields = tuple(name for name in _SEEN if getattr(was, name) != getattr(sample, name))
            found.append(Change(kind="changed", id=sample.id, before=was, after=sample, fields=fields))
    return tuple(found)
