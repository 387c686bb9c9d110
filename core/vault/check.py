"""Checking a whole vault: is everything that it holds what was once put into it?

In order: the encrypted file's own integrity, the audit log and its tree, each record and blob against its digest and its log entry,
links, cards, signatures, and `keys.json` against the people. Nothing is changed. A finding says where, what, and what to do.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from core.errors import AssayError, Damaged
from core.jobs import Job
from core.records import Digest, kind
from core.trust.canonical import digest as digest_of
from core.trust.canonical import record_from
from core.trust.merkle import leaf_hash
from core.vault import (
    blobs,
    cards,
    check_erased,
    check_folder,
    check_references,
    check_trail,
    judging,
    log_tree,
    policies,
    slots,
    users,
)
from core.vault.connection import DriverError, cancellable
from core.vault.records import Finding, LogEntry, Signature
from core.vault.unit import Reader
from core.vault.vault import Vault

RESTORE = "Restore the vault from its last good backup."
LOOK = "Look at the audit log around it, and compare with a checkpoint that was kept outside."
STRIDE = 1000
"""Records between two reports: some 5 ms."""


def check(vault: Vault, job: Job | None = None) -> tuple[Finding, ...]:
    """All that is wrong with an open vault; nothing when it is whole. Reads everything, at some hundred MiB a second."""
    return tuple(findings(vault.read, vault.folder, job or Job("Check the vault")))


def findings(read: Callable[[], AbstractContextManager[Reader]], folder: Path, job: Job) -> Iterator[Finding]:
    """The same for the database that `read` reads and that lies in `folder`."""
    logged: dict[Digest, LogEntry] = {}
    parts: tuple[tuple[str, Callable[[Reader], Iterator[Finding]]], ...] = (
        ("vault.db", _file),
        ("the audit log", lambda reader: _log(reader, logged, job)),
        ("the records", lambda reader: _records(reader, logged, job)),
        ("the contents", lambda reader: _blobs(reader, logged, job)),
        ("the index of the audit log", lambda reader: check_trail.findings(reader, logged, job)),
        ("the links", _links),
        ("what was erased", lambda reader: check_erased.findings(reader, logged)),
        ("the cards", lambda reader: cards.findings(reader, logged)),
        ("the signatures", lambda reader: _signatures(reader, job)),
        ("the policy", policies.findings),
        ("the versions", check_references.findings),
        ("the people", lambda reader: _people(reader, folder)),
        ("the folder", lambda reader: check_folder.findings(folder)),
    )
    waiting = deque(parts)
    while waiting:
        try:
            with read() as reader, cancellable(reader.db, job):
                while waiting:
                    job.check()
                    where, part = waiting.popleft()
                    yield from _to_its_end(where, part(reader))
        except (Damaged, DriverError):
            # A page that can't be decrypted: its connection reads nothing more, the next one may.
            yield Finding(where=where, what="not checked to the end: a part of the file can't be read.", step=RESTORE)


def _to_its_end(where: str, part: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from part
    except Damaged as error:
        yield Finding(where=where, what=f"not checked to the end: {error}", step=RESTORE)


def _file(reader: Reader) -> Iterator[Finding]:
    for (problem,) in reader.db.execute("PRAGMA cipher_integrity_check"):
        yield Finding(where="vault.db", what=str(problem), step=RESTORE)
    _look_into_word_indexes(reader)
    for (problem,) in reader.db.execute("PRAGMA quick_check"):
        if problem != "ok":
            yield Finding(where="vault.db", what=str(problem), step=RESTORE)
    for table, row, parent, _ in reader.db.execute("PRAGMA foreign_key_check"):
        yield Finding(where=f"vault.db, {table}, row {row}", what=f"leads to nothing in {parent}.", step=RESTORE)


def _look_into_word_indexes(reader: Reader) -> None:
    """A search makes FTS5 read its structure again. Its part of `quick_check` doesn't: on a connection that is older than another one's
    merge it would look for pages that are gone, and tell of damage where there is none (SQLite 3.53)."""
    found = reader.db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%USING fts5(%'")
    for (name,) in found.fetchall():
        reader.db.execute(f'SELECT rowid FROM "{name}" WHERE "{name}" MATCH ? LIMIT 1', ("a",)).fetchall()


def _log(reader: Reader, logged: dict[Digest, LogEntry], job: Job) -> Iterator[Finding]:
    expected = 0
    for index, leaf, content in reader.db.execute("SELECT seq, leaf, entry FROM log ORDER BY seq"):
        job.check()
        where = f"log entry {index}"
        if index != expected:
            yield Finding(where=where, what=f"entries {expected} to {index - 1} are missing.", step=RESTORE)
        expected = index + 1
        if leaf_hash(content) != leaf:
            yield Finding(where=where, what="differs from its leaf in the tree.", step=RESTORE)
            continue
        entry, _ = record_from(content, LogEntry)
        if entry.index != index:
            yield Finding(where=where, what=f"was logged as entry {entry.index}.", step=RESTORE)
        for made in entry.objects:
            logged[made] = entry
    for where in log_tree.wrong_tiles(reader.db):
        yield Finding(where=where, what="the tree kept over them isn't theirs.", step=RESTORE)


def _records(reader: Reader, logged: dict[Digest, LogEntry], job: Job) -> Iterator[Finding]:
    total = reader.db.execute("SELECT count(*) FROM records").fetchone()[0]
    rows = reader.db.execute("SELECT digest, kind, author, time, content FROM records ORDER BY seq")
    for done, (digest, of, author, time, content) in enumerate(rows):
        if done % STRIDE == 0:
            job.report(done, total, "records")
        where = f"{of} {digest}"
        if digest_of(content) != digest:
            yield Finding(where=where, what="differs from its digest.", step=RESTORE)
        entry = logged.get(digest)
        if entry is None:
            yield Finding(where=where, what="was put in past the audit log.", step=LOOK)
        elif (entry.user, entry.time) != (author, time):
            yield Finding(
                where=where, what=f"is said to be by {author}; the log says {entry.user}, {entry.time}.", step=LOOK
            )


def _blobs(reader: Reader, logged: dict[Digest, LogEntry], job: Job) -> Iterator[Finding]:
    rows = reader.db.execute("SELECT digest, nonce FROM blobs WHERE digest IS NOT NULL ORDER BY id").fetchall()
    for done, (digest, nonce) in enumerate(rows):
        job.report(done, len(rows), "contents")
        where = f"content {digest}"
        try:
            for _ in blobs.stream(reader.db, digest):
                job.check()
        except AssayError:
            yield Finding(where=where, what="differs from its digest.", step=RESTORE)
        if blobs.commitment(nonce, digest) not in logged:
            yield Finding(where=where, what="was put in past the audit log.", step=LOOK)


def _links(reader: Reader) -> Iterator[Finding]:
    dangling = reader.db.execute(
        "SELECT source, target FROM links WHERE source NOT IN (SELECT digest FROM records)"
        " OR (target NOT IN (SELECT digest FROM records) AND target NOT IN (SELECT digest FROM blobs)"
        " AND target NOT IN (SELECT object FROM erased))"
    )
    for source, target in dangling:
        yield Finding(where=f"link from {source}", what=f"leads to {target}, which isn't there.", step=RESTORE)


def _signatures(reader: Reader, job: Job) -> Iterator[Finding]:
    for digest in reader.find(kind(Signature)):
        job.check()
        try:
            signature = reader.get(digest, Signature)
            problem = judging.problem(reader, digest, signature)
        except AssayError as error:
            problem = str(error)
        if problem:
            yield Finding(
                where=f"signature {digest}", what=problem, step="Don't rely on it; have the content signed again."
            )


def _people(reader: Reader, folder: Path) -> Iterator[Finding]:
    keys = slots.read(folder)
    active = set()
    for user in [row[0] for row in reader.db.execute("SELECT user FROM users ORDER BY rowid").fetchall()]:
        try:
            known = users.find(reader.db, user)
        except AssayError as error:
            yield Finding(where=f"user {user}", what=str(error), step=RESTORE)
            continue
        if known.active:
            active.add(user)
            slot = keys.slot(user)
            if slot is None:
                yield Finding(
                    where=f"{slots.NAME}, {user}", what="has no slot: they can't open the vault.", step=RESTORE
                )
            elif slot.public != users.public(reader.db, user):
                yield Finding(
                    where=f"{slots.NAME}, {user}", what="the slot isn't the one that was made here.", step=RESTORE
                )
    if users.admitted(reader.db).get(slots.RECOVERY) is not None:
        active.add(slots.RECOVERY)
    for slot in keys.slots:
        if slot.user not in active:
            yield Finding(
                where=f"{slots.NAME}, {slot.user}",
                what="a slot of nobody who may open the vault.",
                step="Rotate the vault's key.",
            )
