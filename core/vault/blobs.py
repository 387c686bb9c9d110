"""Large content in pieces.

A blob's digest is the SHA-256 of its plain content; the same content is kept once. The audit log commits to a blob by a hash that a
random nonce hides, so that erasing the nonce with the blob leaves the log without a fingerprint of what it held.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator

from core.errors import Damaged, NotFound
from core.records import Digest
from core.vault.connection import Database

PIECE = 1 << 20
"""Bytes in a piece: a blob of any size costs a few MiB of memory, and one value stays far below SQLite's limit of 10⁹ bytes."""
_COMMITMENT = b"assay blob\x00"


def store(db: Database, parts: Iterable[bytes]) -> tuple[Digest, Digest | None]:
    """Keep the content that `parts` make up; its digest, and the commitment to log (None when it was there already)."""
    sha = hashlib.sha256()
    size = 0
    nonce = secrets.token_bytes(32)
    blob = db.execute("INSERT INTO blobs(size, nonce) VALUES (0, ?)", (nonce,)).lastrowid
    for number, piece in enumerate(_pieces(parts)):
        sha.update(piece)
        size += len(piece)
        db.execute("INSERT INTO pieces VALUES (?, ?, ?)", (blob, number, piece))
    digest = Digest(sha.hexdigest())
    if exists(db, digest):
        db.execute("DELETE FROM pieces WHERE blob = ?", (blob,))
        db.execute("DELETE FROM blobs WHERE id = ?", (blob,))
        return digest, None
    db.execute("UPDATE blobs SET digest = ?, size = ? WHERE id = ?", (digest, size, blob))
    return digest, commitment(nonce, digest)


def commitment(nonce: bytes, digest: Digest) -> Digest:
    """What the audit log holds for a blob."""
    return Digest(hashlib.sha256(_COMMITMENT + nonce + bytes.fromhex(digest)).hexdigest())


def exists(db: Database, digest: Digest) -> bool:
    return db.execute("SELECT 1 FROM blobs WHERE digest = ?", (digest,)).fetchone() is not None


def size(db: Database, digest: Digest) -> int:
    """Bytes of plain content. Raises `NotFound`."""
    return _find(db, digest)[1]


def stream(db: Database, digest: Digest) -> Iterator[bytes]:
    """The content piece by piece. Raises `NotFound`; `Damaged` after the last piece when the whole is not what was kept."""
    blob, expected = _find(db, digest)
    sha = hashlib.sha256()
    found = 0
    for (piece,) in db.execute("SELECT content FROM pieces WHERE blob = ? ORDER BY number", (blob,)):
        sha.update(piece)
        found += len(piece)
        yield piece
    if sha.hexdigest() != digest or found != expected:
        raise Damaged(
            source=f"Content {digest}",
            problem="differs from what was kept. Run `assay vault check` and restore a backup.",
        )


def _find(db: Database, digest: Digest) -> tuple[int, int]:
    row = db.execute("SELECT id, size FROM blobs WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        raise NotFound(kind="content", name=digest, step="It was never kept in this vault, or was removed.")
    return int(row[0]), int(row[1])


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for part in parts:
        waiting += part
        start = 0
        while len(waiting) - start >= PIECE:
            yield bytes(waiting[start : start + PIECE])
            start += PIECE
        del waiting[:start]
    if waiting:
        yield bytes(waiting)
