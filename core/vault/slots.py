"""`keys.json`: how a user's passphrase leads to the vault key.

Each user has a slot: an HPKE key pair (ML-KEM-768 with X25519) whose private half is sealed under the Argon2id key of their
passphrase. An epoch holds the vault key, encrypted to the public half of each slot; there is one epoch, but for the moment of a
rotation. The recovery key has a slot too (`RECOVERY`), whose passphrase is its words. The rules:

1. No secret in clear; user names are readable, so that the window can offer them.
2. What stands beside a ciphertext is authenticated with it: vault, user, Argon2id parameters, public half, epoch.
3. Argon2id parameters are believed only between a floor and a ceiling (`core.trust.passphrases`).
4. An unknown user costs the same derivation as a wrong passphrase and gets the same answer.
5. The file is replaced whole, synced, or stays as it was.
6. `vault.db` is the truth about who gets in: it knows the public half of everybody's slot. A slot that is being put in place of another
   stands beside it as pending; the commit in `vault.db` decides between the two, and whoever opens the vault next drops the other.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import Damaged, NewerVault, NotFound, Unavailable, WrongPassphrase
from core.paths import write_whole
from core.records import Record
from core.trust.canonical import b64, builtins, canonical, unb64
from core.trust.passphrases import Kdf, derive
from core.trust.sealing import InvalidSeal, SealingKeys, seal, seal_to, unseal_secret, wipe

NAME = "keys.json"
FORMAT = 2
"""1 had neither pending slots nor a recovery slot."""
RECOVERY = "recovery key"
"""Whose slot opens with the recovery key's words: no user name has a space."""
LARGEST = 16 << 20
"""Bytes; a slot takes 3 KiB, and a file from outside is not read without a limit."""


class Slot(Record, frozen=True, kw_only=True):
    """A user's way in. Base64 throughout."""

    user: str
    kdf: Kdf
    public: str
    private: str
    """The private half, sealed under the Argon2id key."""


class Epoch(Record, frozen=True, kw_only=True):
    """One vault key, encrypted to each user (base64 by user name)."""

    number: int
    keys: dict[str, str]


class Pending(Record, frozen=True, kw_only=True):
    """A slot that `vault.db` may or may not know yet, with the vault key of one epoch encrypted to it."""

    slot: Slot
    epoch: int
    key: str


class KeyFile(Record, frozen=True, kw_only=True, tag="vault-keys"):
    """All of `keys.json`."""

    version: int = FORMAT
    vault: str
    slots: tuple[Slot, ...]
    epochs: tuple[Epoch, ...]
    pending: tuple[Pending, ...] = ()
    attempts: str = ""
    """The public half to which a locked vault seals what it notes of failed openings."""

    def slot(self, user: str) -> Slot | None:
        """The slot of a user, or None."""
        return next((slot for slot in self.slots if slot.user == user), None)


def read(folder: Path) -> KeyFile:
    """What a vault's folder holds. Raises `NotFound` (not a vault), `Damaged`, `NewerVault`."""
    path = folder / NAME
    if not path.is_file():
        raise NotFound(kind="vault", name=str(folder), step="Choose a vault's folder, or create one.")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise Unavailable(what=f"{path} can't be read", step="Check who may read it.") from error
    try:
        found = msgspec.json.decode(content, type=_Version).version
        if found > FORMAT:
            raise NewerVault(vault=str(folder), package=NAME, found=found, known=FORMAT)
        keys = msgspec.json.decode(content, type=KeyFile)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path) from error
    if len(content) > LARGEST or not keys.slots or not keys.epochs:
        raise _damaged(path)
    return keys


class Way(NamedTuple):
    """One vault key that a passphrase led to: which epoch's, through the slot of which public half."""

    epoch: int
    public: str
    key: bytes


def write(folder: Path, keys: KeyFile) -> None:
    """Replace the file. Raises `DiskFull`."""
    write_whole(folder / NAME, packed(keys))


def packed(keys: KeyFile) -> bytes:
    """The file's bytes."""
    keys = msgspec.structs.replace(keys, version=FORMAT)
    return msgspec.json.format(msgspec.json.encode(keys), indent=1) + b"\n"


def new_slot(vault: str, user: str, passphrase: str, kdf: Kdf) -> Slot:
    """A slot with a fresh key pair. Takes as long as one key derivation."""
    pair = SealingKeys.generate()
    public = b64(pair.public)
    own = derive(passphrase, kdf)
    private = seal(own, pair.private_bytes(), _private_context(vault, user, kdf, public))
    wipe(own)
    return Slot(user=user, kdf=kdf, public=public, private=b64(private))


def with_slot(keys: KeyFile, slot: Slot, vault_key: bytes) -> KeyFile:
    """The file with one more slot (replacing one of the same user), and the newest epoch's key encrypted to it."""
    *older, newest = keys.epochs
    entry = key_for(keys.vault, slot.user, newest.number, unb64(slot.public, NAME), vault_key)
    newest = msgspec.structs.replace(newest, keys={**newest.keys, slot.user: entry})
    slots = (*(other for other in keys.slots if other.user != slot.user), slot)
    return msgspec.structs.replace(keys, slots=slots, epochs=(*older, newest))


def key_for(vault: str, user: str, epoch: int, public: bytes, vault_key: bytes) -> str:
    """The vault key encrypted to one user's public half, as an epoch holds it."""
    return b64(seal_to(public, vault_key, _key_context(vault, user, epoch)))


def offered(keys: KeyFile, slot: Slot, epoch: int, vault_key: bytes) -> KeyFile:
    """The file with one more pending slot, and an epoch's key encrypted to it."""
    entry = key_for(keys.vault, slot.user, epoch, unb64(slot.public, NAME), vault_key)
    return msgspec.structs.replace(keys, pending=(*keys.pending, Pending(slot=slot, epoch=epoch, key=entry)))


def rebuilt(keys: KeyFile, people: Mapping[str, str], epochs: Sequence[tuple[int, bytes]]) -> KeyFile:
    """The file with the slots of `people` alone, and each epoch's key encrypted to all of them anew.

    `people`: the public half of everybody who may get in, by user name, as `vault.db` knows it. A slot with another public half is dropped.
    """
    known = {slot.public: slot for slot in (*keys.slots, *(pending.slot for pending in keys.pending))}
    kept = [known[public] for user, public in people.items() if public in known and known[public].user == user]
    made = []
    for number, vault_key in epochs:
        entries = {
            slot.user: key_for(keys.vault, slot.user, number, unb64(slot.public, NAME), vault_key) for slot in kept
        }
        made.append(Epoch(number=number, keys=entries))
    return msgspec.structs.replace(keys, slots=tuple(kept), epochs=tuple(made), pending=())


def unlock(folder: Path, keys: KeyFile, user: str, passphrase: str) -> list[Way]:
    """All ways that a passphrase opens, newest epoch first. Raises `WrongPassphrase`, `Damaged`.

    More than one only when a change of the slot or of the vault key was interrupted: `vault.db` opens with exactly one of the keys, and knows
    exactly one of the slots. Takes one key derivation for each slot of the user, one for an unknown user.
    """
    found = []
    for slot in [keys.slot(user), *(pending.slot for pending in keys.pending if pending.slot.user == user)]:
        if slot is None:
            continue
        try:
            pair = _pair(folder, keys, slot, passphrase)
        except InvalidSeal:
            continue
        found += ways(folder, keys, user, pair)
    if not found:
        if keys.slot(user) is None:
            derive(passphrase, keys.slots[0].kdf)
        raise WrongPassphrase(vault=str(folder))
    return sorted(found, key=lambda way: -way.epoch)


def ways(folder: Path, keys: KeyFile, user: str, pair: SealingKeys) -> list[Way]:
    """All ways that the private half of a user's slot opens. Raises `Damaged`; empty when the slot isn't there."""
    public = b64(pair.public)
    slot = keys.slot(user)
    entries = [(pending.epoch, pending.key) for pending in keys.pending if _is(pending.slot, user, public)]
    if slot is not None and slot.public == public:
        entries += [(epoch.number, epoch.keys.get(user, "")) for epoch in keys.epochs]
    found = []
    for number, entry in entries:
        try:
            key = pair.open(unb64(entry, NAME), _key_context(keys.vault, user, number))
        except Damaged as error:
            raise _damaged(folder / NAME) from error
        found.append(Way(epoch=number, public=public, key=key))
    return found


def vault_keys(folder: Path, keys: KeyFile, user: str, passphrase: str) -> list[bytes]:
    """The vault keys that a passphrase leads to, newest epoch first. Raises `WrongPassphrase`, `Damaged`."""
    return list(dict.fromkeys(way.key for way in unlock(folder, keys, user, passphrase)))


def own_pair(folder: Path, keys: KeyFile, user: str, passphrase: str) -> SealingKeys:
    """The key pair of a user's slot. Takes one key derivation, also for an unknown user. Raises `WrongPassphrase`, `Damaged`."""
    slot = keys.slot(user)
    if slot is None:
        derive(passphrase, keys.slots[0].kdf)
        raise WrongPassphrase(vault=str(folder))
    try:
        return _pair(folder, keys, slot, passphrase)
    except InvalidSeal as error:
        raise WrongPassphrase(vault=str(folder)) from error


def keys_of(folder: Path, keys: KeyFile, user: str, pair: SealingKeys) -> list[bytes]:
    """The vault keys that a user's key pair opens, newest epoch first. Raises `Damaged`."""
    return [way.key for way in sorted(ways(folder, keys, user, pair), key=lambda way: -way.epoch)]


def _pair(folder: Path, keys: KeyFile, slot: Slot, passphrase: str) -> SealingKeys:
    sealed = unb64(slot.private, str(folder / NAME))
    own = derive(passphrase, slot.kdf)
    try:
        private = unseal_secret(own, sealed, _private_context(keys.vault, slot.user, slot.kdf, slot.public))
    finally:
        wipe(own)
    try:
        return SealingKeys.from_private(private)
    finally:
        wipe(private)


def _is(slot: Slot, user: str, public: str) -> bool:
    return slot.user == user and slot.public == public


class _Version(msgspec.Struct):
    version: int


def _private_context(vault: str, user: str, kdf: Kdf, public: str) -> bytes:
    return canonical({"purpose": "assay slot", "vault": vault, "user": user, "kdf": builtins(kdf), "public": public})


def _key_context(vault: str, user: str, epoch: int) -> bytes:
    return canonical({"purpose": "assay vault key", "vault": vault, "user": user, "epoch": epoch})


def _damaged(path: Path) -> Damaged:
    return Damaged(
        source=str(path),
        problem="the file is damaged. Restore it from a backup of the vault; vault.db alone can't be opened.",
    )
