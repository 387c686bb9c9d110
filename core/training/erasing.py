"""Training runs as content that can be held and erased: the record, the curve, the adapter's files, what it was found to do. A run's number isn't
given again. A hold on a run keeps the datasets that it learned from."""

import re
from collections.abc import Iterable, Iterator, Sequence, Set

from core.errors import NotFound
from core.records import Digest
from core.training import merged, store
from core.training.records import TrainingRun
from core.vault.erasable import Erasable
from core.vault.unit import Reader, Unit


class ErasableTrainings(Erasable):
    """Named `training-3`, or by their digest."""

    kind = "training"
    plural = "trainings"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        number = re.fullmatch(r"training-(\d{1,9})", reference)
        for row in store.everything(reader):
            if row.run == reference or (number and row.number == int(number[1])):
                return (row.run,)
        raise NotFound(kind="training run", name=reference, step="`assay train list` shows what there is.")

    def label(self, reader: Reader, digest: Digest) -> str:
        run = reader.get(digest, TrainingRun)
        return f"{run.id} of {run.base}"

    def parts(self, reader: Reader, digest: Digest) -> tuple[Digest, ...]:
        row = _row(reader, digest)
        kinds = ("training-result", "training-samples", merged.KIND)
        results = [found for found in reader.linked_from(digest) if reader.kind(found) in kinds]
        later = [found for found in (row.compared, row.proved) if found]
        return tuple(dict.fromkeys((digest, *results, *map(Digest, later))))

    def quoting(self, reader: Reader, wanted: Set[Digest]) -> Iterable[Digest]:
        return [row.run for row in store.everything(reader) if not wanted.isdisjoint(reader.links(row.run))]

    def held(self, reader: Reader, kind: str, id: str) -> Iterator[Digest]:
        if kind == self.kind:
            row = _row(reader, Digest(id))
            yield from (*self.parts(reader, row.run), *reader.links(row.run))

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        store.erase(unit, digests)


def _row(reader: Reader, digest: Digest) -> store.Row:
    found = next((row for row in store.everything(reader) if row.run == digest), None)
    if found is None:
        raise NotFound(kind="training run", name=digest, step="`assay train list` shows what there is.")
    return found
