"""The table of traces: which answers there are, in the order in which they were given."""

from collections.abc import Sequence

from core.records import Digest
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit


def _first(db: Database) -> None:
    db.execute("CREATE TABLE traces (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, collection TEXT NOT NULL)")


def _over_several(db: Database) -> None:
    db.execute(
        "CREATE TABLE traces_also (digest TEXT NOT NULL, collection TEXT NOT NULL, PRIMARY KEY (digest, collection))"
    )


SCHEMA = Migrations("assistants", (_first, _over_several))


def insert(unit: Unit, digest: Digest, collection: str, also: Sequence[str] = ()) -> None:
    """`also`: further collections that it was given from."""
    unit.db.execute("INSERT INTO traces (digest, collection) VALUES (?, ?)", [digest, collection])
    others = [(digest, other) for other in dict.fromkeys(also) if other != collection]
    unit.db.conn.executemany("INSERT INTO traces_also VALUES (?, ?)", others)


def latest(reader: Reader, limit: int) -> tuple[Digest, ...]:
    rows = reader.db.execute("SELECT digest FROM traces ORDER BY id DESC LIMIT ?", [limit]).fetchall()
    return tuple(Digest(row[0]) for row in rows)


def of_collection(reader: Reader, collection: str) -> tuple[Digest, ...]:
    """The answers that were given from a collection, oldest first."""
    rows = reader.db.execute(
        "SELECT digest FROM traces WHERE collection = ? OR digest IN (SELECT digest FROM traces_also WHERE collection = ?) ORDER BY id",
        [collection, collection],
    ).fetchall()
    return tuple(Digest(row[0]) for row in rows)


def given_before(reader: Reader, date: str) -> list[tuple[Digest, str]]:
    """The answers that were kept before a date, oldest first, each with its time."""
    rows = reader.db.execute(
        "SELECT t.digest, r.time FROM traces t JOIN records r ON r.digest = t.digest WHERE r.time < ? ORDER BY t.id",
        [date],
    ).fetchall()
    return [(Digest(digest), str(time)) for digest, time in rows]


def erase(unit: Unit, digests: Sequence[Digest]) -> None:
    for table in ("traces", "traces_also"):
        unit.db.conn.executemany(f"DELETE FROM {table} WHERE digest = ?", [(digest,) for digest in digests])
