"""Signing keys: Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204) side by side.

Both sign the same message; ML-DSA with an empty context. A signature counts only when both verify, so that neither a broken
implementation nor a quantum computer is enough to forge one.
"""

from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from core.errors import Damaged
from core.records import Record
from core.trust.canonical import b64, unb64

ED25519_PUBLIC, ED25519_SIGNATURE = 32, 64
MLDSA_PUBLIC, MLDSA_SIGNATURE = 1952, 3309
_SEED = 32


class InvalidSignatures(Damaged):
    """One of the two signatures doesn't verify. Fields: `source`, `problem`."""


class PublicKeys(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public halves, raw, in base64: 32 and 1,952 bytes."""

    ed25519: str
    mldsa65: str


class Signatures(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two signatures over one message, in base64: 64 and 3,309 bytes."""

    ed25519: str
    mldsa65: str


class SigningKeys:
    """The private halves. Never printed, never logged; `to_bytes` only to be sealed at once."""

    def __init__(self, ed25519: Ed25519PrivateKey, mldsa65: MLDSA65PrivateKey) -> None:
        self._ed25519 = ed25519
        self._mldsa65 = mldsa65
        self.public = PublicKeys(
            ed25519=b64(ed25519.public_key().public_bytes_raw()), mldsa65=b64(mldsa65.public_key().public_bytes_raw())
        )

    @classmethod
    def generate(cls) -> Self:
        return cls(Ed25519PrivateKey.generate(), MLDSA65PrivateKey.generate())

    @classmethod
    def from_bytes(cls, data: bytes | bytearray) -> Self:
        """From what `to_bytes` gave. Raises `Damaged`."""
        if len(data) != 2 * _SEED:
            raise Damaged(source="signing key", problem="has the wrong length.")
        return cls(Ed25519PrivateKey.from_private_bytes(data[:_SEED]), MLDSA65PrivateKey.from_seed_bytes(data[_SEED:]))

    def to_bytes(self) -> bytes:
        """64 bytes: the Ed25519 seed, then the ML-DSA-65 seed."""
        return self._ed25519.private_bytes_raw() + self._mldsa65.private_bytes_raw()

    def sign(self, message: bytes) -> Signatures:
        """Both signatures over `message`. ML-DSA's is randomised: signing twice gives two different ones."""
        return Signatures(ed25519=b64(self._ed25519.sign(message)), mldsa65=b64(self._mldsa65.sign(message)))


def verify(public: PublicKeys, message: bytes, signatures: Signatures) -> None:
    """Returns if both signatures over `message` are by `public`. Raises `InvalidSignatures` saying which is not, or `Damaged`."""
    ed25519 = unb64(signatures.ed25519, "Ed25519 signature", ED25519_SIGNATURE)
    mldsa65 = unb64(signatures.mldsa65, "ML-DSA-65 signature", MLDSA_SIGNATURE)
    classic, lattice = _loaded(public)
    try:
        classic.verify(ed25519, message)
    except InvalidSignature:
        raise InvalidSignatures(source="Ed25519 signature", problem="doesn't verify.") from None
    try:
        lattice.verify(mldsa65, message)
    except InvalidSignature:
        raise InvalidSignatures(source="ML-DSA-65 signature", problem="doesn't verify.") from None


def _loaded(public: PublicKeys) -> tuple[Ed25519PublicKey, MLDSA65PublicKey]:
    classic = unb64(public.ed25519, "Ed25519 public key", ED25519_PUBLIC)
    lattice = unb64(public.mldsa65, "ML-DSA-65 public key", MLDSA_PUBLIC)
    try:
        return Ed25519PublicKey.from_public_bytes(classic), MLDSA65PublicKey.from_public_bytes(lattice)
    except ValueError as error:
        raise Damaged(source="public key", problem="not a usable key.") from error
