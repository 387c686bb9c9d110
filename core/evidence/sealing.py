"""Packs sealed to an auditor, so that one can travel on a stick: only the holder of the auditor's private key opens it.

An auditor makes a pair of files: the public one they hand out (and have its fingerprint compared by telephone, as of a card), the private
one stays with them under a passphrase. A sealed pack is

    MAGIC ‖ SHA-256 of the public key (32) ‖ a content key, HPKE-sealed to it (ENCLOSED bytes) ‖ the pack as a STREAM (`core.trust.streams`)

The rules:

1. HPKE (RFC 9180, MLKEM768-X25519) binds magic and fingerprint as its info; the stream's context binds magic, fingerprint and the
   enclosed key. So nothing of one sealed pack fits into another, and what was cut, extended, reordered or altered doesn't open.
2. Nothing is given out before the whole was authenticated.
3. Sealing says nothing about who sealed: anyone who has the public key can. What a pack says is judged by its signatures, after opening.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable

import msgspec

from core.errors import BadInput, Damaged, WrongPassphrase
from core.evidence.zipform import LARGEST
from core.records import Digest, Json, Record
from core.trust.canonical import b64, builtins, canonical, parse, unb64
from core.trust.passphrases import Kdf, calibrated, derive
from core.trust.sealing import KEY, InvalidSeal, SealingKeys, seal, seal_to, unseal_secret, wipe
from core.trust.streams import StreamContext, sealed, sealed_size, unsealed

MAGIC = b"ASSAYSP1"
PUBLIC = 1216
"""Bytes of a public key: ML-KEM-768's, then X25519's."""
ENCLOSED = 1088 + 32 + KEY + 16
"""Bytes of a content key that is sealed to somebody: the KEM's ciphertexts, the key, a tag."""
HEADER = len(MAGIC) + 32 + ENCLOSED
LARGEST_SEALED = HEADER + sealed_size(LARGEST)
LARGEST_KEYS = 64 * 1024
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class AuditorKey(Record, frozen=True, kw_only=True, tag="auditor-key", forbid_unknown_fields=True):
    """To whom packs can be sealed: a name, for people, and the public key in base64."""

    name: str
    public: str

    @property
    def fingerprint(self) -> Digest:
        """SHA-256 of the public key: what two people compare by telephone."""
        return Digest(hashlib.sha256(self.key).hexdigest())

    @property
    def key(self) -> bytes:
        """The public key's bytes. Raises `Damaged`."""
        return unb64(self.public, "auditor's key", PUBLIC)


class AuditorKeys(Record, frozen=True, kw_only=True, tag="auditor-keys", forbid_unknown_fields=True):
    """The pair, at rest: the private half is sealed under a passphrase, by `kdf`."""

    name: str
    public: str
    kdf: Kdf
    sealed: str

    @property
    def public_half(self) -> AuditorKey:
        return AuditorKey(name=self.name, public=self.public)


def make_keys(name: str, passphrase: str, kdf: Callable[[], Kdf] = calibrated) -> AuditorKeys:
    """A new pair. Takes as long as one key derivation. Raises `BadInput` for a name or a passphrase that can't be used."""
    if _NAME.fullmatch(name) is None:
        raise BadInput(source="name", problem="use 1 to 200 characters on one line.")
    how, keys = kdf(), SealingKeys.generate()
    own = derive(passphrase, how)
    public = AuditorKey(name=name, public=b64(keys.public))
    try:
        closed = seal(own, keys.private_bytes(), _own(public, how))
    finally:
        wipe(own)
    return AuditorKeys(name=name, public=public.public, kdf=how, sealed=b64(closed))


def dump(keys: AuditorKey | AuditorKeys) -> bytes:
    """The file, as canonical JSON."""
    return canonical(builtins(keys))


def load_public(data: bytes, source: str) -> AuditorKey:
    """From either file of a pair. Raises `Damaged`, and `BadInput` for a card, which has keys for signing and none to seal to."""
    keys = _loaded(data, source)
    found = keys.public_half if isinstance(keys, AuditorKeys) else keys
    _ = found.key
    return found


def load_keys(data: bytes, source: str) -> AuditorKeys:
    """From the private file. Raises `Damaged`, and `BadInput` for the public one."""
    keys = _loaded(data, source)
    if isinstance(keys, AuditorKey):
        raise BadInput(source=source, problem="this is the public half. Opening needs the other file of the pair.")
    return keys


def seal_pack(pack: bytes, to: AuditorKey) -> Iterable[bytes]:
    """The sealed form, in parts. Raises `Damaged` for a public key that can't be used, `BadInput` for what is too large."""
    if len(pack) > LARGEST:
        raise BadInput(source="pack", problem="too large to be one.")
    content = secrets.token_bytes(KEY)
    start = MAGIC + bytes.fromhex(to.fingerprint)
    enclosed = seal_to(to.key, content, start)
    yield start + enclosed
    yield from sealed(content, (pack,), _context(start, enclosed))


def open_pack(data: bytes, keys: AuditorKeys, passphrase: str) -> bytes:
    """The pack. Raises `WrongPassphrase`, `Damaged` (no sealed pack, altered, cut), `BadInput` (sealed to somebody else)."""
    if len(data) < HEADER or len(data) > LARGEST_SEALED or data[: len(MAGIC)] != MAGIC:
        raise Damaged(source="sealed pack", problem="this is none, or it was cut short.")
    to = keys.public_half
    start, enclosed = data[: len(MAGIC) + 32], data[len(MAGIC) + 32 : HEADER]
    if start[len(MAGIC) :].hex() != to.fingerprint:
        problem = f"it is sealed to another key ({start[len(MAGIC) : len(MAGIC) + 4].hex()}…), not to {to.name}'s."
        raise BadInput(source="sealed pack", problem=problem)
    content = _private(keys, passphrase).open(enclosed, start)
    return b"".join(unsealed(content, (data[HEADER:],), _context(start, enclosed)))


def _private(keys: AuditorKeys, passphrase: str) -> SealingKeys:
    own = derive(passphrase, keys.kdf)
    try:
        plain = unseal_secret(own, unb64(keys.sealed, "auditor's keys"), _own(keys.public_half, keys.kdf))
    except InvalidSeal:
        raise WrongPassphrase(vault="auditor's keys") from None
    finally:
        wipe(own)
    try:
        return SealingKeys.from_private(plain)
    finally:
        wipe(plain)


def _own(public: AuditorKey, kdf: Kdf) -> bytes:
    return canonical({"purpose": "assay auditor keys", "public": builtins(public), "kdf": builtins(kdf)})


def _context(start: bytes, enclosed: bytes) -> StreamContext:
    name = hashlib.sha256(start + enclosed).hexdigest()
    return StreamContext(vault="", kind="pack", name=name)


def _loaded(data: bytes, source: str) -> AuditorKey | AuditorKeys:
    if len(data) > LARGEST_KEYS:
        raise Damaged(source=source, problem="too large to be an auditor's key.")
    value: Json = parse(data, source)
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in ("card", "signed-card"):
        raise BadInput(
            source=source, problem="a card has keys for signing only. Seal to a key made with `assay pack keys`."
        )
    try:
        keys = msgspec.convert(value, type=AuditorKey | AuditorKeys)
    except msgspec.ValidationError as error:
        raise Damaged(source=source, problem=f"not an auditor's key ({error}).") from error
    if canonical(builtins(keys)) != data:
        raise Damaged(source=source, problem="leaves something out.")
    return keys
