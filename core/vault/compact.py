"""Compacting: the file takes no more room than what is kept needs, and nothing of what was erased is left in it.

Deleting overwrites rows and free pages with zeros (`secure_delete`). What that doesn't reach are the words in full-text indexes, which keep
those of deleted texts until their parts are merged, and the write-ahead log. The rules:

1. Nobody else reads or writes meanwhile. A compaction that is stopped, killed or runs out of room leaves the vault as it was.
2. The indexes are merged; the content goes into a new file under the vault key, without gaps, and comes back page by page in one transaction.
   SQLite's own VACUUM would hold all content in memory, since nothing temporary may lie in clear (measured: as much as the file).
3. The audit log tells of it, with the sizes.
"""

import os
import tempfile
from contextlib import closing
from pathlib import Path

from core.jobs import Job
from core.records import Record
from core.vault.backup import required, unwritable
from core.vault.connection import COPIED_AT_ONCE, PAGE_SIZE, Connections, cancellable, connect, translated
from core.vault.roles import Act
from core.vault.vault import FILE, Vault


class Compaction(Record, frozen=True, kw_only=True):
    """Bytes that the database took before and after, its write-ahead log included."""

    before: int
    after: int


def compact(vault: Vault, job: Job | None = None) -> Compaction:
    """Rewrite the database of an open vault without gaps; progress in pages. Needs room for the vault twice.

    Raises `Refused`, `Unavailable` (somebody reads and doesn't end), `DiskFull`, `Damaged`, `Cancelled`.
    """
    job = job or Job("Compact the vault")
    required(vault, Act.COMPACT)
    connections = vault._connections
    with connections.alone():
        before = _size(vault.folder)
        _merge(connections, job)
        try:
            handle, name = tempfile.mkstemp(prefix=f".{FILE}.", dir=vault.folder)
            os.close(handle)
            try:
                _rewrite(connections, Path(name), job)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(vault.folder, error) from error
        connections.fold()
        after = _size(vault.folder)
    with vault.write(Act.COMPACT) as unit:
        unit.note(before=f"{before} bytes", after=f"{after} bytes")
    return Compaction(before=before, after=after)


def _merge(connections: Connections, job: Job) -> None:
    """Merge the parts of each full-text index: only then the words of deleted texts go."""
    with connections.transaction() as db, cancellable(db, job):
        tables = db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"
        ).fetchall()
        for (table,) in tables:
            job.check()
            db.execute(f'INSERT INTO "{table}"("{table}") VALUES (\'optimize\')')


def _rewrite(connections: Connections, beside: Path, job: Job) -> None:
    writer, key = connections.writer, connections.key
    pages = int(writer.execute("PRAGMA page_count").fetchone()[0])
    with translated(beside):
        writer.execute("ATTACH ? AS compacted KEY ?", (str(beside), f"x'{key.hex()}'"))
        try:
            writer.execute(f"PRAGMA compacted.cipher_page_size = {PAGE_SIZE}")
            writer.execute("PRAGMA compacted.journal_mode = OFF")
            writer.execute("PRAGMA compacted.synchronous = OFF")

            def listen() -> None:
                job.report(min(pages, beside.stat().st_size // PAGE_SIZE), 2 * pages, "pages")

            with cancellable(writer, job, listen):
                writer.execute("SELECT sqlcipher_export('compacted')").fetchall()
        finally:
            writer.execute("DETACH compacted")
    with translated(connections.path), closing(connect(beside, key, writable=False).conn) as source:
        source.backup(
            writer.conn,
            pages=COPIED_AT_ONCE,
            progress=lambda _, remaining, total: job.report(
                pages + (total - remaining) * pages // total, 2 * pages, "pages"
            ),
        )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / FILE, folder / f"{FILE}-wal") if path.exists())
