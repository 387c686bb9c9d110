"""The life of a card in a vault: issued, and perhaps ended before its time.

Rules: the log entry of the change that issued a card tells of it; every card leads by countersignatures to the vault's first card, which
alone has no issuer, or to one that is proven to have come by the recovery words (`recovery_proofs`) for an administrator; an ended card stays,
with a record that says up to which entry of the log its signatures count. Keys that come back after a reset are new ones on a new card, so the
old card is ended with it.
"""

from collections.abc import Iterator, Mapping

from core.errors import AssayError, Damaged
from core.records import Digest, Record, now
from core.trust.canonical import digest as digest_of
from core.trust.canonical import unb64
from core.trust.cards import ADMIN, Revocation, SignedCard, fingerprint, open_card
from core.vault import log, recovery_proofs, slots, users
from core.vault.records import Finding, LogEntry
from core.vault.recovery_proofs import RecoveryKey, RecoveryProof
from core.vault.roles import Act
from core.vault.unit import Reader, Unit

ISSUING = frozenset({Act.CREATE_VAULT, Act.ADD_USER, Act.RESET_USER, Act.CHANGE_ROLES, Act.RENEW_CARD, Act.RECOVER})
"""The acts that may issue a card."""
ENDING = frozenset({Act.REVOKE_USER, Act.RESET_USER, Act.CHANGE_ROLES, Act.RECOVER, Act.SET_RECOVERY})
"""The acts that end a card or a recovery key: what they put stays for ever."""
_STEP = "Trust nothing signed with it, and compare the fingerprint with its holder."


class IssuedCard(Record, frozen=True, kw_only=True, tag="issued-card"):
    """That a change of the vault issued a card; it puts the fingerprint into the log."""

    card: Digest
    user: str


def issued(unit: Unit, card: Digest, user: str) -> None:
    """Log a new card with the change that issues it."""
    unit.put(IssuedCard(card=card, user=user))


def end(unit: Unit, card: Digest, reason: str) -> Revocation:
    """End a card from this change on: signatures that the log tells of later don't count, here and in every trust file from now on."""
    revocation = Revocation(card=card, origin=_origin(unit), size=unit.log_size, time=now(), reason=reason)
    unit.put(revocation)
    return revocation


def endings(reader: Reader) -> tuple[Revocation, ...]:
    """All cards that were ended, oldest first."""
    return tuple(reader.get(digest, Revocation) for digest in reader.find(Revocation))


def ended(reader: Reader, card: Digest) -> Revocation | None:
    """When a card was first ended, or None."""
    found = [ending for ending in endings(reader) if ending.card == card]
    return min(found, key=lambda ending: ending.size, default=None)


def place(reader: Reader, digest: Digest) -> int:
    """The first log entry that put a record, by its number; the log's size where none did. Reads the whole log at worst."""
    rows = reader.db.execute("SELECT seq FROM log WHERE instr(entry, CAST(? AS BLOB)) ORDER BY seq", (digest,))
    for (index,) in rows.fetchall():
        entry = _entry(reader, index)
        if entry is not None and digest in entry.objects:
            return int(index)
    return reader.log_size


def rooted(reader: Reader, card: Digest) -> bool:
    """Whether countersignatures lead from a card to the vault's first one, or to one that recovery made. Raises `Damaged`."""
    return _rooted(reader, card, {})


def findings(reader: Reader, logged: Mapping[Digest, LogEntry]) -> Iterator[Finding]:
    """Cards that were slipped in, and endings that were taken out. `logged` has the log entry of each object that the log names."""
    made = _made_by(reader, ISSUING)
    for signed in users.cards(reader.db):
        which = fingerprint(signed)
        problem = _wrong(reader, signed, which)
        if not problem and _first(reader) in made and which not in made:
            problem = "was put in past the audit log."
        if problem:
            yield Finding(where=f"card {which}", what=problem, step=_STEP)
    yield from _recovery_slot(reader)
    for digest, entry in logged.items():
        if entry.act in ENDING and not _present(reader, digest):
            yield Finding(
                where=f"log entry {entry.index}",
                what="tells of something that isn't there any more, perhaps the end of a card.",
                step="Restore the vault from its last good backup.",
            )


def _wrong(reader: Reader, signed: SignedCard, which: Digest) -> str:
    try:
        open_card(signed)
        return "" if rooted(reader, which) else "leads to another card than the one that the vault was made with."
    except AssayError as error:
        return f"doesn't verify: {error}"


def _made_by(reader: Reader, acts: frozenset[Act]) -> set[Digest]:
    """The cards that the log says were issued by one of these acts."""
    found = set()
    for digest in reader.find(IssuedCard):
        entry = _entry(reader, place(reader, digest))
        if entry is not None and entry.act in acts:
            found.add(reader.get(digest, IssuedCard).card)
    return found


def _entry(reader: Reader, index: int) -> LogEntry | None:
    """An entry of the log; None where there is none, or another one than was logged, which says nothing."""
    try:
        return next(iter(reader.log(1, index - 1)), None)
    except Damaged:
        return None


def _rooted(reader: Reader, card: Digest, known: dict[Digest, bool]) -> bool:
    root = _root(reader, card)
    if root not in known:
        known[root] = root == _first(reader) or _recovered(reader, root, known)
    return known[root]


def _root(reader: Reader, card: Digest) -> Digest:
    """The card without an issuer to which countersignatures lead."""
    issuer = users.card(reader.db, card).issuer
    while issuer:
        card = Digest(issuer)
        issuer = users.card(reader.db, card).issuer
    return card


def _recovered(reader: Reader, root: Digest, known: dict[Digest, bool]) -> bool:
    """Whether recovery gave this card to somebody who was an administrator before, by a card that leads to the vault's first one."""
    told = [made for made in reader.find(IssuedCard) if reader.get(made, IssuedCard).card == root]
    entry = _entry(reader, min((place(reader, made) for made in told), default=reader.log_size))
    if entry is None or entry.act != Act.RECOVER:
        return False
    rows = reader.db.execute(
        "SELECT fingerprint FROM cards WHERE user = ? AND rowid < ?",
        (users.card(reader.db, root).user, _row(reader, root)),
    )
    earlier = [Digest(which) for (which,) in rows.fetchall()]
    if not any(
        ADMIN in users.card(reader.db, which).roles and _before(reader, which, root, known) for which in earlier
    ):
        return False
    key = _recovery_key(reader, entry.index, root, known)
    return key is not None and any(
        digest in entry.objects and proof.key == key[0] and _proves(reader, proof, key[1])
        for digest, proof in recovery_proofs.proofs(reader, root)
    )


def _before(reader: Reader, card: Digest, root: Digest, known: dict[Digest, bool]) -> bool:
    """Whether a card leads to one that is believed and that was there before `root`: so no card vouches for itself."""
    own = _root(reader, card)
    return _row(reader, own) < _row(reader, root) and _rooted(reader, own, known)


def _recovery_key(
    reader: Reader, index: int, root: Digest | None, known: dict[Digest, bool]
) -> tuple[Digest, RecoveryKey] | None:
    """The newest recovery key that an administrator made before an entry of the log, with its record's digest.

    With `root`, only by an administrator whose card leads to one from before that card."""
    placed = [(place(reader, digest), digest) for digest in reader.find(RecoveryKey)]
    for where, digest in sorted(placed, reverse=True):
        entry = _entry(reader, where)
        if where >= index or entry is None or entry.act != Act.SET_RECOVERY:
            continue
        key = reader.get(digest, RecoveryKey)
        try:
            recovery_proofs.check_made(key, _vault(reader), users.card(reader.db, key.card))
            believed = _rooted(reader, key.card, known) if root is None else _before(reader, key.card, root, known)
        except Damaged:
            continue
        over = ended(reader, key.card)
        if believed and (over is None or where < over.size):
            return digest, key
    return None


def _proves(reader: Reader, proof: RecoveryProof, key: RecoveryKey) -> bool:
    try:
        recovery_proofs.check_proof(proof, _vault(reader), key)
    except Damaged:
        return False
    return True


def _recovery_slot(reader: Reader) -> Iterator[Finding]:
    """A way in by recovery words that no administrator made."""
    public = users.admitted(reader.db).get(slots.RECOVERY)
    if public is None:
        return
    key = _recovery_key(reader, reader.log_size, None, {})
    if key is None or key[1].slot != digest_of(unb64(public, slots.NAME)):
        yield Finding(
            where="recovery key",
            what="isn't the one that an administrator made.",
            step="Make another with `assay vault recovery`, then rotate the vault's key.",
        )


def _present(reader: Reader, digest: Digest) -> bool:
    return reader.db.execute("SELECT 1 FROM records WHERE digest = ?", (digest,)).fetchone() is not None


def _first(reader: Reader) -> Digest:
    return Digest(reader.db.execute("SELECT fingerprint FROM cards ORDER BY rowid LIMIT 1").fetchone()[0])


def _row(reader: Reader, card: Digest) -> int:
    return int(reader.db.execute("SELECT rowid FROM cards WHERE fingerprint = ?", (card,)).fetchone()[0])


def _origin(reader: Reader) -> str:
    return log.origin(_vault(reader))


def _vault(reader: Reader) -> str:
    return bytes(reader.db.execute("SELECT value FROM meta WHERE name = 'vault'").fetchone()[0]).decode("ascii")
