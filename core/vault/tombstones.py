"""What was erased: the tombstones, and the only way by which the database lets content go.

Rules, which triggers enforce:

1. A record, its links, and a blob's pieces are deleted only after a row of `erased` names them, and such a row only comes with a
   tombstone record that is there already. Rows of `erased` and tombstones stay.
2. What stays has no fingerprint of the content. A record is named by its digest, which a nonce hid that went with the record; a blob
   by the commitment that the log holds, whose nonce went with the blob. A blob's own SHA-256 stood in `blobs`, in the records that
   name the file and in their links: it is erased when the last of them goes, and never stands in a tombstone.
3. Nothing in a tombstone was written by somebody else than the person who erased: no name, no title, no path.
"""

from typing import Literal

from core.records import Digest, Record
from core.vault.connection import Database
from core.vault.migrations import Migrations

Basis = Literal["law", "rule"]


class Erased(Record, frozen=True, kw_only=True):
    """One record or blob that is gone."""

    kind: str
    """The record's kind, or "blob"."""
    object: Digest
    """The record's digest, or the commitment to the blob: what the log names it by."""


class Tombstone(Record, frozen=True, kw_only=True, tag="tombstone"):
    """What stays of erased content. Signed by the person who erased it."""

    erased: tuple[Erased, ...]
    basis: Basis
    rule: str
    """The retention rule, as in "traces after 365 days"; empty for an erasure by law."""
    reason: str
    user: str
    time: str


def _first(db: Database) -> None:
    for statement in (
        "CREATE TABLE erased(object TEXT PRIMARY KEY, tombstone TEXT NOT NULL, blob INTEGER UNIQUE) STRICT",
        "CREATE INDEX erased_by_tombstone ON erased(tombstone)",
        "CREATE TRIGGER erased_needs_tombstone BEFORE INSERT ON erased WHEN NOT EXISTS"
        " (SELECT 1 FROM records WHERE digest = NEW.tombstone AND kind = 'tombstone')"
        " BEGIN SELECT RAISE(ABORT, 'nothing is erased without a tombstone'); END",
        "CREATE TRIGGER erased_stays BEFORE UPDATE ON erased"
        " WHEN NEW.object IS NOT OLD.object OR NEW.tombstone IS NOT OLD.tombstone OR NEW.blob IS NOT NULL"
        " BEGIN SELECT RAISE(ABORT, 'what was erased stays told'); END",
        "CREATE TRIGGER erased_remains BEFORE DELETE ON erased"
        " BEGIN SELECT RAISE(ABORT, 'what was erased stays told'); END",
        "CREATE TRIGGER records_remain BEFORE DELETE ON records"
        " WHEN OLD.kind = 'tombstone' OR NOT EXISTS (SELECT 1 FROM erased WHERE object = OLD.digest)"
        " BEGIN SELECT RAISE(ABORT, 'records are erased only with a tombstone'); END",
        "CREATE TRIGGER links_remain BEFORE DELETE ON links"
        " WHEN NOT EXISTS (SELECT 1 FROM erased WHERE object = OLD.source)"
        " BEGIN SELECT RAISE(ABORT, 'links are erased only with a tombstone'); END",
        "CREATE TRIGGER pieces_stay BEFORE UPDATE ON pieces BEGIN SELECT RAISE(ABORT, 'contents are immutable'); END",
        "CREATE TRIGGER blobs_stay BEFORE UPDATE ON blobs WHEN OLD.digest IS NOT NULL"
        " BEGIN SELECT RAISE(ABORT, 'contents are immutable'); END",
        "CREATE TRIGGER pieces_remain BEFORE DELETE ON pieces"
        " WHEN EXISTS (SELECT 1 FROM blobs WHERE id = OLD.blob AND digest IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM erased WHERE blob = OLD.blob)"
        " BEGIN SELECT RAISE(ABORT, 'contents are erased only with a tombstone'); END",
        "CREATE TRIGGER blobs_remain BEFORE DELETE ON blobs"
        " WHEN OLD.digest IS NOT NULL AND NOT EXISTS (SELECT 1 FROM erased WHERE blob = OLD.id)"
        " BEGIN SELECT RAISE(ABORT, 'contents are erased only with a tombstone'); END",
    ):
        db.execute(statement)


SCHEMA = Migrations("tombstones", (_first,))


def of(db: Database, object: str) -> Digest | None:
    """The tombstone of an erased record or blob (by its commitment)."""
    row = db.execute("SELECT tombstone FROM erased WHERE object = ?", (object,)).fetchone()
    return Digest(row[0]) if row else None


def count(db: Database) -> int:
    """Records and blobs that were erased here."""
    return int(db.execute("SELECT count(*) FROM erased").fetchone()[0])


def why_absent(db: Database, digest: str) -> str:
    """A sentence for the person who looks for a record that isn't there."""
    row = db.execute(
        "SELECT r.time, r.digest FROM erased e JOIN records r ON r.digest = e.tombstone WHERE e.object = ?", (digest,)
    ).fetchone()
    if row is None:
        return "It was never recorded in this vault."
    return f"It was erased on {row[0][:10]}; the tombstone {row[1]} says why."


def delete_record(db: Database, tombstone: Digest, digest: Digest) -> None:
    """Let a record and its links go."""
    db.execute("INSERT INTO erased VALUES (?, ?, NULL)", (digest, tombstone))
    db.execute("DELETE FROM links WHERE source = ?", (digest,))
    db.execute("DELETE FROM records WHERE digest = ?", (digest,))


def delete_blob(db: Database, tombstone: Digest, digest: Digest, commitment: Digest) -> None:
    """Let a blob go with its nonce. Its row number may be used again, so `erased` forgets it at the end."""
    (row,) = db.execute("SELECT id FROM blobs WHERE digest = ?", (digest,)).fetchone()
    db.execute("INSERT INTO erased VALUES (?, ?, ?)", (commitment, tombstone, row))
    db.execute("DELETE FROM pieces WHERE blob = ?", (row,))
    db.execute("DELETE FROM blobs WHERE id = ?", (row,))
    db.execute("UPDATE erased SET blob = NULL WHERE object = ?", (commitment,))
