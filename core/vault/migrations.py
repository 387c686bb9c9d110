"""Numbered changes of the tables, per package.

Each package lists its steps in order; step k takes its tables from version k to k + 1. All pending steps and their records commit in
one transaction, so a vault is at the old state or at the new one. A step is never edited once a vault was made with it: a change
is another step. A vault that holds more steps than this program knows, a package that it doesn't know, or records of a kind that no
part of the program declares, was written by a newer program: it is refused before anything is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import NewerVault
from core.records import kinds
from core.vault.connection import Connections, Database

Step = Callable[[Database], None]


@dataclass(frozen=True)
class Migrations:
    """A package's named steps. Names of packages are unique in a vault."""

    package: str
    steps: tuple[Step, ...]


def migrate(connections: Connections, schema: Sequence[Migrations], time: str) -> None:
    """Bring the file's tables to what `schema` knows. Raises `NewerVault` with nothing touched."""
    names = [migrations.package for migrations in schema]
    assert len(set(names)) == len(names), names
    with connections.lock:
        found = versions(connections.writer)
        known = {migrations.package: len(migrations.steps) for migrations in schema if migrations.steps}
        for package, version in found.items():
            if version > known.get(package, 0):
                raise NewerVault(
                    vault=str(connections.path.parent), package=package, found=version, known=known.get(package, 0)
                )
        unknown = sorted(_kinds(connections.writer) - kinds())
        if unknown:
            raise NewerVault(vault=str(connections.path.parent), package=f"the record {unknown[0]}", found=1, known=0)
        if found == known:
            return
        with connections.transaction() as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS migrations("
                "package TEXT NOT NULL, step INTEGER NOT NULL, applied TEXT NOT NULL, PRIMARY KEY(package, step)) STRICT"
            )
            for migrations in schema:
                for number in range(found.get(migrations.package, 0), len(migrations.steps)):
                    migrations.steps[number](db)
                    db.execute("INSERT INTO migrations VALUES (?, ?, ?)", (migrations.package, number + 1, time))


def versions(db: Database) -> dict[str, int]:
    """The version of each package's tables; empty for a new file."""
    table = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'").fetchone()
    if table is None:
        return {}
    rows = db.execute("SELECT package, max(step) FROM migrations GROUP BY package").fetchall()
    return {str(package): int(step) for package, step in rows}


def _kinds(db: Database) -> set[str]:
    """The kinds of the records in the file, each found by one step in the index: a million records take no longer than ten."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'records'").fetchone() is None:
        return set()
    rows = db.execute(
        "WITH RECURSIVE found(kind) AS (SELECT min(kind) FROM records UNION ALL"
        " SELECT (SELECT min(kind) FROM records WHERE kind > found.kind) FROM found WHERE found.kind IS NOT NULL)"
        " SELECT kind FROM found WHERE kind IS NOT NULL"
    ).fetchall()
    return {str(kind) for (kind,) in rows}
