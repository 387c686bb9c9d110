"""The audit log: a Merkle tree (RFC 9162 hashing) over entries in canonical form.

Rules: an entry is appended in the transaction of the change that it tells of; its leaf is the hash of its canonical bytes, which
hold a random nonce; entries are numbered without gaps and never change. A checkpoint is a C2SP signed note by the vault's own log
key: whoever keeps one can prove later that the log still begins with what it covered.
"""

import threading

from core.errors import Damaged, NotFound
from core.trust.canonical import new_nonce, record_bytes, record_from
from core.trust.merkle import Tree, leaf_hash
from core.trust.notes import LogKey, log_key, new_log_key, sign_checkpoint
from core.vault.connection import Database
from core.vault.records import LogEntry


def origin(vault: str) -> str:
    """The name of a vault's log in its checkpoints."""
    return f"assay/vault/{vault}"


def size(db: Database) -> int:
    """Entries in the log, as this connection sees it."""
    return int(db.execute("SELECT coalesce(max(seq) + 1, 0) FROM log").fetchone()[0])


def append(db: Database, entry: LogEntry) -> None:
    """Add the next entry; `entry.index` must be the log's size."""
    content = record_bytes(entry, new_nonce())
    db.execute("INSERT INTO log VALUES (?, ?, ?)", (entry.index, leaf_hash(content), content))


def content(db: Database, index: int) -> bytes:
    """The canonical bytes of one entry. Raises `NotFound`, `Damaged`."""
    row = db.execute("SELECT leaf, entry FROM log WHERE seq = ?", (index,)).fetchone()
    if row is None:
        raise NotFound(kind="log entry", name=str(index), step=f"The log has {size(db)} entries, from 0.")
    return _checked(index, row[0], row[1])


def entries(db: Database, limit: int, after: int) -> list[LogEntry]:
    """Up to `limit` entries with an index above `after` (-1: from the first), oldest first. Raises `Damaged`."""
    rows = db.execute("SELECT seq, leaf, entry FROM log WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
    return [record_from(_checked(index, leaf, entry), LogEntry)[0] for index, leaf, entry in rows]


def _checked(index: int, leaf: bytes, entry: bytes) -> bytes:
    if leaf_hash(entry) != leaf:
        raise Damaged(
            source=f"Log entry {index}", problem="differs from what was logged. Restore the vault from a backup."
        )
    return entry


class LogTree:
    """The tree over the committed entries, built when first needed and kept in step. Safe from any thread."""

    def __init__(self) -> None:
        self._tree = Tree()
        self._lock = threading.Lock()

    def root(self, db: Database) -> tuple[int, bytes]:
        """Size and root of the log as this connection sees it."""
        with self._lock:
            whole = self._fill(db)
            return whole, self._tree.root(whole)

    def inclusion(self, db: Database, index: int, of: int) -> list[bytes]:
        """The proof that entry `index` is in the log's first `of` entries."""
        with self._lock:
            self._fill(db)
            return list(self._tree.inclusion_proof(index, of))

    def consistency(self, db: Database, old: int, new: int) -> list[bytes]:
        """The proof that the log of `new` entries begins with the log of `old` entries."""
        with self._lock:
            self._fill(db)
            return list(self._tree.consistency_proof(old, new))

    def _fill(self, db: Database) -> int:
        whole = size(db)
        for (leaf,) in db.execute("SELECT leaf FROM log WHERE seq >= ? ORDER BY seq", (self._tree.size,)):
            self._tree.append(leaf)
        return whole


def new_key(db: Database) -> None:
    """Give a new vault its log key."""
    db.execute("INSERT INTO meta VALUES ('log key', ?)", (new_log_key(),))


def public_key(db: Database, name: str) -> LogKey:
    """Whose checkpoints count for this vault's log."""
    return log_key(name, _key(db))


def checkpoint(db: Database, name: str, tree: LogTree) -> bytes:
    """The signed note for the log as this connection sees it."""
    whole, root = tree.root(db)
    return sign_checkpoint(name, whole, root, _key(db))


def _key(db: Database) -> bytes:
    return bytes(db.execute("SELECT value FROM meta WHERE name = 'log key'").fetchone()[0])
