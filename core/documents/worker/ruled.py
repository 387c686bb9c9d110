"""Tables that are drawn with lines: which lines, which cells they make, and what is printed in each.

Rules: a table has at least two rows and two columns and text in a good part of its cells; horizontal lines that meet vertical ones make a grid, and
those that are drawn column by column, one below the other, make one too, without any vertical line. What spans cells belongs to the first of them.
A cell that several paragraphs fill, beside cells that one does, makes as many rows. Frames, charts and rules between columns of prose are no tables.
"""

import itertools
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from core.documents.worker.printed import Box, PrintedLine, Turn, clean, lines_of, turned, union

MOST_DRAWINGS: Final = 5_000
"""Of a page; a map or a diagram has more, and no table that is worth the time."""
MOST_RULES: Final = 1_500
THIN: Final = 3.0
"""Points: a filled rectangle up to so thick is a line."""
NEAR: Final = 2.5
"""Points within which two lines are one, and within which they meet."""
SHORTEST: Final = 6.0
LEAST_FILLED: Final = 0.3
"""Share of a grid's cells that hold text; a chart's have next to none."""
MOST_LINES: Final = 25
"""Of print in two cells side by side; more are columns of prose within a frame."""
PARAGRAPH: Final = 1.2
"""A distance between lines, in the usual one, that parts a cell's paragraphs."""
LONG: Final = 40
"""Characters of a paragraph that is a row by itself."""

Segment = tuple[float, float, float]
"""Where a line runs (from, to), and at which height or which distance from the left."""
Cell = tuple[PrintedLine, ...]


@dataclass(frozen=True)
class Grid:
    """The lines of a table."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    across: tuple[Segment, ...]
    down: tuple[Segment, ...]
    """Empty where the columns are known by the pieces of the lines across."""

    @property
    def box(self) -> Box:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def holds(self, piece: PrintedLine) -> bool:
        x0, y0, x1, y1 = self.box
        return x0 - NEAR <= piece.centre <= x1 + NEAR and y0 - NEAR <= piece.middle <= y1 + NEAR

    def cell(self, piece: PrintedLine) -> tuple[int, int]:
        """(row, column) of the first cell that what is printed there belongs to."""
        row = min(max(bisect_right(self.ys, piece.middle) - 1, 0), len(self.ys) - 2)
        column = min(max(bisect_right(self.xs, piece.centre) - 1, 0), len(self.xs) - 2)
        if not self.down:
            return row, min(max(bisect_right(self.xs, piece.box[0] + NEAR) - 1, 0), column)
        while column and not _covers(self.down, self.xs[column], piece.middle):
            column -= 1
        centre = (self.xs[column] + self.xs[column + 1]) / 2
        while row and not _covers(self.across, self.ys[row], centre):
            row -= 1
        return row, column

    def parts(self, piece: PrintedLine) -> list[float]:
        """Where lines that are drawn cut a piece of print."""
        inner = self.xs[1:-1]
        cut = [x for x in inner if piece.box[0] + NEAR < x < piece.box[2] - NEAR]
        return [x for x in cut if not self.down or _covers(self.down, x, piece.middle)]


@dataclass(frozen=True)
class PrintedTable(PrintedLine):
    """A table among a page's lines: its rows, of cells, of pieces of print."""

    rows: tuple[tuple[Cell, ...], ...] = ()
    alone: ClassVar[bool] = True


def grids(page: Any, lines: Sequence[PrintedLine], turn: Turn) -> tuple[Grid, ...]:
    """The grids that are drawn on a PyMuPDF page. Looked for only where something stands side by side."""
    if not _side_by_side(lines):
        return ()
    across, down = _rules(page, turn)
    if len(across) < 2 or not 3 <= len(across) + len(down) <= MOST_RULES:
        return ()
    found = [*_crossed(across, down)]
    found += [one for one in _stacked(across) if not any(_overlap(one.box, other.box) for other in found)]
    return tuple(found)


def split(
    lines: Iterable[PrintedLine], known: Sequence[Grid], words: Callable[[], list[tuple[Box, str]]]
) -> list[PrintedLine]:
    """The lines, with those that go over the edge of a cell cut there, word by word."""
    found: list[PrintedLine] = []
    known_words: list[tuple[Box, str]] | None = None
    for line in lines:
        cuts = sorted(cut for grid in known if grid.holds(line) for cut in grid.parts(line))
        if not cuts:
            found.append(line)
            continue
        pieces: defaultdict[int, list[tuple[Box, str]]] = defaultdict(list)
        known_words = words() if known_words is None else known_words
        for box, text in known_words:
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            if line.box[0] - 1 <= x <= line.box[2] + 1 and line.box[1] <= y <= line.box[3]:
                pieces[bisect_right(cuts, x)].append((box, text))
        for _, parts in sorted(pieces.items()):
            if text := clean(" ".join(text for _, text in parts)):
                found.append(PrintedLine(union(box for box, _ in parts), text, line.size, line.bold))
        if not pieces:
            found.append(line)
    return found


def placed(lines: Sequence[PrintedLine], known: Sequence[Grid]) -> list[PrintedLine]:
    """The lines, with those of each table that is one replaced by it."""
    rest = list(lines)
    for grid in known:
        inside = [line for line in rest if grid.holds(line) and not isinstance(line, PrintedTable)]
        if (table := _table(grid, inside)) is not None:
            taken = {id(piece) for row in table.rows for cell in row for piece in cell}
            rest = [line for line in rest if id(line) not in taken]
            rest.append(table)
    return rest


def _table(grid: Grid, inside: Sequence[PrintedLine]) -> PrintedTable | None:
    cells: defaultdict[tuple[int, int], list[PrintedLine]] = defaultdict(list)
    for piece in inside:
        cells[grid.cell(piece)].append(piece)
    if not grid.down:
        _trim(cells)
    rows = sorted({row for row, _ in cells})
    columns = sorted({column for _, column in cells})
    if len(rows) < 2 or len(columns) < 2 or len(cells) < LEAST_FILLED * len(rows) * len(columns):
        return None
    if len(cells) < LEAST_FILLED * (len(grid.xs) - 1) * (len(grid.ys) - 1) * LEAST_FILLED:
        return None
    found: list[tuple[Cell, ...]] = []
    for row in rows:
        content = [
            tuple(piece for line in lines_of(cells.get((row, column), ())) for piece in line) for column in columns
        ]
        if sum(len(cell) > MOST_LINES for cell in content) > 1:
            return None
        found += _parted(content)
    if sum(sum(map(bool, row)) > 1 for row in found) < 2:
        return None
    pieces = [piece for row in found for cell in row for piece in cell]
    return PrintedTable(
        box=union(piece.box for piece in pieces),
        text=pieces[0].text,
        size=statistics.median_low(piece.size for piece in pieces),
        bold=False,
        rows=tuple(found),
    )


def _trim(cells: dict[tuple[int, int], list[PrintedLine]]) -> None:
    """Leave out what stands above and below the table between lines of the page: rows of one cell only."""
    for last in (False, True):
        while rows := sorted({row for row, _ in cells}, reverse=last):
            keys = [key for key in cells if key[0] == rows[0]]
            if len(keys) > 1:
                break
            del cells[keys[0]]


def _parted(content: Sequence[Cell]) -> list[tuple[Cell, ...]]:
    """The row, or the rows that the paragraphs of its only long cell make."""
    parts = [_paragraphs(cell) for cell in content]
    several = [at for at, each in enumerate(parts) if len(each) > 1]
    if len(several) != 1:
        return [tuple(content)]
    (long,) = several
    return [
        tuple(part if at == long else (cell if number == 0 else ()) for at, cell in enumerate(content))
        for number, part in enumerate(parts[long])
    ]


def _paragraphs(cell: Cell) -> list[Cell]:
    """The parts of a cell that wider distances part; one where some of them are short."""
    lines = lines_of(cell)
    steps = [below[0].box[3] - above[0].box[3] for above, below in itertools.pairwise(lines)]
    if len(steps) < 2:
        return [cell]
    usual = statistics.median_low(steps)
    found: list[list[PrintedLine]] = [list(lines[0])]
    for step, line in zip(steps, lines[1:], strict=True):
        if step > PARAGRAPH * usual:
            found.append([])
        found[-1] += line
    if any(sum(len(piece.text) for piece in part) < LONG for part in found):
        return [cell]
    return [tuple(part) for part in found]


def _side_by_side(lines: Sequence[PrintedLine]) -> bool:
    """Whether at least two base lines have more than one piece."""
    ordered = sorted(lines, key=lambda line: line.middle)
    pairs = sum(
        abs(one.middle - other.middle) < 0.4 * min(one.size, other.size)
        and (one.box[2] <= other.box[0] or other.box[2] <= one.box[0])
        for one, other in itertools.pairwise(ordered)
    )
    return pairs >= 2


def _rules(page: Any, turn: Turn) -> tuple[list[Segment], list[Segment]]:
    """The lines across and down that are drawn on the page."""
    across: list[Segment] = []
    down: list[Segment] = []

    def line(box: Box) -> None:
        x0, y0, x1, y1 = turned(
            (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])), turn
        )
        if y1 - y0 <= THIN and x1 - x0 >= SHORTEST:
            across.append((x0, x1, (y0 + y1) / 2))
        elif x1 - x0 <= THIN and y1 - y0 >= SHORTEST:
            down.append((y0, y1, (x0 + x1) / 2))

    drawings = page.get_cdrawings()
    if len(drawings) > MOST_DRAWINGS:
        return [], []
    for drawing in drawings:
        stroked = "s" in drawing["type"]
        for item in drawing["items"]:
            if item[0] == "l":
                line((*item[1], *item[2]))
            elif item[0] == "re":
                x0, y0, x1, y1 = item[1]
                if min(x1 - x0, y1 - y0) <= THIN:
                    line((x0, y0, x1, y1))
                elif stroked:
                    for edge in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
                        line(edge)
    return across, down


def _crossed(across: Sequence[Segment], down: Sequence[Segment]) -> list[Grid]:
    """Grids of lines that meet."""
    parent = list(range(len(across) + len(down)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for one, (x0, x1, y) in enumerate(across):
        for other, (y0, y1, x) in enumerate(down, start=len(across)):
            if x0 - NEAR <= x <= x1 + NEAR and y0 - NEAR <= y <= y1 + NEAR:
                parent[root(one)] = root(other)
    groups: defaultdict[int, tuple[list[Segment], list[Segment]]] = defaultdict(lambda: ([], []))
    for at, segment in enumerate(across):
        groups[root(at)][0].append(segment)
    for at, segment in enumerate(down, start=len(across)):
        groups[root(at)][1].append(segment)
    found = []
    for flat, upright in groups.values():
        if not flat or not upright:
            continue
        xs = _edges([x for _, _, x in upright], [edge for x0, x1, _ in flat for edge in (x0, x1)])
        ys = _edges([y for _, _, y in flat], [edge for y0, y1, _ in upright for edge in (y0, y1)])
        if len(xs) >= 3 and len(ys) >= 3:
            found.append(Grid(xs, ys, tuple(flat), tuple(upright)))
    return sorted(found, key=lambda grid: grid.ys[0])


def _stacked(across: Sequence[Segment]) -> list[Grid]:
    """Grids of lines that are drawn in the same pieces, one below the other."""
    starts: defaultdict[int, list[Segment]] = defaultdict(list)
    for segment in sorted(across, key=lambda segment: segment[2]):
        starts[round(segment[2])].append(segment)
    shapes: defaultdict[tuple[int, ...], list[float]] = defaultdict(list)
    for segments in starts.values():
        pieces = sorted(segments)
        if len(pieces) > 1 and all(abs(one[1] - other[0]) <= NEAR for one, other in itertools.pairwise(pieces)):
            shapes[tuple(round(edge) for edge in (*(x0 for x0, _, _ in pieces), pieces[-1][1]))].append(pieces[0][2])
    return [
        Grid(tuple(map(float, shape)), ys, tuple(across), ())
        for shape, heights in shapes.items()
        if len(ys := _edges(heights, [])) >= 4
    ]


def _edges(inner: Sequence[float], outer: Sequence[float]) -> tuple[float, ...]:
    """Positions in order, those that are one put together; the outermost of `outer` where they lie beyond."""
    found: list[float] = []
    for position in sorted((*inner, *((min(outer), max(outer)) if outer else ()))):
        if not found or position - found[-1] > 2 * NEAR:
            found.append(position)
    return tuple(found)


def _covers(segments: Iterable[Segment], at: float, position: float) -> bool:
    return any(
        abs(where - at) <= 2 * NEAR and first - NEAR <= position <= last + NEAR for first, last, where in segments
    )


def _overlap(one: Box, other: Box) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])
