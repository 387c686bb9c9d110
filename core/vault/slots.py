"""`keys.json`: how a user's passphrase leads to the vault key.

Each user has a slot: an HPKE key pair (ML-KEM-768 with X25519) whose private half is sealed under the Argon2id key of their
passphrase. An epoch holds the vault key, encrypted to the public half of each slot; there is one epoch, but for the moment of a
rotation. The rules:

1. No secret in clear; user names are readable, so that the window can offer them.
2. What stands beside a ciphertext is authenticated with it: vault, user, Argon2id parameters, public half, epoch.
3. Argon2id parameters are believed only between a floor and a ceiling (`core.trust.passphrases`).
4. An unknown user costs the same derivation as a wrong passphrase and gets the same answer.
5. The file is replaced whole, synced, or stays as it was.
"""

from pathlib import Path

import msgspec

from core.errors import Damaged, NewerVault, NotFound, Unavailable, WrongPassphrase
from core.paths import write_whole
from core.records import Record
from core.trust.canonical import b64, builtins, canonical, unb64
from core.trust.passphrases import Kdf, derive
from core.trust.sealing import InvalidSeal, SealingKeys, seal, seal_to, unseal

NAME = "keys.json"
FORMAT = 1
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


class KeyFile(Record, frozen=True, kw_only=True, tag="vault-keys"):
    """All of `keys.json`."""

    vault: str
    slots: tuple[Slot, ...]
    epochs: tuple[Epoch, ...]

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


def write(folder: Path, keys: KeyFile) -> None:
    """Replace the file. Raises `DiskFull`."""
    write_whole(folder / NAME, msgspec.json.format(msgspec.json.encode(keys), indent=1) + b"\n")


def new_slot(vault: str, user: str, passphrase: str, kdf: Kdf) -> Slot:
    """A slot with a fresh key pair. Takes as long as one key derivation."""
    pair = SealingKeys.generate()
    public = b64(pair.public)
    private = seal(derive(passphrase, kdf), pair.private_bytes(), _private_context(vault, user, kdf, public))
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


def vault_keys(folder: Path, keys: KeyFile, user: str, passphrase: str) -> list[bytes]:
    """The vault keys that a passphrase leads to, newest epoch first. Raises `WrongPassphrase`, `Damaged`.

    There is more than one only when a rotation was interrupted; the file opens with exactly one of them.
    """
    return keys_of(folder, keys, user, own_pair(folder, keys, user, passphrase))


def own_pair(folder: Path, keys: KeyFile, user: str, passphrase: str) -> SealingKeys:
    """The key pair of a user's slot. Takes one key derivation, also for an unknown user. Raises `WrongPassphrase`, `Damaged`."""
    slot = keys.slot(user)
    if slot is None:
        derive(passphrase, keys.slots[0].kdf)
        raise WrongPassphrase(vault=str(folder))
    own = derive(passphrase, slot.kdf)
    sealed = unb64(slot.private, str(folder / NAME))
    try:
        private = unseal(own, sealed, _private_context(keys.vault, user, slot.kdf, slot.public))
    except InvalidSeal as error:
        raise WrongPassphrase(vault=str(folder)) from error
    return SealingKeys.from_private(private)


def keys_of(folder: Path, keys: KeyFile, user: str, pair: SealingKeys) -> list[bytes]:
    """The vault keys that a user's key pair opens, newest epoch first. Raises `Damaged`."""
    found = []
    for epoch in sorted(keys.epochs, key=lambda epoch: epoch.number, reverse=True):
        try:
            entry = unb64(epoch.keys[user], NAME)
            found.append(pair.open(entry, _key_context(keys.vault, user, epoch.number)))
        except (KeyError, Damaged) as error:
            raise _damaged(folder / NAME) from error
    return found


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
