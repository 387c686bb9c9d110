"""Another person at work in a vault that is open already, in the process that has it open.

Who joins proves that their passphrase opens their slot, and the process that has the vault open proves that it has; neither hands the other
a secret. The rules, in order:

1. The person who joins names themselves and sends a nonce.
2. The open vault seals a fresh secret to the public half of that person's slot, as the vault itself knows it (`keys.json` could have been
   exchanged by whoever may write in the folder).
3. Only the passphrase leads to the private half, by one full key derivation, in the process of the person who joins. They show an HMAC under
   the secret over everything that was said.
4. Only then, and only for a person who wasn't revoked, there is a `Joined` vault; and the open vault shows an HMAC under the vault key over
   the secret and everything that was said. Whoever merely listens at the socket's place can't, and learns nothing but the person's name.

A challenge serves once.
"""

import contextlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.errors import AssayError, BadInput, NotFound, Refused, WrongPassphrase
from core.records import Digest, now
from core.trust.canonical import b64, canonical, digest, unb64
from core.trust.sealing import InvalidSeal, SealingKeys, seal_to
from core.vault import attempts, log, slots, users
from core.vault.roles import Act
from core.vault.sittings import Sitting
from core.vault.vault import Vault

NONCE: Final = 32
SECRET: Final = 32
LONGEST_NAME: Final = 256
ABOUT: Final = "joining"
"""What the log's entries of a person who joins are about, to tell them from those of who opens the vault."""


class Joined(Vault):
    """The vault of another process's owner, for the person who joined: the same connections, lock, log and events, another user.

    Closing it closes nothing. What the first does to the vault (another key, locking) is seen here at once.
    """

    def __init__(self, first: Vault, user: str) -> None:
        self._first = first
        self.sitting = Sitting(self)
        with first.read() as reader:
            self.user = users.find(reader.db, user)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_first"], name)

    @contextmanager
    def signed_in(self) -> Iterator[None]:
        """Log the person's coming and going around the block. Raises `DiskFull`, `Unavailable` when the vault is locked."""
        self.record(Act.SIGN_IN, about=ABOUT)
        try:
            yield
        finally:
            self.sitting.end()
            with contextlib.suppress(AssayError, RuntimeError):  # it was locked meanwhile, which is logged
                self.record(Act.SIGN_OUT, about=ABOUT)

    def close(self) -> None:
        """Nothing: whoever opened the vault closes it."""


def look_again(vault: Vault) -> None:
    """Believe what the vault says now of the person who has it open: another card, other roles, none when they were revoked."""
    with vault.read() as reader:
        vault.user = users.standing(reader.db, vault.user)


class Challenge:
    """One attempt of `user` to join an open vault. Raises `WrongPassphrase` for an unknown user, `BadInput` for a short nonce."""

    def __init__(self, vault: Vault, user: str, nonce: bytes) -> None:
        self._vault = vault
        self._user = unicodedata.normalize("NFC", user[:LONGEST_NAME])
        if len(nonce) != NONCE:
            raise BadInput(source="Joining", problem=f"the nonce has {len(nonce)} bytes instead of {NONCE}.")
        try:
            with vault.read() as reader:
                public = unb64(users.public(reader.db, self._user), slots.NAME)
        except NotFound as error:
            raise WrongPassphrase(vault=str(vault.folder)) from error
        self._secret: bytes | None = secrets.token_bytes(SECRET)
        self.sealed = seal_to(public, self._secret, _context(vault.id, self._user, nonce))
        self._said = _said(vault.id, self._user, nonce, self.sealed)

    def admit(self, proof: bytes) -> tuple[Joined, bytes]:
        """The vault for the person, and the proof that it is open here.

        Raises `WrongPassphrase`, and `Refused` for a revoked user. The challenge is used up either way.
        """
        secret, self._secret = self._secret, None
        if secret is None:
            raise WrongPassphrase(vault=str(self._vault.folder))
        if not hmac.compare_digest(proof, _by_joining(secret, self._said)):
            with self._vault._connections.transaction() as db:
                log.append(db, self._user, now(), Act.SIGN_IN_FAILED, ABOUT, "a wrong proof")
            raise WrongPassphrase(vault=str(self._vault.folder))
        joined = Joined(self._vault, self._user)
        if not joined.user.active:
            raise Refused(act="Open the vault", reason="This user was revoked; ask an administrator.")
        return joined, _by_open(joined._connections.key, secret, self._said)


class Answer(NamedTuple):
    """What the person who joins shows, and what the open vault has to show then (one value for each epoch of `keys.json`)."""

    proof: bytes
    expected: tuple[bytes, ...]

    def accepts(self, proof: bytes) -> bool:
        """Whether the other side has the vault open."""
        return any(hmac.compare_digest(proof, known) for known in self.expected)


def new_nonce() -> bytes:
    """For one attempt to join."""
    return secrets.token_bytes(NONCE)


def answer(folder: Path, user: str, way: str | SealingKeys, nonce: bytes, sealed: bytes) -> Answer:
    """Answer a challenge by the passphrase, which takes one key derivation, or by the private half of the slot.

    Raises `WrongPassphrase`, `NotFound` (not a vault), `Damaged`, `NewerVault`; `Refused` when the challenge isn't for this person's slot
    (what listens is not this vault), or too soon after wrong answers.
    """
    user = unicodedata.normalize("NFC", user)
    keys = slots.read(folder)
    if isinstance(way, SealingKeys):
        pair = way
    else:
        with attempts.counted(folder, user):
            pair = slots.own_pair(folder, keys, user, way)
    try:
        secret = pair.open(sealed, _context(keys.vault, user, nonce))
    except InvalidSeal as error:
        raise not_this_vault(folder) from error
    said = _said(keys.vault, user, nonce, sealed)
    opened = slots.keys_of(folder, keys, user, pair)
    return Answer(_by_joining(secret, said), tuple(_by_open(key, secret, said) for key in opened))


def not_this_vault(folder: Path) -> Refused:
    """What listens at the vault's place doesn't have it open."""
    return Refused(
        act=f"Work in {folder} through the Assay that has it open",
        reason="What answers there doesn't have this vault open. Nothing was sent to it.",
    )


def _context(vault: str, user: str, nonce: bytes) -> bytes:
    return canonical({"purpose": "assay join", "vault": vault, "user": user, "nonce": b64(nonce)})


def _said(vault: str, user: str, nonce: bytes, sealed: bytes) -> Digest:
    return digest(_context(vault, user, nonce) + sealed)


def _by_joining(secret: bytes, said: Digest) -> bytes:
    return hmac.digest(secret, canonical({"purpose": "assay join: who joins", "said": said}), "sha256")


def _by_open(key: bytes, secret: bytes, said: Digest) -> bytes:
    inner = hmac.digest(key, b"assay join: the open vault" + secret, "sha256")
    return hmac.digest(inner, said.encode("ascii"), "sha256")
