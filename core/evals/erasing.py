"""Runs and single outcomes as content that can be held, kept for a time and erased.

A run goes with its result and outcomes; its number isn't given again. A single outcome goes when it quotes something that must: the
run then keeps the figures that were recorded, and no pack can be made of it any more.
"""

from collections.abc import Iterable, Iterator, Sequence, Set

from core.errors import NotFound
from core.evals import answered, store
from core.evals.records import Outcome, Run
from core.records import Digest
from core.records import kind as kind_of
from core.vault.erasable import Erasable, documents_among, mentioning
from core.vault.unit import Reader, Unit


class ErasableRuns(Erasable):
    """Named `run-3`, or by their digest. The rule counts from the start. A hold keeps what the run rests on too."""

    kind = "run"
    plural = "runs"
    rule = "runs"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        number = reference.removeprefix("run-")
        found = store.find(reader, int(number)) if number.isdigit() and len(number) < 10 else None
        if found is not None:
            return (found[0],)
        for digest, _ in store.runs(reader):
            if digest == reference:
                return (digest,)
        raise NotFound(kind="run", name=reference, step="`assay eval list` shows what there is.")

    def label(self, reader: Reader, digest: Digest) -> str:
        run = reader.get(digest, Run)
        return f"{run.id} of {run.spec_reference}"

    def parts(self, reader: Reader, digest: Digest) -> tuple[Digest, ...]:
        return store.parts(reader, digest)

    def held(self, reader: Reader, kind: str, id: str) -> Iterator[Digest]:
        if kind not in (self.kind, "collection"):
            return
        for digest, _ in store.runs(reader):
            if kind == self.kind and digest != id:
                continue
            run = reader.get(digest, Run)
            if kind == self.kind or run.collection == id:
                yield from (*store.parts(reader, digest), run.spec, run.dataset, *run.documents)

    def aged(self, reader: Reader, before: str) -> Iterable[tuple[Digest, str]]:
        return [(digest, reader.get(digest, Run).started) for digest, _ in store.runs(reader)]

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        store.erase_outcomes_of(unit, digests)


class ErasableOutcomes(Erasable):
    """Named by their digest. What people said of one goes with it, and what was kept of its answer while it waited for judges."""

    kind = "outcome"
    plural = "outcomes"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        reader.raw(Digest(reference), Outcome)
        return (Digest(reference),)

    def label(self, reader: Reader, digest: Digest) -> str:
        outcome = reader.get(digest, Outcome)
        return f"sample {outcome.sample} of {reader.get(outcome.run, Run).id}, {outcome.variant}"

    def parts(self, reader: Reader, digest: Digest) -> tuple[Digest, ...]:
        return (digest, *answered.beside(reader, digest), *store.marks_on(reader, digest))

    def quoting(self, reader: Reader, wanted: Set[Digest]) -> Iterable[Digest]:
        quoted = mentioning(reader, kind_of(Outcome), documents_among(reader, wanted))
        asked = (
            outcome
            for dataset in wanted
            if reader.kind(dataset) == "dataset"
            for run in reader.linked_from(dataset)
            if reader.kind(run) == kind_of(Run)
            for outcome in (*store.outcome_digests(reader, run), *answered.digests(reader, run))
        )
        return dict.fromkeys((*quoted, *asked))

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        store.erase_outcomes(unit, digests)
