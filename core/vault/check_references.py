"""Checking what points at what: versions and labels, signatures and their subjects, and contents that nothing leads to.

A record stands in the log whether or not something was made from it, so one that nothing links is part of history. What is an orphan:
a content that no record is made from, a version's record that is no version, a signature that isn't linked to what it signs.
"""

from collections.abc import Iterator

from core.errors import Damaged
from core.records import kind
from core.vault.records import Finding, Signature
from core.vault.unit import Reader

RESTORE = "Restore the vault from its last good backup."


def findings(reader: Reader) -> Iterator[Finding]:
    """Versions, labels and signatures that lead nowhere, and what nothing leads to."""
    yield from _versions(reader)
    yield from _labels(reader)
    yield from _signatures(reader)
    yield from _contents(reader)


def _versions(reader: Reader) -> Iterator[Finding]:
    lost = reader.db.execute(
        "SELECT kind, name, number, digest FROM versions v WHERE NOT EXISTS (SELECT 1 FROM records WHERE digest = v.digest)"
        " AND NOT EXISTS (SELECT 1 FROM erased WHERE object = v.digest) ORDER BY kind, name, number"
    )
    for of, name, number, digest in lost:
        yield Finding(where=f"{of} {name}@{number}", what=f"leads to {digest}, which isn't there.", step=RESTORE)
    stray = reader.db.execute(
        "SELECT kind, digest FROM records r WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.digest = r.digest) AND kind IN"
        " (SELECT DISTINCT r.kind FROM versions v JOIN records r ON r.digest = v.digest) ORDER BY seq"
    )
    for of, digest in stray:
        yield Finding(where=f"{of} {digest}", what="isn't a version of anything.", step=RESTORE)


def _labels(reader: Reader) -> Iterator[Finding]:
    lost = reader.db.execute(
        "SELECT kind, name, label, number FROM labels l WHERE NOT EXISTS (SELECT 1 FROM versions v"
        " WHERE (v.kind, v.name, v.number) = (l.kind, l.name, l.number)) ORDER BY kind, name, label"
    )
    for of, name, label, number in lost:
        yield Finding(
            where=f"label {label} of {of} {name}",
            what=f"points at version {number}, which isn't there.",
            step="Point the label at a version that is there.",
        )


def _signatures(reader: Reader) -> Iterator[Finding]:
    for digest in reader.find(kind(Signature)):
        try:
            subject = reader.get(digest, Signature).subject
        except Damaged:
            continue  # said where records and signatures are checked
        if reader.links(digest)[:1] != (subject,):
            yield Finding(where=f"signature {digest}", what=f"isn't linked to {subject}, which it signs.", step=RESTORE)


def _contents(reader: Reader) -> Iterator[Finding]:
    unfinished = reader.db.execute("SELECT id FROM blobs WHERE digest IS NULL").fetchall()
    for (number,) in unfinished:
        yield Finding(where=f"content in row {number} of blobs", what="was never finished.", step=RESTORE)
    orphans = reader.db.execute(
        "SELECT digest, size FROM blobs b WHERE digest IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM links WHERE target = b.digest) ORDER BY id"
    )
    for digest, size in orphans:
        yield Finding(
            where=f"content {digest}",
            what=f"nothing leads to it ({size} bytes).",
            step="Look in the audit log for what it was kept with; what led to it may have been deleted.",
        )
