"""The tables of screening: policies, documents that wait with what was found in them, what was decided, what was excluded, and signatures of texts.

Rules: a document that waits lies here whole, in the encrypted file and nowhere else, until it is taken in or excluded; then its bytes are gone from
here. A decision is remembered by the document's name, the kind and the key, so that the next version isn't asked about again.
"""

import os
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from core.documents.screening.finding import texts as text_of_places
from core.documents.screening.records import Finding, ScreeningPolicy, Shown, Waiting
from core.documents.worker.records import Parsed
from core.guards.similar import VALUES, Signature
from core.records import Digest
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit

AROUND = 60
"""Characters that are shown before and after a finding."""
LONGEST = 400
"""Of a finding that is shown."""


def _first(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE screening_policies(
            collection TEXT PRIMARY KEY, digest TEXT NOT NULL, salt BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE screening_waiting(
            id INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL,
            data BLOB NOT NULL, parsed BLOB NOT NULL, UNIQUE(collection, name)) STRICT;
        CREATE TABLE screening_findings(
            id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES screening_waiting(id), kind TEXT NOT NULL, key TEXT NOT NULL,
            places BLOB NOT NULL, detail TEXT NOT NULL, decision TEXT NOT NULL, by TEXT NOT NULL) STRICT;
        CREATE INDEX screening_findings_by_document ON screening_findings(document);
        CREATE TABLE screening_decisions(
            collection TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, action TEXT NOT NULL,
            PRIMARY KEY(collection, name, kind, key)) STRICT, WITHOUT ROWID;
        CREATE TABLE screening_excluded(
            collection TEXT NOT NULL, content TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY(collection, content)) STRICT, WITHOUT ROWID;
        CREATE TABLE screening_signatures(
            collection TEXT NOT NULL, content TEXT NOT NULL, signature BLOB NOT NULL, PRIMARY KEY(collection, content)) STRICT, WITHOUT ROWID;
        """
    )


SCHEMA = Migrations("screening", (_first,))


def known(reader: Reader) -> bool:
    """Whether this vault has the tables; one that was opened without them screens nothing."""
    return reader.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'screening_policies'").fetchone() is not None


def policy(reader: Reader, collection: str) -> ScreeningPolicy:
    """A collection's policy; off where none was set."""
    row = None
    if known(reader):
        row = reader.db.execute("SELECT digest FROM screening_policies WHERE collection = ?", (collection,)).fetchone()
    return ScreeningPolicy(collection=collection) if row is None else reader.get(Digest(row[0]), ScreeningPolicy)


def set_policy(unit: Unit, digest: Digest, collection: str) -> None:
    """Make the record `digest` a collection's policy; the salt stays."""
    unit.db.execute(
        "INSERT INTO screening_policies VALUES (?, ?, ?) ON CONFLICT(collection) DO UPDATE SET digest = excluded.digest",
        (collection, digest, os.urandom(32)),
    )


def salt(reader: Reader, collection: str) -> bytes:
    row = reader.db.execute("SELECT salt FROM screening_policies WHERE collection = ?", (collection,)).fetchone()
    return bytes(row[0])


def decided(reader: Reader, collection: str, name: str) -> dict[tuple[str, str], str]:
    """What was decided about a document of that name, by kind and key."""
    rows = reader.db.execute(
        "SELECT kind, key, action FROM screening_decisions WHERE collection = ? AND name = ?", (collection, name)
    )
    return {(kind, key): action for kind, key, action in rows.fetchall()}


def remember(unit: Unit, collection: str, name: str, decisions: Iterable[tuple[str, str, str]]) -> None:
    rows = [(collection, name, *decision) for decision in decisions]
    unit.db.conn.executemany("INSERT OR REPLACE INTO screening_decisions VALUES (?, ?, ?, ?, ?)", rows)


def is_excluded(reader: Reader, collection: str, content: Digest) -> bool:
    row = reader.db.execute(
        "SELECT 1 FROM screening_excluded WHERE collection = ? AND content = ?", (collection, content)
    ).fetchone()
    return row is not None


def is_waiting(reader: Reader, collection: str, name: str, content: Digest) -> bool:
    row = reader.db.execute(
        "SELECT 1 FROM screening_waiting WHERE collection = ? AND name = ? AND content = ?", (collection, name, content)
    ).fetchone()
    return row is not None


def waits(reader: Reader, collection: str, content: Digest) -> bool:
    """Whether a document with these bytes waits, or was excluded."""
    row = reader.db.execute(
        "SELECT 1 FROM screening_waiting WHERE collection = ? AND content = ?", (collection, content)
    ).fetchone()
    return row is not None or is_excluded(reader, collection, content)


def hold(
    unit: Unit,
    collection: str,
    name: str,
    content: Digest,
    data: bytes,
    parsed: Parsed,
    found: Sequence[tuple[Finding, str, str]],
) -> None:
    """Let a document wait, in place of an earlier version that waits; findings with decision and who decided."""
    drop(unit, collection, name)
    row = unit.db.execute(
        "INSERT INTO screening_waiting(collection, name, content, data, parsed) VALUES (?, ?, ?, ?, ?)",
        (collection, name, content, data, msgspec.msgpack.encode(parsed)),
    ).lastrowid
    unit.db.conn.executemany(
        "INSERT INTO screening_findings(document, kind, key, places, detail, decision, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(row, one.kind, one.key, msgspec.msgpack.encode(one.places), one.detail, done, by) for one, done, by in found],
    )


def drop(unit: Unit, collection: str, name: str) -> None:
    """Forget a document that waits, if one of that name does."""
    unit.db.execute(
        "DELETE FROM screening_findings WHERE document IN (SELECT id FROM screening_waiting WHERE collection = ? AND name = ?)",
        (collection, name),
    )
    unit.db.execute("DELETE FROM screening_waiting WHERE collection = ? AND name = ?", (collection, name))


def exclude(unit: Unit, collection: str, name: str, content: Digest) -> None:
    """A document with these bytes isn't asked about again; what waited of it is gone."""
    drop(unit, collection, name)
    unit.db.execute("INSERT OR REPLACE INTO screening_excluded VALUES (?, ?, ?)", (collection, content, name))


def excluded(reader: Reader, collection: str) -> tuple[str, ...]:
    rows = reader.db.execute("SELECT name FROM screening_excluded WHERE collection = ? ORDER BY name", (collection,))
    return tuple(str(name) for (name,) in rows.fetchall())


def readmit(unit: Unit, collection: str, name: str) -> int:
    """An excluded document may come in again; how many contents went by that name."""
    gone = unit.db.execute("DELETE FROM screening_excluded WHERE collection = ? AND name = ?", (collection, name))
    unit.db.execute(
        "DELETE FROM screening_decisions WHERE collection = ? AND name = ? AND action = 'exclude'", (collection, name)
    )
    return int(gone.rowcount)


def waiting(reader: Reader, collection: str) -> tuple[Waiting, ...]:
    """The documents that wait, by name."""
    rows = reader.db.execute(
        "SELECT w.name, w.parsed, count(f.id), coalesce(sum(f.decision = ''), 0), coalesce(sum(f.decision = 'exclude'), 0)"
        " FROM screening_waiting w LEFT JOIN screening_findings f ON f.document = w.id WHERE w.collection = ? GROUP BY w.id ORDER BY w.name",
        (collection,),
    ).fetchall()
    return tuple(
        Waiting(name=name, pages=len(_parsed(parsed).pages), findings=int(number), open=int(left), excluded=out > 0)
        for name, parsed, number, left, out in rows
    )


def collections(reader: Reader) -> tuple[str, ...]:
    """The collections for which documents wait, by name; such a collection need not be there yet."""
    if not known(reader):
        return ()
    rows = reader.db.execute("SELECT DISTINCT collection FROM screening_waiting ORDER BY collection").fetchall()
    return tuple(str(name) for (name,) in rows)


def open_kinds(reader: Reader, collection: str) -> dict[str, int]:
    rows = reader.db.execute(
        "SELECT f.kind, count(*) FROM screening_findings f JOIN screening_waiting w ON w.id = f.document"
        " WHERE w.collection = ? AND f.decision = '' GROUP BY f.kind ORDER BY f.kind",
        (collection,),
    )
    return {str(kind): int(number) for kind, number in rows.fetchall()}


def load(
    reader: Reader, collection: str, name: str
) -> tuple[Digest, bytes, Parsed, list[tuple[int, Finding, str, str]]]:
    """A document that waits: content, bytes, as parsed, and its findings (id, finding, decision, by)."""
    row = reader.db.execute(
        "SELECT id, content, data, parsed FROM screening_waiting WHERE collection = ? AND name = ?", (collection, name)
    ).fetchone()
    return Digest(row[1]), bytes(row[2]), _parsed(row[3]), _findings(reader, int(row[0]))


def shown(reader: Reader, collection: str, documents: Sequence[str] = (), kinds: Sequence[str] = ()) -> list[Shown]:
    """The findings of documents that wait, each with what stands around its first place."""
    found = []
    rows = reader.db.execute(
        "SELECT id, name, parsed FROM screening_waiting WHERE collection = ? ORDER BY name", (collection,)
    ).fetchall()
    for row, name, packed in rows:
        if documents and name not in documents:
            continue
        parsed = _parsed(packed)
        texts = text_of_places(parsed)
        for id_, one, decision, by in _findings(reader, int(row)):
            if kinds and one.kind not in kinds:
                continue
            page, start, end = one.places[0] if one.places else (0, 0, 0)
            text = texts[page]
            found.append(
                Shown(
                    id=id_,
                    document=name,
                    kind=one.kind,
                    page=page,
                    times=max(len(one.places), 1),
                    text=text[start:end][:LONGEST],
                    before=text[max(start - AROUND, 0) : start],
                    after=text[end : end + AROUND],
                    detail=one.detail,
                    decision=decision,
                    by=by,
                )
            )
    return found


def decide(unit: Unit, ids: Iterable[int], action: str, by: str) -> None:
    rows = [(action, by, id_) for id_ in ids]
    unit.db.conn.executemany("UPDATE screening_findings SET decision = ?, by = ? WHERE id = ?", rows)


def signatures(
    reader: Reader, collection: str
) -> tuple[list[tuple[str, str]], np.ndarray[tuple[int, int], np.dtype[np.uint32]]]:
    """(name, content) and signatures of the documents that are in the collection or wait for it."""
    rows = reader.db.execute(
        "SELECT d.name, s.content, s.signature FROM screening_signatures s JOIN collections c ON c.name = s.collection"
        " JOIN documents d ON d.collection = c.id AND d.content = s.content AND d.current = 1 WHERE s.collection = ?1"
        " UNION SELECT w.name, s.content, s.signature FROM screening_signatures s JOIN screening_waiting w"
        " ON w.collection = s.collection AND w.content = s.content WHERE s.collection = ?1 ORDER BY 1",
        (collection,),
    ).fetchall()
    matrix = np.frombuffer(b"".join(row[2] for row in rows), dtype="<u4").reshape(len(rows), VALUES)
    return [(str(name), str(content)) for name, content, _ in rows], matrix.astype(np.uint32)


def keep_signature(unit: Unit, collection: str, content: Digest, signature: Signature) -> None:
    row = (collection, content, signature.astype("<u4").tobytes())
    unit.db.execute("INSERT OR REPLACE INTO screening_signatures VALUES (?, ?, ?)", row)


def _parsed(packed: bytes) -> Parsed:
    return msgspec.msgpack.decode(packed, type=Parsed)


def _findings(reader: Reader, document: int) -> list[tuple[int, Finding, str, str]]:
    rows = reader.db.execute(
        "SELECT id, kind, key, places, detail, decision, by FROM screening_findings WHERE document = ? ORDER BY id",
        (document,),
    ).fetchall()
    return [
        (
            int(id_),
            Finding(
                kind=kind,
                key=key,
                places=msgspec.msgpack.decode(places, type=tuple[tuple[int, int, int], ...]),
                detail=detail,
            ),
            decision,
            by,
        )
        for id_, kind, key, places, detail, decision, by in rows
    ]
