"""Changes to the people of a vault, made by an administrator or by the person themselves.

Rules:

1. Whoever makes a change gives their passphrase for it (`signer`) and has the vault open themselves.
2. `vault.db` and `keys.json` change together: a new slot stands in `keys.json` as pending before the commit in `vault.db` that makes it count,
   and what it replaced goes after it. Killed in between, the next opening drops whichever doesn't count.
3. There is always an administrator: nobody revokes themselves, and the last one keeps the role.
4. Nobody but a person has that person's signing keys. An administrator gives new ones with a new card, and ends the old card; other roles and
   a longer life are offered on a card that the person makes theirs by signing it (`signer`), when they next give their passphrase.
5. Each card that is issued or ended stands in the log entry of the change.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from core.errors import AlreadyExists, AssayError, Refused, Unavailable
from core.records import Digest, Record, now
from core.trust.cards import Card, accept, issue
from core.trust.cards import offer as offer_card
from core.trust.keys import SigningKeys
from core.trust.passphrases import Kdf, calibrated
from core.trust.times import parse_time
from core.vault import attempts, cards, rotation, slots, users
from core.vault.connection import DriverError
from core.vault.records import User
from core.vault.roles import Act, Role, allowed
from core.vault.rotation import Step, Tell, unasked, untold
from core.vault.signing import Signer, seal_keys
from core.vault.slots import Slot, new_slot
from core.vault.unit import Unit

if TYPE_CHECKING:
    from core.vault.vault import Vault

MakeKdf = Callable[[], Kdf]


class Revoked(Record, frozen=True, kw_only=True):
    """Somebody who can't open the vault any more."""

    user: str
    card: Digest
    time: str
    entries: int
    """The log's size before the revocation: what stands there was done before."""
    epoch: int
    """The number of the vault's new key."""


def add(
    vault: "Vault",
    signer: Signer,
    user: str,
    name: str,
    roles: Sequence[str],
    passphrase: str,
    kdf: MakeKdf = calibrated,
) -> User:
    """Give another person a slot, signing keys and a card that `signer`, an administrator, countersigns.

    Raises `Refused`, `BadInput`, `AlreadyExists`, `DiskFull`.
    """
    checked = users.check_user(user, name, roles)
    users.check_passphrase(passphrase)
    user = unicodedata.normalize("NFC", user)
    check(vault, signer, Act.ADD_USER, user)
    person = users.new_person(vault.id, user, name, checked, passphrase, kdf, issuer=signer)
    with new_slot_for(vault, person.slot, Act.ADD_USER, user) as unit:
        if user in {known.user for known in users.everybody(unit.db)}:
            raise AlreadyExists(kind="user", name=user, step="Choose another user name.")
        added = users.insert(unit.db, person, by=vault.user.user)
        cards.issued(unit, added.card, user)
        unit.note(after=", ".join(added.roles))
    return added


def revoke(vault: "Vault", signer: Signer, user: str, reason: str, tell: Tell = untold) -> Revoked:
    """Shut a person out: their slot goes, their card ends, and the vault gets another key, which they never had.

    What they signed before stays provable. Copies of the folder from before stay readable to them. Raises `Refused`, `NotFound`, `DiskFull`;
    `Unavailable` when they are revoked and the key couldn't be changed yet: the next opening does it.
    """
    user = unicodedata.normalize("NFC", user)
    check(vault, signer, Act.REVOKE_USER, user)
    connections = vault._connections
    with connections.lock:
        slots.read(vault.folder)
        with vault.write(Act.REVOKE_USER, user, reason) as unit:
            person = users.find(unit.db, user)
            if not person.active:
                raise Refused(act=f"Revoke {user}", reason="They were revoked before.")
            if _only_admin(unit, person):
                raise Refused(
                    act=f"Revoke {user}", reason="They are the last administrator. Make somebody else one first."
                )
            if user == vault.user.user:
                raise Refused(act=f"Revoke {user}", reason="Nobody revokes themselves: another administrator does.")
            users.deactivate(unit.db, user)
            ended = cards.end(unit, person.card, reason)
            rotation.intend(unit, connections.epoch)
            unit.note(before=", ".join(person.roles), after="revoked")
        tell(Step.INTENDED)
        try:
            epoch = rotation.carry_out(vault, tell)
        except AssayError as error:
            raise Unavailable(
                what=f"{user} was revoked, but the vault's key couldn't be changed yet ({error})",
                step="The next opening tries again, or do it with `assay vault rekey`.",
            ) from error
    return Revoked(user=user, card=person.card, time=ended.time, entries=ended.size, epoch=epoch)


def reset(
    vault: "Vault", signer: Signer, user: str, passphrase: str, reason: str = "", kdf: MakeKdf = calibrated
) -> User:
    """Give a person who lost their passphrase a new one, with new signing keys on a new card; the old card ends. Brings back who was revoked.

    Whoever knows the old passphrase and has an old copy of `keys.json` still gets at the vault key: `rotation.rotate` where that matters.
    Raises `Refused`, `NotFound`, `BadInput`, `DiskFull`.
    """
    user = unicodedata.normalize("NFC", user)
    users.check_passphrase(passphrase)
    check(vault, signer, Act.RESET_USER, user)
    if user == vault.user.user:
        raise Refused(act=f"Reset {user}", reason="Change your own passphrase instead: your signing keys stay then.")
    with vault.read() as reader:
        known = users.find(reader.db, user)
    person = users.new_person(
        vault.id, user, known.name, [Role(role) for role in known.roles], passphrase, kdf, issuer=signer
    )
    with new_slot_for(vault, person.slot, Act.RESET_USER, user, reason) as unit:
        before = users.find(unit.db, user)
        if before != known:
            raise _meanwhile(f"Reset {user}")
        end_card(unit, before.card, reason or "reset")
        again = users.replace(unit.db, person, by=vault.user.user)
        cards.issued(unit, again.card, user)
        unit.note(before="active" if before.active else "revoked", after="reset")
    attempts.forget(vault.folder, user)
    return again


def change_passphrase(vault: "Vault", old: str, new: str, kdf: MakeKdf = calibrated) -> None:
    """Change one's own passphrase, for opening and for signing at once; keys and card stay.

    Killed anywhere, one of the two passphrases does both. Raises `WrongPassphrase`, `BadInput`, `DiskFull`.
    """
    users.check_passphrase(new)
    user = vault.user.user
    with vault.read() as reader:
        known = users.sealed_keys(reader.db, user)
    with vault.confirm(old) as signer:
        signing = seal_keys(vault.id, user, signer.keys, new, kdf())
    slot = new_slot(vault.id, user, new, kdf())
    with new_slot_for(vault, slot, Act.CHANGE_PASSPHRASE, user) as unit:
        if users.sealed_keys(unit.db, user) != known:
            raise _meanwhile("Change your passphrase")
        users.reseal(unit.db, user, slot, signing, by=user)


def change_roles(vault: "Vault", signer: Signer, user: str, roles: Sequence[str], reason: str = "") -> User:
    """Give a person other roles, which hold at once. Their old card ends; the new one is whole when they next give their passphrase.

    Raises `Refused`, `NotFound`, `BadInput`.
    """
    user = unicodedata.normalize("NFC", user)
    check(vault, signer, Act.CHANGE_ROLES, user)
    with vault.write(Act.CHANGE_ROLES, user, reason) as unit:
        before = _active(unit, user, "Change the roles of")
        wanted = users.check_user(user, before.name, roles)
        if Role.ADMIN not in wanted and _only_admin(unit, before):
            raise Refused(act=f"Change the roles of {user}", reason="They are the last administrator.")
        if set(wanted) != set(before.roles):
            end_card(unit, before.card, reason or "other roles")
            _give_card(unit, signer, before, wanted)
            unit.note(before=", ".join(before.roles), after=", ".join(wanted))
        changed = users.find(unit.db, user)
    if user == vault.user.user:
        vault.user = changed
    return changed


def renew(vault: "Vault", signer: Signer, user: str) -> User:
    """Give a person a card that is valid from now on, for the same keys and roles; whole when they next give their passphrase.

    Raises `Refused`, `NotFound`.
    """
    user = unicodedata.normalize("NFC", user)
    check(vault, signer, Act.RENEW_CARD, user)
    with vault.write(Act.RENEW_CARD, user) as unit:
        before = _active(unit, user, "Renew the card of")
        _give_card(unit, signer, before, before.roles)
        renewed = users.find(unit.db, user)
    if user == vault.user.user:
        vault.user = renewed
    return renewed


def signer(vault: "Vault", keys: SigningKeys) -> Signer:
    """The person who has the vault open, with their signing keys; a card that was offered to them becomes theirs. Raises `Damaged`."""
    user = vault.user.user
    with vault.read() as reader:
        if users.offer(reader.db, user) is None:
            return Signer(vault.user, users.card(reader.db, vault.user.card), keys)
    with unasked(vault, Act.RENEW_CARD, user) as unit:
        waiting = users.offer(unit.db, user)
        if waiting is not None:
            which = users.add_card(unit.db, user, accept(waiting[0], keys))
            users.hold(unit.db, user, which)
            cards.issued(unit, which, user)
        vault.user = users.find(unit.db, user)
        card = users.card(unit.db, vault.user.card)
    return Signer(vault.user, card, keys)


def check(vault: "Vault", signer: Signer, act: Act, about: str) -> None:
    """Refuse before the work of making keys what would be refused after it."""
    if not allowed(act, vault.user.roles):
        with vault.write(act, about):
            raise AssertionError
    if signer.user.user != vault.user.user:
        raise Refused(
            act=act.replace("-", " ").capitalize(),
            reason="The card must be countersigned by the person who has the vault open.",
        )
    signer.keys  # noqa: B018 (raises when the sitting is over)


def _active(unit: Unit, user: str, act: str) -> User:
    person = users.find(unit.db, user)
    if not person.active:
        raise Refused(act=f"{act} {user}", reason="They were revoked; a reset brings them back.")
    return person


def _meanwhile(act: str) -> Refused:
    return Refused(act=act, reason="Somebody changed that person meanwhile. Look again, then try again.")


def _only_admin(unit: Unit, person: User) -> bool:
    admins = [known.user for known in users.everybody(unit.db) if known.active and Role.ADMIN in known.roles]
    return admins == [person.user]


def _give_card(unit: Unit, signer: Signer, person: User, roles: Sequence[str]) -> None:
    """Issue a card for keys that the person has: at once to the signer themselves, to others as an offer."""
    if not signer.printed.valid_at(parse_time(now(), "clock")):
        raise Refused(
            act=f"Give {person.user} a card",
            reason=f"Your own card was valid until {signer.printed.valid_until}. Another administrator, or the recovery key, gives you one.",
        )
    card: Card = users.new_card(person.user, person.name, roles, users.card(unit.db, person.card).keys, signer)
    if person.user != signer.user.user:
        users.set_offer(unit.db, person.user, offer_card(card, signer.keys))
        return
    which = users.add_card(unit.db, person.user, issue(card, signer.keys, signer.keys))
    users.hold(unit.db, person.user, which)
    cards.issued(unit, which, person.user)


def end_card(unit: Unit, card: Digest, reason: str) -> None:
    """End a card, unless that was done before."""
    if cards.ended(unit, card) is None:
        cards.end(unit, card, reason)


@contextmanager
def new_slot_for(vault: "Vault", slot: Slot, act: Act, user: str, reason: str = "") -> Iterator[Unit]:
    """A change in `vault.db` that makes a slot count, with what must happen to `keys.json` before and after it."""
    connections = vault._connections
    with connections.lock:
        before = slots.read(vault.folder)
        slots.write(vault.folder, slots.offered(before, slot, connections.epoch, connections.key))
        try:
            with vault.write(act, user, reason) as unit:
                yield unit
        except BaseException:
            with suppress(
                AssayError, DriverError
            ):  # Ctrl-C may have come after the commit: what is in `vault.db` decides
                if users.slot_public(connections.writer, slot.user) == slot.public:
                    rotation.tidy(vault.folder, connections)
                else:
                    slots.write(vault.folder, before)
            raise
        with suppress(AssayError):  # done it is; the next opening tidies up
            rotation.tidy(vault.folder, connections)
