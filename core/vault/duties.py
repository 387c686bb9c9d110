"""When two people of a vault count as two: whoever ended a legal hold and whoever erases what it kept are different persons.

Different user names don't make two persons: an administrator can add somebody, or reset somebody's passphrase, and know it. The rules:

1. Nobody is a second person to themselves.
2. Signing keys that somebody was given since the duty began (when the hold was placed) are in the hands of who gave them too, and of whose hands
   that one's keys are in. Two people who have a hand in common count as one.
3. Keys that came by the recovery words since then are in anybody's hands who knows the words: they count as nobody's.
4. After `SETTLING` such keys count: their owner has had time to change the passphrase, and others have had time to read the log. Other
   roles, a longer life of a card or another passphrase give nobody new keys.

Order is the log's; the days of 4 are by the workstation's clock, and whoever sets that forward leaves entries from the future in the log.
"""

from datetime import datetime, timedelta

from core.records import Digest
from core.trust.times import parse_time
from core.vault import cards, slots, users
from core.vault.cards import IssuedCard
from core.vault.records import LogEntry
from core.vault.roles import Act
from core.vault.unit import Reader

SETTLING = timedelta(days=30)


def one_hand(reader: Reader, mine: Digest, theirs: Digest, since: int, at: datetime) -> str:
    """Why the holders of two cards don't count as two persons for a duty that began with a log entry; "" when they do."""
    names = [users.card(reader.db, card).user for card in (mine, theirs)]
    if names[0] == names[1]:
        return f"{names[0]} did both."
    hands = [_hands(reader, card, since, at, set()) for card in (mine, theirs)]
    days = f"They count as another person {SETTLING.days} days after that."
    for name, held in zip(names, hands, strict=True):
        if slots.RECOVERY in held:
            return f"{name} got new keys by the recovery words after the hold was placed. {days}"
    if hands[0] & hands[1]:
        new = " and ".join(sorted(name for name, held in zip(names, hands, strict=True) if len(held) > 1))
        return f"{new} got new keys from {' and '.join(sorted(hands[0] & hands[1]))} after the hold was placed. {days}"
    return ""


def _hands(reader: Reader, card: Digest, since: int, at: datetime, known: set[Digest]) -> set[str]:
    """The user names of all whose hands the keys of a card are in."""
    found = {users.card(reader.db, card).user}
    first = _first_with_these_keys(reader, card)
    entry = _issuing(reader, first)
    if first in known or entry is None or entry.index <= since or at - parse_time(entry.time, "log") > SETTLING:
        return found
    if entry.act == Act.RECOVER:
        return found | {slots.RECOVERY}
    issuer = users.card(reader.db, first).issuer
    return found | (_hands(reader, Digest(issuer), since, at, known | {first}) if issuer else set())


def _first_with_these_keys(reader: Reader, card: Digest) -> Digest:
    told = users.card(reader.db, card)
    rows = reader.db.execute("SELECT fingerprint FROM cards WHERE user = ? ORDER BY rowid", (told.user,)).fetchall()
    return next(Digest(which) for (which,) in rows if users.card(reader.db, Digest(which)).keys == told.keys)


def _issuing(reader: Reader, card: Digest) -> LogEntry | None:
    """The log entry that tells of a card; None for one from before the log told of cards."""
    for digest in reader.find(IssuedCard):
        if reader.get(digest, IssuedCard).card == card:
            return next(iter(reader.log(1, cards.place(reader, digest) - 1)), None)
    return None
