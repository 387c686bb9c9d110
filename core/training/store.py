"""The tables of training runs: which there are, how they ended, and what their adapters were found to do."""

from core.records import Digest
from core.training.records import Compared, TrainingResult, TrainingRun
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE trainings (number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, result TEXT NOT NULL DEFAULT '',"
        " compared TEXT NOT NULL DEFAULT '', adapter TEXT NOT NULL DEFAULT '') STRICT"
    )


SCHEMA = Migrations("training", (_first,))
Row = tuple[int, Digest, str, str]
"""Number, the run's digest, its result's and its comparison's ("" where there is none)."""


def next_number(reader: Reader) -> int:
    return int(reader.db.execute("SELECT coalesce(max(number), 0) + 1 FROM trainings").fetchone()[0])


def start(unit: Unit, number: int, run: TrainingRun, datasets: tuple[Digest, ...]) -> Digest:
    """Record a run before its first step."""
    digest = unit.put(run, links=datasets)
    unit.db.execute("INSERT INTO trainings (number, digest) VALUES (?, ?)", [number, digest])
    return digest


def close(unit: Unit, run: Digest, result: TrainingResult) -> Digest:
    """Record how a run ended, in place of what was said of it before."""
    files = [Digest(found) for found in (result.weights, result.config, result.gguf) if found]
    digest = unit.put(result, links=(run, *files))
    unit.db.execute("UPDATE trainings SET result = ?, adapter = ? WHERE digest = ?", [digest, result.gguf, run])
    return digest


def compare(unit: Unit, run: Digest, result: Digest, compared: Compared) -> Digest:
    """Record what an adapter was found to do."""
    digest = unit.put(compared, links=(result, compared.dataset_digest))
    unit.db.execute("UPDATE trainings SET compared = ? WHERE digest = ?", [digest, run])
    return digest


def everything(reader: Reader) -> tuple[Row, ...]:
    """All runs, newest first."""
    rows = reader.db.execute("SELECT number, digest, result, compared FROM trainings ORDER BY number DESC").fetchall()
    return tuple((int(number), Digest(run), str(result), str(found)) for number, run, result, found in rows)


def find(reader: Reader, number: int) -> Row | None:
    return next((row for row in everything(reader) if row[0] == number), None)


def lent(reader: Reader, name: str) -> Row | None:
    """The run whose adapter that is: by the digest of its GGUF, or `training-3`; None for none."""
    rows = reader.db.execute(
        "SELECT number FROM trainings WHERE adapter != '' AND (adapter = ? OR 'training-' || number = ?)", [name, name]
    ).fetchall()
    return find(reader, int(rows[0][0])) if rows else None
