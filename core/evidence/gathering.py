"""What goes into a pack beside the run's own records: the trainings that its adapters come from, and the cards of its models.

A training's dataset goes along while it is in the vault and has at most `LARGEST` bytes; a larger one, or a file, is named by its digest.
"""

from collections.abc import Iterable
from typing import NamedTuple

from core.datasets.records import Dataset
from core.errors import NotFound
from core.evals import tasks
from core.evals.records import Run
from core.models import cards
from core.models.records import ModelCard
from core.records import Digest, kind
from core.training import merged, store
from core.training.merged import MergedModel
from core.training.records import TrainingResult, TrainingRun
from core.vault import versions
from core.vault.unit import Reader

LARGEST = 32 * 1024 * 1024


class Made(NamedTuple):
    """The records of trainings, in the order in which the run names their adapters."""

    runs: tuple[Digest, ...]
    results: tuple[Digest, ...]
    comparisons: tuple[Digest, ...]
    data: tuple[Digest, ...]
    adapters: tuple[Digest, ...]
    """The digests of the adapters' files."""

    @property
    def records(self) -> tuple[Digest, ...]:
        """All of them."""
        return (*self.runs, *self.results, *self.comparisons, *self.data)


def trainings(reader: Reader, run: Run) -> Made:
    """The trainings of the adapters that a run used, where they were trained in this vault."""
    rows: list[store.Row] = []
    data: dict[Digest, None] = {}
    adapters: list[Digest] = []
    for used in tasks.used(run.variants):
        row = store.lent(reader, used)
        if row is None:
            continue
        rows.append(row)
        adapters.append(Digest(reader.get(Digest(row.result), TrainingResult).gguf))
        for source in reader.get(row.run, TrainingRun).sources:
            if source.digest != run.dataset and _held(reader, source.digest):
                data[source.digest] = None
    return Made(
        tuple(row.run for row in rows),
        tuple(Digest(row.result) for row in rows),
        tuple(Digest(row.compared) for row in rows if row.compared),
        tuple(data),
        tuple(adapters),
    )


def merges(reader: Reader, files: Iterable[Digest], run: Digest) -> tuple[Digest, ...]:
    """For each of these files that is a merge the newest record of it that is older than the run."""
    wanted = {*files}
    found: dict[Digest, Digest] = {}
    for digest in merged.recorded(reader, before=run):
        file = reader.get(digest, MergedModel).digest
        if file in wanted:
            found[file] = digest
    return tuple(found.values())


def model_cards(reader: Reader, files: Iterable[Digest]) -> tuple[Digest, ...]:
    """For each of these files the card that the vault keeps about it: the approved version, or else the latest that is about this file."""
    wanted = {*files}
    found: dict[Digest, tuple[bool, int, Digest]] = {}
    for latest in versions.latest(reader, cards.KIND):
        name = reader.get(latest, ModelCard).name
        approved = versions.labels(reader, cards.KIND, name).get(cards.LABEL, 0)
        for number, digest in versions.digests(reader, cards.KIND, name).items():
            model = reader.get(digest, ModelCard).model
            this = number == approved, number, digest
            if model in wanted and (model not in found or this > found[model]):
                found[model] = this
    return tuple(digest for _, _, digest in found.values())


def _held(reader: Reader, digest: Digest) -> bool:
    try:
        return reader.kind(digest) == kind(Dataset) and len(reader.raw(digest)) <= LARGEST
    except NotFound:
        return False
