"""The file format underneath: objects, streams, and one byte form for the same content (ISO 32000-1, PDF 1.7).

Objects without a stream are packed into compressed object streams. Nothing in a file comes from the clock or from chance: times are
given, and the file's identifier is a digest of what is in it.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence

PACKED = 200
"""Objects in one object stream."""
LEVEL = 6


class Ref(int):
    """The number of an object."""


class Text(str):
    """A text string for people, as opposed to a name."""


def written(value: object) -> bytes:
    """A value in the file's syntax: `str` is a name, `Text` a text string, `bytes` a byte string."""
    match value:
        case None:
            return b"null"
        case bool():
            return b"true" if value else b"false"
        case Ref():
            return b"%d 0 R" % value
        case int():
            return b"%d" % value
        case float():
            return number(value)
        case bytes():
            return b"<" + value.hex().encode("ascii") + b">"
        case Text():
            return b"<" + (b"\xfe\xff" + value.encode("utf-16-be", "replace")).hex().encode("ascii") + b">"
        case str():
            return b"/" + b"".join(bytes((c,)) if _regular(c) else b"#%02x" % c for c in value.encode("utf-8"))
        case Mapping():
            inner = b" ".join(written(str(key)) + b" " + written(item) for key, item in value.items())
            return b"<<" + inner + b">>"
        case Sequence():
            return b"[" + b" ".join(map(written, value)) + b"]"
    raise TypeError(f"no PDF value: {type(value).__name__}")


def number(value: float) -> bytes:
    """A number with two decimals at most, never in scientific notation."""
    return f"{value:.2f}".rstrip("0").rstrip(".").encode("ascii")


class File:
    """Collects objects and writes them. Objects are numbered in the order in which they are asked for."""

    def __init__(self) -> None:
        self._plain: dict[int, bytes] = {}
        self._streams: dict[int, bytes] = {}
        self._last = 0

    def new(self) -> Ref:
        """A number for an object that is put later."""
        self._last += 1
        return Ref(self._last)

    def put(self, value: object, ref: Ref | None = None) -> Ref:
        """Add an object without a stream."""
        ref = self.new() if ref is None else ref
        self._plain[ref] = written(value)
        return ref

    def stream(self, content: bytes, entries: Mapping[str, object], ref: Ref | None = None, packed: bool = True) -> Ref:
        """Add a stream with its dictionary."""
        ref = self.new() if ref is None else ref
        self._streams[ref] = _stream(content, entries, packed)
        return ref

    def bytes(self, root: Ref, information: Ref) -> bytes:
        """The whole file."""
        inside: dict[int, tuple[int, int]] = {}
        numbers = sorted(self._plain)
        for start in range(0, len(numbers), PACKED):
            some = numbers[start : start + PACKED]
            holder = self.new()
            offsets, bodies, place = [], [], 0
            for index, one in enumerate(some):
                offsets.append(b"%d %d" % (one, place))
                bodies.append(self._plain[one])
                place += len(self._plain[one]) + 1
                inside[one] = (holder, index)
            head = b" ".join(offsets) + b"\n"
            entries = {"Type": "ObjStm", "N": len(some), "First": len(head)}
            self._streams[holder] = _stream(head + b"\n".join(bodies), entries, packed=True)
        parts, places, at = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"], {}, 15
        for one in sorted(self._streams):
            body = b"%d 0 obj\n%s\nendobj\n" % (one, self._streams[one])
            places[one] = at
            parts.append(body)
            at += len(body)
        last = self.new()
        places[last] = at
        identifier = hashlib.sha256(b"".join(parts)).digest()[:16]
        table = [b"\0\0\0\0\0\0\xff\xff"]
        for one in range(1, last + 1):
            if one in inside:
                pack, index = inside[one]
                table.append(b"\x02" + pack.to_bytes(5, "big") + index.to_bytes(2, "big"))
            else:
                table.append(b"\x01" + places[one].to_bytes(5, "big") + b"\0\0")
        entries = {
            "Type": "XRef",
            "Size": last + 1,
            "W": [1, 5, 2],
            "Root": root,
            "Info": information,
            "ID": [identifier, identifier],
        }
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (last, _stream(b"".join(table), entries, packed=True)))
        parts.append(b"startxref\n%d\n%%%%EOF\n" % at)
        return b"".join(parts)


def _stream(content: bytes, entries: Mapping[str, object], packed: bool) -> bytes:
    data = zlib.compress(content, LEVEL) if packed else content
    filters = {"Filter": "FlateDecode"} if packed else {}
    return written({**entries, **filters, "Length": len(data)}) + b"\nstream\n" + data + b"\nendstream"


def _regular(character: int) -> bool:
    return 33 <= character <= 126 and character not in b"#()<>[]{}/%"
