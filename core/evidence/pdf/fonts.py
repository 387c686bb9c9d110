"""The typefaces of a PDF: DejaVu, as matplotlib ships it, cut down to the characters that are used and embedded.

A character that a face doesn't have is drawn by its code point, `[U+4E2D]`, and keeps itself as the text that is searched and copied.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from core.errors import NotFound
from core.evidence.pdf import scripts
from core.evidence.pdf.objects import File, Ref
from core.evidence.pdf.truetype import TrueType, cut, read

FILES = {"plain": "DejaVuSans.ttf", "strong": "DejaVuSans-Bold.ttf", "code": "DejaVuSansMono.ttf"}
_CHARACTERS = 100
"""Entries in one part of a map to Unicode (Adobe technical note 5411)."""


class Word(NamedTuple):
    """A word as one face draws it: its glyphs in hexadecimal, its width in thousandths of the size, and its text where that differs."""

    glyphs: str
    width: float
    text: str
    actual: bool
    rightward: bool


class Face:
    """One typeface in one file; remembers the glyphs that were drawn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._table = _table(name)
        self._used: dict[int, str] = {}
        self._words: dict[str, Word] = {}

    def word(self, text: str) -> Word:
        """A word or a space, ready to be drawn."""
        found = self._words.get(text)
        if found is None:
            found = self._words[text] = self._drawn(text)
        return found

    def _drawn(self, text: str) -> Word:
        glyphs, advances = self._table.glyphs, self._table.advances
        rightward = scripts.runs_right(text)
        visible = ordered = scripts.drawn(text) if rightward else text
        if not all(ord(character) in glyphs for character in visible):
            visible = "".join(c if ord(c) in glyphs else f"[U+{ord(c):04X}]" for c in visible)
        numbers = [glyphs[ord(character)] for character in visible]
        for glyph, character in zip(numbers, visible, strict=True):
            self._used.setdefault(glyph, scripts.letter(character))
        width = sum(advances[glyph] for glyph in numbers)
        return Word("".join(f"{glyph:04X}" for glyph in numbers), width, text, visible != ordered, rightward)

    def embed(self, file: File, ref: Ref) -> None:
        """Put the font with the glyphs used so far into the file."""
        used = sorted(self._used)
        data = cut(self._table, used)
        name = f"{_tag(used)}+{Path(FILES[self.name]).stem}"
        table = self._table
        described = file.put(
            {
                "Type": "FontDescriptor",
                "FontName": name,
                "Flags": 5 if self.name == "code" else 4,
                "FontBBox": list(table.box),
                "ItalicAngle": 0,
                "Ascent": table.ascent,
                "Descent": table.descent,
                "CapHeight": 729,
                "StemV": 165 if self.name == "strong" else 80,
                "FontFile2": file.stream(data, {"Length1": len(data)}),
            }
        )
        widths: list[object] = []
        for glyph in used:
            widths += [glyph, [round(table.advances[glyph], 1)]]
        descendant = file.put(
            {
                "Type": "Font",
                "Subtype": "CIDFontType2",
                "BaseFont": name,
                "CIDSystemInfo": {"Registry": b"Adobe", "Ordering": b"Identity", "Supplement": 0},
                "FontDescriptor": described,
                "CIDToGIDMap": "Identity",
                "DW": 600,
                "W": widths,
            }
        )
        unicode = file.stream(self._to_unicode(), {})
        file.put(
            {
                "Type": "Font",
                "Subtype": "Type0",
                "BaseFont": name,
                "Encoding": "Identity-H",
                "DescendantFonts": [descendant],
                "ToUnicode": unicode,
            },
            ref,
        )

    def _to_unicode(self) -> bytes:
        pairs = [f"<{glyph:04X}> <{text.encode('utf-16-be').hex()}>" for glyph, text in sorted(self._used.items())]
        parts = [pairs[start : start + _CHARACTERS] for start in range(0, len(pairs), _CHARACTERS)]
        body = "\n".join(f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar" for part in parts)
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{body}\n"
            "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode("ascii")


@cache
def _table(name: str) -> TrueType:
    return read(_file(FILES[name]).read_bytes())


def _file(name: str) -> Path:
    spec = find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / name
        if path.is_file():
            return path
    raise NotFound(kind="typeface", name=name, step="Install the program again: it comes with matplotlib.")


def _tag(glyphs: list[int]) -> str:
    """Six letters that name the cut (ISO 32000-1, 9.6.4)."""
    value = sum((place + 1) * glyph for place, glyph in enumerate(glyphs)) % 26**6
    letters = []
    for _ in range(6):
        value, rest = divmod(value, 26)
        letters.append(chr(ord("A") + rest))
    return "".join(letters)
