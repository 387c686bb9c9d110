"""Signs as minisign does, for tests on machines without it."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NUMBER = bytes(range(8))


def public(key: Ed25519PrivateKey, number: bytes = NUMBER) -> str:
    """A public key's file."""
    raw = key.public_key().public_bytes_raw()
    return f"untrusted comment: minisign public key\n{base64.b64encode(b'Ed' + number + raw).decode()}\n"


def signature(content: bytes, key: Ed25519PrivateKey, number: bytes = NUMBER, comment: str = "a test") -> str:
    """A signature's file, of the kind over a digest."""
    first = key.sign(hashlib.blake2b(content).digest())
    second = key.sign(first + comment.encode())
    return (
        f"untrusted comment: none\n{base64.b64encode(b'ED' + number + first).decode()}\n"
        f"trusted comment: {comment}\n{base64.b64encode(second).decode()}\n"
    )
