"""Tables to text: a row a line, with every cell in its column, also where cells before it are empty.

Rules: between the columns of a table without lines no row prints anything; a line that stands close below its row, with nothing in the first column,
goes on with the cells above it; the first row is the header where it reads like one: no cell of it ends with a colon, and few are numbers.
"""

import itertools
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.documents.records import Rect
from core.documents.worker.printed import PrintedLine, lines_of, union
from core.documents.worker.ruled import Cell

CELLS: Final = " | "
NARROWEST: Final = 0.35
"""Ems between two columns, at least."""
ACROSS: Final = 6
"""Rows of which one may go across a gap between columns."""
FAR: Final = 1.8
"""Ems between two pieces that are no words of one cell."""
NEIGHBOURS: Final = 2.0
"""Ems between columns that may be one."""
CLOSE: Final = 1.35
"""Ems from line to line within a cell, at most."""
APART: Final = 1.2
"""The distance of rows, in that of the lines within them, at least."""
NUMBERS: Final = 0.5
"""Share of numbers among the cells of a row that is no header."""

_NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?\d[\d.,:/'’ \-]*\s?[%$€£¥)]*")
Join = Callable[[str, str], str]
"""A text and the line that follows it, put together."""


@dataclass
class Written:
    """A table's text, and where on the page its stretches are."""

    text: str = ""
    header: int = 0
    lines: list[tuple[int, int, Rect]] = field(default_factory=list)


def written(rows: Sequence[Sequence[Cell]], join: Join) -> Written:
    """A table as text."""
    done = Written()
    for number, row in enumerate(rows):
        done.text += "\n" if number else ""
        for column, cell in enumerate(row):
            done.text += CELLS if column else ""
            _write_cell(done, cell, join)
        done.text = done.text.rstrip() if not any(row[-1:]) else done.text
        if number == 0 and len(rows) > 1 and _is_header(row):
            done.header = len(done.text)
    done.lines = [(start, min(end, len(done.text)), rect) for start, end, rect in done.lines]
    return done


def _write_cell(done: Written, cell: Cell, join: Join) -> None:
    text = ""
    base = len(done.text)
    for number, line in enumerate(lines_of(cell)):
        said = " ".join(piece.text for piece in line)
        text = join(text, said) if number else said
        if number:
            first, last, rect = done.lines[-1]
            done.lines[-1] = first, min(last, base + len(text) - len(said)), rect
        x0, y0, x1, y1 = (round(edge, 2) for edge in union(piece.box for piece in line))
        start = base + len(text) - len(said)
        done.lines.append((start, start + len(said), Rect(x0=x0, y0=y0, x1=x1, y1=y1)))
    done.text += text


def _is_header(row: Sequence[Cell]) -> bool:
    texts = [" ".join(piece.text for piece in cell) for cell in row if cell]
    numbers = sum(bool(_NUMBER.fullmatch(text)) for text in texts)
    return not any(text.endswith(":") for text in texts) and numbers < NUMBERS * len(texts)


def aligned(rows: Sequence[tuple[Sequence[PrintedLine], int]]) -> list[list[Cell]] | None:
    """The cells of rows (pieces, how many cells they look like) by the columns that they share; None where they share none."""
    several = [pieces for pieces, cells in rows if cells > 1]
    most = len(several) // ACROSS
    columns = _columns(several, most)
    if most and (len(columns) < 2 or any(_collide(columns, pieces) for pieces in several)):
        columns = _columns(several, 0)
    widest = max(cells for _, cells in rows)
    if len(columns) < 2 or not widest <= 2 * len(columns) <= 4 * widest:
        return None
    found: list[list[Cell]] = []
    for pieces, _ in rows:
        row: list[list[PrintedLine]] = [[] for _ in columns]
        for piece in pieces:
            row[_column(columns, piece)].append(piece)
        found.append([tuple(cell) for cell in row])
    return _gone_on(_narrowed(found, columns))


def _collide(columns: Sequence[tuple[float, float]], pieces: Sequence[PrintedLine]) -> bool:
    """Whether two pieces that lie far apart are in one column."""
    return any(
        right.box[0] - left.box[2] > FAR * right.size and _column(columns, left) == _column(columns, right)
        for left, right in itertools.pairwise(pieces)
    )


def _narrowed(rows: list[list[Cell]], columns: Sequence[tuple[float, float]]) -> list[list[Cell]]:
    """The rows, with neighbouring columns put together that lie close and of which no row fills both: words to the left, numbers to the right."""
    size = statistics.median(piece.size for row in rows for cell in row for piece in cell)
    for at in range(len(columns) - 1, 0, -1):
        if columns[at][0] - columns[at - 1][1] < NEIGHBOURS * size and not any(row[at - 1] and row[at] for row in rows):
            rows = [[*row[: at - 1], (*row[at - 1], *row[at]), *row[at + 1 :]] for row in rows]
    return rows


def _columns(rows: Sequence[Sequence[PrintedLine]], most: int) -> list[tuple[float, float]]:
    """From where to where each column is printed in, where at most so many rows go across what lies between two."""
    edges: list[tuple[float, int]] = []
    size = statistics.median(piece.size for row in rows for piece in row)
    for row in rows:
        for piece in row:
            edges += [(piece.box[0], 1), (piece.box[2], -1)]
    found: list[tuple[float, float]] = []
    depth, start = 0, 0.0
    for at, change in sorted(edges, key=lambda edge: (edge[0], -edge[1])):
        before = depth
        depth += change
        if before <= most < depth:
            if found and at - found[-1][1] < NARROWEST * size:
                start, _ = found.pop()
            else:
                start = at
        elif depth <= most < before:
            found.append((start, at))
    return found


def _column(columns: Sequence[tuple[float, float]], piece: PrintedLine) -> int:
    """The first column that a piece is printed in, or the nearest one."""
    shared = [min(piece.box[2], end) - max(piece.box[0], start) for start, end in columns]
    first = next((at for at, width in enumerate(shared) if width > 0.5 * min(piece.width, piece.size)), None)
    return shared.index(max(shared)) if first is None else first


def _gone_on(rows: list[list[Cell]]) -> list[list[Cell]]:
    """The rows, with lines that go on with the cells above them put there."""
    feet = [union(piece.box for cell in row for piece in cell)[3] for row in rows]
    size = statistics.median(piece.size for row in rows for cell in row for piece in cell)
    steps = [feet[at] - feet[at - 1] for at in range(1, len(rows)) if rows[at][0]]
    usual = statistics.median(steps) if steps else 0.0
    found: list[list[Cell]] = []
    for at, row in enumerate(rows):
        step = feet[at] - feet[at - 1] if at else 0.0
        alone = sum(map(bool, row)) == 1
        close = at and not row[0] and step <= CLOSE * size and (alone or usual >= APART * step)
        if close and found and all(above or not cell for above, cell in zip(found[-1], row, strict=True)):
            found[-1] = [(*above, *cell) for above, cell in zip(found[-1], row, strict=True)]
        else:
            found.append(row)
    return found
