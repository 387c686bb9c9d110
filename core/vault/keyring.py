"""The system's keyring, for opening a vault without the passphrase; never for signing.

A person may have the private half of their slot kept by the system (GNOME Keyring, KWallet, Windows Credential Manager, macOS Keychain). It
leads to the vault key as the passphrase does. The rules:

1. Signing keys are sealed under the passphrase alone: nothing in the keyring opens them, and each signing still asks.
2. What is kept belongs to one slot: a changed passphrase, a reset or a revocation makes it worthless. Another vault key doesn't.
3. Remembering takes the passphrase. It is optional, and needs the Python package `keyring`, which isn't installed with this program; only its
   backends that the system protects are taken, never one that writes a file in clear.
4. Who sits at the unlocked desktop gets in: say so where it is offered.
"""

import importlib
import importlib.util
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from core.errors import Damaged, NotFound, Unavailable, WrongPassphrase
from core.trust.canonical import b64, unb64
from core.trust.sealing import SealingKeys
from core.vault import attempts, slots
from core.vault.migrations import Migrations
from core.vault.vault import Vault

SERVICE = "Assay vault"
PROTECTED = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.Windows",
    "keyring.backends.macOS",
)
"""Modules of the backends that the system itself protects."""


class Keyring(Protocol):
    """Where the system keeps secrets for the person who is logged in."""

    def get(self, name: str) -> str | None:
        """What is kept under a name. Raises `Unavailable`."""

    def set(self, name: str, secret: str) -> None:
        """Keep a secret. Raises `Unavailable`."""

    def delete(self, name: str) -> None:
        """Forget what is kept; nothing happens where nothing is. Raises `Unavailable`."""


class MemoryKeyring:
    """A keyring that lasts as long as the process: for tests, and for trying out."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def set(self, name: str, secret: str) -> None:
        self.kept[name] = secret

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)


class SystemKeyring:
    """The keyring of the system, through the package `keyring`. Raises `Unavailable` where there is none that the system protects."""

    def __init__(self) -> None:
        if importlib.util.find_spec("keyring") is None:
            raise Unavailable(
                what="The system's keyring can't be reached: the Python package keyring isn't installed",
                step="Give your passphrase instead.",
            )
        self._package: Any = importlib.import_module("keyring")
        backend = self._package.get_keyring()
        if not type(backend).__module__.startswith(PROTECTED):
            raise Unavailable(
                what="This system has no keyring that protects what it keeps", step="Give your passphrase instead."
            )

    def get(self, name: str) -> str | None:
        found: str | None = self._call("get_password", SERVICE, name)
        return found

    def set(self, name: str, secret: str) -> None:
        self._call("set_password", SERVICE, name, secret)

    def delete(self, name: str) -> None:
        if self.get(name) is not None:
            self._call("delete_password", SERVICE, name)

    def _call(self, function: str, *arguments: str) -> Any:
        try:
            return getattr(self._package, function)(*arguments)
        except self._package.errors.KeyringError as error:
            raise Unavailable(
                what=f"The system's keyring refused ({type(error).__name__})",
                step="Unlock it, or give your passphrase.",
            ) from error


def remember(folder: Path, user: str, passphrase: str, keyring: Keyring) -> None:
    """Have the keyring open a vault for a user; the vault may be open meanwhile. Takes a key derivation.

    Raises `WrongPassphrase`, `NotFound` (not a vault), `Refused` (too soon after wrong answers), `Unavailable`.
    """
    keys = slots.read(folder)
    user = unicodedata.normalize("NFC", user)
    with attempts.counted(folder, user):
        pair = slots.own_pair(folder, keys, user, passphrase)
    keyring.set(_name(keys.vault, user), b64(pair.private_bytes()))


def forget(folder: Path, user: str, keyring: Keyring) -> None:
    """Have the keyring forget what opens a vault for a user. Raises `NotFound` (not a vault), `Unavailable`."""
    keyring.delete(_name(slots.read(folder).vault, user))


def remembers(folder: Path, user: str, keyring: Keyring) -> bool:
    """Whether the keyring has something for this vault and user; it may have become worthless. Raises `NotFound`, `Unavailable`."""
    return keyring.get(_name(slots.read(folder).vault, user)) is not None


def pair_of(folder: Path, user: str, keyring: Keyring) -> SealingKeys:
    """The private half of a user's slot, which the keyring has. Raises `NotFound` where it has none that leads into the vault (and has it
    forget what it had), `Unavailable`."""
    keys = slots.read(folder)
    user = unicodedata.normalize("NFC", user)
    name = _name(keys.vault, user)
    kept = keyring.get(name)
    if kept is None:
        raise _nothing(user)
    try:
        pair = SealingKeys.from_private(unb64(kept, "keyring"))
        if slots.ways(folder, keys, user, pair):
            return pair
    except (Damaged, ValueError):
        pass
    keyring.delete(name)
    raise _nothing(user)


def open_with(folder: Path, user: str, pair: SealingKeys, schema: Sequence[Migrations] = ()) -> Vault:
    """Open a vault by the private half of a user's slot. Raises `WrongPassphrase`, and what `Vault.open` raises."""
    folder = folder.absolute()
    user = unicodedata.normalize("NFC", user)

    def ways(keys: slots.KeyFile) -> list[slots.Way]:
        found = slots.ways(folder, keys, user, pair)
        if not found:
            raise WrongPassphrase(vault=str(folder))
        return sorted(found, key=lambda way: -way.epoch)

    return Vault.open_by(folder, user, user, ways, schema)


def open_vault(folder: Path, user: str, keyring: Keyring, schema: Sequence[Migrations] = ()) -> Vault:
    """Open a vault by what the keyring has. Raises `NotFound` where it has nothing that opens the vault (and forgets what it had),
    `Unavailable`, and what `Vault.open` raises."""
    pair = pair_of(folder, user, keyring)
    try:
        return open_with(folder, user, pair, schema)
    except (NotFound, WrongPassphrase) as error:
        forget(folder, user, keyring)
        raise _nothing(user) from error


def _nothing(user: str) -> NotFound:
    return NotFound(kind="key", name=f"for {user} in the system's keyring", step="Give your passphrase instead.")


def _name(vault: str, user: str) -> str:
    return f"{vault}/{unicodedata.normalize('NFC', user)}"
