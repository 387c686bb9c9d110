"""Tags on documents: short words by which a search is narrowed.

Rules: a tag belongs to a document's name in its collection, so that a new version has the tags of the one before, and a renamed document takes its
tags along. Spelling counts, white space is made single. Each change is in the audit log, with what stood before and after. When the last version
of a document is erased, its tags go.
"""

from collections.abc import Sequence
from typing import Final

from core.documents import store
from core.errors import BadInput, NotFound
from core.vault.roles import Act
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault

LONGEST: Final = 60
MOST: Final = 50
"""Tags of one document."""


class Tagging:
    """The tags in one open vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def counts(self, collection: str) -> dict[str, int]:
        """The tags of a collection's documents, by name, and how many documents have each. Raises `NotFound`."""
        found: dict[str, int] = {}
        for tags in self.of(collection).values():
            for tag in tags:
                found[tag] = found.get(tag, 0) + 1
        return dict(sorted(found.items()))

    def of(self, collection: str) -> dict[str, tuple[str, ...]]:
        """The tags of each document that has some, by the document's name. Raises `NotFound`."""
        with self._vault.read() as reader:
            return store.tags(reader, store.get(reader, collection).id)

    def add(self, collection: str, names: Sequence[str], tags: Sequence[str], reason: str = "") -> int:
        """Put these tags on these documents; how many documents changed. Raises `NotFound`, `BadInput`, `Refused`."""
        return self._change(collection, names, checked(tags), (), reason)

    def remove(self, collection: str, names: Sequence[str], tags: Sequence[str], reason: str = "") -> int:
        """Take these tags off these documents; how many documents changed. Raises `NotFound`, `BadInput`, `Refused`."""
        return self._change(collection, names, (), checked(tags), reason)

    def _change(
        self, collection: str, names: Sequence[str], more: Sequence[str], fewer: Sequence[str], reason: str
    ) -> int:
        with self._vault.read() as reader:
            kept = store.get(reader, collection)
            for name in names:
                if not store.has_name(reader, kept.id, name):
                    raise NotFound(
                        kind="document", name=name, step=f"`assay documents list {collection}` shows what it holds."
                    )
        changed = 0
        for name in dict.fromkeys(names):
            with self._vault.read() as reader:
                before = store.tags(reader, kept.id).get(name, ())
            after = tuple(sorted({*before, *more} - set(fewer)))
            if after == before:
                continue
            if len(after) > MOST:
                raise BadInput(source=name, problem=f"{len(after)} tags; a document has {MOST} at most. Take some off.")
            with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection}/{name}, tags", reason=reason) as unit:
                store.set_tags(unit, kept.id, name, after)
                unit.note(before=", ".join(before), after=", ".join(after))
            changed += 1
        return changed


def checked(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept, each once. Raises `BadInput`."""
    found = tuple(dict.fromkeys(" ".join(tag.split()) for tag in tags))
    for tag in found:
        if not tag or len(tag) > LONGEST or not tag.isprintable() or "," in tag or tag.startswith("-"):
            raise BadInput(
                source="tag",
                problem=f"a tag has 1 to {LONGEST} printable characters, no comma, and doesn't begin with a dash.",
            )
    if not found:
        raise BadInput(source="tag", problem="none was given. Name one.")
    return found


def forget(unit: Unit, erased: Sequence[tuple[str, str]]) -> None:
    """Forget the tags of erased documents, (collection, name), of which no version is left."""
    for collection, name in erased:
        unit.db.execute(
            "DELETE FROM document_tags WHERE name = ?2 AND collection IN (SELECT id FROM collections WHERE name = ?1)"
            " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.collection = document_tags.collection AND d.name = ?2)",
            (collection, name),
        )


def follow(unit: Unit, collection: int, before: str, after: str) -> None:
    """A document goes by another name: with its tags."""
    tags = _all(unit, collection, before)
    if tags:
        store.set_tags(unit, collection, after, tags)
        store.set_tags(unit, collection, before, ())


def _all(reader: Reader, collection: int, name: str) -> tuple[str, ...]:
    rows = reader.db.execute(
        "SELECT tag FROM document_tags WHERE collection = ? AND name = ? ORDER BY tag", (collection, name)
    )
    return tuple(str(tag) for (tag,) in rows.fetchall())
