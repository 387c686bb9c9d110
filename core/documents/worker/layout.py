"""From printed lines to a page's text: reading order, paragraphs, headings, tables.

Reading order: a gutter that few lines cross, with prose on both sides, parts a page into columns; what crosses it parts the columns into
sections; within a column, top to bottom. Pieces on one base line that lie far apart are the cells of a table's row. Headings are short and
larger or bolder than the body, which is the size that most characters have.
"""

import itertools
import re
import statistics
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from core.documents.records import Rect
from core.documents.worker import hidden, ruled, tabular
from core.documents.worker.printed import Box, PrintedLine, clean, lines_of, turn_of, turned, union
from core.documents.worker.records import Kind
from core.documents.worker.tabular import CELLS

FLAGS: Final = 1 | 2 | 16 | 64
"""MuPDF's: keep ligatures, keep white space, no hyphen joining, clip to the page. Ligatures are resolved here (NFKC)."""
BOLD: Final = 16
SHADOW: Final = 4.0
"""Points between a text and its shadow."""
CELL_GAP: Final = 1.8
"""Ems between two pieces of a base line from which they are cells."""
PARAGRAPH_GAP: Final = 1.35
"""A distance between lines, in usual distances, that starts a paragraph."""
TABLE_GAP: Final = 3.0
"""A distance between rows, in usual distances, that starts another table."""
LARGER: Final = 1.12
"""A heading's size, in body sizes."""
MUCH_LARGER: Final = 1.5
"""A heading of more than two lines is at least so large."""
LONGEST_HEADING: Final = 160
MOST_STARTS: Final = 40
"""Left edges of lines that are tried as a column's, the commonest first; a drawing has thousands."""
FEWEST_LINES: Final = 4
"""In a column."""
PROSE: Final = 0.5
"""Of a column's width, as the usual width of its lines."""
RUNNING: Final = 1.55
"""Ems from line to line in running text; the rows of most tables lie further apart."""
FULL: Final = 0.75
"""The same, of running text."""
LONGEST_WORD: Final = 80
WHOLE_WORD: Final = 4
"""Letters of a word from which it is taken for one."""
NARROWEST: Final = 4.0
"""Ems of the usual line in any column."""
WIDE: Final = 14.0
"""Ems of the usual line of running text."""

_MARKER = re.compile(
    r"(?:[•·▪◦‣●○■□➢–—*-]|\.\d{1,2}|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})[.)]|\d{1,3}(?:\.\d{1,3})+\.?)"
)
_ITEM = re.compile(r"(?:[•·▪◦‣●○■□➢–—*-]|\.\d{1,2}|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})[.)])\s")
_SENTENCES = re.compile(r"[^\W\d]{3,}[.!?] [^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_DASHES: Final = "–—-"
_BROKEN_WORD = re.compile(r"[^\W\d_]-$")
_SOFT_HYPHEN: Final = "\u00ad"


@dataclass(frozen=True)
class PageLines:
    lines: tuple[PrintedLine, ...]
    textless: bool
    width: float
    suspects: tuple[hidden.Suspect, ...] = ()
    """What may be there unseen."""
    grids: tuple[ruled.Grid, ...] = ()
    """What is drawn around tables."""
    height: float = 0.0


@dataclass(frozen=True)
class Styles:
    """The size of the body, whether it is bold, and the larger sizes, largest first."""

    body: float
    bold: bool
    larger: tuple[float, ...]
    said: tuple[str, ...] = field(default=(), repr=False)
    """The lines, to know by which words are written with a hyphen."""

    @cached_property
    def _words(self) -> frozenset[str]:
        """All words within lines, in small letters; those at their edges may be parts of one."""
        return frozenset(word for line in self.said for word in _WORD.findall(line.casefold())[1:-1])

    def keeps_hyphen(self, text: str, following: str) -> bool:
        """Whether a word that is broken at its hyphen has it within a line too, or is made of two words that stand alone elsewhere."""
        left = (_WORD.findall(text[-LONGEST_WORD:].casefold()) or [""])[-1]
        right = (_WORD.findall(following[:LONGEST_WORD].casefold()) or [""])[0]
        if f"{left}-{right}" in self._words:
            return True
        apart = min(len(left), len(right)) >= WHOLE_WORD and {left, right} <= self._words
        return apart and left + right not in self._words


@dataclass(frozen=True)
class TextBlock:
    kind: Kind
    text: str
    level: int
    header: int
    lines: tuple[tuple[int, int, Rect], ...]
    pieces: tuple[PrintedLine, ...] = ()
    """What it was put together from, in the order of its text."""
    columns: tuple[tuple[float, float], ...] = ()
    """Of a table whose cells are known: from where to where each column is printed."""
    first: int = 0
    """Of such a table: how many of the pieces are its first row."""


@dataclass(frozen=True)
class Row:
    """A base line within a column: one piece, or a table row's cells."""

    pieces: tuple[PrintedLine, ...]
    cells: int
    text: str

    @cached_property
    def box(self) -> Box:
        return union(piece.box for piece in self.pieces) if len(self.pieces) > 1 else self.pieces[0].box

    @cached_property
    def size(self) -> float:
        return max(self.pieces, key=lambda piece: len(piece.text)).size

    @cached_property
    def bold(self) -> bool:
        return all(piece.bold for piece in self.pieces)


def page_lines(page: Any, read: Any = None) -> PageLines:
    """The lines of a PyMuPDF page, in its own order, placed as the page is shown (MuPDF gives text as if the page weren't turned).

    `read`: the text page that text recognition made of it."""
    turn = turn_of(page)
    lines: list[PrintedLine] = []
    printed: dict[str, list[Box]] = {}
    suspects: list[hidden.Suspect] = []
    for block in page.get_text("dict", flags=FLAGS, textpage=read)["blocks"]:
        for line in block.get("lines", ()):
            spans = [span for span in line["spans"] if span["text"].strip()]
            text = clean("".join(span["text"] for span in line["spans"]))
            if not spans or not text:
                continue
            weight = sum(len(span["text"]) for span in spans)
            bold = sum(len(span["text"]) for span in spans if _is_bold(span))
            size = max(spans, key=lambda span: len(span["text"]))["size"]
            box = turned(union(tuple(span["bbox"]) for span in spans), turn)
            if _is_shadow(box, printed.setdefault(text, [])):
                continue
            lines.append(PrintedLine(box=box, text=text, size=round(size * 2) / 2, bold=bold * 2 > weight))
            for span, why in hidden.suspects(spans):
                suspects.append(hidden.Suspect(clean(span["text"]), turned(tuple(span["bbox"]), turn), why))
    grids = () if read is not None else ruled.grids(page, lines, turn)
    lines = ruled.split(lines, grids, lambda: words(page)) if grids else lines
    textless = not lines and _shows_something(page)
    return PageLines(
        lines=tuple(lines),
        textless=textless,
        width=float(page.rect.width),
        suspects=tuple(suspects[: hidden.MOST_SUSPECTS]),
        grids=grids,
        height=float(page.rect.height),
    )


def _shows_something(page: Any) -> bool:
    return not page.parent.is_pdf or bool(page.get_images() or page.get_drawings())


def _is_shadow(box: Box, printed: list[Box]) -> bool:
    """Whether the same text was printed at the same place already, as a shadow or to look bold."""
    if any(abs(box[0] - other[0]) < SHADOW and abs(box[1] - other[1]) < SHADOW for other in printed):
        return True
    printed.append(box)
    return False


def _is_bold(span: dict[str, Any]) -> bool:
    return bool(span["flags"] & BOLD) or "bold" in str(span["font"]).lower() or "black" in str(span["font"]).lower()


def styles(pages: Sequence[PageLines]) -> Styles:
    """The sizes of a whole document."""
    sizes: Counter[float] = Counter()
    bold: Counter[bool] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    body = max(sizes, key=lambda size: sizes[size]) if sizes else 10.0
    for page in pages:
        for line in page.lines:
            if line.size == body:
                bold[line.bold] += len(line.text)
    larger = sorted((size for size in sizes if size >= body * LARGER), reverse=True)
    said = tuple(line.text for page in pages for line in page.lines)
    return Styles(body=body, bold=bold[True] > bold[False], larger=tuple(larger), said=said)


def blocks(page: PageLines, known: Styles) -> Iterator[TextBlock]:
    """The page's blocks in reading order."""
    for column in columns(ruled.placed(page.lines, page.grids)):
        yield from _column_blocks(_rows(column), known)


def columns(lines: list[PrintedLine]) -> Iterator[list[PrintedLine]]:
    """The lines of each column, in reading order; what has no columns whole."""
    gutter = _gutter(lines)
    if gutter is None:
        if lines:
            yield lines
        return
    whole: list[PrintedLine] = []
    for left, right, across in _bands(lines, gutter):
        if _are_columns(left, right):
            if whole:
                yield whole
            whole = []
            yield from columns(left)
            yield from columns(right)
        else:
            whole += left + right
        whole += across
    if whole:
        yield whole


def _bands(
    lines: list[PrintedLine], gutter: float
) -> Iterator[tuple[list[PrintedLine], list[PrintedLine], list[PrintedLine]]]:
    """From top to bottom: (what stands left of the gutter, right of it, the line below that crosses it)."""
    crossing = sorted((line for line in lines if line.box[0] < gutter < line.box[2]), key=lambda line: line.middle)
    borders = [line.middle for line in crossing]
    left: list[list[PrintedLine]] = [[] for _ in range(len(crossing) + 1)]
    right: list[list[PrintedLine]] = [[] for _ in range(len(crossing) + 1)]
    for line in lines:
        if line.box[2] <= gutter:
            left[bisect_right(borders, line.middle)].append(line)
        elif line.box[0] >= gutter:
            right[bisect_right(borders, line.middle)].append(line)
    for number, sides in enumerate(zip(left, right, strict=True)):
        yield *sides, crossing[number : number + 1]


def _gutter(lines: list[PrintedLine]) -> float | None:
    """Just before the left edge that parts most lines into two columns of prose, or None."""
    if len(lines) < 2 * FEWEST_LINES:
        return None
    x0, _, x1, _ = union(line.box for line in lines)
    width = x1 - x0
    starts = Counter(int(line.box[0]) for line in lines if x0 + width * 0.15 < line.box[0] < x0 + width * 0.85)
    best: tuple[int, float] | None = None
    for start in sorted(start for start, _ in starts.most_common(MOST_STARTS)):
        gutter = start - 0.5
        parted = sum(len(left) + len(right) for left, right, _ in _bands(lines, gutter) if _are_columns(left, right))
        if parted and (best is None or parted > best[0]):
            best = parted, gutter
    return None if best is None else best[1]


def _are_columns(left: list[PrintedLine], right: list[PrintedLine]) -> bool:
    """Whether both are blocks of running lines, and one of them is wide and full: prose, or prose beside its captions."""
    measures = [_measure(side) for side in (left, right)]
    return (
        min(lines for lines, _, _ in measures) >= FEWEST_LINES
        and min(full for _, full, _ in measures) >= PROSE
        and min(ems for _, _, ems in measures) >= NARROWEST
        and any(full >= FULL and ems >= WIDE for _, full, ems in measures)
        and _side_by_side(left, right)
        and max(_usual_step(left), _usual_step(right)) <= RUNNING
    )


def _measure(lines: list[PrintedLine]) -> tuple[int, float, float]:
    """(lines, usual share of the width that a line fills, usual length of a line in ems)."""
    if not lines:
        return 0, 0.0, 0.0
    x0, _, x1, _ = union(line.box for line in lines)
    usual = statistics.median(line.width for line in lines)
    return len(lines), usual / max(x1 - x0, 1.0), usual / statistics.median(line.size for line in lines)


def _usual_step(lines: list[PrintedLine]) -> float:
    """From one line's foot to the next one's, in ems."""
    feet = sorted(line.box[3] for line in lines)
    steps = sorted(below - above for above, below in itertools.pairwise(feet) if below - above > 1)
    return statistics.median(steps) / statistics.median(line.size for line in lines) if steps else 0.0


def _side_by_side(left: list[PrintedLine], right: list[PrintedLine]) -> bool:
    """Whether the two share at least half of the shorter one's height."""
    _, top, _, bottom = union(line.box for line in left)
    _, other_top, _, other_bottom = union(line.box for line in right)
    shared = min(bottom, other_bottom) - max(top, other_top)
    return shared >= 0.5 * min(bottom - top, other_bottom - other_top)


def _rows(lines: list[PrintedLine]) -> list[Row]:
    """Pieces that share a base line, left to right, from top to bottom."""
    ordered = lines_of(lines)
    starts = Counter(start for pieces in ordered for start in _cell_starts(pieces))
    usual = {start for start, times in starts.items() if times >= 2}
    return [_row(pieces, usual) for pieces in ordered]


def _cell_starts(pieces: list[PrintedLine]) -> Iterator[int]:
    """Where on the line, in points, cells start that lie far from the one before."""
    for before, piece in itertools.pairwise(pieces):
        if piece.box[0] - before.box[2] > CELL_GAP * piece.size:
            yield round(piece.box[0])


def _row(pieces: list[PrintedLine], starts: set[int]) -> Row:
    """`starts`: where the cells of other rows start; a piece that stands there is a cell however small its gap."""
    text = pieces[0].text
    cells = 1
    for before, piece in itertools.pairwise(pieces):
        gap = piece.box[0] - before.box[2]
        far = gap > CELL_GAP * piece.size or (gap > 0.3 * piece.size and round(piece.box[0]) in starts)
        if far and not _MARKER.fullmatch(text):
            text += CELLS + piece.text
            cells += 1
        else:
            text += " " + piece.text
    return Row(pieces=tuple(pieces), cells=cells, text=text)


def _column_blocks(rows: list[Row], known: Styles) -> Iterator[TextBlock]:
    distance = _usual_distance(rows)
    group: list[Row] = []
    for row in rows:
        drawn = row.pieces[0] if isinstance(row.pieces[0], ruled.PrintedTable) else None
        if group and (drawn or _starts_block(group, row, distance, known)):
            yield _block(group, known)
            group = []
        if drawn:
            yield _table(drawn.rows, known)
        else:
            group.append(row)
    if group:
        yield _block(group, known)


def _usual_distance(rows: list[Row]) -> float:
    steps = [
        step / below.size
        for above, below in itertools.pairwise(rows)
        if 0 < (step := below.box[3] - above.box[3]) < 3 * below.size
    ]
    return statistics.median_low(sorted(steps)) if steps else 1.2


def _starts_block(group: list[Row], row: Row, distance: float, known: Styles) -> bool:
    above = group[-1]
    step = row.box[3] - above.box[3]
    if above.cells > 1 and (row.cells > 1 or (len(group) > 1 and _goes_on(above, row))):
        return step > TABLE_GAP * distance * row.size
    if row.cells > 1 and sum(each.cells > 1 for each in group) > 1 and not above.bold:
        widest = max(below.box[3] - over.box[3] for over, below in itertools.pairwise(group))
        return step > max(PARAGRAPH_GAP * distance * row.size, widest)
    if (row.cells > 1) != (above.cells > 1):
        return True
    if step > PARAGRAPH_GAP * distance * max(row.size, above.size) or step < 0:
        return True
    if abs(row.size - above.size) > 0.6 or (row.bold != above.bold and _style_ends(group, row, known)):
        return True
    if _opens_item(above, row):
        return not _ITEM.match(group[0].text) or row.bold != above.bold
    if above.text[-1] not in ".:!?" or row.box[0] <= above.box[0] + row.size:
        return False
    return above.box[2] < max(each.box[2] for each in group) - 4 * row.size


def _goes_on(above: Row, row: Row) -> bool:
    """Whether a line of one piece goes on with a cell of the row above it, and is no title of what follows."""
    return row.box[0] > above.box[0] + row.size and not (row.bold and not above.bold)


def _style_ends(group: list[Row], row: Row, known: Styles) -> bool:
    """Whether a change between bold and plain parts a heading from its text; within a paragraph it doesn't."""
    if group[-1].bold:
        return _level(group, known) > 0
    return group[-1].text[-1] in ".:!?" or group[-1].box[2] < row.box[2]


def _level(group: list[Row], known: Styles) -> int:
    """The level of a heading, 0 for other text."""
    text = " ".join(row.text for row in group)
    if len(group) > 4 or len(text) > LONGEST_HEADING or any(row.cells > 1 for row in group):
        return 0
    if sum(character.isalpha() for character in text) < 3:
        return 0
    if text[-1] in ".;," or _SENTENCES.search(text):
        return 0
    size = group[0].size
    if size >= known.body * LARGER and (len(group) <= 2 or size >= known.body * MUCH_LARGER):
        return min(known.larger.index(size) + 1 if size in known.larger else 1, 5)
    bold = all(row.bold for row in group) and not known.bold
    if bold and size >= known.body - 0.6 and text[-1] != ":" and len(group) <= 2:
        return min(len(known.larger) + 1, 6)
    return 0


def _block(group: list[Row], known: Styles) -> TextBlock:
    level = _level(group, known)
    table = sum(row.cells > 1 for row in group) >= 2
    if table and (cells := tabular.aligned([(row.pieces, row.cells) for row in group])) is not None:
        return _table(cells, known)
    items = sum(_opens_item(above, row) for above, row in zip((None, *group), group, strict=False))
    by_line = table or items > 0
    text = ""
    lines: list[tuple[int, int, Rect]] = []
    header = 0
    for number, row in enumerate(group):
        if text:
            text = _joined(text, row.text, by_line and (table or _opens_item(group[number - 1], row)), known)
            first, last, rect = lines[-1]
            lines[-1] = first, min(last, len(text)), rect
        start = len(text)
        text += row.text.rstrip(_SOFT_HYPHEN) if number < len(group) - 1 else row.text.replace(_SOFT_HYPHEN, "-")
        x0, y0, x1, y1 = (round(edge, 2) for edge in row.box)
        lines.append((start, len(text), Rect(x0=x0, y0=y0, x1=x1, y1=y1)))
        if table and number == 0:
            header = len(text)
    kind: Kind = "heading" if level else "table" if table else "list" if items >= 2 else "paragraph"
    return TextBlock(
        kind=kind,
        text=text,
        level=level,
        header=header if kind == "table" else 0,
        lines=tuple(lines),
        pieces=tuple(piece for row in group for piece in row.pieces),
    )


def _table(rows: Sequence[Sequence[ruled.Cell]], known: Styles) -> TextBlock:
    done = tabular.written(rows, lambda text, following: _joined(text, following, False, known) + following)
    pieces = tuple(piece for row in rows for cell in row for line in lines_of(cell) for piece in line)
    columns = tuple(_extent(row[at] for row in rows) for at in range(len(rows[0])))
    first = sum(len(cell) for cell in rows[0])
    return TextBlock("table", done.text, 0, done.header, tuple(done.lines), pieces, columns, first)


def _extent(cells: Iterator[ruled.Cell]) -> tuple[float, float]:
    """From where to where a column's cells are printed."""
    boxes = [piece.box for cell in cells for piece in cell]
    return (min(box[0] for box in boxes), max(box[2] for box in boxes)) if boxes else (0.0, 0.0)


def furniture(pieces: Sequence[PrintedLine]) -> TextBlock:
    """A row of page furniture as a block."""
    row = _row(list(pieces), set())
    x0, y0, x1, y1 = (round(edge, 2) for edge in row.box)
    return TextBlock("furniture", row.text, 0, 0, ((0, len(row.text), Rect(x0=x0, y0=y0, x1=x1, y1=y1)),), row.pieces)


def _opens_item(above: Row | None, row: Row) -> bool:
    """Whether a row starts an item of a list: a dash within a sentence may stand first on its line too."""
    if not _ITEM.match(row.text):
        return False
    if row.text[0] not in _DASHES or above is None or _ITEM.match(above.text):
        return True
    return above.text[-1] in ".:;!?," or abs(row.box[0] - above.box[0]) > 0.5 * row.size


def _joined(text: str, following: str, own_line: bool, known: Styles) -> str:
    """`text` with what parts it from its next line; a word that a hyphen broke is put together, and one that has a hyphen keeps it."""
    if own_line:
        return text + "\n"
    if text.endswith(_SOFT_HYPHEN):
        return text[:-1]
    if text.endswith("-") and _BROKEN_WORD.search(text, len(text) - 2) and following[:1].islower():
        return text if known.keeps_hyphen(text, following) else text[:-1]
    return text + " "


def words(page: Any) -> list[tuple[Box, str]]:
    """(box, text) of a page's words, in the file's order."""
    turn = turn_of(page)
    return [
        (turned((x0, y0, x1, y1), turn), str(text)) for x0, y0, x1, y1, text, *_ in page.get_text("words", flags=FLAGS)
    ]
