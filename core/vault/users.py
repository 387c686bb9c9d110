"""The people of a vault.

A person's roles and printed name come from their card, which they signed themselves and an administrator countersigned (the first
user's card stands alone: auditors pin its fingerprint). Each card is checked against its issuer's before anything is believed.

Other roles, or a longer life, come as a card that an administrator countersigned and offers: its roles hold from then on, and it becomes the
person's card when they next give their passphrase, since nobody else has their keys (`people.signer`).
"""

import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from core.errors import BadInput, Damaged, NotFound
from core.records import Digest, now
from core.trust.canonical import b64, unb64
from core.trust.cards import (
    Card,
    OfferedCard,
    SignedCard,
    fingerprint,
    issue,
    open_card,
    open_offer,
    verify_card,
    verify_offer,
)
from core.trust.keys import PublicKeys, SigningKeys
from core.trust.passphrases import Kdf
from core.vault import slots
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.records import User
from core.vault.roles import Role
from core.vault.signing import SealedKeys, Signer, seal_keys
from core.vault.slots import Slot, new_slot

SHORTEST_PASSPHRASE = 10
"""Characters. A stolen folder can be guessed at without limit, each guess at the cost of one Argon2id derivation."""
FEWEST_DIFFERENT = 4
LONGEST_NAME = 64
CARD_LIFE = timedelta(days=5 * 365 + 1)
"""How long a card is valid; then its owner gets a new one."""


RECOVERY_PUBLIC = "recovery public"
"""The name under which the vault keeps the public half of the recovery key's slot."""


def _first(db: Database) -> None:
    db.executescript(
        """
        CREATE TABLE people(
            user TEXT PRIMARY KEY REFERENCES users(user),
            passphrase_changed TEXT NOT NULL,
            passphrase_by TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE offers(user TEXT PRIMARY KEY REFERENCES users(user), card BLOB NOT NULL) STRICT, WITHOUT ROWID;
        """
    )
    known = db.execute("SELECT u.user, c.content FROM users u JOIN cards c ON c.fingerprint = u.card").fetchall()
    for user, content in known:
        try:
            since = open_card(msgspec.json.decode(content, type=SignedCard)).valid_from
        except Damaged:  # for the check to report
            since = now()
        db.execute("INSERT INTO people VALUES (?, ?, '')", (user, since))


SCHEMA = Migrations("people", (_first,))


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """All that a new user brings into the vault."""

    user: str
    card: SignedCard
    slot: Slot
    signing: SealedKeys


def check_passphrase(passphrase: str) -> None:
    """Raise `BadInput` for a passphrase that is too easy to guess."""
    plain = unicodedata.normalize("NFC", passphrase)
    if len(plain.strip()) < SHORTEST_PASSPHRASE or len(set(plain)) < FEWEST_DIFFERENT:
        raise BadInput(
            source="Passphrase",
            problem=f"it needs at least {SHORTEST_PASSPHRASE} characters, {FEWEST_DIFFERENT} of them different. Take several words.",
        )


def check_user(user: str, name: str, roles: Sequence[str]) -> tuple[Role, ...]:
    """The roles in their fixed order. Raises `BadInput`."""
    if not user or len(user) > LONGEST_NAME or not all(sign.isalnum() or sign in "._-@" for sign in user):
        raise BadInput(source="User name", problem=f"it has letters, digits and . _ - @, {LONGEST_NAME} at most.")
    if (
        not name.strip()
        or len(name) > 2 * LONGEST_NAME
        or any(unicodedata.category(sign).startswith("C") for sign in name)
    ):
        raise BadInput(source=user, problem=f"the printed name has 1 to {2 * LONGEST_NAME} visible characters.")
    known = {role.value for role in Role}
    for role in roles:
        if role not in known:
            raise BadInput(source=user, problem=f"{role} is none of the roles {', '.join(Role)}.")
    if not roles:
        raise BadInput(source=user, problem=f"a user needs at least one of the roles {', '.join(Role)}.")
    return tuple(role for role in Role if role in roles)


def new_person(
    vault: str,
    user: str,
    name: str,
    roles: Sequence[Role],
    passphrase: str,
    kdf: Callable[[], Kdf],
    issuer: Signer | None,
) -> Person:
    """Keys, slot and card for a new user, the card countersigned by `issuer`. Takes as long as two key derivations."""
    keys = SigningKeys.generate()
    card = new_card(user, name, roles, keys.public, issuer)
    return Person(
        user=user,
        card=issue(card, keys, issuer.keys if issuer else None),
        slot=new_slot(vault, user, passphrase, kdf()),
        signing=seal_keys(vault, user, keys, passphrase, kdf()),
    )


def new_card(user: str, name: str, roles: Sequence[str], keys: PublicKeys, issuer: Signer | None) -> Card:
    """A card from now on, for `CARD_LIFE`; nothing is signed yet."""
    start = datetime.now().astimezone()
    return Card(
        user=user,
        name=name,
        roles=tuple(str(role) for role in roles),
        keys=keys,
        valid_from=start.isoformat(timespec="seconds"),
        valid_until=(start + CARD_LIFE).isoformat(timespec="seconds"),
        issuer=issuer.card if issuer else "",
    )


def insert(db: Database, person: Person, by: str) -> User:
    """Enter a new user with their card; `by`: who chose the passphrase."""
    which = add_card(db, person.user, person.card)
    db.execute(
        "INSERT INTO users VALUES (?, ?, 1, ?, ?)",
        (person.user, which, unb64(person.slot.public, slots.NAME), msgspec.json.encode(person.signing)),
    )
    _passphrase_is_new(db, person.user, by)
    return find(db, person.user)


def replace(db: Database, person: Person, by: str) -> User:
    """Give a user another slot, other signing keys and another card; whoever was revoked is back."""
    which = add_card(db, person.user, person.card)
    db.execute("DELETE FROM offers WHERE user = ?", (person.user,))
    db.execute("UPDATE users SET card = ?, active = 1 WHERE user = ?", (which, person.user))
    reseal(db, person.user, person.slot, person.signing, by)
    return find(db, person.user)


def reseal(db: Database, user: str, slot: Slot, signing: SealedKeys, by: str) -> None:
    """Put a user's slot and sealed signing keys in place of the ones before."""
    db.execute(
        "UPDATE users SET public = ?, signing = ? WHERE user = ?",
        (unb64(slot.public, slots.NAME), msgspec.json.encode(signing), user),
    )
    _passphrase_is_new(db, user, by)


def deactivate(db: Database, user: str) -> None:
    """Nobody opens the vault as this user any more; their cards stay, for what they signed."""
    db.execute("UPDATE users SET active = 0 WHERE user = ?", (user,))
    db.execute("DELETE FROM offers WHERE user = ?", (user,))


def admitted(db: Database) -> dict[str, str]:
    """Who may get in: the public half (base64) of everybody's slot, by user name, and the recovery key's."""
    rows = db.execute("SELECT user, public FROM users WHERE active = 1 ORDER BY rowid").fetchall()
    found = {str(user): b64(public) for user, public in rows}
    recovery = db.execute("SELECT value FROM meta WHERE name = ?", (RECOVERY_PUBLIC,)).fetchone()
    return found if recovery is None else {**found, slots.RECOVERY: b64(recovery[0])}


def slot_public(db: Database, slot: str) -> str | None:
    """The public half (base64) of the slot of that name, a user's (revoked or not) or the recovery key's; None where there is none."""
    row = db.execute("SELECT public FROM users WHERE user = ?", (slot,)).fetchone()
    return b64(row[0]) if row is not None else admitted(db).get(slot)


def find(db: Database, user: str) -> User:
    """A user with what their current card, or one that is offered to them, says. Raises `NotFound`, `Damaged`."""
    row = db.execute("SELECT card, active FROM users WHERE user = ?", (user,)).fetchone()
    if row is None:
        raise NotFound(kind="user", name=user, step="`assay user list` shows who there is.")
    said = card(db, Digest(row[0]))
    offered = offer(db, user)
    if offered is not None:
        keys, said = said.keys, offered[1]
        if said.keys != keys:
            raise _not_theirs(user)
    if said.user != user:
        raise _not_theirs(user)
    return User(user=user, name=said.name, roles=tuple(said.roles), card=Digest(row[0]), active=bool(row[1]))


def standing(db: Database, known: User) -> User:
    """A user as they are now, given as they were known: other roles, another card, no roles when they were revoked. Raises `Damaged`."""
    row = db.execute(
        "SELECT active, card, EXISTS (SELECT 1 FROM offers o WHERE o.user = u.user) FROM users u WHERE user = ?",
        (known.user,),
    ).fetchone()
    if row == (1, known.card, 0) and known.active:
        return known
    person = find(db, known.user)
    return person if person.active else msgspec.structs.replace(person, roles=())


def everybody(db: Database) -> tuple[User, ...]:
    """All users, revoked ones too, in the order in which they came."""
    return tuple(find(db, user) for (user,) in db.execute("SELECT user FROM users ORDER BY rowid").fetchall())


def cards(db: Database) -> tuple[SignedCard, ...]:
    """All cards ever issued, oldest first."""
    rows = db.execute("SELECT content FROM cards ORDER BY rowid").fetchall()
    return tuple(msgspec.json.decode(content, type=SignedCard) for (content,) in rows)


def card(db: Database, which: Digest) -> Card:
    """A verified card. Raises `Damaged` when it, or a card that it rests on, doesn't verify."""
    row = db.execute("SELECT content FROM cards WHERE fingerprint = ?", (which,)).fetchone()
    if row is None:
        raise Damaged(source=f"Card {which}", problem="is missing. Restore the vault from a backup.")
    signed = msgspec.json.decode(row[0], type=SignedCard)
    if fingerprint(signed) != which:
        raise Damaged(source=f"Card {which}", problem="differs from what was issued. Restore the vault from a backup.")
    issuer = open_card(signed).issuer
    return verify_card(signed, card(db, Digest(issuer)) if issuer else None)


def add_card(db: Database, user: str, signed: SignedCard) -> Digest:
    """Keep a card; its fingerprint."""
    which = fingerprint(signed)
    db.execute("INSERT INTO cards VALUES (?, ?, ?)", (which, user, msgspec.json.encode(signed)))
    return which


def hold(db: Database, user: str, which: Digest) -> None:
    """Make a card that is kept the user's current one; what was offered is taken up."""
    db.execute("UPDATE users SET card = ? WHERE user = ?", (which, user))
    db.execute("DELETE FROM offers WHERE user = ?", (user,))


def set_offer(db: Database, user: str, offered: OfferedCard) -> None:
    """Offer a user a card, in place of one offered before."""
    db.execute("INSERT OR REPLACE INTO offers VALUES (?, ?)", (user, msgspec.json.encode(offered)))


def offer(db: Database, user: str) -> tuple[OfferedCard, Card] | None:
    """The card that waits for a user, verified with its issuer's. Raises `Damaged`."""
    row = db.execute("SELECT card FROM offers WHERE user = ?", (user,)).fetchone()
    if row is None:
        return None
    offered = msgspec.json.decode(row[0], type=OfferedCard)
    issuer = open_offer(offered).issuer
    return offered, verify_offer(offered, card(db, Digest(issuer)))


def passphrase_changed(db: Database, user: str) -> str:
    """When a user's passphrase was set, RFC 3339; in a vault from before that was noted, when they got their card. Raises `NotFound`."""
    row = db.execute("SELECT passphrase_changed FROM people WHERE user = ?", (user,)).fetchone()
    if row is None:
        raise NotFound(kind="user", name=user, step="`assay user list` shows who there is.")
    return str(row[0])


def passphrase_by(db: Database, user: str) -> str:
    """Who gave a user the passphrase that holds: themselves, or the administrator who added or reset them; "" where it isn't known."""
    row = db.execute("SELECT passphrase_by FROM people WHERE user = ?", (user,)).fetchone()
    return "" if row is None else str(row[0])


def sealed_keys(db: Database, user: str) -> SealedKeys:
    """A user's signing keys as they lie in the vault. Raises `NotFound`."""
    row = db.execute("SELECT signing FROM users WHERE user = ?", (user,)).fetchone()
    if row is None:
        raise NotFound(kind="user", name=user, step="`assay user list` shows who there is.")
    return msgspec.json.decode(row[0], type=SealedKeys)


def public(db: Database, user: str) -> str:
    """The public half of a user's slot, in base64, as the vault itself knows it. Raises `NotFound`."""
    row = db.execute("SELECT public FROM users WHERE user = ?", (user,)).fetchone()
    if row is None:
        raise NotFound(kind="user", name=user, step="`assay user list` shows who there is.")
    return b64(row[0])


def _passphrase_is_new(db: Database, user: str, by: str) -> None:
    db.execute("INSERT OR REPLACE INTO people VALUES (?, ?, ?)", (user, now(), by))


def _not_theirs(user: str) -> Damaged:
    return Damaged(source=f"User {user}", problem="their card is somebody else's. Restore the vault from a backup.")
