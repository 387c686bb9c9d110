"""Answers of a run that wait for its judges: what a run with judges has recorded before they have said anything, so that none is asked twice.

Rules: such an outcome is a record of the run like any other, and is erased with it; the final outcome stands beside it. `stage` counts the judges
that have spoken already. The newest stage of each answer counts.
"""

from collections.abc import Iterable, Sequence

from core.errors import NotFound
from core.evals.records import Outcome
from core.records import Digest
from core.vault.connection import Database
from core.vault.unit import Reader, Unit


def create(db: Database) -> None:
    """The table, as a step of the evaluations' migrations."""
    db.execute(
        "CREATE TABLE answered (run TEXT NOT NULL, variant TEXT NOT NULL, sample TEXT NOT NULL, repetition INTEGER NOT NULL,"
        " stage INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (run, variant, sample, repetition, stage)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX answered_digest ON answered (digest)")


def keep(unit: Unit, run: Digest, stage: int, outcomes: Iterable[Outcome]) -> list[tuple[Digest, Outcome]]:
    """Record outcomes that wait; each with its digest."""
    written = []
    for outcome in outcomes:
        digest = unit.put(outcome, links=(run,))
        unit.db.execute(
            "INSERT INTO answered (run, variant, sample, repetition, stage, digest) VALUES (?, ?, ?, ?, ?, ?)",
            [run, outcome.variant, outcome.sample, outcome.repetition, stage, digest],
        )
        written.append((digest, outcome))
    return written


def outcomes(reader: Reader, run: Digest) -> tuple[tuple[int, Outcome], ...]:
    """(stage, outcome) of each answer that waited, at its newest stage; those that were erased are left out."""
    rows = reader.db.execute(
        "SELECT max(stage), digest FROM answered WHERE run = ? GROUP BY variant, sample, repetition", [run]
    ).fetchall()
    found = []
    for stage, digest in rows:
        try:
            found.append((int(stage), reader.get(Digest(digest), Outcome)))
        except NotFound:
            continue
    return tuple(found)


def digests(reader: Reader, run: Digest) -> tuple[Digest, ...]:
    """The records of a run that waited, of all stages."""
    rows = reader.db.execute("SELECT digest FROM answered WHERE run = ? ORDER BY digest", [run]).fetchall()
    return tuple(Digest(row[0]) for row in rows)


def beside(reader: Reader, outcome: Digest) -> tuple[Digest, ...]:
    """The records that hold the same answer as a final outcome, from before all of its judges had spoken."""
    rows = reader.db.execute(
        "SELECT a.digest FROM answered a JOIN outcomes o ON (a.run, a.variant, a.sample, a.repetition) ="
        " (o.run, o.variant, o.sample, o.repetition) WHERE o.digest = ? ORDER BY a.stage",
        [outcome],
    ).fetchall()
    return tuple(Digest(row[0]) for row in rows)


def erase(unit: Unit, records: Sequence[Digest]) -> None:
    """Take single ones out, and those beside them."""
    records = [each for record in records for each in (record, *beside(unit, record))]
    unit.db.conn.executemany("DELETE FROM answered WHERE digest = ?", [(digest,) for digest in records])


def erase_of(unit: Unit, runs: Sequence[Digest]) -> None:
    """Take all of these runs out."""
    unit.db.conn.executemany("DELETE FROM answered WHERE run = ?", [(run,) for run in runs])
