"""The vault's own tables.

Records and blobs are found by the digest of their content; `links` lead from a record to what it was made from. `log` holds the
entries and their leaf hashes, so that an entry's content could go while its place in the tree stays.
"""

from core.vault.connection import Database
from core.vault.migrations import Migrations


def _first(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE cards(
            fingerprint TEXT PRIMARY KEY, user TEXT NOT NULL, content BLOB NOT NULL) STRICT;
        CREATE TABLE users(
            user TEXT PRIMARY KEY,
            card TEXT NOT NULL REFERENCES cards(fingerprint),
            active INTEGER NOT NULL,
            public BLOB NOT NULL,
            signing BLOB NOT NULL) STRICT;
        CREATE TABLE records(
            seq INTEGER PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            author TEXT NOT NULL,
            time TEXT NOT NULL,
            content BLOB NOT NULL) STRICT;
        CREATE INDEX records_by_kind ON records(kind, seq);
        CREATE TABLE links(
            source TEXT NOT NULL, position INTEGER NOT NULL, target TEXT NOT NULL,
            PRIMARY KEY(source, position)) STRICT, WITHOUT ROWID;
        CREATE INDEX links_by_target ON links(target, source);
        CREATE TABLE blobs(
            id INTEGER PRIMARY KEY,
            digest TEXT UNIQUE,
            size INTEGER NOT NULL,
            nonce BLOB NOT NULL) STRICT;
        CREATE TABLE pieces(
            blob INTEGER NOT NULL REFERENCES blobs(id), number INTEGER NOT NULL, content BLOB NOT NULL,
            PRIMARY KEY(blob, number)) STRICT;
        CREATE TABLE log(seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, entry BLOB NOT NULL) STRICT;
        CREATE TRIGGER records_stay BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'records are immutable'); END;
        CREATE TRIGGER links_stay BEFORE UPDATE ON links BEGIN SELECT RAISE(ABORT, 'links are immutable'); END;
        CREATE TRIGGER log_stays BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is immutable'); END;
        CREATE TRIGGER log_remains BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is immutable'); END;
        CREATE TRIGGER cards_stay BEFORE UPDATE ON cards BEGIN SELECT RAISE(ABORT, 'cards are immutable'); END;
        """
    )


SCHEMA = Migrations("vault", (_first,))
