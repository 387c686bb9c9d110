"""Finding entries of the log: by person, act, time, words and object, among a million in a fraction of a second.

Rules: the index is filled in the transaction that appends the entry, and rebuilt from nothing else than the log; what is found is read
from the log and compared with its leaf; `check_trail` compares the whole. An entry is found by the records that it put through the range
of their rows, so that a bulk insert costs one row here; by everything else (blobs by their commitments, what was touched) through a row
for each.
"""

from collections.abc import Iterable
from datetime import datetime

from core.records import Digest
from core.trust.canonical import record_from
from core.vault import blobs
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.records import LogEntry

NEAR = 8
"""Ranges looked at for one record. There is one that fits, unless rows were erased and their numbers given again."""

WORDS = (
    "CREATE VIRTUAL TABLE trail_words USING fts5("
    "words, content='', columnsize=0, tokenize=\"unicode61 remove_diacritics 2\")"
)


def _first(db: Database) -> None:
    for statement in (
        "CREATE TABLE trail(seq INTEGER PRIMARY KEY, user TEXT NOT NULL, act TEXT NOT NULL, at INTEGER NOT NULL,"
        " first INTEGER, last INTEGER) STRICT",
        "CREATE INDEX trail_by_user ON trail(user, seq, act, at)",
        "CREATE INDEX trail_by_act ON trail(act, seq, user, at)",
        "CREATE INDEX trail_by_rows ON trail(last, first) WHERE last IS NOT NULL",
        "CREATE TABLE trail_objects(object TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(object, seq))"
        " STRICT, WITHOUT ROWID",
        WORDS,
    ):
        db.execute(statement)
    for (content,) in db.execute("SELECT entry FROM log ORDER BY seq").fetchall():
        entry, _ = record_from(content, LogEntry)
        rows = {made: _row(db, made) for made in entry.objects}
        found = [row for row in rows.values() if row is not None]
        enter(
            db,
            entry,
            (min(found), max(found)) if found else None,
            [made for made, row in rows.items() if row is None],
        )


SCHEMA = Migrations("log index", (_first,))


def enter(db: Database, entry: LogEntry, rows: tuple[int, int] | None, others: Iterable[Digest]) -> None:
    """Index an entry. `rows`: the first and the last row of the records that it put; `others`: what else it names."""
    first, last = rows or (None, None)
    db.execute(
        "INSERT INTO trail VALUES (?, ?, ?, ?, ?, ?)",
        (entry.index, entry.user, entry.act, instant(entry.time), first, last),
    )
    named = sorted({*others, *(entry.touched or ())})
    db.conn.executemany("INSERT INTO trail_objects VALUES (?, ?)", [(name, entry.index) for name in named])
    db.execute("INSERT INTO trail_words(rowid, words) VALUES (?, ?)", (entry.index, words(entry)))


def words(entry: LogEntry) -> str:
    """What of an entry is searched by its words."""
    return "\n".join(text for text in (entry.about, entry.reason, entry.before or "", entry.after or "") if text)


def instant(time: str) -> int:
    """Seconds since 1970, in UTC, of a time that the log holds."""
    return int(datetime.fromisoformat(time).timestamp())


def match(text: str) -> str:
    """An FTS5 query for texts that hold all words of `text`, the last one from its beginning. Empty when it has no words."""
    quoted = [f'"{word}"' for word in text.replace('"', " ").split() if any(sign.isalnum() for sign in word)]
    return " AND ".join(quoted) + "*" if quoted else ""


def of_object(db: Database, digest: Digest) -> tuple[str, list[object]]:
    """SQL that selects the numbers of the entries which name a record or a blob, and its parameters."""
    name, row = logged_name(db, digest), _row(db, digest)
    if row is not None:
        ranges = "SELECT seq FROM (SELECT seq, first FROM trail WHERE last >= ? ORDER BY last LIMIT ?) WHERE first <= ?"
        return f"SELECT seq FROM trail_objects WHERE object = ? UNION {ranges}", [name, row, NEAR, row]
    if name != digest or db.execute("SELECT 1 FROM trail_objects WHERE object = ?", (name,)).fetchone():
        return "SELECT seq FROM trail_objects WHERE object = ?", [name]
    return "SELECT seq FROM log WHERE instr(entry, ?)", [name.encode("ascii")]


def names(db: Database, entry: LogEntry, digest: Digest) -> bool:
    """Whether an entry names a record or a blob."""
    name = logged_name(db, digest)
    return name in entry.objects or name in (entry.touched or ())


def logged_name(db: Database, digest: Digest) -> Digest:
    """How the log names it: a blob by its commitment."""
    row = db.execute("SELECT nonce FROM blobs WHERE digest = ?", (digest,)).fetchone()
    return digest if row is None else blobs.commitment(row[0], digest)


def _row(db: Database, digest: Digest) -> int | None:
    row = db.execute("SELECT seq FROM records WHERE digest = ?", (digest,)).fetchone()
    return None if row is None else int(row[0])
