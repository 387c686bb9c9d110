"""The people of a vault.

A person's roles and printed name come from their card, which they signed themselves and an administrator countersigned (the first
user's card stands alone: auditors pin its fingerprint). Each card is checked against its issuer's before anything is believed.
"""

import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from core.errors import BadInput, Damaged, NotFound
from core.records import Digest
from core.trust.canonical import b64, unb64
from core.trust.cards import Card, SignedCard, fingerprint, issue, open_card, verify_card
from core.trust.keys import SigningKeys
from core.trust.passphrases import Kdf
from core.vault import slots
from core.vault.connection import Database
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
    start = datetime.now().astimezone()
    card = Card(
        user=user,
        name=name,
        roles=tuple(role.value for role in roles),
        keys=keys.public,
        valid_from=start.isoformat(timespec="seconds"),
        valid_until=(start + CARD_LIFE).isoformat(timespec="seconds"),
        issuer=issuer.card if issuer else "",
    )
    return Person(
        user=user,
        card=issue(card, keys, issuer.keys if issuer else None),
        slot=new_slot(vault, user, passphrase, kdf()),
        signing=seal_keys(vault, user, keys, passphrase, kdf()),
    )


def insert(db: Database, person: Person) -> User:
    """Enter a new user with their card."""
    card = fingerprint(person.card)
    db.execute("INSERT INTO cards VALUES (?, ?, ?)", (card, person.user, msgspec.json.encode(person.card)))
    db.execute(
        "INSERT INTO users VALUES (?, ?, 1, ?, ?)",
        (person.user, card, unb64(person.slot.public, slots.NAME), msgspec.json.encode(person.signing)),
    )
    return find(db, person.user)


def find(db: Database, user: str) -> User:
    """A user with what their current card says. Raises `NotFound`, `Damaged`."""
    row = db.execute("SELECT card, active FROM users WHERE user = ?", (user,)).fetchone()
    if row is None:
        raise NotFound(kind="user", name=user, step="`assay user list` shows who there is.")
    said = card(db, Digest(row[0]))
    if said.user != user:
        raise Damaged(source=f"User {user}", problem="their card is somebody else's. Restore the vault from a backup.")
    return User(user=user, name=said.name, roles=tuple(said.roles), card=Digest(row[0]), active=bool(row[1]))


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
