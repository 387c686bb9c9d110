"""The life of a card in a vault: issued, and perhaps ended before its time.

Rules: the log entry of the change that issued a card tells of it; every card leads by countersignatures to the vault's first card, which
alone has no issuer, or to one that recovery made for an administrator; an ended card stays, with a record that says up to which entry of the log
its signatures count. Keys that come back after a reset are new ones on a new card, so the old card is ended with it.
"""

from collections.abc import Iterator, Mapping

from core.errors import AssayError, Damaged
from core.records import Digest, Record, now
from core.trust.cards import ADMIN, Revocation, SignedCard, fingerprint, open_card
from core.vault import log, users
from core.vault.records import Finding, LogEntry
from core.vault.roles import Act
from core.vault.unit import Reader, Unit

ISSUING = frozenset({Act.CREATE_VAULT, Act.ADD_USER, Act.RESET_USER, Act.CHANGE_ROLES, Act.RENEW_CARD, Act.RECOVER})
"""The acts that may issue a card."""
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
    issuer = users.card(reader.db, card).issuer
    while issuer:
        card = Digest(issuer)
        issuer = users.card(reader.db, card).issuer
    return card == _first(reader) or _recovered(reader, card)


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
    for digest, entry in logged.items():
        if entry.act in (Act.REVOKE_USER, Act.RESET_USER) and not _present(reader, digest):
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


def _recovered(reader: Reader, root: Digest) -> bool:
    """Whether recovery gave this card to somebody who was an administrator before, by a card that leads to the vault's first one."""
    if root not in _made_by(reader, frozenset({Act.RECOVER})):
        return False
    user = users.card(reader.db, root).user
    rows = reader.db.execute(
        "SELECT fingerprint FROM cards WHERE user = ? AND rowid < (SELECT rowid FROM cards WHERE fingerprint = ?)",
        (user, root),
    )
    earlier = [Digest(which) for (which,) in rows.fetchall()]
    return any(ADMIN in users.card(reader.db, which).roles and rooted(reader, which) for which in earlier)


def _present(reader: Reader, digest: Digest) -> bool:
    return reader.db.execute("SELECT 1 FROM records WHERE digest = ?", (digest,)).fetchone() is not None


def _first(reader: Reader) -> Digest:
    return Digest(reader.db.execute("SELECT fingerprint FROM cards ORDER BY rowid LIMIT 1").fetchone()[0])


def _origin(reader: Reader) -> str:
    vault = reader.db.execute("SELECT value FROM meta WHERE name = 'vault'").fetchone()[0]
    return log.origin(bytes(vault).decode("ascii"))
