"""Breaking text into lines, and writing lines as PDF operators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.evidence.blocks import Spans, Style
from core.evidence.pdf.fonts import Face, Word
from core.evidence.pdf.objects import number
from core.evidence.pdf.paper import actual

COLOURS: Mapping[Style, str] = {
    "plain": "#1A1E21",
    "strong": "#1A1E21",
    "quiet": "#464E56",
    "code": "#1A1E21",
    "pass": "#17694A",
    "fail": "#A6261D",
    "signed": "#5B3279",
    "mark": "#1A1E21",
}
FACES: Mapping[Style, str] = {"strong": "strong", "code": "code", "signed": "strong"}
BREAKS = "-/@_.,"
"""After these a word that is too long is broken, if that is far enough in it."""
GROUND, EDGE = "#FFE48A", "#A87A00"
"""Of a highlighted passage."""


class Piece(NamedTuple):
    """A word on a line, with the space before it drawn in the style of what comes before."""

    word: Word
    style: Style
    width: float
    spaced: bool


class Line(NamedTuple):
    pieces: tuple[Piece, ...]
    width: float


class Setter:
    """Sets text in one size."""

    def __init__(self, faces: Mapping[str, Face], size: float, bold: bool = False) -> None:
        self.size = size
        self._faces = faces
        self._bold = bold
        self._space = {name: self._width(face.word(" ")) for name, face in faces.items()}

    def lines(self, spans: Spans, width: float) -> list[Line]:
        """The text broken to that width. A word that is too long by itself is broken anywhere; a line feed begins a line."""
        found: list[Line] = []
        line: list[Piece] = []
        used, spaced = 0.0, False
        for style, text, gap in _words(spans):
            if text == "\n":
                found.append(self._line(line))
                line, used, spaced = [], 0.0, False
                continue
            spaced = gap
            face = self.face(style)
            for part in self._parts(face, text, width):
                room = self._space[face.name] if spaced and line else 0.0
                wide = self._width(part)
                if line and used + room + wide > width:
                    found.append(self._line(line))
                    line, used, room = [], 0.0, 0.0
                line.append(Piece(part, style, wide, spaced and bool(line)))
                used += room + wide
                spaced = False
        if line or not found:
            found.append(self._line(line))
        return found

    def face(self, style: Style) -> Face:
        return self._faces["strong" if self._bold and style != "code" else FACES.get(style, "plain")]

    def show(self, line: Line, x: float, y: float, ink: str = "") -> bytes:
        """The operators that draw a line with its baseline at `y`, in the colours of its styles or in `ink`."""
        parts = [b"BT 1 0 0 1 %s %s Tm" % (number(x), number(y))]
        state: tuple[str, str] | None = None
        run: list[str] = []

        def flush() -> None:
            if run:
                parts.append(b"<%s> Tj" % "".join(run).encode("ascii"))
                run.clear()

        for piece in _ordered(line.pieces, self):
            face = self.face(piece.style)
            wanted = face.name, ink or COLOURS[piece.style]
            if piece.spaced and state is not None:
                run.append(self._faces[state[0]].word(" ").glyphs)
            if wanted != state:
                flush()
                parts.append(b"/F%s %s Tf %s rg" % (face.name.encode(), number(self.size), colour(wanted[1])))
                state = wanted
            if piece.word.actual:
                flush()
                parts.append(b"%s <%s> Tj EMC" % (actual(piece.word.text), piece.word.glyphs.encode("ascii")))
            else:
                run.append(piece.word.glyphs)
        flush()
        parts.append(b"ET")
        return b" ".join(parts)

    def ground(self, line: Line, x: float, y: float) -> bytes:
        """What lies under a line: the ground and the edge of highlighted words, joined where they follow each other."""
        places: list[tuple[float, float]] = []
        marked = False
        for piece in line.pieces:
            begin = x + (self._space[self.face(piece.style).name] if piece.spaced else 0.0)
            x = begin + piece.width
            if piece.style == "mark" and marked:
                places[-1] = places[-1][0], x
            elif piece.style == "mark":
                places.append((begin, x))
            marked = piece.style == "mark"
        return b"\n".join(_highlight(start, end, y, self.size) for start, end in places)

    def _parts(self, face: Face, text: str, width: float) -> Iterable[Word]:
        word = face.word(text)
        if self._width(word) <= width:
            return (word,)
        parts, part = [], ""
        for character in text:
            if part and self._width(face.word(part + character)) > width:
                cut = max(part.rfind(mark) for mark in BREAKS) + 1
                cut = cut if cut > len(part) / 2 else len(part)
                parts.append(face.word(part[:cut]))
                part = part[cut:]
            part += character
        return (*parts, face.word(part))

    def _width(self, word: Word) -> float:
        return word.width * self.size / 1000

    def _line(self, pieces: Sequence[Piece]) -> Line:
        space = sum(self._space[self.face(piece.style).name] for piece in pieces if piece.spaced)
        return Line(tuple(pieces), sum(piece.width for piece in pieces) + space)


def colour(text: str) -> bytes:
    """`#RRGGBB` as three numbers."""
    return b" ".join(number(int(text[place : place + 2], 16) / 255) for place in (1, 3, 5))


def box(x: float, y: float, width: float, height: float) -> bytes:
    """The path of a rectangle."""
    return b"%s %s %s %s re" % (number(x), number(y), number(width), number(height))


def _highlight(start: float, end: float, y: float, size: float) -> bytes:
    low, high = y - size * 0.28, size * 1.28
    return b"%s rg %s f %s rg %s f" % (
        colour(GROUND),
        box(start, low, end - start, high),
        colour(EDGE),
        box(start, low - 0.8, end - start, 0.8),
    )


def _words(spans: Spans) -> Iterable[tuple[Style, str, bool]]:
    """Words with their style and whether white space is before them; line feeds stand for themselves."""
    gap = False
    for span in spans:
        for order, row in enumerate(span.text.split("\n")):
            if order:
                yield span.style, "\n", False
                gap = False
            for place, word in enumerate(row.replace("\t", " ").split(" ")):
                gap = gap or place > 0
                if word:
                    yield span.style, word, gap
                    gap = False


def _ordered(pieces: Sequence[Piece], setter: Setter) -> list[Piece]:
    """The pieces in the order in which they are drawn: neighbours that run from right to left become one, the last word first."""
    if not any(piece.word.rightward for piece in pieces):
        return list(pieces)
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last and last.word.rightward and piece.word.rightward and piece.style == last.style and piece.spaced:
            space = setter.face(piece.style).word(" ")
            glyphs = piece.word.glyphs + space.glyphs + last.word.glyphs
            text = f"{last.word.text} {piece.word.text}"
            replaced = piece.word.actual or last.word.actual
            word = Word(glyphs, piece.word.width + space.width + last.word.width, text, replaced, True)
            found[-1] = last._replace(word=word)
        else:
            found.append(piece)
    return found
