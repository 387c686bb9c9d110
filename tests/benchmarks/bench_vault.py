"""What encryption, digests and the audit log cost beside plain SQLite, and how a vault with a million records behaves."""

import hashlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import sqlcipher3.dbapi2 as sqlite

from core.jobs import Job
from core.records import Record
from core.trust.passphrases import FLOOR_MEMORY, FLOOR_PASSES, Kdf, derive, new_kdf
from core.vault import slots
from core.vault.backup import backup
from core.vault.check import check
from core.vault.compact import compact
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.benchmarks.figures import PAIRS, Figure, figures, median_seconds, paired_ratio, seconds

PASSPHRASE = "a bench by the river"
MILLION = 1_000_000
AT_ONCE = 5_000
"""Records in one change: an import of some documents, or a part of a run."""
CHUNKS = 40_000
"""Passages in the full-text index: some hundred handbooks."""
WORDS = (
    "investigator reports serious adverse event safety desk within hours case record signed reviewed dose visit".split()
)
QUERIES = ("adverse AND event17", '"safety event42"', "dose OR visit", "case AND event3", "event99*")
TABLES = (
    "CREATE TABLE records(seq INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, author TEXT NOT NULL,"
    " time TEXT NOT NULL, content BLOB NOT NULL) STRICT",
    "CREATE INDEX records_by_kind ON records(kind, seq)",
)
FOUND = (
    "CREATE VIRTUAL TABLE found USING fts5(text, content = '', contentless_delete = 1, tokenize = 'porter unicode61')"
)
BEST = "SELECT rowid FROM found WHERE found MATCH ? ORDER BY bm25(found), rowid LIMIT 20"


class Case(Record, frozen=True, kw_only=True, tag="bench-case"):
    """As large as a passage's trace or a sample: half a kilobyte."""

    name: str
    number: int
    text: str
    score: float


def weak() -> Kdf:
    return new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES)


def cases(count: int, words: int = 70) -> list[Case]:
    text = " ".join((WORDS * 9)[:words])
    return [Case(name=f"case-{n}", number=n, text=f"{text} {n}", score=(n % 97) / 97) for n in range(count)]


def passage(number: int) -> str:
    """Some eighty words, a few of them rare."""
    words = random.Random(number)
    return " ".join(f"{words.choice(WORDS)} event{words.randrange(211)}" for _ in range(40))


def made(folder: Path, name: str, schema: tuple[Migrations, ...] = ()) -> Vault:
    return Vault.create(folder / f"{name}.assay", "ines", "Ines", PASSPHRASE, schema, weak)


def plain(file: Path, *tables: str) -> sqlite.Connection:
    """An unencrypted file by the same build of SQLite, with the same care for what was committed."""
    db = sqlite.connect(str(file), isolation_level=None)
    pragmas = ("page_size = 8192", "journal_mode = WAL", "synchronous = FULL", "cache_size = -32768")
    for statement in (*(f"PRAGMA {pragma}" for pragma in pragmas), *tables):
        db.execute(statement)
    return db


@figures("vault.insert")
def insert() -> Iterator[Figure]:
    """The plain side writes the same columns, JSON and SHA-256 too, without nonce, canonical form, log and encryption."""
    rows = cases(AT_ONCE)
    with tempfile.TemporaryDirectory() as folder, made(Path(folder), "Insert") as vault:
        other = plain(Path(folder) / "plain.db", *TABLES)
        salt = 0

        def ours() -> None:
            with vault.write(Act.ADD_DATASET, about="cases") as unit:
                for row in rows:
                    unit.put(row)

        def theirs() -> None:
            nonlocal salt
            salt += 1
            other.execute("BEGIN IMMEDIATE")
            for row in rows:
                content = json.dumps({**msgspec.to_builtins(row), "import": salt}).encode()
                other.execute(
                    "INSERT INTO records(digest, kind, author, time, content) VALUES (?, ?, ?, ?, ?)",
                    (hashlib.sha256(content).hexdigest(), "bench-case", "ines", "2026-01-01T00:00:00+00:00", content),
                )
            other.execute("COMMIT")

        yield Figure("vault.insert_over_plain", paired_ratio(ours, theirs, 2 * PAIRS + 1), "x", "<= 1.5")
        yield Figure("vault.insert", AT_ONCE / median_seconds(ours), "records/s")
        other.close()


@figures("vault.search")
def search() -> Iterator[Figure]:
    def table(db: Database) -> None:
        db.execute(FOUND)

    texts = [(number, passage(number)) for number in range(CHUNKS)]
    with (
        tempfile.TemporaryDirectory() as folder,
        made(Path(folder), "Search", (Migrations("found", (table,)),)) as vault,
    ):
        other = plain(Path(folder) / "plain.db", FOUND)
        with vault.write(Act.ADD_DOCUMENTS) as unit:
            unit.db.conn.executemany("INSERT INTO found(rowid, text) VALUES (?, ?)", texts)
        other.execute("BEGIN")
        other.executemany("INSERT INTO found(rowid, text) VALUES (?, ?)", texts)
        other.execute("COMMIT")

        def ours() -> None:
            for query in QUERIES:
                with vault.read() as reader:
                    assert reader.db.execute(BEST, (query,)).fetchall()

        def theirs() -> None:
            for query in QUERIES:
                assert other.execute(BEST, (query,)).fetchall()

        yield Figure("vault.search_over_plain", paired_ratio(ours, theirs, 2 * PAIRS + 1), "x", "<= 2")
        yield Figure("vault.search", median_seconds(ours) / len(QUERIES) * 1000, "ms")
        other.close()


@figures("vault.sign")
def sign() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, made(Path(folder), "Sign") as vault:
        with vault.write(Act.ADD_DATASET) as unit:
            subjects = [unit.put(case) for case in cases(2 * PAIRS + 1)]
        times = []
        with vault.confirm(PASSPHRASE) as signer:
            for subject in subjects:
                started = time.perf_counter()
                with vault.write(Act.SIGN) as unit:
                    unit.sign(signer, subject, "case", "authored", "")
                times.append(time.perf_counter() - started)
        yield Figure("vault.sign", statistics.median(times) * 1000, "ms", "<= 50")


@figures("vault.million")
def million() -> Iterator[Figure]:
    rows = cases(AT_ONCE, words=12)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with made(folder, "Million") as vault:

            def fill() -> None:
                for _ in range(MILLION // AT_ONCE):
                    with vault.write(Act.ADD_DATASET, about="cases") as unit:
                        for row in rows:
                            unit.put(row)

            yield Figure("vault.million_filled", seconds(fill), "s")
        where = folder / "Million.assay"
        kdf = slots.read(where).slots[0].kdf
        opened = []
        for _ in range(PAIRS):
            derivation = median_seconds(lambda: derive(PASSPHRASE, kdf), 3)
            started = time.perf_counter()
            vault = Vault.open(where, "ines", PASSPHRASE)
            opened.append(time.perf_counter() - started - derivation)
            vault.close()
        yield Figure("vault.million_open", statistics.median(opened), "s", "<= 0.2")
        with Vault.open(where, "ines", PASSPHRASE) as vault:
            size = (where / "vault.db").stat().st_size
            yield Figure("vault.million_size", size / 1e6, "MB")
            found: list[object] = []
            yield Figure("vault.million_check", seconds(lambda: found.extend(check(vault, Job("Check")))), "s")
            assert found == []
            yield Figure("vault.million_backup", seconds(lambda: backup(vault, folder / "one.backup")), "s")
            (folder / "one.backup").unlink()
            yield Figure("vault.million_compact", seconds(lambda: compact(vault)), "s")
