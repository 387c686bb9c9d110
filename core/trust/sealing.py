"""Sealing: content that only a key, or only one person's key pair, opens.

`seal` is AES-256-GCM with a random nonce in front; `context` says what is sealed and is authenticated, so that a sealed piece can't
be moved to another place. `SealingKeys` is an HPKE key pair (RFC 9180 with MLKEM768-X25519, HKDF-SHA256, AES-256-GCM): anyone who has
the public half can seal to it; recorded ciphertext stays closed to a quantum computer as long as either half of the hybrid holds.
"""

import secrets
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from core.errors import Damaged

KEY = 32
_NONCE = 12
_TAG = 16
_MLKEM_PUBLIC, _MLKEM_SEED, _X25519 = 1184, 64, 32
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class InvalidSeal(Damaged):
    """The key is the wrong one, or what was sealed (or its context) was altered. Fields: `source`, `problem`."""


def seal(key: bytes | bytearray, plain: bytes, context: bytes) -> bytes:
    """Nonce, ciphertext and tag: `len(plain) + 28` bytes. `key` has 32 bytes."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_key(key)).encrypt(nonce, plain, context)


def unseal(key: bytes | bytearray, sealed: bytes, context: bytes) -> bytes:
    """What was sealed under this key and context. Raises `InvalidSeal`."""
    if len(sealed) < _NONCE + _TAG:
        raise InvalidSeal(source="sealed content", problem="too short to be one.")
    try:
        return AESGCM(_key(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
    except InvalidTag:
        raise InvalidSeal(source="sealed content", problem="wrong key, or altered.") from None


def unseal_secret(key: bytes | bytearray, sealed: bytes, context: bytes) -> bytearray:
    """As `unseal`, for a secret that the caller wipes. Raises `InvalidSeal`."""
    if len(sealed) < _NONCE + _TAG:
        raise InvalidSeal(source="sealed content", problem="too short to be one.")
    plain = bytearray(len(sealed) - _NONCE - _TAG)
    try:
        AESGCM(_key(key)).decrypt_into(sealed[:_NONCE], sealed[_NONCE:], context, plain)
    except InvalidTag:
        raise InvalidSeal(source="sealed content", problem="wrong key, or altered.") from None
    return plain


class SealingKeys:
    """A person's or a recovery slot's key pair for receiving sealed content. Never printed, never logged."""

    def __init__(self, kem: MLKEM768PrivateKey, curve: X25519PrivateKey) -> None:
        self._kem = kem
        self._curve = curve

    @classmethod
    def generate(cls) -> Self:
        return cls(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def from_private(cls, data: bytes | bytearray) -> Self:
        """From what `private_bytes` gave. Raises `Damaged`."""
        if len(data) != _MLKEM_SEED + _X25519:
            raise Damaged(source="sealing key", problem="has the wrong length.")
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(data[:_MLKEM_SEED]),
            X25519PrivateKey.from_private_bytes(data[_MLKEM_SEED:]),
        )

    def private_bytes(self) -> bytes:
        """96 bytes: the ML-KEM seed, then the X25519 key."""
        return self._kem.private_bytes_raw() + self._curve.private_bytes_raw()

    @property
    def public(self) -> bytes:
        """1,216 bytes: the ML-KEM public key, then the X25519 one."""
        return self._kem.public_key().public_bytes_raw() + self._curve.public_key().public_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """What `seal_to` sealed for this key pair with the same `info`. Raises `InvalidSeal`."""
        try:
            return _SUITE.decrypt(sealed, MLKEM768X25519PrivateKey(self._kem, self._curve), info)
        except (InvalidTag, ValueError):
            raise InvalidSeal(source="sealed content", problem="wrong key, or altered.") from None


def seal_to(public: bytes, plain: bytes, info: bytes) -> bytes:
    """Seal `plain` so that only the holder of `public`'s private half opens it. Raises `Damaged` for a bad public key."""
    if len(public) != _MLKEM_PUBLIC + _X25519:
        raise Damaged(source="public sealing key", problem="has the wrong length.")
    try:
        kem = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC])
        curve = X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:])
        return _SUITE.encrypt(plain, MLKEM768X25519PublicKey(kem, curve), info)
    except ValueError as error:
        raise Damaged(source="public sealing key", problem="not a usable key.") from error


def wipe(secret: bytearray) -> None:
    """Overwrite a secret in place. Copies that were made of it, as `bytes` or inside a library, stay where they are."""
    secret[:] = bytes(len(secret))


def _key(key: bytes | bytearray) -> bytes | bytearray:
    if len(key) != KEY:
        raise InvalidSeal(source="sealing key", problem=f"has {len(key)} bytes instead of {KEY}.")
    return key
