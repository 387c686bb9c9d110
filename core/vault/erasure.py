"""Erasing content for good, by law or by a retention rule, so that the log and the signatures still verify.

Rules:

1. It takes an administrator, a reason, and their signature on a tombstone that stays (see `tombstones`).
2. Nothing under a legal hold goes, and whoever released a hold doesn't erase what it covered, nor does somebody whose keys they gave
   since it was placed (`duties`).
3. A thing goes whole, with its parts, from the vault's tables and from its package's, in one transaction, or not at all. A file that
   another document still is, stays until that goes too.
4. What can't be erased here is told: names in the log, packs and backups that were made before. Freed pages are overwritten with
   zeros; what SQLite left in the corners of pages that it moved earlier goes with the next `compact`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from core.errors import BadInput, Refused
from core.jobs import Job
from core.records import Digest, Record
from core.trust.times import parse_time
from core.vault import blobs, tombstones
from core.vault.erasable import Erasables, by_kind
from core.vault.holds import Cover, Thing
from core.vault.roles import Act
from core.vault.sealed_files import drop_cache
from core.vault.signing import Signer
from core.vault.tombstones import Basis, Erased, Tombstone
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault

LOG_STAYS = "The audit log keeps that it was here: names, times, persons, no text of it."
OUTSIDE_STAYS = (
    "Packs, exports and backups that were made before still hold it. Delete those backups, or let them run out."
)
COMPACT = (
    "Run `assay vault compact` afterwards: until then, traces may be left in unused corners of the encrypted file."
)


class Erase(Record, frozen=True, kw_only=True):
    """Erase these things. `quoting`: also the answers and outcomes that quote them; `copies`: also documents with the same bytes."""

    things: tuple[Thing, ...]
    reason: str
    quoting: bool = False
    copies: bool = False


class Doomed(Record, frozen=True, kw_only=True):
    """One thing that would go, or does."""

    kind: str
    digest: Digest
    label: str
    time: str
    """When it was recorded."""
    holds: tuple[str, ...] = ()
    """The holds that keep it."""


class Plan(Record, frozen=True, kw_only=True):
    """What an erasure would do."""

    items: tuple[Doomed, ...]
    records: int
    blobs: int
    bytes: int
    """Of the blobs."""
    remains: tuple[str, ...]
    """What stays, in sentences."""

    @property
    def held(self) -> tuple[Doomed, ...]:
        """What holds keep: unless it is empty, the erasure is refused."""
        return tuple(item for item in self.items if item.holds)


class ErasedContent(Record, frozen=True, kw_only=True):
    """An erasure that is done."""

    tombstones: tuple[Digest, ...]
    items: int
    records: int
    blobs: int


def plan(reader: Reader, kinds: Erasables, request: Erase) -> Plan:
    """What `erase` would do, and what it couldn't. Raises `NotFound`, `BadInput`."""
    items = _items(reader, kinds, request)
    doomed = told(reader, kinds, items)
    records, contents = _reach(reader, kinds, items)
    return Plan(
        items=doomed,
        records=len(records),
        blobs=len(contents),
        bytes=sum(blobs.size(reader.db, blob) for blob in contents),
        remains=tuple(_remains(reader, kinds, items, request)),
    )


def erase(vault: Vault, kinds: Erasables, signer: Signer, request: Erase, job: Job) -> ErasedContent:
    """Erase by law, all at once. Raises `Refused` (role, holds), `NotFound`, `BadInput`, `DiskFull`; nothing is erased then."""
    if not request.reason.strip():
        raise BadInput(source="erasure", problem="it needs a reason, which stays on the tombstone. Name nobody in it.")
    job.check()
    with vault.read() as reader:
        about = counted(kinds, [kind for kind, _ in _items(reader, kinds, request)])
    with vault.write(Act.ERASE, about=about, reason=request.reason) as unit:
        done = erase_in(unit, kinds, signer, _items(unit, kinds, request), "law", "", request.reason)
    settle(vault)
    return done


def erase_in(
    unit: Unit,
    kinds: Erasables,
    signer: Signer,
    items: Sequence[tuple[str, Digest]],
    basis: Basis,
    rule: str,
    reason: str,
) -> ErasedContent:
    """Erase within a unit of `Act.ERASE`, with one tombstone. `items` are (kind, digest). Raises `Refused`."""
    if not items:
        raise BadInput(source="erasure", problem="there is nothing to erase.")
    _refuse_held(unit, kinds, items)
    records, contents = _reach(unit, kinds, items)
    commitments = {blob: _commitment(unit, blob) for blob in contents}
    gone = [Erased(kind=unit.kind(digest), object=digest) for digest in records]
    gone += [Erased(kind="blob", object=commitment) for commitment in commitments.values()]
    stone = Tombstone(
        erased=tuple(gone), basis=basis, rule=rule, reason=reason.strip(), user=unit.user.user, time=unit.time
    )
    digest = unit.put(stone)
    unit.sign(signer, digest, f"erasure of {counted(kinds, [kind for kind, _ in items])}", "authored", stone.reason)
    unit.note(touched=[digest for _, digest in items])
    unit.db.execute("PRAGMA secure_delete = ON")
    for owner in kinds:
        own = [item for kind, item in items if kind == owner.kind]
        if own:
            owner.forget(unit, own)
    for record in records:
        tombstones.delete_record(unit.db, digest, record)
    for blob, commitment in commitments.items():
        tombstones.delete_blob(unit.db, digest, blob, commitment)
    return ErasedContent(tombstones=(digest,), items=len(items), records=len(records), blobs=len(contents))


def settle(vault: Vault) -> None:
    """After an erasure is committed: fold the write-ahead log into the file and cut it, so that no earlier page lies in it, and drop the cache.

    A reader that is still out keeps part of the log; then closing the vault does it."""
    drop_cache(vault)
    with vault._connections.lock:
        vault._connections.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def told(reader: Reader, kinds: Erasables, items: Sequence[tuple[str, Digest]]) -> tuple[Doomed, ...]:
    """The things, each with the holds that keep it."""
    cover = Cover(reader, kinds)
    found = []
    for kind, digest in items:
        owner = by_kind(kinds, kind)
        found.append(
            Doomed(
                kind=kind,
                digest=digest,
                label=owner.label(reader, digest),
                time=recorded(reader, digest),
                holds=cover.holding(owner.parts(reader, digest)),
            )
        )
    return tuple(found)


def recorded(reader: Reader, digest: Digest) -> str:
    """When a record was put, by the workstation's clock."""
    return str(reader.db.execute("SELECT time FROM records WHERE digest = ?", (digest,)).fetchone()[0])


def _items(reader: Reader, kinds: Erasables, request: Erase) -> list[tuple[str, Digest]]:
    """Each thing that is to go, once, in the order of the request."""
    found: dict[tuple[str, Digest], None] = {}
    for thing in request.things:
        owner = by_kind(kinds, thing.kind)
        for digest in owner.find(reader, thing.reference):
            for one in (digest, *(owner.copies(reader, digest) if request.copies else ())):
                found[(owner.stands_for or owner.kind, one)] = None
    if request.quoting:
        found |= dict.fromkeys(_quoting(reader, kinds, [digest for _, digest in found]))
    return list(found)


def _quoting(reader: Reader, kinds: Erasables, digests: Iterable[Digest]) -> Iterator[tuple[str, Digest]]:
    wanted = frozenset(digests)
    for owner in kinds:
        for digest in owner.quoting(reader, wanted):
            if digest not in wanted:
                yield owner.kind, digest


def _reach(
    reader: Reader, kinds: Erasables, items: Sequence[tuple[str, Digest]]
) -> tuple[tuple[Digest, ...], tuple[Digest, ...]]:
    """All records that go with these, and the blobs that no other record was made from."""
    records = tuple(
        dict.fromkeys(part for kind, digest in items for part in by_kind(kinds, kind).parts(reader, digest))
    )
    going = set(records)
    targets = dict.fromkeys(chain.from_iterable(reader.links(digest) for digest in records))
    contents = tuple(
        target for target in targets if blobs.exists(reader.db, target) and going.issuperset(reader.linked_from(target))
    )
    return records, contents


def _refuse_held(unit: Unit, kinds: Erasables, items: Sequence[tuple[str, Digest]]) -> None:
    cover = Cover(unit, kinds)
    for kind, digest in items:
        owner = by_kind(kinds, kind)
        parts = owner.parts(unit, digest)
        label = owner.label(unit, digest)
        if holding := cover.holding(parts):
            raise Refused(act=f"Erase {label}", reason=f"The hold {', '.join(holding)} keeps it.")
        for _, why in cover.barred(parts, unit.user, parse_time(unit.time, "clock")):
            raise Refused(act=f"Erase {label}", reason=why)


def _remains(reader: Reader, kinds: Erasables, items: Sequence[tuple[str, Digest]], request: Erase) -> Iterator[str]:
    digests = [digest for _, digest in items]
    for kind, digest in items:
        owner = by_kind(kinds, kind)
        for other in owner.copies(reader, digest):
            if other not in digests:
                yield f"The same file stays as {owner.label(reader, other)}; it goes too where copies are to be erased."
    if not request.quoting:
        quoting = [kind for kind, _ in _quoting(reader, kinds, digests)]
        if quoting:
            yield f"{counted(kinds, quoting)} that quote it stay; they go too where what quotes it is to be erased."
    yield from (LOG_STAYS, OUTSIDE_STAYS, COMPACT)


def _commitment(reader: Reader, blob: Digest) -> Digest:
    (nonce,) = reader.db.execute("SELECT nonce FROM blobs WHERE digest = ?", (blob,)).fetchone()
    return blobs.commitment(nonce, blob)


def counted(kinds: Erasables, some: Sequence[str]) -> str:
    """As in "2 documents, 1 trace"."""
    parts = []
    for kind, number in Counter(some).items():
        owner = by_kind(kinds, kind)
        parts.append(f"{number} {owner.kind if number == 1 else owner.plural}")
    return ", ".join(parts)
