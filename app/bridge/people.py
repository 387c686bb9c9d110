"""The people of the open vault, as pages ask for them. Runs off the UI thread.

Each change takes the passphrase of whoever makes it: their signature stands below it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.paths import write_whole
from core.trust import trustfile
from core.trust.cards import Card, SignedCard, fingerprint, open_card
from core.trust.times import parse_time

if TYPE_CHECKING:
    from core.vault.records import User
    from core.vault.signing import Signer
    from core.workbench import Workbench

SOON = timedelta(days=60)
"""Before the end of a card, when a new one should be made."""


@dataclass(frozen=True)
class Person:
    """A person of the vault; `you` is who unlocked it. `state` is active, expiring, expired or revoked."""

    user: str
    name: str
    roles: tuple[str, ...]
    active: bool
    you: bool
    card: str = ""
    valid_from: str = ""
    valid_until: str = ""
    issuer: str = ""
    state: str = "active"
    cards: int = 1
    """How many cards they have had."""


@dataclass(frozen=True)
class AddPerson:
    """Whom to add, with their own passphrase."""

    user: str
    name: str
    roles: tuple[str, ...]
    passphrase: str


def person(found: "User", you: str) -> Person:
    return Person(
        found.user,
        found.name,
        tuple(found.roles),
        found.active,
        found.user == you,
        card=str(found.card),
        state="active" if found.active else "revoked",
    )


def list_people(bench: "Workbench") -> tuple[Person, ...]:
    """Everybody the vault knows, with what their card says."""
    you = bench.vault.user.user
    opened = [(str(fingerprint(signed)), open_card(signed)) for signed in bench.vault.cards()]
    by_print = dict(opened)
    now = datetime.now(UTC)
    return tuple(_with_card(person(found, you), by_print, now) for found in bench.vault.users())


def _with_card(known: Person, cards: dict[str, Card], now: datetime) -> Person:
    card = cards.get(known.card)
    if card is None:
        return known
    issuer = cards.get(card.issuer)
    until = parse_time(card.valid_until, f"card of {known.user}")
    state = known.state
    if state == "active" and until < now:
        state = "expired"
    elif state == "active" and until - now < SOON:
        state = "expiring"
    return replace(
        known,
        valid_from=card.valid_from,
        valid_until=card.valid_until,
        issuer="" if issuer is None else issuer.name,
        state=state,
        cards=sum(other.user == known.user for other in cards.values()),
    )


def confirm(bench: "Workbench", own: str) -> "Signer":
    """The signing keys of whoever makes a change; a wrong passphrase is logged and counted as at any signing."""
    return bench.vault.sitting.confirm(own, bench.vault.user.user)


def add_person(bench: "Workbench", request: AddPerson, own: str) -> Person:
    """Add somebody; `own` is the administrator's passphrase. Raises `WrongPassphrase`, `Refused`, `BadInput`, `AlreadyExists`."""
    with confirm(bench, own) as signer:
        found = bench.vault.add_user(signer, request.user, request.name, request.roles, request.passphrase)
    return person(found, bench.vault.user.user)


def card_text(bench: "Workbench", which: str) -> bytes:
    """A card as a file for an auditor: the same as `assay user card -o` writes."""
    signed = _signed(bench, which)
    return msgspec.json.format(msgspec.json.encode(signed))


def save_card(bench: "Workbench", which: str, path: Path) -> None:
    """Write a card."""
    write_whole(path, card_text(bench, which), private=False)


def save_trust_file(bench: "Workbench", path: Path) -> None:
    """Write the cards of the vault's people and its log's key."""
    write_whole(path, trustfile.dump(bench.vault.trust_file()), private=False)


def _signed(bench: "Workbench", which: str) -> SignedCard:
    return next(signed for signed in bench.vault.cards() if fingerprint(signed) == which)


def revoke(bench: "Workbench", user: str, reason: str, own: str) -> None:
    """Shut somebody out: a new vault key for the others, and the end of their card. Raises `WrongPassphrase`, `Refused`, `NotFound`."""
    from core.vault import people

    with confirm(bench, own) as signer:
        people.revoke(bench.vault, signer, user, reason)


def reset(bench: "Workbench", user: str, passphrase: str, reason: str, own: str) -> None:
    """New keys, a new card and a new passphrase for somebody. Raises `WrongPassphrase`, `Refused`, `BadInput`."""
    from core.vault import people

    with confirm(bench, own) as signer:
        people.reset(bench.vault, signer, user, passphrase, reason)


def change_roles(bench: "Workbench", user: str, roles: tuple[str, ...], reason: str, own: str) -> None:
    """Other roles, on a new card. Raises `WrongPassphrase`, `Refused`, `BadInput`."""
    from core.vault import people

    with confirm(bench, own) as signer:
        people.change_roles(bench.vault, signer, user, roles, reason)


def renew(bench: "Workbench", user: str, own: str) -> None:
    """A new card with the same roles. Raises `WrongPassphrase`, `Refused`."""
    from core.vault import people

    with confirm(bench, own) as signer:
        people.renew(bench.vault, signer, user)


def change_passphrase(bench: "Workbench", old: str, new: str) -> None:
    """One's own passphrase, for the vault and for signing. Raises `WrongPassphrase`, `BadInput`."""
    from core.vault import people

    people.change_passphrase(bench.vault, old, new)


def has_recovery(bench: "Workbench") -> bool:
    """Whether recovery words were made before."""
    from core.vault import recovery

    return recovery.exists(bench.vault)


def make_recovery(bench: "Workbench", own: str) -> tuple[str, ...]:
    """The words of a new recovery key, which take the place of earlier ones. Raises `WrongPassphrase`, `Refused`."""
    from core.vault import recovery

    with confirm(bench, own) as signer:
        return tuple(recovery.make(bench.vault, signer))
