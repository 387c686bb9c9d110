"""Large content sealed in segments: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) over AES-256-GCM.

A sealed stream is `MAGIC`, a random salt of 32 bytes, then segments of `SEGMENT` bytes of content (the last one may be shorter, and is empty
only where there is no content), each followed by its tag of 16 bytes. The rules:

1. HKDF-SHA256 of the key, the salt and a fixed label gives each stream a key and a nonce prefix (7 bytes) of its own.
2. A segment's nonce is prefix ‖ counter (4 bytes, big-endian) ‖ 1 for the last segment, else 0. So a stream that was cut, extended,
   reordered or mixed with another one doesn't open.
3. Additional data of every segment is what the stream is: vault, kind, name and generation, in canonical form, after `MAGIC`. So a stream
   doesn't open in another's place, nor does an older generation in a newer one's.
4. `unsealed` gives content out as it is authenticated, a segment at a time: what came before an `InvalidSeal` was sealed here, but is not the
   whole. Whoever needs the whole waits for the end.

Memory is constant, a few segments, both ways. Nothing here knows files.
"""

import secrets
from collections.abc import Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from core.records import Json, Record
from core.trust.canonical import canonical
from core.trust.sealing import KEY, InvalidSeal

MAGIC: Final = b"ASSAYST1"
SALT: Final = 32
SEGMENT: Final = 256 * 1024
"""Content bytes of a full segment: from 64 KiB on, AES-NI and not the calls is what takes the time."""
TAG: Final = 16
HEADER: Final = len(MAGIC) + SALT
MOST_SEGMENTS: Final = 2**32
_PREFIX: Final = 7
_LABEL: Final = b"assay stream 1"


class StreamContext(Record, frozen=True, kw_only=True):
    """What a stream is. It opens only under exactly these words."""

    vault: str
    kind: str
    """"backup", "vector index" and the like."""
    name: str
    generation: int = 0


def purpose_key(key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, derived from the vault key: whoever has it learns neither that one nor another purpose's."""
    return HKDFExpand(SHA256(), KEY, b"assay purpose 1\x00" + purpose.encode("utf-8")).derive(_checked(key))


def sealed_size(content: int) -> int:
    """Bytes of the sealed form of so many bytes."""
    return HEADER + content + TAG * max(1, -(-content // SEGMENT))


def sealed(key: bytes, parts: Iterable[bytes], context: StreamContext, salt: bytes | None = None) -> Iterator[bytes]:
    """The sealed form of what `parts`, of any sizes, make up. `key` has 32 bytes; `salt` is drawn anew unless a test fixes it."""
    salt = secrets.token_bytes(SALT) if salt is None else salt
    assert len(salt) == SALT
    cipher, prefix = _derived(key, salt)
    about = _about(context)
    yield MAGIC + salt
    for number, segment, last in _cut(parts, SEGMENT):
        yield cipher.encrypt(_nonce(prefix, number, last), segment, about)


def unsealed(key: bytes, parts: Iterable[bytes], context: StreamContext) -> Iterator[bytes]:
    """The content of a sealed stream, given in parts of any sizes. Raises `InvalidSeal` (another key or context, altered, cut, extended)."""
    source = _source(context)
    rest = iter(parts)
    start = bytearray()
    for part in rest:
        start += part
        if len(start) >= HEADER:
            break
    if len(start) < HEADER or bytes(start[: len(MAGIC)]) != MAGIC:
        raise InvalidSeal(source=source, problem="not a sealed stream, or cut at its beginning.")
    cipher, prefix = _derived(key, bytes(start[len(MAGIC) : HEADER]))
    about = _about(context)
    for number, segment, last in _cut(_chain(bytes(start[HEADER:]), rest), SEGMENT + TAG):
        if len(segment) < TAG or (number > 0 and len(segment) == TAG):
            raise InvalidSeal(source=source, problem="it ends too early.")
        try:
            yield cipher.decrypt(_nonce(prefix, number, last), segment, about)
        except InvalidTag:
            raise InvalidSeal(
                source=source, problem="wrong key, altered, incomplete, or another one in its place."
            ) from None


def _derived(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    made = HKDF(SHA256(), KEY + _PREFIX, salt, _LABEL).derive(_checked(key))
    return AESGCM(made[:KEY]), made[KEY:]


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    if number >= MOST_SEGMENTS:
        raise InvalidSeal(source="sealed stream", problem="longer than a stream can be.")
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _about(context: StreamContext) -> bytes:
    fields: dict[str, Json] = {
        "vault": context.vault,
        "kind": context.kind,
        "name": context.name,
        "generation": context.generation,
    }
    return MAGIC + canonical(fields)


def _source(context: StreamContext) -> str:
    return f"The sealed {context.kind} {context.name}".rstrip()


def _cut(parts: Iterable[bytes], size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Pieces of `size` bytes: number, content, whether it is the last. There is always a last one; it is empty only as the first."""
    waiting = bytearray()
    number = 0
    for part in parts:
        waiting += part
        start = 0
        while len(waiting) - start > size:
            yield number, bytes(waiting[start : start + size]), False
            number += 1
            start += size
        del waiting[:start]
    yield number, bytes(waiting), True


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _checked(key: bytes) -> bytes:
    if len(key) != KEY:
        raise InvalidSeal(source="sealing key", problem=f"has {len(key)} bytes instead of {KEY}.")
    return key
