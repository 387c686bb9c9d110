"""Page furniture: running heads and feet, and page numbers, told by their place and by their repetition from page to page.

Rules: a row of print is furniture where nothing but furniture stands between it and the page's edge, and where the same row stands at the same
height on at least `FEWEST` pages that follow each other (or every second one, as in a book), its numbers the same or counting along with the pages; a
row of numbers alone has to count along, on every page of a document that has two. It stands apart from what follows, unless it counts the pages. What
stands over aligned cells is a table's header, and a row within drawn lines is furniture only where the whole of what is drawn there is. Where most
pages have no other text, there is none. Where this doesn't hold, a row is ordinary text: to miss furniture costs less than to lose text from the
search.
"""

import itertools
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

from core.documents.worker.printed import PrintedLine, lines_of, union
from core.documents.worker.ruled import Grid

FEWEST: Final = 3
"""Pages on which a row stands."""
FEW: Final = 2
"""Pages for a row at a place where `SURE` rows of furniture stand: the running heads of short chapters."""
SURE: Final = 5
FARTHEST: Final = 3
"""Pages from one to the next: every second one, and one of them without."""
EDGE: Final = 0.14
"""Of the page's height, at its head and at its foot."""
WIDER: Final = 0.25
"""The same, for rows that count the pages: some are set in small type areas."""
MOST_ROWS: Final = 6
"""At either edge."""
SAME: Final = 3.0
"""Points between two rows at one place."""
APART: Final = 1.35
"""Distances of lines between furniture and what follows it."""
FAR: Final = 2.5
"""The same, where what follows looks like a table's row."""
LETTERS: Final = 3
"""In a row that doesn't count the pages."""
LONGEST: Final = 200
"""Characters of a row."""

NEAR: Final = 60
"""Pages without numbers at the beginning, at most, where a page's number stands among other words."""
PAGE_WORDS: Final = frozenset("page pages pg p of seite seiten s von blatt página pagina pag page sur de di".split())
COUNTED: Final = frozenset(
    "no nr nº n° number nummer art article artikel articles section abschnitt chapter kapitel annex anhang appendix part teil title titel "
    "figure fig abbildung abb table tabelle tab question frage case fall invoice rechnung exercise übung lesson lektion step schritt item "
    "id ref form formular paragraph para recital rule record report day tag week woche month monat year jahr slide example beispiel "
    "requirement req level stage phase unit module group class version rev revision".split()
)
"""Words before a number that counts something else."""

_NUMBER = re.compile(r"\d{1,6}")
_WORDS = re.compile(r"[^\W_]+")
_WORD_BEFORE = re.compile(r"([^\W\d_][^\s|]*?)[.:#]?\s*$")
_ROMAN = re.compile(r"[ivxlc]{1,8}", re.IGNORECASE)
_VALUES: Final = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


class Lines(Protocol):
    """What is looked at of a page."""

    @property
    def lines(self) -> tuple[PrintedLine, ...]: ...
    @property
    def grids(self) -> tuple[Grid, ...]: ...
    @property
    def height(self) -> float: ...


@dataclass(frozen=True)
class Edges:
    """The rows of a page's furniture, from top to bottom."""

    head: tuple[tuple[PrintedLine, ...], ...] = ()
    foot: tuple[tuple[PrintedLine, ...], ...] = ()

    @property
    def pieces(self) -> frozenset[int]:
        """The identities of its pieces of print."""
        return frozenset(id(piece) for row in (*self.head, *self.foot) for piece in row)


@dataclass
class _Row:
    """A row near an edge; `order` counts from that edge."""

    page: int
    order: int
    pieces: list[PrintedLine]
    numbers: tuple[int, ...]
    pattern: str
    near: bool
    """Whether it stands near the page's edge."""
    gap: float
    """To the next row inwards, in distances of lines."""
    tabular: bool
    """Whether the next row has cells below its own."""
    found: bool = field(default=False)

    @cached_property
    def edges(self) -> tuple[float, float, float]:
        x0, _, x1, foot = union(piece.box for piece in self.pieces)
        return x0, x1, foot

    @cached_property
    def size(self) -> float:
        return max(self.pieces, key=lambda piece: len(piece.text)).size


def furniture(pages: Sequence[Lines]) -> list[Edges]:
    """The furniture of each page."""
    if len(pages) < FEW:
        return [Edges() for _ in pages]
    usual = _usual_distance(pages)
    heads = [_rows(number, page, usual, False) for number, page in enumerate(pages)]
    feet = [_rows(number, page, usual, True) for number, page in enumerate(pages)]
    for edge in (heads, feet):
        _decide(edge)
    found = [
        Edges(head=_kept(page, head), foot=tuple(reversed(_kept(page, foot))))
        for page, head, foot in zip(pages, heads, feet, strict=True)
    ]
    return [Edges() for _ in pages] if _is_all_there_is(pages, found) else found


def _is_all_there_is(pages: Sequence[Lines], found: Sequence[Edges]) -> bool:
    """Whether most pages would be left without any text: theirs is a line each, which says what the page says."""
    printed = [
        (page, edges) for page, edges in zip(pages, found, strict=True) if any(line.text.strip() for line in page.lines)
    ]
    bare = [
        page for page, edges in printed if all(id(line) in edges.pieces for line in page.lines if line.text.strip())
    ]
    return 2 * len(bare) > len(printed)


def _usual_distance(pages: Iterable[Lines]) -> float:
    """From line to line, in points, of the whole document."""
    steps: list[float] = []
    for page in pages:
        feet = sorted(piece.box[3] for piece in page.lines)
        steps += [below - above for above, below in itertools.pairwise(feet) if 4 < below - above < 40]
    return statistics.median_low(steps) if steps else 12.0


def _rows(number: int, page: Lines, usual: float, foot: bool) -> list[_Row]:
    """The rows near one edge of a page, from the edge inwards."""
    limit = page.height * (1 - WIDER if foot else WIDER)
    edge = page.height * (1 - EDGE if foot else EDGE)
    reach = 4 * usual
    rows = lines_of(
        piece for piece in page.lines if (piece.middle > limit - reach if foot else piece.middle < limit + reach)
    )
    if foot:
        rows.reverse()
    found: list[_Row] = []
    for order, pieces in enumerate(rows[:MOST_ROWS]):
        _, top, _, bottom = union(piece.box for piece in pieces)
        middle = (top + bottom) / 2
        if middle < limit if foot else middle > limit:
            break
        text = " ".join(piece.text for piece in pieces)
        if len(text) > LONGEST:
            break
        following = rows[order + 1] if order + 1 < len(rows) else None
        pattern, numbers = _pattern(text)
        found.append(
            _Row(
                page=number,
                order=order,
                pieces=pieces,
                numbers=numbers,
                pattern=pattern,
                near=middle >= edge if foot else middle <= edge,
                gap=_gap(pieces, following) / usual,
                tabular=following is not None and _aligned(pieces, following),
            )
        )
    return found


def _pattern(text: str) -> tuple[str, tuple[int, ...]]:
    """A row's text with its numbers taken out; a Roman number counts where it is all that there is."""
    bare = text.strip(" -–—|")
    if _ROMAN.fullmatch(bare):
        return "#", (_roman(bare),)
    return _NUMBER.sub("#", text), tuple(int(number) for number in _NUMBER.findall(text))


def _roman(text: str) -> int:
    values = [_VALUES[letter] for letter in text.lower()]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))


def _gap(pieces: Sequence[PrintedLine], following: Sequence[PrintedLine] | None) -> float:
    """Between the base lines of two rows; the farthest where there is no other."""
    if following is None:
        return float("inf")
    return abs(union(piece.box for piece in pieces)[3] - union(piece.box for piece in following)[3])


def _aligned(pieces: Sequence[PrintedLine], following: Sequence[PrintedLine]) -> bool:
    """Whether two or more pieces stand above (or below) others of the next row: at their left edge, their right one or their middle."""
    if len(pieces) < 2 or len(following) < 2:
        return False
    shared = sum(
        any(
            min(abs(one.box[0] - other.box[0]), abs(one.box[2] - other.box[2]), abs(one.centre - other.centre)) <= SAME
            for other in following
        )
        for one in pieces
    )
    return shared >= 2


def _decide(pages: Sequence[Sequence[_Row]]) -> None:
    """Mark the rows that are furniture at one edge of all pages."""
    groups: defaultdict[str, list[_Row]] = defaultdict(list)
    for rows in pages:
        for row in rows:
            groups[row.pattern].append(row)
    runs = [run for rows in groups.values() for place in _places(rows) for run in _runs(place) if len(run) >= FEW]
    runs = [run for run in runs if _counts_pages(run) or (not _counts(run) and _says_the_same(run))]
    _confirm([run for run in runs if len(run) >= FEWEST], pages)
    known = Counter((row.edges[2], row.size) for rows in pages for row in rows if row.found)
    short = [run for run in runs if len(run) < FEWEST]
    whole = [run for run in short if run[0].pattern == "#" and len(run) == len(pages) and _counts_pages(run)]
    beside = [
        run
        for run in short
        if sum(times for (foot, size), times in known.items() if _stands_at(run[0], foot, size)) >= SURE
    ]
    _confirm([*whole, *beside], pages)


def _confirm(runs: Sequence[Sequence[_Row]], pages: Sequence[Sequence[_Row]]) -> None:
    """Mark those that count the pages, stand apart from what follows, or stand beside other furniture."""
    left = list(runs)
    while True:
        found = [run for run in left if _counts_pages(run) or _stands_apart(run) or _is_beside(run, pages)]
        if not found:
            return
        for run in found:
            for row in run:
                row.found = True
        marked = {id(run) for run in found}
        left = [run for run in left if id(run) not in marked]


def _stands_at(row: _Row, foot: float, size: float) -> bool:
    return abs(row.edges[2] - foot) <= SAME and abs(row.size - size) < 0.6


def _is_beside(run: Sequence[_Row], pages: Sequence[Sequence[_Row]]) -> bool:
    """Whether the next row inwards is furniture, on most pages."""
    inner = [row.order + 1 < len(pages[row.page]) and pages[row.page][row.order + 1].found for row in run]
    return 2 * sum(inner) > len(run)


def _stands_apart(run: Sequence[_Row]) -> bool:
    gap = statistics.median(row.gap for row in run)
    return gap >= (FAR if 2 * sum(row.tabular for row in run) > len(run) else APART)


def _says_the_same(run: Sequence[_Row]) -> bool:
    return _letters(run[0].pattern) >= LETTERS and all(row.near for row in run)


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def _places(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows of one pattern by where they stand: at one height, with an edge or the middle in common."""
    left = list(rows)
    while left:
        first = left[0]
        same = [row for row in left if _same_place(first, row)]
        yield same
        taken = {id(row) for row in same}
        left = [row for row in left if id(row) not in taken]


def _same_place(one: _Row, other: _Row) -> bool:
    if abs(one.size - other.size) > 0.6 or abs(one.edges[2] - other.edges[2]) > SAME:
        return False
    left, right = abs(one.edges[0] - other.edges[0]), abs(one.edges[1] - other.edges[1])
    return (
        left <= SAME or right <= SAME or abs(one.edges[0] + one.edges[1] - other.edges[0] - other.edges[1]) <= 2 * SAME
    )


def _runs(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Those of pages near each other whose numbers are the same or count along with the pages."""
    runs: list[list[_Row]] = []
    waiting: list[list[_Row]] = []
    for row in rows:
        waiting = [run for run in waiting if row.page - run[-1].page <= FARTHEST]
        for run in reversed(waiting):
            if _goes_on(run[-1], row) and (
                len(run) < 2 or _kinds(run[-2], run[-1]) & _kinds(run[-1], row) != 0 or not row.numbers
            ):
                run.append(row)
                break
        else:
            runs.append([row])
            waiting.append(runs[-1])
    yield from runs


def _goes_on(before: _Row, row: _Row) -> bool:
    step = row.page - before.page
    return 0 < step <= FARTHEST and all(
        number in (known, known + step) for known, number in zip(before.numbers, row.numbers, strict=True)
    )


def _kinds(before: _Row, row: _Row) -> int:
    """A bit for whether the numbers are the same, and one for whether one of them counts along."""
    return 1 if before.numbers == row.numbers else 2


def _counts(run: Sequence[_Row]) -> bool:
    """Whether a number of a run counts along with the pages."""
    return run[0].numbers != run[-1].numbers


def _counts_pages(run: Sequence[_Row]) -> bool:
    """Whether what counts along is the page, and nothing else of which there may be one on each page: an article, an invoice."""
    if not _counts(run):
        return False
    if run[0].pattern == "#":
        return len(run) >= FEWEST or all(row.numbers == (row.page + 1,) and row.gap >= APART for row in run)
    counting = next(at for at, number in enumerate(run[0].numbers) if number != run[-1].numbers[at])
    for row in run:
        text = " ".join(piece.text for piece in row.pieces)
        start = [match.start() for match in _NUMBER.finditer(text)][counting]
        before = _WORD_BEFORE.search(text[:start])
        if before is not None and before[1].lower() in PAGE_WORDS:
            continue
        alone = any(_is_page_number(piece.text, row.numbers[counting]) for piece in row.pieces)
        near = abs(row.numbers[counting] - row.page - 1) <= NEAR and (
            before is None or before[1].lower() not in COUNTED
        )
        if not alone and not near:
            return False
    return True


def _is_page_number(text: str, number: int) -> bool:
    """Whether a piece of print is a number, or says with words like "page" that it is one."""
    words = _WORDS.findall(text.lower())
    return str(number) in words and all(word.isdecimal() or word in PAGE_WORDS for word in words)


def _kept(page: Lines, rows: Sequence[_Row]) -> tuple[tuple[PrintedLine, ...], ...]:
    """The rows from the edge inwards up to the first that is none; none that is a part of what lines are drawn around."""
    kept: list[_Row] = []
    for row in rows:
        if not row.found:
            break
        kept.append(row)
    while kept and _breaks_grid(page, kept):
        kept.pop()
    return tuple(tuple(row.pieces) for row in kept)


def _breaks_grid(page: Lines, rows: Sequence[_Row]) -> bool:
    own = {id(piece) for row in rows for piece in row.pieces}
    for grid in page.grids:
        inside = [id(piece) in own for piece in page.lines if grid.holds(piece)]
        if any(inside) and not all(inside):
            return True
    return False
