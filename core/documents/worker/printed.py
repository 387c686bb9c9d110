"""Pieces of print: what stands on one base line, with its place on the page as it is shown, its size and its weight."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

Box = tuple[float, float, float, float]
Turn = tuple[float, ...] | None
"""The matrix that turns a page as it is shown; None where it isn't turned."""

LIGATURES: Final = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_LEADER = re.compile(r"(?:\. ?){4,}|(?:… ?){2,}|_{4,}")
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\ufeff\ufffe\uffff\ud800-\udfff]")
SAME_LINE: Final = 0.6
"""Share of the lower piece's height that pieces of one base line have in common."""


@dataclass(frozen=True)
class PrintedLine:
    """A piece of a base line."""

    box: Box
    text: str
    size: float
    bold: bool
    alone: ClassVar[bool] = False
    """Whether nothing stands on a line with it."""

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def middle(self) -> float:
        return (self.box[1] + self.box[3]) / 2

    @property
    def centre(self) -> float:
        return (self.box[0] + self.box[2]) / 2


def clean(text: str) -> str:
    """Ligatures resolved, white space single, dot leaders short, what can't be shown left out."""
    return " ".join(_LEADER.sub(" … ", _UNWANTED.sub("", text.translate(LIGATURES))).split())


def union(boxes: Iterable[Box]) -> Box:
    rest = iter(boxes)
    x0, y0, x1, y1 = next(rest)
    for left, top, right, bottom in rest:
        if left < x0:
            x0 = left
        if top < y0:
            y0 = top
        if right > x1:
            x1 = right
        if bottom > y1:
            y1 = bottom
    return x0, y0, x1, y1


def turn_of(page: Any) -> Turn:
    """The matrix of a PyMuPDF page."""
    return tuple(page.rotation_matrix) if page.rotation else None


def turned(box: Box, turn: Turn) -> Box:
    """A box as the page is shown."""
    if turn is None:
        return box
    a, b, c, d, e, f = turn
    x0, x1 = sorted((a * box[0] + c * box[1] + e, a * box[2] + c * box[3] + e))
    y0, y1 = sorted((b * box[0] + d * box[1] + f, b * box[2] + d * box[3] + f))
    return x0, y0, x1, y1


def same_line(one: PrintedLine, other: PrintedLine) -> bool:
    """Whether two pieces stand on one base line, beside each other."""
    if one.alone or other.alone:
        return False
    shared = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    lower = min(one.box[3] - one.box[1], other.box[3] - other.box[1])
    return shared > SAME_LINE * lower and (one.box[2] <= other.box[0] + 1 or other.box[2] <= one.box[0] + 1)


def lines_of(pieces: Iterable[PrintedLine]) -> list[list[PrintedLine]]:
    """Pieces that share a base line, left to right, from top to bottom."""
    rows: list[list[PrintedLine]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.middle, piece.box[0])):
        if rows and same_line(rows[-1][-1], piece):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.box[0]) for row in rows]
