"""Traces as content that can be held, kept for a time and erased: question, passages, rendered prompt and answer are one record."""

from collections.abc import Iterable, Sequence, Set

from core.assistants import store
from core.assistants.records import Answer
from core.records import Digest
from core.records import kind as kind_of
from core.vault.erasable import Erasable, documents_among, mentioning
from core.vault.unit import Reader, Unit


class ErasableTraces(Erasable):
    """Named by their digest. The rule counts from the answer."""

    kind = "trace"
    plural = "traces"
    rule = "traces"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        reader.raw(Digest(reference), Answer)
        return (Digest(reference),)

    def label(self, reader: Reader, digest: Digest) -> str:
        return f"answer on {reader.get(digest, Answer).question.collection}, {digest[:8]}"

    def quoting(self, reader: Reader, wanted: Set[Digest]) -> Iterable[Digest]:
        return mentioning(reader, kind_of(Answer), documents_among(reader, wanted))

    def held(self, reader: Reader, kind: str, id: str) -> Iterable[Digest]:
        if kind == "collection":
            return store.of_collection(reader, id)
        return (Digest(id),) if kind == self.kind else ()

    def aged(self, reader: Reader, before: str) -> Iterable[tuple[Digest, str]]:
        return store.given_before(reader, before)

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        store.erase(unit, digests)
