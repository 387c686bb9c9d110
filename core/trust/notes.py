"""Checkpoints of the audit log: C2SP signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), signed with Ed25519.

    example.org/log
    42
    <root, base64>

    — example.org/log <base64 of a key hash of 4 bytes and the signature of 64>

Lines by other keys (witnesses) may follow; `verify_checkpoint` skips them. Whether one checkpoint extends another is the
Merkle tree's question.
"""

import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import BadInput, Damaged
from core.records import Record
from core.trust.canonical import b64, unb64

LARGEST = 64 * 1024
"""Bytes of a note; a checkpoint with a dozen witnesses has 2 KiB."""
_ED25519 = b"\x01"
_MARK = "— "
_ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class InvalidCheckpoint(Damaged):
    """A note that isn't this log's checkpoint. Fields: `source`, `problem`."""


class LogKey(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose checkpoints count: the log's origin and its Ed25519 public key in base64."""

    origin: str
    ed25519: str

    @property
    def vkey(self) -> str:
        """The same as a C2SP verifier key: `origin+hash+key`."""
        public = unb64(self.ed25519, "log's key", 32)
        return f"{self.origin}+{_key_hash(self.origin, public).hex()}+{b64(_ED25519 + public)}"


class Checkpoint(Record, frozen=True, kw_only=True):
    """What a log's signer says of it. `root` has 32 bytes."""

    origin: str
    size: int
    root: bytes


def new_log_key() -> bytes:
    """A private key for signing checkpoints: 32 bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def log_key(origin: str, key: bytes) -> LogKey:
    """The public half of a log's private key. Raises `BadInput` for an origin with spaces or a plus sign."""
    if _ORIGIN.fullmatch(origin) is None:
        raise BadInput(source="log's origin", problem="use 1 to 200 characters without spaces and plus signs.")
    return LogKey(origin=origin, ed25519=b64(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()))


def log_key_from(vkey: str) -> LogKey:
    """The key that `LogKey.vkey` wrote. Raises `Damaged`."""
    origin, _, rest = vkey.partition("+")
    _, _, encoded = rest.partition("+")
    data = unb64(encoded, "verifier key", 33)
    key = LogKey(origin=origin, ed25519=b64(data[1:]))
    if data[:1] != _ED25519 or _ORIGIN.fullmatch(origin) is None or key.vkey != vkey:
        raise Damaged(source="verifier key", problem="not an Ed25519 key of a log.")
    return key


def sign_checkpoint(origin: str, size: int, root: bytes, key: bytes) -> bytes:
    """The signed note. `root` has 32 bytes; `key` is the log's private key."""
    its = log_key(origin, key)
    text = _text(Checkpoint(origin=origin, size=size, root=root))
    signature = Ed25519PrivateKey.from_private_bytes(key).sign(text)
    hash = _key_hash(origin, unb64(its.ed25519, "log's key", 32))
    return text + f"\n{_MARK}{origin} {b64(hash + signature)}\n".encode()


def verify_checkpoint(note: bytes, key: LogKey) -> Checkpoint:
    """The checkpoint, if `key` signed it. Raises `InvalidCheckpoint`."""
    checkpoint, text, lines = _split(note)
    if checkpoint.origin != key.origin:
        raise InvalidCheckpoint(source="checkpoint", problem=f"of another log: {checkpoint.origin[:80]}.")
    public = unb64(key.ed25519, "log's key", 32)
    hash = _key_hash(key.origin, public)
    own = [signed for name, signed in lines if name == key.origin and signed[:4] == hash]
    if len(own) != 1:
        raise InvalidCheckpoint(source="checkpoint", problem="not signed once by the log's key.")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(own[0][4:], text)
    except (InvalidSignature, ValueError):
        raise InvalidCheckpoint(source="checkpoint", problem="its signature doesn't verify.") from None
    return checkpoint


def read_checkpoint(note: bytes) -> Checkpoint:
    """What a note says, nothing verified. Raises `InvalidCheckpoint`."""
    return _split(note)[0]


def _split(note: bytes) -> tuple[Checkpoint, bytes, list[tuple[str, bytes]]]:
    if len(note) > LARGEST:
        raise InvalidCheckpoint(source="checkpoint", problem="too large.")
    try:
        text, gap, rest = note.decode("utf-8").rpartition("\n\n")
    except UnicodeDecodeError:
        raise InvalidCheckpoint(source="checkpoint", problem="not UTF-8.") from None
    lines = rest.split("\n")
    if not gap or lines.pop() != "" or not lines:
        raise InvalidCheckpoint(source="checkpoint", problem="not a signed note.")
    body = text.split("\n")
    if len(body) != 3 or _ORIGIN.fullmatch(body[0]) is None or _SIZE.fullmatch(body[1]) is None:
        raise InvalidCheckpoint(source="checkpoint", problem="not of the form expected.")
    checkpoint = Checkpoint(origin=body[0], size=int(body[1]), root=unb64(body[2], "checkpoint's root", 32))
    return checkpoint, f"{text}\n".encode(), [_signature_line(line) for line in lines]


def _signature_line(line: str) -> tuple[str, bytes]:
    name, gap, signed = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not gap or not name:
        raise InvalidCheckpoint(source="checkpoint", problem="a signature line is not of the form expected.")
    data = unb64(signed, "checkpoint's signature line")
    if len(data) < 5:
        raise InvalidCheckpoint(source="checkpoint", problem="a signature line is too short.")
    return name, data


def _text(checkpoint: Checkpoint) -> bytes:
    if len(checkpoint.root) != 32 or checkpoint.size < 0:
        raise BadInput(source="checkpoint", problem="a size or a root that no log has.")
    return f"{checkpoint.origin}\n{checkpoint.size}\n{b64(checkpoint.root)}\n".encode()


def _key_hash(origin: str, public: bytes) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public).digest()[:4]
