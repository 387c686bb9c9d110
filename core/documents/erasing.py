"""Documents as content that can be held, kept for a time and erased: pages, passages, vectors, words and the file itself."""

import re
from collections.abc import Iterable, Sequence

from core.documents import history, store, tagging
from core.documents.records import Document
from core.documents.refreshing import forget_names
from core.documents.screening import keeping
from core.errors import NotFound
from core.records import Digest
from core.vault.erasable import Erasable
from core.vault.unit import Reader, Unit


class ErasableDocuments(Erasable):
    """Named by `COLLECTION/NAME`, which means every version, or by the digest of one version. The rule speaks of versions that are no
    longer searched, and counts from when they were replaced or removed."""

    kind = "document"
    plural = "documents"
    rule = "old-versions"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        if re.fullmatch("[0-9a-f]{64}", reference):
            reader.raw(Digest(reference), Document)
            return (Digest(reference),)
        found = history.versions_of(reader, reference)
        if not found:
            raise NotFound(
                kind="document", name=reference, step="Name it COLLECTION/NAME; `assay documents list` shows them."
            )
        return found

    def label(self, reader: Reader, digest: Digest) -> str:
        document = reader.get(digest, Document)
        return f"{document.collection}/{document.name}, added {document.added[:10]}"

    def copies(self, reader: Reader, digest: Digest) -> tuple[Digest, ...]:
        return history.same_content(reader, digest)

    def held(self, reader: Reader, kind: str, id: str) -> Iterable[Digest]:
        if kind == "collection":
            return history.all_versions(reader, id)
        return (Digest(id),) if kind == self.kind else ()

    def aged(self, reader: Reader, before: str) -> Iterable[tuple[Digest, str]]:
        return history.retired(reader)

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        gone = [unit.get(digest, Document) for digest in digests]
        names = [(document.collection, document.name) for document in gone]
        store.erase(unit, digests)
        keeping.forget(unit, gone)
        forget_names(unit, names)
        tagging.forget(unit, names)


class ErasableCollections(Erasable):
    """A collection's name means every version of every document in it. The collection itself stays, empty."""

    kind = "collection"
    plural = "collections"
    stands_for = "document"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        store.get(reader, reference)
        return history.all_versions(reader, reference)
