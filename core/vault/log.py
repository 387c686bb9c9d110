"""The audit log: a Merkle tree (RFC 9162 hashing) over entries in canonical form.

Rules: an entry is appended in the transaction of the change that it tells of; its leaf is the hash of its canonical bytes, which
hold a random nonce; entries are numbered without gaps and never change. A checkpoint is a C2SP signed note by the vault's own log
key: whoever keeps one can prove later that the log still begins with what it covered.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET

from core.errors import Damaged, NotFound
from core.records import Digest
from core.trust.canonical import new_nonce, record_bytes, record_from
from core.trust.merkle import leaf_hash
from core.trust.notes import LogKey, log_key, new_log_key, sign_checkpoint
from core.vault import log_index, log_tree
from core.vault.connection import Database
from core.vault.log_tree import LogTree as LogTree
from core.vault.log_tree import size as size
from core.vault.records import LogEntry
from core.vault.roles import Act


def origin(vault: str) -> str:
    """The name of a vault's log in its checkpoints."""
    return f"assay/vault/{vault}"


def append(
    db: Database,
    user: str,
    time: str,
    act: Act,
    about: str = "",
    reason: str = "",
    objects: Sequence[Digest] = (),
    touched: Sequence[Digest] = (),
    before: str = "",
    after: str = "",
    rows: tuple[int, int] | None = None,
    others: Iterable[Digest] | None = None,
) -> LogEntry:
    """Add the next entry, in the transaction of the change that it tells of.

    `rows`: the first and the last row of the records among `objects`; `others`: the objects that are no records, all where not given.
    """
    entry = LogEntry(
        index=size(db),
        user=user,
        time=time,
        act=act.value,
        about=about,
        reason=reason,
        objects=tuple(objects),
        before=before or UNSET,
        after=after or UNSET,
        touched=tuple(touched) or UNSET,
    )
    content = record_bytes(entry, new_nonce())
    db.execute("INSERT INTO log VALUES (?, ?, ?)", (entry.index, leaf_hash(content), content))
    log_tree.grown(db, entry.index + 1)
    log_index.enter(db, entry, rows, objects if others is None else others)
    return entry


def content(db: Database, index: int) -> bytes:
    """The canonical bytes of one entry. Raises `NotFound`, `Damaged`."""
    row = db.execute("SELECT leaf, entry FROM log WHERE seq = ?", (index,)).fetchone()
    if row is None:
        raise NotFound(kind="log entry", name=str(index), step=f"The log has {size(db)} entries, from 0.")
    return _checked(index, row[0], row[1])


def leaf(db: Database, index: int) -> bytes:
    """The leaf hash of one entry's bytes. Raises `NotFound`, `Damaged`."""
    return leaf_hash(content(db, index))


def entries(db: Database, limit: int, after: int) -> list[LogEntry]:
    """Up to `limit` entries with an index above `after` (-1: from the first), oldest first. Raises `Damaged`."""
    rows = db.execute("SELECT seq, leaf, entry FROM log WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
    return [record_from(_checked(index, leaf, entry), LogEntry)[0] for index, leaf, entry in rows]


def picked(db: Database, numbers: Iterable[int]) -> Iterator[LogEntry]:
    """The entries of these numbers, in their order. Raises `NotFound`, `Damaged`."""
    for index in numbers:
        yield record_from(content(db, index), LogEntry)[0]


def _checked(index: int, leaf: bytes, entry: bytes) -> bytes:
    if leaf_hash(entry) != leaf:
        raise Damaged(
            source=f"Log entry {index}", problem="differs from what was logged. Restore the vault from a backup."
        )
    return entry


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
