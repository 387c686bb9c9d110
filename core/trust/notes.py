"""Checkpoints of the audit log: C2SP signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), signed with Ed25519, and the
cosignatures of witnesses (c2sp.org/tlog-cosignature, version 1 with Ed25519).

    example.org/log
    42
    <root, base64>

    — example.org/log <base64 of a key hash of 4 bytes and the signature of 64>

Lines by other keys may follow; those of keys that aren't known are skipped. A witness signs a header, the time and the note's text: that at
that time this was the largest state of the log that it knew, and an extension of all before. Its name isn't part of what it signs, so a key
serves one name. Whether one checkpoint extends another is the Merkle tree's question.
"""

import hashlib
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import BadInput, Damaged
from core.records import Record
from core.trust.canonical import b64, unb64

LARGEST = 64 * 1024
"""Bytes of a note; a checkpoint with a dozen witnesses has 2 KiB."""
_ED25519 = b"\x01"
_COSIGNATURE = b"\x04"
_LATEST = 2**63 - 1
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
        return f"{self.origin}+{_key_hash(self.origin, public, _ED25519).hex()}+{b64(_ED25519 + public)}"


class WitnessKey(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose cosignatures count: a witness's name and its Ed25519 public key in base64."""

    name: str
    ed25519: str

    @property
    def vkey(self) -> str:
        """The same as a C2SP verifier key: `name+hash+key`."""
        public = unb64(self.ed25519, "witness's key", 32)
        return f"{self.name}+{_key_hash(self.name, public, _COSIGNATURE).hex()}+{b64(_COSIGNATURE + public)}"


class Cosignature(Record, frozen=True, kw_only=True):
    """That a witness vouched for a checkpoint, `time` in seconds since 1970."""

    witness: WitnessKey
    time: int


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
    return LogKey(origin=_checked_name(origin, "log's origin"), ed25519=_public(key))


def witness_key(name: str, key: bytes) -> WitnessKey:
    """The public half of a witness's private key. Raises `BadInput` for a name with spaces or a plus sign."""
    return WitnessKey(name=_checked_name(name, "witness's name"), ed25519=_public(key))


def log_key_from(vkey: str) -> LogKey:
    """The key that `LogKey.vkey` wrote. Raises `Damaged`."""
    origin, public = _from_vkey(vkey, _ED25519, "not an Ed25519 key of a log.")
    return LogKey(origin=origin, ed25519=public)


def witness_key_from(vkey: str) -> WitnessKey:
    """The key that `WitnessKey.vkey` wrote. Raises `Damaged`."""
    name, public = _from_vkey(vkey, _COSIGNATURE, "not an Ed25519 key of a witness.")
    return WitnessKey(name=name, ed25519=public)


def sign_checkpoint(origin: str, size: int, root: bytes, key: bytes) -> bytes:
    """The signed note. `root` has 32 bytes; `key` is the log's private key."""
    its = log_key(origin, key)
    text = _text(Checkpoint(origin=origin, size=size, root=root))
    signature = Ed25519PrivateKey.from_private_bytes(key).sign(text)
    hash = _key_hash(origin, unb64(its.ed25519, "log's key", 32), _ED25519)
    return text + f"\n{_MARK}{origin} {b64(hash + signature)}\n".encode()


def cosign(note: bytes, name: str, key: bytes, time: int) -> bytes:
    """The note with a witness's line at its end, in place of an earlier one of the same key. `time` in seconds since 1970.

    That the checkpoint is the log's, and extends what the witness knew, is for the caller to have checked. Raises `InvalidCheckpoint`."""
    if not 0 <= time <= _LATEST:
        raise BadInput(source="cosignature", problem="a time that can't be written.")
    its = witness_key(name, key)
    _, text, lines = _split(note)
    hash = _key_hash(name, unb64(its.ed25519, "witness's key", 32), _COSIGNATURE)
    signature = Ed25519PrivateKey.from_private_bytes(key).sign(_cosigned(text, time))
    kept = [(other, signed) for other, signed in lines if (other, signed[:4]) != (name, hash)]
    written = "".join(
        f"{_MARK}{other} {b64(signed)}\n"
        for other, signed in [*kept, (name, hash + time.to_bytes(8, "big") + signature)]
    )
    return text + b"\n" + written.encode()


def cosignatures(note: bytes, witnesses: Sequence[WitnessKey]) -> tuple[Cosignature, ...]:
    """The cosignatures of these witnesses on a note. Raises `InvalidCheckpoint` when one of theirs doesn't verify."""
    _, text, lines = _split(note)
    found = []
    for witness in witnesses:
        public = unb64(witness.ed25519, "witness's key", 32)
        hash = _key_hash(witness.name, public, _COSIGNATURE)
        own = [signed[4:] for name, signed in lines if (name, signed[:4]) == (witness.name, hash)]
        if not own:
            continue
        if len(own) > 1 or len(own[0]) != 8 + 64:
            raise InvalidCheckpoint(source="checkpoint", problem=f"not cosigned once by {witness.name}.")
        time = int.from_bytes(own[0][:8], "big")
        try:
            if time > _LATEST:
                raise InvalidSignature
            Ed25519PublicKey.from_public_bytes(public).verify(own[0][8:], _cosigned(text, time))
        except (InvalidSignature, ValueError):
            raise InvalidCheckpoint(
                source="checkpoint", problem=f"the cosignature of {witness.name} doesn't verify."
            ) from None
        found.append(Cosignature(witness=witness, time=time))
    return tuple(found)


def verify_checkpoint(note: bytes, key: LogKey, witnesses: Sequence[WitnessKey] = (), needed: int = 0) -> Checkpoint:
    """The checkpoint, if `key` signed it and at least `needed` different keys of `witnesses` cosigned it. Raises `InvalidCheckpoint`."""
    checkpoint, text, lines = _split(note)
    if checkpoint.origin != key.origin:
        raise InvalidCheckpoint(source="checkpoint", problem=f"of another log: {checkpoint.origin[:80]}.")
    public = unb64(key.ed25519, "log's key", 32)
    hash = _key_hash(key.origin, public, _ED25519)
    own = [signed for name, signed in lines if name == key.origin and signed[:4] == hash]
    if len(own) != 1:
        raise InvalidCheckpoint(source="checkpoint", problem="not signed once by the log's key.")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(own[0][4:], text)
    except (InvalidSignature, ValueError):
        raise InvalidCheckpoint(source="checkpoint", problem="its signature doesn't verify.") from None
    vouched = {cosignature.witness.ed25519 for cosignature in cosignatures(note, witnesses)}
    if len(vouched) < needed:
        raise InvalidCheckpoint(
            source="checkpoint", problem=f"cosigned by {len(vouched)} of the witnesses that count, {needed} are needed."
        )
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


def _cosigned(text: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % time + text


def _key_hash(name: str, public: bytes, algorithm: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + algorithm + public).digest()[:4]


def _public(key: bytes) -> str:
    return b64(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw())


def _checked_name(name: str, source: str) -> str:
    if _ORIGIN.fullmatch(name) is None:
        raise BadInput(source=source, problem="use 1 to 200 characters without spaces and plus signs.")
    return name


def _from_vkey(vkey: str, algorithm: bytes, problem: str) -> tuple[str, str]:
    """Name and public key in base64 of a verifier key of that algorithm."""
    name, _, rest = vkey.partition("+")
    hash, _, encoded = rest.partition("+")
    data = unb64(encoded, "verifier key", 33)
    if data[:1] != algorithm or _ORIGIN.fullmatch(name) is None or hash != _key_hash(name, data[1:], algorithm).hex():
        raise Damaged(source="verifier key", problem=problem)
    return name, b64(data[1:])
