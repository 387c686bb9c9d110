"""Reading a TrueType file as far as a PDF needs it, and cutting it down to some glyphs (OpenType 1.9).

The cut keeps the numbers of the glyphs, so that text refers to them as in the whole font; the outlines of all others are left out, and
hints, names and layout tables too.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

KEPT = ("head", "hhea", "hmtx", "maxp", "loca", "glyf")
_MAGIC = 0xB1B0AFBA
_WORDS, _SCALE, _MORE, _TWO_SCALES, _MATRIX = 0x0001, 0x0008, 0x0020, 0x0040, 0x0080


class TrueType(NamedTuple):
    """A font file: its tables, the glyph of each character, and each glyph's advance in thousandths of the size."""

    tables: dict[str, bytes]
    glyphs: dict[int, int]
    advances: tuple[float, ...]
    box: tuple[int, int, int, int]
    ascent: int
    descent: int


def read(data: bytes) -> TrueType:
    """A font with outlines in `glyf` and a Unicode map of format 4 or 12, as DejaVu is."""
    tables = {}
    for place in range(struct.unpack_from(">H", data, 4)[0]):
        tag, _, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * place)
        tables[tag.decode("ascii")] = data[offset : offset + length]
    scale = 1000 / struct.unpack_from(">H", tables["head"], 18)[0]
    box = struct.unpack_from(">4h", tables["head"], 36)
    ascent, descent = struct.unpack_from(">2h", tables["hhea"], 4)
    number = struct.unpack_from(">H", tables["maxp"], 4)[0]
    long = struct.unpack_from(">H", tables["hhea"], 34)[0]
    found = [advance * scale for advance, _ in struct.iter_unpack(">Hh", tables["hmtx"][: 4 * long])]
    advances = tuple(found + [found[-1]] * (number - long))
    left, low, right, high = (round(value * scale) for value in box)
    return TrueType(
        tables,
        _characters(tables["cmap"]),
        advances,
        (left, low, right, high),
        round(ascent * scale),
        round(descent * scale),
    )


def cut(font: TrueType, glyphs: Iterable[int]) -> bytes:
    """A font file with the outlines of these glyphs and of those that they are composed of."""
    places = _places(font)
    outlines = font.tables["glyf"]
    wanted, waiting = set[int](), [0, *glyphs]
    while waiting:
        glyph = waiting.pop()
        if glyph not in wanted:
            wanted.add(glyph)
            waiting += _components(outlines[places[glyph] : places[glyph + 1]])
    kept, starts, at = [], [0], 0
    for glyph in range(len(places) - 1):
        if glyph in wanted:
            outline = outlines[places[glyph] : places[glyph + 1]]
            kept.append(outline + bytes(-len(outline) % 4))
            at += len(kept[-1])
        starts.append(at)
    head = bytearray(font.tables["head"])
    struct.pack_into(">I", head, 8, 0)
    struct.pack_into(">h", head, 50, 1)
    tables = {name: font.tables[name] for name in KEPT}
    tables |= {"head": bytes(head), "glyf": b"".join(kept), "loca": struct.pack(f">{len(starts)}I", *starts)}
    return _file(tables)


def _file(tables: dict[str, bytes]) -> bytes:
    count = len(tables)
    power = 1 << count.bit_length() - 1
    start = struct.pack(">IHHHH", 0x00010000, count, power * 16, power.bit_length() - 1, (count - power) * 16)
    directory, body, at, head = b"", b"", 12 + 16 * count, 0
    for name in sorted(tables):
        data = tables[name]
        directory += struct.pack(">4sIII", name.encode("ascii"), _sum(data), at + len(body), len(data))
        head = at + len(body) if name == "head" else head
        body += data + bytes(-len(data) % 4)
    whole = bytearray(start + directory + body)
    struct.pack_into(">I", whole, head + 8, (_MAGIC - _sum(bytes(whole))) & 0xFFFFFFFF)
    return bytes(whole)


def _sum(data: bytes) -> int:
    data += bytes(-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) & 0xFFFFFFFF


def _places(font: TrueType) -> tuple[int, ...]:
    """Where in `glyf` each glyph begins, and where the last one ends."""
    data = font.tables["loca"]
    if struct.unpack_from(">h", font.tables["head"], 50)[0]:
        return struct.unpack(f">{len(data) // 4}I", data)
    return tuple(2 * place for place in struct.unpack(f">{len(data) // 2}H", data))


def _components(outline: bytes) -> list[int]:
    """The glyphs that a composite glyph is made of."""
    if len(outline) < 10 or struct.unpack_from(">h", outline)[0] >= 0:
        return []
    found, at, flags = [], 10, _MORE
    while flags & _MORE:
        flags, glyph = struct.unpack_from(">HH", outline, at)
        found.append(glyph)
        at += 8 if flags & _WORDS else 6
        at += 2 if flags & _SCALE else 4 if flags & _TWO_SCALES else 8 if flags & _MATRIX else 0
    return found


def _characters(data: bytes) -> dict[int, int]:
    """The widest Unicode map of the file."""
    best: dict[int, int] = {}
    for place in range(struct.unpack_from(">H", data, 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", data, 4 + 8 * place)
        if (platform, encoding) in {(0, 3), (0, 4), (3, 1), (3, 10)}:
            kind = struct.unpack_from(">H", data, offset)[0]
            found = _segments(data, offset) if kind == 4 else _groups(data, offset) if kind == 12 else {}
            best = found if len(found) > len(best) else best
    return best


def _groups(data: bytes, offset: int) -> dict[int, int]:
    found = {}
    for place in range(struct.unpack_from(">I", data, offset + 12)[0]):
        first, last, glyph = struct.unpack_from(">III", data, offset + 16 + 12 * place)
        found.update({code: glyph + code - first for code in range(first, last + 1)})
    return found


def _segments(data: bytes, offset: int) -> dict[int, int]:
    double = struct.unpack_from(">H", data, offset + 6)[0]
    count = double // 2
    ends, starts, deltas, ranges = (
        struct.unpack_from(f">{count}H", data, offset + at)
        for at in (14, 16 + double, 16 + 2 * double, 16 + 3 * double)
    )
    found = {}
    for place in range(count):
        for code in range(starts[place], ends[place] + 1):
            if not ranges[place]:
                glyph = (code + deltas[place]) & 0xFFFF
            else:
                at = offset + 16 + 3 * double + 2 * place + ranges[place] + 2 * (code - starts[place])
                inner = struct.unpack_from(">H", data, at)[0]
                glyph = (inner + deltas[place]) & 0xFFFF if inner else 0
            if glyph and code != 0xFFFF:
                found[code] = glyph
    return found
