"""From a passphrase to a key: Argon2id (RFC 9106), with its parameters beside what it protects.

The parameters come from a file that an attacker may have changed, so they have a floor (no weakened key is ever derived) and a
ceiling (opening a vault can't eat the machine).
"""

import secrets
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


class Kdf(Record, frozen=True, kw_only=True):
    """How a key is derived: `salt` in base64, `memory` in KiB, `passes` over it, parallel `lanes`."""

    salt: str
    memory: int
    passes: int
    lanes: int


def new_kdf(memory: int = 65536, passes: int = 3, lanes: int = 1) -> Kdf:
    """Parameters with a fresh salt; the defaults take about 0.3 s on one core. Raises `Damaged` outside floor and ceiling."""
    return _checked(Kdf(salt=b64(secrets.token_bytes(SALT)), memory=memory, passes=passes, lanes=lanes))


def derive(passphrase: str, kdf: Kdf) -> bytes:
    """`KEY` bytes. The passphrase is taken in Unicode NFC, so that keyboards that compose accents differently agree."""
    if not passphrase:
        raise BadInput(source="passphrase", problem="empty. Give at least one character.")
    _checked(kdf)
    salt = unb64(kdf.salt, "key derivation's salt", SALT)
    argon = Argon2id(salt=salt, length=KEY, iterations=kdf.passes, lanes=kdf.lanes, memory_cost=kdf.memory)
    return argon.derive(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass"))


def _checked(kdf: Kdf) -> Kdf:
    if not FLOOR_MEMORY <= kdf.memory <= CEILING_MEMORY:
        raise Damaged(source="key derivation", problem=f"memory of {kdf.memory} KiB is outside what is allowed.")
    if not FLOOR_PASSES <= kdf.passes <= CEILING_PASSES:
        raise Damaged(source="key derivation", problem=f"{kdf.passes} passes are outside what is allowed.")
    if not 1 <= kdf.lanes <= CEILING_LANES:
        raise Damaged(source="key derivation", problem=f"{kdf.lanes} lanes are outside what is allowed.")
    return kdf
