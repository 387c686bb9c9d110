"""The tables of runs: which there are, their outcomes, and how they ended."""

from collections.abc import Iterable, Sequence

from core.evals import answered
from core.evals.records import Outcome, Run, RunResult, SpecVersion
from core.models import store as models_store
from core.models.records import ModelFile
from core.records import Digest, kind
from core.vault import versions
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE runs (number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, result TEXT NOT NULL DEFAULT '')"
    )
    db.execute(
        "CREATE TABLE outcomes (run TEXT NOT NULL, variant TEXT NOT NULL, sample TEXT NOT NULL, digest TEXT NOT NULL,"
        " PRIMARY KEY (run, variant, sample)) WITHOUT ROWID"
    )


def _repetitions(db: Database) -> None:
    db.execute(
        "CREATE TABLE asked (run TEXT NOT NULL, variant TEXT NOT NULL, sample TEXT NOT NULL, repetition INTEGER NOT NULL,"
        " digest TEXT NOT NULL, PRIMARY KEY (run, variant, sample, repetition)) WITHOUT ROWID"
    )
    db.execute("INSERT INTO asked SELECT run, variant, sample, 0, digest FROM outcomes")
    db.execute("DROP TABLE outcomes")
    db.execute("ALTER TABLE asked RENAME TO outcomes")


def _cached(db: Database) -> None:
    db.execute(
        "CREATE TABLE cached (request TEXT NOT NULL, backend TEXT NOT NULL, outcome TEXT NOT NULL,"
        " PRIMARY KEY (request, backend)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX cached_outcome ON cached (outcome)")


def _views(db: Database) -> None:
    db.execute("CREATE TABLE views (name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID")


def _marks(db: Database) -> None:
    db.execute(
        "CREATE TABLE marks (run TEXT NOT NULL, outcome TEXT NOT NULL, scorer TEXT NOT NULL, user TEXT NOT NULL, digest TEXT NOT NULL,"
        " PRIMARY KEY (run, outcome, scorer, user)) WITHOUT ROWID"
    )


SCHEMA = Migrations("evals", (_first, _repetitions, _cached, _views, _marks, answered.create))
_LEFT = "NOT EXISTS (SELECT 1 FROM erased WHERE object = runs.digest)"
"""An erased run's row stays, so that its number isn't given again."""


MARK = "mark"
"""The kind of the records of what people say of outcomes."""
SPECS = "eval"
"""The kind of the specs' versions."""


def next_number(reader: Reader) -> int:
    return int(reader.db.execute("SELECT coalesce(max(number), 0) + 1 FROM runs").fetchone()[0])


def start(unit: Unit, number: int, run: Run) -> Digest:
    """Record a run before its first sample."""
    digest = unit.put(run, links=(run.spec, run.dataset))
    unit.db.execute("INSERT INTO runs (number, digest) VALUES (?, ?)", [number, digest])
    return digest


def add(unit: Unit, run: Digest, outcomes: Iterable[Outcome]) -> list[tuple[Digest, Outcome]]:
    """Record outcomes; each with its digest, in their order."""
    written = []
    for outcome in outcomes:
        digest = unit.put(outcome, links=(run,))
        unit.db.execute(
            "INSERT INTO outcomes (run, variant, sample, repetition, digest) VALUES (?, ?, ?, ?, ?)",
            [run, outcome.variant, outcome.sample, outcome.repetition, digest],
        )
        written.append((digest, outcome))
    return written


def cache(unit: Unit, request: str, backend: str, outcome: Digest) -> None:
    """An outcome holds what that backend answers to a request; the first one that does is kept."""
    unit.db.execute(
        "INSERT OR IGNORE INTO cached (request, backend, outcome) VALUES (?, ?, ?)", [request, backend, outcome]
    )


def cached(reader: Reader, request: str, backend: str) -> Digest | None:
    """The outcome that holds what that backend answers to a request."""
    row = reader.db.execute(
        "SELECT outcome FROM cached WHERE request = ? AND backend = ?", [request, backend]
    ).fetchone()
    return Digest(row[0]) if row else None


def close(unit: Unit, run: Digest, result: RunResult) -> Digest:
    digest = unit.put(result, links=(run,))
    unit.db.execute("UPDATE runs SET result = ? WHERE digest = ?", [digest, run])
    return digest


def runs(reader: Reader) -> tuple[tuple[Digest, str], ...]:
    """(digest, result digest or "") of each run, newest first."""
    rows = reader.db.execute(f"SELECT digest, result FROM runs WHERE {_LEFT} ORDER BY number DESC").fetchall()
    return tuple((Digest(run), str(result)) for run, result in rows)


def find(reader: Reader, number: int) -> tuple[Digest, str] | None:
    row = reader.db.execute(f"SELECT digest, result FROM runs WHERE number = ? AND {_LEFT}", [number]).fetchone()
    return (Digest(row[0]), str(row[1])) if row else None


def outcomes(reader: Reader, run: Digest) -> tuple[tuple[Digest, Outcome], ...]:
    """The outcomes of a run with their digests, in the order of variant, sample and repetition."""
    rows = reader.db.execute(
        "SELECT digest FROM outcomes WHERE run = ? ORDER BY variant, sample, repetition", [run]
    ).fetchall()
    return tuple((Digest(row[0]), reader.get(Digest(row[0]), Outcome)) for row in rows)


def outcome_digests(reader: Reader, run: Digest) -> tuple[Digest, ...]:
    """The outcomes of a run, without reading them."""
    rows = reader.db.execute(
        "SELECT digest FROM outcomes WHERE run = ? ORDER BY variant, sample, repetition", [run]
    ).fetchall()
    return tuple(Digest(row[0]) for row in rows)


def outcome(reader: Reader, run: Digest, variant: str, sample: str, repetition: int) -> Digest | None:
    """The outcome of a sample under a variant of a run, the given time that it was asked."""
    row = reader.db.execute(
        "SELECT digest FROM outcomes WHERE run = ? AND variant = ? AND sample = ? AND repetition = ?",
        [run, variant, sample, repetition],
    ).fetchone()
    return Digest(row[0]) if row else None


def add_mark(unit: Unit, run: Digest, outcome: Digest, scorer: str, user: str, digest: Digest) -> None:
    """A person's mark on an outcome, in place of their earlier one."""
    unit.db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)", [run, outcome, scorer, user, digest])


def marks(reader: Reader, run: Digest) -> tuple[Digest, ...]:
    """The marks of a run that count."""
    rows = reader.db.execute("SELECT digest FROM marks WHERE run = ? ORDER BY outcome, scorer, user", [run]).fetchall()
    return tuple(Digest(row[0]) for row in rows)


def marks_on(reader: Reader, record: Digest) -> tuple[Digest, ...]:
    """All marks on a run or an outcome, those too that were replaced."""
    return tuple(found for found in reader.linked_from(record) if reader.kind(found) == MARK)


def parts(reader: Reader, run: Digest) -> tuple[Digest, ...]:
    """All records that make up a run: itself, its results (one more each time that it was resumed), its outcomes and those that waited for judges,
    people's marks."""
    results = (found for found in reader.linked_from(run) if reader.kind(found) == kind(RunResult))
    return (run, *results, *answered.digests(reader, run), *outcome_digests(reader, run), *marks_on(reader, run))


def erase_outcomes(unit: Unit, digests: Sequence[Digest]) -> None:
    """Take single outcomes out of their runs, and out of what can be answered again."""
    answered.erase(unit, digests)  # found by the outcomes that they became
    unit.db.conn.executemany("DELETE FROM cached WHERE outcome = ?", [(digest,) for digest in digests])
    unit.db.conn.executemany("DELETE FROM outcomes WHERE digest = ?", [(digest,) for digest in digests])
    unit.db.conn.executemany("DELETE FROM marks WHERE outcome = ?", [(digest,) for digest in digests])


def erase_outcomes_of(unit: Unit, runs: Sequence[Digest]) -> None:
    """Take all outcomes of runs out of the tables."""
    unit.db.conn.executemany(
        "DELETE FROM cached WHERE outcome IN (SELECT digest FROM outcomes WHERE run = ?)", [(run,) for run in runs]
    )
    unit.db.conn.executemany("DELETE FROM outcomes WHERE run = ?", [(run,) for run in runs])
    answered.erase_of(unit, runs)
    unit.db.conn.executemany("DELETE FROM marks WHERE run = ?", [(run,) for run in runs])


def uses_of(reader: Reader, model: ModelFile) -> list[str]:
    """The specs whose latest version names a model, by its name, digest or alias, each as the end of a sentence."""
    specs = (reader.get(digest, SpecVersion) for digest in versions.latest(reader, SPECS))
    return [
        f"the spec {spec.name} names it"
        for spec in specs
        if any(
            name.lower() in (model.name, model.digest) or models_store.pointed(reader, name.lower()) == model.digest
            for name in spec.spec.models
        )
    ]
