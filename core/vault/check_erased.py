"""Checking what is absent: everything that the log says was recorded is there, or a signed tombstone says that it was erased.

Holds and their releases are checked with it: each was signed by the person who it says decided.
"""

from collections.abc import Iterable, Iterator, Mapping

from core.records import Digest, Record, kind
from core.vault import blobs, tombstones
from core.vault.holds import Hold, HoldRelease
from core.vault.records import Finding, LogEntry
from core.vault.tombstones import Tombstone
from core.vault.unit import Reader

RESTORE = "Restore the vault from its last good backup."
LOOK = "Look at the audit log around it, and compare with a checkpoint that was kept outside."


def findings(reader: Reader, logged: Mapping[Digest, LogEntry]) -> Iterator[Finding]:
    """What is missing without a tombstone, erased without having gone, or decided without a signature."""
    told: dict[str, Digest] = {}
    for digest in reader.find(Tombstone):
        stone = reader.get(digest, Tombstone)
        told |= {erased.object: digest for erased in stone.erased}
        yield from _unsigned(reader, digest, Tombstone, stone.user)
    for digest in reader.find(Hold):
        yield from _unsigned(reader, digest, Hold, reader.get(digest, Hold).user)
    for digest in reader.find(HoldRelease):
        yield from _unsigned(reader, digest, HoldRelease, reader.get(digest, HoldRelease).user)
    for object, stone_of in reader.db.execute("SELECT object, tombstone FROM erased ORDER BY rowid"):
        if told.get(object) != stone_of:
            yield Finding(where=f"erased {object}", what="is in no tombstone.", step=LOOK)
    absent = set(logged)
    for present in _present(reader):
        absent.discard(present)
        if present in told:
            yield Finding(
                where=f"erased {present}", what="is there, though its tombstone says that it was erased.", step=LOOK
            )
    for digest in sorted(absent - told.keys(), key=lambda digest: logged[digest].index):
        yield Finding(
            where=f"log entry {logged[digest].index}",
            what=f"recorded {digest}, which is neither there nor erased with a tombstone.",
            step=RESTORE,
        )


def summary(reader: Reader) -> str:
    """A sentence on what was erased; empty when nothing was."""
    number = tombstones.count(reader.db)
    stones = len(reader.find(Tombstone))
    return f"Erased: {number} records and contents, told by {stones} signed tombstones." if number else ""


def _present(reader: Reader) -> Iterable[Digest]:
    for (digest,) in reader.db.execute("SELECT digest FROM records"):
        yield Digest(digest)
    for digest, nonce in reader.db.execute("SELECT digest, nonce FROM blobs WHERE digest IS NOT NULL").fetchall():
        yield blobs.commitment(nonce, digest)


def _unsigned(reader: Reader, digest: Digest, of: type[Record], user: str) -> Iterator[Finding]:
    if user not in {signature.user for signature in reader.signatures(digest)} or reader.author(digest) != user:
        yield Finding(where=f"{kind(of)} {digest}", what=f"isn't signed by {user}, who it says decided.", step=LOOK)
