"""What a package tells the vault about the kinds of content that it keeps, so that they can be held, kept for a time, and erased.

The vault knows records, links and blobs; it doesn't know which rows of which tables show them, nor which records belong together. A
package derives an `Erasable` for each kind and the workbench hands them down. All methods read one state or work in one unit.
"""

import re
from collections.abc import Iterable, Sequence, Set
from typing import ClassVar

from core.errors import BadInput
from core.records import Digest
from core.vault.unit import Reader, Unit

_DIGEST = re.compile(rb"[0-9a-f]{64}")


class Erasable:
    """One kind of content. Subclasses say what they know; the rest stays as it is here."""

    kind: ClassVar[str]
    """How it is called everywhere, in the singular."""
    plural: ClassVar[str]
    stands_for: ClassVar[str] = ""
    """The kind of what its names lead to, where that is another one: a collection's name leads to its documents."""
    rule: ClassVar[str] = ""
    """The name of its retention rule; empty where no rule may apply."""

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        """The things that a person names. Raises `NotFound`."""
        raise NotImplementedError

    def label(self, reader: Reader, digest: Digest) -> str:
        """What to call one of them in a preview; nothing of its text."""
        raise NotImplementedError

    def parts(self, reader: Reader, digest: Digest) -> tuple[Digest, ...]:
        """The records that make it up and go with it, itself first."""
        return (digest,)

    def copies(self, reader: Reader, digest: Digest) -> tuple[Digest, ...]:
        """Others of this kind with exactly the same content."""
        return ()

    def quoting(self, reader: Reader, wanted: Set[Digest]) -> Iterable[Digest]:
        """Those of this kind whose text repeats parts of any of these records."""
        return ()

    def held(self, reader: Reader, kind: str, id: str) -> Iterable[Digest]:
        """What a hold on that thing keeps, of whatever kind."""
        return ()

    def aged(self, reader: Reader, before: str) -> Iterable[tuple[Digest, str]]:
        """What the retention rule speaks of, each with the time from which its days count.

        Times that don't sort before the date `before` may be left out: it lies far enough after the limit for any offset."""
        return ()

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        """Take every trace of them out of the package's own tables, before the records go."""


Erasables = Sequence[Erasable]


def by_kind(kinds: Erasables, kind: str) -> Erasable:
    """The kind of that name. Raises `BadInput` with those that there are."""
    for one in kinds:
        if one.kind == kind:
            return one
    raise BadInput(
        source=kind, problem=f"this kind of content is not known here. Use {', '.join(k.kind for k in kinds)}."
    )


def documents_among(reader: Reader, digests: Set[Digest]) -> frozenset[Digest]:
    """Those of the records that are documents, which others quote."""
    return frozenset(digest for digest in digests if reader.kind(digest) == "document")


def mentioning(reader: Reader, of: str, wanted: Set[Digest]) -> tuple[Digest, ...]:
    """The records of a kind that name any of these digests. Reads all records of the kind."""
    if not wanted:
        return ()
    names = {digest.encode("ascii") for digest in wanted}
    rows = reader.db.execute("SELECT digest, content FROM records WHERE kind = ? ORDER BY seq", (of,))
    return tuple(Digest(digest) for digest, content in rows if not names.isdisjoint(_DIGEST.findall(content)))
