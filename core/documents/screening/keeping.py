"""Documents that wait, under legal hold and erasure.

Rules: what an erased document left in the tables of screening goes with it: what its text was compared by and, with its last version, one that
waits and what was decided about it. When nothing is left of a collection, all that waits for it goes too. While a hold lasts on the collection,
or on a version of the document, a document that waits isn't dropped: it can't be excluded, and a newer version doesn't take its place but waits
beside it.
"""

from collections.abc import Sequence

from core.documents import history
from core.documents.records import Document
from core.documents.screening import store
from core.errors import Refused
from core.records import Digest
from core.vault import holds
from core.vault.unit import Reader, Unit


def forget(unit: Unit, gone: Sequence[Document]) -> None:
    """Take out what erased versions left behind; called when they are erased from the tables of documents."""
    if not store.known(unit):
        return
    unit.db.execute("PRAGMA secure_delete = ON")
    for one in gone:
        for name in _with_content(unit, one.collection, one.content):
            store.drop(unit, one.collection, name)
        if not history.versions_of(unit, f"{one.collection}/{one.name}"):
            store.drop(unit, one.collection, one.name)
            unit.db.execute(
                "DELETE FROM screening_decisions WHERE collection = ? AND name = ?", (one.collection, one.name)
            )
        for table in ("screening_signatures", "screening_excluded"):
            unit.db.execute(f"DELETE FROM {table} WHERE collection = ? AND content = ?", (one.collection, one.content))
    for collection in dict.fromkeys(one.collection for one in gone):
        if not history.all_versions(unit, collection):
            forget_all(unit, collection)


def forget_all(unit: Unit, collection: str) -> None:
    """Nothing waits for a collection any more, and nothing is known of what did; its policy stays."""
    for name in _names(unit, collection):
        store.drop(unit, collection, name)
    for table in ("screening_decisions", "screening_signatures", "screening_excluded"):
        unit.db.execute(f"DELETE FROM {table} WHERE collection = ?", (collection,))


def holding(reader: Reader, collection: str, name: str) -> tuple[str, ...]:
    """The lasting holds that keep a document that waits."""

    def covers(kind: str, id: str) -> bool:
        if kind == holds.COLLECTION:
            return id == collection
        if kind != "document":
            return False
        held = reader.get(Digest(id), Document)
        return (held.collection, held.name) == (collection, name)

    return tuple(
        state.hold.name
        for state in holds.holds(reader)
        if state.release is None and any(covers(held.kind, held.id) for held in state.hold.things)
    )


def refuse_exclusion(reader: Reader, collection: str, name: str) -> None:
    """Raise `Refused` where a hold keeps a document that waits."""
    if kept := holding(reader, collection, name):
        raise Refused(
            act=f"Exclude {name}", reason=f"The hold {', '.join(kept)} keeps it, until somebody releases that."
        )


def make_room(unit: Unit, collection: str, name: str) -> None:
    """Before another version of a document waits or is excluded: one that waits and is held goes on waiting beside it, by a name of its own."""
    waiting = unit.db.execute(
        "SELECT content FROM screening_waiting WHERE collection = ? AND name = ?", (collection, name)
    ).fetchone()
    if waiting is not None and holding(unit, collection, name):
        unit.db.execute(
            "UPDATE screening_waiting SET name = ? WHERE collection = ? AND name = ?",
            (f"{name} (held, {waiting[0][:8]})", collection, name),
        )


def _with_content(reader: Reader, collection: str, content: Digest) -> list[str]:
    rows = reader.db.execute(
        "SELECT name FROM screening_waiting WHERE collection = ? AND content = ?", (collection, content)
    ).fetchall()
    return [str(found) for (found,) in rows]


def _names(reader: Reader, collection: str) -> list[str]:
    rows = reader.db.execute("SELECT name FROM screening_waiting WHERE collection = ?", (collection,)).fetchall()
    return [str(name) for (name,) in rows]
