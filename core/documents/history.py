"""The versions of documents: those that are searched, and the earlier ones that stay for the answers that cite them."""

from core.records import Digest
from core.vault.unit import Reader


def versions_of(reader: Reader, name: str) -> tuple[Digest, ...]:
    """Every version of the document `collection/name`, oldest first."""
    rows = reader.db.execute(
        "SELECT d.digest FROM documents d JOIN collections c ON c.id = d.collection"
        " WHERE c.name || '/' || d.name = ? ORDER BY d.id",
        (name,),
    ).fetchall()
    return tuple(Digest(digest) for (digest,) in rows)


def all_versions(reader: Reader, collection: str) -> tuple[Digest, ...]:
    """Every version of every document of a collection; none for an unknown one."""
    rows = reader.db.execute(
        "SELECT d.digest FROM documents d JOIN collections c ON c.id = d.collection WHERE c.name = ? ORDER BY d.id",
        (collection,),
    ).fetchall()
    return tuple(Digest(digest) for (digest,) in rows)


def same_content(reader: Reader, digest: Digest) -> tuple[Digest, ...]:
    """The other documents, in all collections, whose file has the same bytes."""
    rows = reader.db.execute(
        "SELECT o.digest FROM documents d JOIN documents o ON o.content = d.content AND o.id <> d.id"
        " WHERE d.digest = ? ORDER BY o.id",
        (digest,),
    ).fetchall()
    return tuple(Digest(other) for (other,) in rows)


def retired(reader: Reader) -> list[tuple[Digest, str]]:
    """The documents that are no longer searched, each with the time at which it was replaced or removed."""
    rows = reader.db.execute("SELECT digest, retired FROM documents WHERE current = 0 ORDER BY id").fetchall()
    return [(Digest(digest), str(time)) for digest, time in rows]


def out_of_search(reader: Reader, document: Digest) -> tuple[str, bool]:
    """Since when a version is no longer searched, empty while it is; and whether one of its name or its bytes is searched in its place."""
    row = reader.db.execute(
        "SELECT retired, EXISTS (SELECT 1 FROM documents o WHERE o.collection = d.collection AND o.current = 1"
        " AND (o.name = d.name OR o.content = d.content)) FROM documents d WHERE d.digest = ? AND d.current = 0",
        (document,),
    ).fetchone()
    return ("", False) if row is None else (str(row[0]), bool(row[1]))


def gone(reader: Reader, collection: int) -> list[tuple[Digest, str]]:
    """The last version of each document that is no longer searched under any name, with the time at which it was taken out; latest first."""
    rows = reader.db.execute(
        "SELECT digest, retired FROM (SELECT digest, name, content, collection, retired, max(id) AS last FROM documents"
        " WHERE collection = ? AND current = 0 GROUP BY name) d WHERE NOT EXISTS (SELECT 1 FROM documents o"
        " WHERE o.collection = d.collection AND o.current = 1 AND (o.name = d.name OR o.content = d.content))"
        " ORDER BY retired DESC, last DESC",
        (collection,),
    ).fetchall()
    return [(Digest(digest), str(time)) for digest, time in rows]
