"""Length-framed MessagePack over a pair of private pipes.

A frame is four bytes of length (big-endian, of what follows) and one encoded message. Rules: no frame is larger than `LARGEST`;
nothing is allocated for a length that has not arrived; bytes that are not a frame raise `BadFrame`, after which the stream can't be
used any more. No pickle, ever.
"""

from collections.abc import Iterator
from typing import Final, TypeVar

import msgspec

from core.workers.records import FromChild, ToChild

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of one message. A page rendered at 600 dpi has 105 MB; a document is handed over whole."""
HEADER: Final = 4
M = TypeVar("M")

_encoder = msgspec.msgpack.Encoder()
_to_child: "msgspec.msgpack.Decoder[ToChild]" = msgspec.msgpack.Decoder(ToChild)
_from_child: "msgspec.msgpack.Decoder[FromChild]" = msgspec.msgpack.Decoder(FromChild)


class BadFrame(ValueError):
    """Bytes that are no frame of ours; its text has no content of the frame."""


def pack(message: msgspec.Struct, largest: int = LARGEST) -> bytes:
    """The frame of a message. Raises `BadFrame` when it would be too large."""
    buffer = bytearray(HEADER)
    _encoder.encode_into(message, buffer, HEADER)
    size = len(buffer) - HEADER
    if size > largest:
        raise BadFrame(f"a message of {size} bytes, above the limit of {largest}")
    buffer[:HEADER] = size.to_bytes(HEADER, "big")
    return bytes(buffer)


def body(record: msgspec.Struct) -> msgspec.Raw:
    """A record, encoded, as the body of a request or a reply."""
    return msgspec.Raw(_encoder.encode(record))


def to_child(payload: bytes) -> ToChild:
    """The message in a frame that a child received. Raises `BadFrame`."""
    return _decoded(_to_child, payload)


def from_child(payload: bytes) -> FromChild:
    """The message in a frame that came from a child. Raises `BadFrame`."""
    return _decoded(_from_child, payload)


def _decoded(decoder: "msgspec.msgpack.Decoder[M]", payload: bytes) -> M:
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame("bytes that are not a message") from error


class Unpacker:
    """Cuts a stream of bytes into frames, however the bytes arrive."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take in `data`; yield the payload of each frame that is now complete. Raises `BadFrame` for a length above the limit."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= HEADER:
                size = int.from_bytes(self._buffer[start : start + HEADER], "big")
                if size > self._largest:
                    raise BadFrame(f"a frame of {size} bytes, above the limit of {self._largest}")
                end = start + HEADER + size
                if len(self._buffer) < end:
                    break
                payload = bytes(memoryview(self._buffer)[start + HEADER : end])
                start = end
                yield payload
        finally:
            del self._buffer[:start]

    @property
    def empty(self) -> bool:
        """Whether the stream stands between two frames."""
        return not self._buffer
