"""The table of traces: which answers there are, in the order in which they were given."""

from core.records import Digest
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit


def _first(db: Database) -> None:
    db.execute("CREATE TABLE traces (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, collection TEXT NOT NULL)")


SCHEMA = Migrations("assistants", (_first,))


def insert(unit: Unit, digest: Digest, collection: str) -> None:
    unit.db.execute("INSERT INTO traces (digest, collection) VALUES (?, ?)", [digest, collection])


def latest(reader: Reader, limit: int) -> tuple[Digest, ...]:
    rows = reader.db.execute("SELECT digest FROM traces ORDER BY id DESC LIMIT ?", [limit]).fetchall()
    return tuple(Digest(row[0]) for row in rows)
