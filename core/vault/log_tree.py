"""The tree over the log's entries, kept so that roots and proofs take milliseconds for a log of any length.

Beside the leaves, the hash of every whole subtree of 256 leaves, of 256 such subtrees, and so on, is stored (a tile), in the
transaction that appends its last leaf. Everything between is computed when asked for: at most 256 hashes for each level of tiles. The
leaves are what counts: `wrong_tiles` compares.
"""

from collections.abc import Iterator

from core.errors import Damaged
from core.trust.merkle import Prover, fold
from core.vault.connection import Database
from core.vault.migrations import Migrations

WIDTH = 8
"""Levels of the tree from one tile to the next: 2^8 children."""
CHILDREN = 1 << WIDTH


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE log_tiles(level INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL,"
        " PRIMARY KEY(level, place)) STRICT, WITHOUT ROWID"
    )
    for end in range(CHILDREN, size(db) + 1, CHILDREN):
        grown(db, end)


SCHEMA = Migrations("log tree", (_first,))


def size(db: Database) -> int:
    """Entries in the log, as this connection sees it."""
    return int(db.execute("SELECT coalesce(max(seq) + 1, 0) FROM log").fetchone()[0])


def grown(db: Database, count: int) -> None:
    """Keep the tiles that the leaf before `count` made whole."""
    level, complete = 0, count
    while complete and complete % CHILDREN == 0:
        complete //= CHILDREN
        tile = fold(_hashes(db, level, (complete - 1) * CHILDREN, CHILDREN))
        level += 1
        db.execute("INSERT INTO log_tiles VALUES (?, ?, ?)", (level, complete - 1, tile))


def wrong_tiles(db: Database) -> Iterator[str]:
    """Which tiles are missing, or differ from what is under them: a place in the log for each."""
    level, whole = 0, size(db) // CHILDREN
    while whole:
        kept = dict(db.execute("SELECT place, hash FROM log_tiles WHERE level = ?", (level + 1,)).fetchall())
        for place in range(whole):
            span = CHILDREN ** (level + 1)
            try:
                right = kept.pop(place, None) == fold(_hashes(db, level, place * CHILDREN, CHILDREN))
            except Damaged:
                right = False
            if not right:
                yield f"log entries {place * span} to {(place + 1) * span - 1}"
        yield from (f"log entries from {place * CHILDREN ** (level + 1)}" for place in kept)
        level, whole = level + 1, whole // CHILDREN


class LogTree:
    """Roots of the log and proofs about it, as a connection sees it. Keeps nothing; safe from any thread."""

    def root(self, db: Database) -> tuple[int, bytes]:
        """Size and root of the log."""
        stored = Stored(db)
        return stored.size, stored.root()

    def root_at(self, db: Database, count: int) -> bytes:
        """The root when the log had `count` entries. Raises `BadInput` when it never had."""
        return Stored(db).root(count)

    def inclusion(self, db: Database, index: int, of: int) -> list[bytes]:
        """The proof that entry `index` is in the log's first `of` entries."""
        return list(Stored(db).inclusion_proof(index, of))

    def consistency(self, db: Database, old: int, new: int) -> list[bytes]:
        """The proof that the log of `new` entries begins with the log of `old` entries."""
        return list(Stored(db).consistency_proof(old, new))


class Stored(Prover):
    """The tree of one state of the file."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._size = size(db)

    @property
    def size(self) -> int:
        return self._size

    def node(self, level: int, place: int) -> bytes:
        tiles, above = divmod(level, WIDTH)
        return fold(_hashes(self._db, tiles, place << above, 1 << above))


def _hashes(db: Database, tiles: int, start: int, count: int) -> list[bytes]:
    """`count` leaves, or tiles of that level, from `start`. Raises `Damaged` when one is missing."""
    if tiles:
        rows = db.execute(
            "SELECT hash FROM log_tiles WHERE level = ? AND place >= ? AND place < ? ORDER BY place",
            (tiles, start, start + count),
        ).fetchall()
    else:
        rows = db.execute(
            "SELECT leaf FROM log WHERE seq >= ? AND seq < ? ORDER BY seq", (start, start + count)
        ).fetchall()
    if len(rows) != count:
        raise Damaged(
            source=f"The log's tree from entry {start * CHILDREN**tiles}",
            problem="has a gap. Restore the vault from a backup.",
        )
    return [bytes(hash) for (hash,) in rows]
