"""Dataset versions as content that can be held and erased. Their names and numbers stay, so that no number means two things."""

import re
from collections.abc import Iterable

from core.datasets.records import Dataset
from core.errors import NotFound
from core.records import Digest
from core.vault import versions
from core.vault.erasable import Erasable
from core.vault.unit import Reader


class ErasableDatasets(Erasable):
    """Named by `NAME@NUMBER`, by the digest of a version, or by `NAME`, which means every version that is left."""

    kind = "dataset"
    plural = "datasets"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        if re.fullmatch("[0-9a-f]{64}", reference):
            reader.raw(Digest(reference), Dataset)
            return (Digest(reference),)
        if "@" in reference:
            return (versions.resolve(reader, self.kind, reference),)
        left = tuple(versions.left(reader, self.kind, reference).values())
        if not left:
            raise NotFound(kind=self.kind, name=reference, step="`assay dataset list` shows what there is.")
        return left

    def label(self, reader: Reader, digest: Digest) -> str:
        return reader.get(digest, Dataset).reference

    def held(self, reader: Reader, kind: str, id: str) -> Iterable[Digest]:
        return (Digest(id),) if kind == self.kind else ()
