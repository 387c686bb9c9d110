"""From a passphrase to a key: Argon2id (RFC 9106), with its parameters beside what it protects.

The parameters come from a file that an attacker may have changed, so they have a floor (no weakened key is ever derived) and a
ceiling (opening a vault can't eat the machine). New ones are calibrated to about a second on this machine: `calibrated`. What is never less
is what `new_kdf` gives; what is never more is what a small machine, to which a vault may be carried, still bears.
"""

import functools
import secrets
import time
import unicodedata

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from core.errors import BadInput, Damaged
from core.records import Record
from core.trust.canonical import b64, unb64

KEY = 32
SALT = 16
FLOOR_MEMORY, CEILING_MEMORY = 8 * 1024, 1024 * 1024
"""KiB: 8 MiB to 1 GiB."""
FLOOR_PASSES, CEILING_PASSES = 1, 16
CEILING_LANES = 8
DEFAULT_MEMORY, DEFAULT_PASSES = 64 * 1024, 3
LARGEST_CALIBRATED = 256 * 1024
"""KiB. Memory is what makes guessing dear (RFC 9106, 4: memory first), but every opening anywhere needs it."""
AIM = 1.0
"""Seconds that one derivation should take."""


class Kdf(Record, frozen=True, kw_only=True):
    """How a key is derived: `salt` in base64, `memory` in KiB, `passes` over it, parallel `lanes`."""

    salt: str
    memory: int
    passes: int
    lanes: int


def new_kdf(memory: int = DEFAULT_MEMORY, passes: int = DEFAULT_PASSES, lanes: int = 1) -> Kdf:
    """Parameters with a fresh salt; the defaults take about 0.3 s on one core. Raises `Damaged` outside floor and ceiling."""
    return _checked(Kdf(salt=b64(secrets.token_bytes(SALT)), memory=memory, passes=passes, lanes=lanes))


def calibrated() -> Kdf:
    """Parameters with a fresh salt that take about `AIM` seconds on this machine, measured once in a process; never below the defaults."""
    memory, passes = _measured()
    return new_kdf(memory, passes)


def scaled(seconds: float) -> tuple[int, int]:
    """Memory and passes for about `AIM` seconds, where the defaults take `seconds`: first more memory, then more passes."""
    factor = max(1.0, AIM / max(seconds, 1e-6))
    memory = min(LARGEST_CALIBRATED, int(DEFAULT_MEMORY * factor) // 1024 * 1024)
    passes = int(DEFAULT_PASSES * factor * DEFAULT_MEMORY / memory)
    return memory, min(CEILING_PASSES, max(DEFAULT_PASSES, passes))


def derive(passphrase: str, kdf: Kdf) -> bytearray:
    """`KEY` bytes, for the caller to wipe. The passphrase is taken in Unicode NFC, so that keyboards that compose accents differently agree."""
    if not passphrase:
        raise BadInput(source="passphrase", problem="empty. Give at least one character.")
    _checked(kdf)
    salt = unb64(kdf.salt, "key derivation's salt", SALT)
    argon = Argon2id(salt=salt, length=KEY, iterations=kdf.passes, lanes=kdf.lanes, memory_cost=kdf.memory)
    key = bytearray(KEY)
    argon.derive_into(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass"), key)
    return key


@functools.cache
def _measured() -> tuple[int, int]:
    began = time.perf_counter()
    derive("calibration", new_kdf())
    return scaled(time.perf_counter() - began)


def _checked(kdf: Kdf) -> Kdf:
    if not FLOOR_MEMORY <= kdf.memory <= CEILING_MEMORY:
        raise Damaged(source="key derivation", problem=f"memory of {kdf.memory} KiB is outside what is allowed.")
    if not FLOOR_PASSES <= kdf.passes <= CEILING_PASSES:
        raise Damaged(source="key derivation", problem=f"{kdf.passes} passes are outside what is allowed.")
    if not 1 <= kdf.lanes <= CEILING_LANES:
        raise Damaged(source="key derivation", problem=f"{kdf.lanes} lanes are outside what is allowed.")
    return kdf
