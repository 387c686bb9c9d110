"""The recovery key: the way in when every administrator's passphrase is lost.

It is shown once, as words (`core.trust.words`), and kept nowhere. The rules:

1. In `keys.json` it is a slot like a person's (`slots.RECOVERY`) whose passphrase is the words, so a change of the vault key includes it.
   The words carry 256 bits: its derivation needs no second.
2. A new recovery key ends the one before: whoever was told those words is out.
3. It opens the vault and nobody's signing keys. `recover` gives one administrator a passphrase, new signing keys and a card that nobody
   countersigned: auditors compare its fingerprint again. The old card ends. That it came by the words is proven (`recovery_proofs`).
4. Making it and using it are logged.
"""

import secrets
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import NotFound
from core.trust.canonical import unb64
from core.trust.passphrases import FLOOR_MEMORY, FLOOR_PASSES, Kdf, calibrated, new_kdf
from core.trust.words import KEY, from_words, to_words
from core.vault import attempts, cards, people, recovery_proofs, slots, users
from core.vault.migrations import Migrations
from core.vault.records import User
from core.vault.roles import Act, Role, allowed
from core.vault.signing import Signer
from core.vault.vault import Vault


def make(vault: Vault, signer: Signer) -> tuple[str, ...]:
    """The words of a new recovery key, in place of the one before. Raises `Refused` (also with a card that isn't valid), `DiskFull`."""
    people.check(vault, signer, Act.SET_RECOVERY, slots.RECOVERY)
    secret = secrets.token_bytes(KEY)
    words = to_words(secret)
    slot = slots.new_slot(vault.id, slots.RECOVERY, _passphrase(words), new_kdf(FLOOR_MEMORY, FLOOR_PASSES))
    replaced = exists(vault)
    with people.new_slot_for(vault, slot, Act.SET_RECOVERY, slots.RECOVERY) as unit:
        public = unb64(slot.public, slots.NAME)
        unit.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (users.RECOVERY_PUBLIC, public))
        recovery_proofs.made(unit, signer, vault.id, public, secret)
        unit.note(before="an earlier one" if replaced else "none", after="a new one")
    return words


def exists(vault: Vault) -> bool:
    """Whether the vault has a recovery key."""
    with vault.read() as reader:
        return slots.RECOVERY in users.admitted(reader.db)


def ways(folder: Path, keys: slots.KeyFile, words: str) -> list[slots.Way]:
    """The vault keys that the words lead to. Raises `BadInput` (mistyped words, by their places), `WrongPassphrase`, `NotFound` (no recovery
    key was made)."""
    if keys.slot(slots.RECOVERY) is None and not any(one.slot.user == slots.RECOVERY for one in keys.pending):
        raise NotFound(
            kind="recovery key", name=f"of {folder}", step="It would have been made with `assay vault recovery`."
        )
    return slots.unlock(folder, keys, slots.RECOVERY, _passphrase(to_words(from_words(words))))


def recover(
    folder: Path,
    words: str,
    user: str,
    passphrase: str,
    schema: Sequence[Migrations] = (),
    kdf: Callable[[], Kdf] = calibrated,
) -> User:
    """Give the administrator `user` a new passphrase, signing keys and card; what they are then. The vault is closed before and after.

    Raises `Refused` (revoked, or no administrator), `NotFound`, `Damaged` (the vault doesn't know who made the words), and what `ways` and
    `Vault.open` raise.
    """
    folder = folder.absolute()
    user = unicodedata.normalize("NFC", user)
    users.check_passphrase(passphrase)
    if user not in Vault.names(folder):
        raise NotFound(kind="user", name=user, step="Name an administrator of this vault.")
    with Vault.open_by(folder, user, slots.RECOVERY, lambda keys: ways(folder, keys, words), schema) as vault:
        roles = [Role(role) for role in vault.user.roles]
        if not allowed(Act.RECOVER, roles):
            with vault.write(Act.RECOVER, user):
                raise AssertionError
        person = users.new_person(vault.id, user, vault.user.name, roles, passphrase, kdf, issuer=None)
        with people.new_slot_for(vault, person.slot, Act.RECOVER, user) as unit:
            people.end_card(unit, vault.user.card, "recovered with the recovery key")
            recovered = users.replace(unit.db, person, by=user)
            cards.issued(unit, recovered.card, user)
            recovery_proofs.prove(unit, vault.id, recovered.card, from_words(words))
            unit.note(before="a passphrase that was lost", after="a new passphrase and a new card")
    attempts.forget(folder, user)
    return recovered


def _passphrase(words: Sequence[str]) -> str:
    return " ".join(words)
