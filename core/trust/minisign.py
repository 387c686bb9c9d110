"""Signatures as `minisign` makes them: Ed25519 over a file's BLAKE2b-512 digest (`ED`), or over its bytes (`Ed`, the older kind).

    untrusted comment: whatever
    <base64 of: kind of 2 bytes, key's number of 8, signature of 64>
    trusted comment: what the signer says of it
    <base64 of a signature of 64 bytes over the first one and the trusted comment>

Rules: the kind, the number, both signatures and the form of all four lines must be right; a public key is the second line of its file, or
the line alone.
"""

import base64
import binascii
import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.errors import BadInput, Damaged
from core.records import Record

LARGEST: Final = 4096
"""Bytes of a signature or of a public key's file."""
_TRUSTED: Final = "trusted comment: "
_UNTRUSTED: Final = "untrusted comment: "


class PublicKey(Record, frozen=True, kw_only=True):
    """Whose signatures count. `number` tells keys apart and proves nothing."""

    number: bytes
    ed25519: bytes

    @property
    def name(self) -> str:
        """The number as minisign prints it."""
        return f"{int.from_bytes(self.number, 'little'):016X}"


def read_key(text: str, source: str) -> PublicKey:
    """The key of a `.pub` file's content. Raises `BadInput`."""
    lines = text.strip().splitlines()
    line = lines[-1] if 1 <= len(lines) <= 2 else ""
    content = _decoded(line, 42)
    if content is None or content[:2] != b"Ed":
        raise BadInput(source=source, problem="this isn't a public key of minisign. Give the signer's .pub file.")
    return PublicKey(number=content[2:10], ed25519=content[10:])


def verify(content: bytes, signature: str, keys: tuple[PublicKey, ...], source: str) -> tuple[PublicKey, str]:
    """The key of `keys` that signed `content`, and the trusted comment. Raises `Damaged` when none did."""
    lines = signature.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) != 4 or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
        raise Damaged(source=source, problem="the signature isn't one of minisign's.")
    first, second = _decoded(lines[1], 74), _decoded(lines[3], 64)
    if first is None or second is None or first[:2] not in (b"ED", b"Ed"):
        raise Damaged(source=source, problem="the signature isn't one of minisign's.")
    comment = lines[2].removeprefix(_TRUSTED)
    key = next((one for one in keys if one.number == first[2:10]), None)
    if key is None:
        raise Damaged(source=source, problem="it is signed with a key that this program doesn't trust.")
    signed = hashlib.blake2b(content).digest() if first[:2] == b"ED" else content
    public = Ed25519PublicKey.from_public_bytes(key.ed25519)
    try:
        public.verify(first[10:], signed)
        public.verify(second, first[10:] + comment.encode())
    except InvalidSignature:
        raise Damaged(source=source, problem="the signature doesn't fit: it was changed after it was signed.") from None
    return key, comment


def _decoded(line: str, size: int) -> bytes | None:
    try:
        content = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if len(content) == size else None
