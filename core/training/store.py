"""The tables of training runs: which there are, how they ended, and what their adapters were found to do."""

from collections.abc import Sequence
from typing import NamedTuple

from core.records import Digest
from core.training.records import Answered, Compared, Proved, TrainingResult, TrainingRun
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE trainings (number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, result TEXT NOT NULL DEFAULT '',"
        " compared TEXT NOT NULL DEFAULT '', adapter TEXT NOT NULL DEFAULT '') STRICT"
    )


def _proved(db: Database) -> None:
    db.execute("ALTER TABLE trainings ADD COLUMN proved TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE trainings ADD COLUMN source TEXT NOT NULL DEFAULT ''")


def _place(db: Database) -> None:
    """The place in a sweep of a run that was erased ("sweep-2/3"): it stays, so that the run isn't trained again."""
    db.execute("ALTER TABLE trainings ADD COLUMN place TEXT NOT NULL DEFAULT ''")


SCHEMA = Migrations("training", (_first, _proved, _place))


class Row(NamedTuple):
    """Of a run: the digests of its records, "" where there is none, and the spec's file on this machine."""

    number: int
    run: Digest
    result: str
    compared: str
    proved: str
    source: str


def next_number(reader: Reader) -> int:
    return int(reader.db.execute("SELECT coalesce(max(number), 0) + 1 FROM trainings").fetchone()[0])


def start(unit: Unit, number: int, run: TrainingRun, datasets: tuple[Digest, ...], source: str = "") -> Digest:
    """Record a run before its first step. `source`: where its spec lies on this machine, for going on with it; no part of the record."""
    digest = unit.put(run, links=datasets)
    unit.db.execute("INSERT INTO trainings (number, digest, source) VALUES (?, ?, ?)", [number, digest, source])
    return digest


def close(unit: Unit, run: Digest, result: TrainingResult) -> Digest:
    """Record how a run ended, in place of what was said of it before."""
    files = [Digest(found) for found in (result.weights, result.config, result.gguf) if found]
    digest = unit.put(result, links=(run, *files))
    unit.db.execute("UPDATE trainings SET result = ?, adapter = ? WHERE digest = ?", [digest, result.gguf, run])
    return digest


def answer(unit: Unit, answered: Answered) -> None:
    """Record what the model answered at a run's checkpoints."""
    unit.put(answered, links=(answered.run,))


def answered(reader: Reader, run: Digest) -> Answered | None:
    """What was recorded last of that; None for nothing."""
    found = [one for one in reader.linked_from(run) if reader.kind(one) == "training-samples"]
    every = [reader.get(one, Answered) for one in found]
    return max(every, key=lambda one: max((part.step for part in one.sampled), default=0), default=None)


def compare(unit: Unit, run: Digest, result: Digest, compared: Compared) -> Digest:
    """Record what an adapter was found to do."""
    digest = unit.put(compared, links=(result, compared.dataset_digest))
    unit.db.execute("UPDATE trainings SET compared = ? WHERE digest = ?", [digest, run])
    return digest


def prove(unit: Unit, run: Digest, result: Digest, proved: Proved) -> Digest:
    """Record what the evaluation found."""
    digest = unit.put(proved, links=(result,))
    unit.db.execute("UPDATE trainings SET proved = ? WHERE digest = ?", [digest, run])
    return digest


def erase(unit: Unit, runs: Sequence[Digest]) -> None:
    """Empty the rows of these runs, whose records are still there. They stay, so that no number is given twice, and with their place in a sweep."""
    for run in runs:
        unit.db.execute(
            "UPDATE trainings SET digest = 'erased-' || number, result = '', compared = '', adapter = '', proved = '', source = '',"
            " place = ? WHERE digest = ?",
            [unit.get(run, TrainingRun).spec.sweep, run],
        )


def erased_places(reader: Reader) -> frozenset[str]:
    """The places in sweeps whose run was erased."""
    rows = reader.db.execute("SELECT place FROM trainings WHERE place != '' AND digest LIKE 'erased-%'").fetchall()
    return frozenset(str(place) for (place,) in rows)


def everything(reader: Reader) -> tuple[Row, ...]:
    """All runs, newest first."""
    rows = reader.db.execute(
        "SELECT number, digest, result, compared, proved, source FROM trainings WHERE digest NOT LIKE 'erased-%'"
        " ORDER BY number DESC"
    ).fetchall()
    return tuple(Row(int(row[0]), Digest(row[1]), *map(str, row[2:])) for row in rows)


def find(reader: Reader, number: int) -> Row | None:
    return next((row for row in everything(reader) if row.number == number), None)


def lent(reader: Reader, name: str) -> Row | None:
    """The run whose adapter that is: by the digest of its GGUF, or `training-3`; None for none."""
    rows = reader.db.execute(
        "SELECT number FROM trainings WHERE adapter != '' AND (adapter = ? OR 'training-' || number = ?)", [name, name]
    ).fetchall()
    return find(reader, int(rows[0][0])) if rows else None
