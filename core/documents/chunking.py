"""Cutting a parsed document into chunks: structure first, then tokens. Pure.

The rules:

1. A chunk is one stretch of one page's text; where that ends within a sentence that goes on overleaf, with the rest of the sentence, if it fits.
   Together, the chunks hold all of a document's text in order; two neighbours may share a sentence, where one paragraph had to be cut.
2. A heading starts a new chunk, unless what came before it is too short to stand alone. A chunk of several sections goes by the headings of
   the longest one.
3. A paragraph is cut only where it would make the chunk too long, and then between sentences; a table between rows, and its header row goes along
   with every piece; a list between items where they fit. A sentence or a word that is too long by itself is cut where it must be.
4. By the strategy "size", rules 2 and 3 hold for nothing but rows and sentences: these are filled up to the target, whatever they stand under.
5. Page furniture is in no passage of text. What it says is a passage of its own, marked as such, the first time that it is said; page numbers never,
   nor the menus and banners of a web page. What isn't a document's own words (what a mail quotes) is in chunks of its own, marked in their headings.
6. What is embedded (headings, header row, text) never has more tokens than the embedder takes: nothing is truncated silently.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.documents import formats, overleaf
from core.documents.headings import heading_text
from core.documents.overleaf import Carried
from core.documents.records import Chunking, Rect
from core.documents.sentences import sentence_spans
from core.documents.worker.records import Block, Page, Parsed

Count = Callable[[Sequence[str]], Sequence[int]]
"""How many tokens each text has for the embedder, without the special ones."""

PATH: Final = " › "
"""Between the headings of a path."""


@dataclass(frozen=True)
class Cut:
    """A chunk before it is stored. `shown` is its text; `embedded` has the headings before it."""

    page: int
    start: int
    end: int
    shown: str
    heading: str
    embedded: str
    rects: tuple[Rect, ...]
    overleaf: int = 0
    """Where on the next page the sentence ends that this chunk's last one is; 0 where it ends on its own page."""


@dataclass(frozen=True)
class _Unit:
    """What is never parted any more: a sentence, a row, a piece of one. `first` when it opens its block."""

    start: int
    end: int
    tokens: int
    block: Block
    first: bool


def chunk(parsed: Parsed, count: Count, rules: Chunking) -> list[Cut]:
    """All chunks of a document in order."""
    cuts: list[Cut] = []
    path = _Path()
    once = _counting_once(count)
    said: set[str] = set()
    carried = Carried()
    for page, following in zip(parsed.pages, (*parsed.pages[1:], None), strict=True):
        builder = _Builder(page, rules, path, once, carried)
        for unit in _units(page, count, rules, carried):
            builder.add(unit)
        made, taken = _with_rest(builder.finish(), page, following, count, rules)
        carried = Carried(taken=taken, header=overleaf.header(page, carried.header))
        made += _furniture(page, said, count, rules) if parsed.media != formats.HTML else ()
        cuts += sorted(made, key=lambda cut: cut.start)
    return _verified(cuts, {page.number: page for page in parsed.pages}, count, rules)


def _with_rest(
    cuts: list[Cut], page: Page, following: Page | None, count: Count, rules: Chunking
) -> tuple[list[Cut], int]:
    """A page's chunks, the one whose last sentence goes on overleaf with its end, and where that end is; 0 where it doesn't fit, or there is none."""
    rest = overleaf.rest(page, following)
    block = overleaf.parting(page)
    at = next((at for at, cut in enumerate(cuts) if block is not None and cut.end == block.end), None)
    if rest is None or at is None or cuts[at].start > rest.begin:
        return cuts, 0
    cut = cuts[at]
    embedded = cut.embedded[: len(cut.embedded) - rest.dropped] + rest.text
    if int(count([embedded])[0]) > rules.limit:
        return cuts, 0
    shown = cut.shown[: len(cut.shown) - rest.dropped] + rest.text
    whole = replace(cut, shown=shown, embedded=embedded, overleaf=rest.end)
    return [*cuts[:at], whole, *cuts[at + 1 :]], rest.end


def _furniture(page: Page, said: set[str], count: Count, rules: Chunking) -> list[Cut]:
    """What the page's furniture says that none before it `said`."""
    made: list[Cut] = []
    for block in page.blocks:
        text = page.text[block.start : block.end]
        if block.kind != "furniture" or not (says := overleaf.says(text)) or says in said:
            continue
        said.add(says)
        size = int(count([text])[0])
        for start, end, _ in _pieces(page.text, block.start, block.end, size, count, rules.limit - rules.headings):
            shown = page.text[start:end]
            made.append(_cut(page, start, end, shown, overleaf.FURNITURE, f"{overleaf.FURNITURE}\n{shown}"))
    return made


def _counting_once(count: Count) -> Count:
    """The same, remembering: headings and header rows come again and again, and counting asks another process."""
    known: dict[str, int] = {}

    def counted(texts: Sequence[str]) -> Sequence[int]:
        if unknown := [text for text in dict.fromkeys(texts) if text not in known]:
            known.update(zip(unknown, count(unknown), strict=True))
        return [known[text] for text in texts]

    return counted


def _units(page: Page, count: Count, rules: Chunking, carried: Carried) -> Iterator[_Unit]:
    spans: list[tuple[int, int, Block, bool]] = []
    onward = overleaf.first(page)
    for block in page.blocks:
        begin = max(block.start, carried.taken) if block is onward else block.start
        if block.kind == "furniture" or begin >= block.end:
            continue
        for number, (start, end) in enumerate(_spans(page.text, block, begin)):
            spans.append((start, end, block, number == 0))
    tokens = count([page.text[start:end] for start, end, _, _ in spans]) if spans else []
    most = rules.limit - rules.headings - 2
    for (start, end, block, first), size in zip(spans, tokens, strict=True):
        headed = block.header or (block is onward and carried.header)
        room = most - (rules.limit // 3 if headed else 0)
        if size <= room:
            yield _Unit(start=start, end=end, tokens=size, block=block, first=first)
            continue
        for piece_start, piece_end, piece_size in _pieces(page.text, start, end, size, count, room):
            yield _Unit(
                start=piece_start, end=piece_end, tokens=piece_size, block=block, first=first and piece_start == start
            )


def _spans(text: str, block: Block, begin: int) -> list[tuple[int, int]]:
    """The parts of a block, from `begin` on, that are kept together: the whole heading, a table's rows, sentences."""
    if block.kind == "heading":
        return [(block.start, block.end)]
    if block.kind != "table":
        return [(begin + start, begin + end) for start, end in sentence_spans(text[begin : block.end])]
    spans = []
    start = block.start
    while start < block.end:
        end = text.find("\n", start, block.end)
        end = block.end if end < 0 else end
        if text[start:end].strip():
            spans.append((start, end))
        start = end + 1
    return spans


def _pieces(text: str, start: int, end: int, size: int, count: Count, room: int) -> Iterator[tuple[int, int, int]]:
    """Cut a stretch that is too long: in halves, at white space near the middle where there is any."""
    if size <= room or end - start <= 1:
        yield start, end, size
        return
    middle = (start + end) // 2
    reach = (end - start) // 4
    after = next((at for at in range(middle, middle + reach) if text[at].isspace()), None)
    before = next((at for at in range(middle, middle - reach, -1) if text[at].isspace()), None)
    cut = after or before or middle
    halves = [(start, cut), (cut + 1 if text[cut].isspace() else cut, end)]
    for (first, last), tokens in zip(halves, count([text[first:last] for first, last in halves]), strict=True):
        yield from _pieces(text, first, last, tokens, count, room)


class _Path:
    """The headings in force. One that follows another of its level at once, without text between, is its subtitle."""

    def __init__(self) -> None:
        self._open: list[tuple[float, str]] = []
        self._fresh = False

    def heading(self, level: int, text: str) -> None:
        depth = float(level)
        if self._fresh and self._open and int(self._open[-1][0]) == level:
            depth = self._open[-1][0] + 0.01
        while self._open and self._open[-1][0] >= depth:
            self._open.pop()
        self._open.append((depth, heading_text(text)))
        self._fresh = True

    def text(self) -> None:
        self._fresh = False

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(text for _, text in self._open if any(character.isalnum() for character in text))


class _Builder:
    """Fills the chunks of one page."""

    def __init__(self, page: Page, rules: Chunking, path: _Path, count: Count, carried: Carried) -> None:
        self._page = page
        self._onward = overleaf.first(page)
        self._carried = carried.header
        self._parting = overleaf.parting(page)
        self._rules = rules
        self._path = path
        self._count = count
        self._units: list[_Unit] = []
        self._parts: dict[tuple[str, ...], int] = {}  # path of headings -> tokens of text below it
        self._own: list[str] = []
        self._tokens = 0
        self._cuts: list[Cut] = []
        self._furniture = [block.start for block in page.blocks if block.kind == "furniture"]
        """Where it begins, ascending."""
        self._mark = ""
        """Of the last chunk."""

    def add(self, unit: _Unit) -> None:
        heading = unit.block.kind == "heading"
        by_size = self._rules.strategy == "size"
        parted = bool(self._units) and self._is_parted(self._units[-1].block, unit.block)
        if parted or (not by_size and heading and self._parts and self._tokens >= self._rules.alone):
            self._flush()
        elif self._units and self._overflows(unit):
            self._flush(before=unit)
        elif (
            not by_size
            and unit.first
            and self._tokens >= self._rules.target // 2
            and self._overflows(unit, self._block_tokens(unit))
        ):
            self._flush()
        self._units.append(unit)
        self._tokens += unit.tokens
        if heading:
            if unit.first:
                text = self._page.text[unit.block.start : unit.block.end]
                self._path.heading(unit.block.level, text)
                self._own.append(heading_text(text))
            return
        self._path.text()
        here = self._path.headings
        self._parts[here] = self._parts.get(here, 0) + unit.tokens

    def _is_parted(self, block: Block, following: Block) -> bool:
        """Whether a chunk ends between two blocks: with what goes on overleaf, where a quotation begins or ends, and before furniture, since a
        chunk is one stretch of text."""
        return block is not following and (
            block is self._parting or block.mark != following.mark or self._has_furniture(block.end, following.start)
        )

    def _has_furniture(self, start: int, end: int) -> bool:
        at = bisect_left(self._furniture, start)
        return at < len(self._furniture) and self._furniture[at] < end

    def finish(self) -> list[Cut]:
        """The page's chunks. What is left at the foot is too short to stand alone: a heading whose text follows overleaf, a page number."""
        short = not self._parts or (not self._own and self._tokens < self._rules.alone)
        parted = self._parting is not None and self._cuts and self._cuts[-1].end == self._parting.end
        parted = parted or (
            bool(self._units and self._cuts) and self._has_furniture(self._cuts[-1].end, self._units[0].start)
        )
        if self._units and self._cuts and short and not parted and self._units[0].block.mark == self._mark:
            self._join_last()
        self._flush()
        return self._cuts

    def _overflows(self, unit: _Unit, tokens: int | None = None) -> bool:
        if not self._parts and tokens is None:  # a heading stays with the beginning of its text
            return self._tokens + unit.tokens > self._rules.limit - self._rules.headings - 2
        most = self._rules.target - self._header_tokens()
        return self._tokens + (unit.tokens if tokens is None else tokens) > most

    def _block_tokens(self, unit: _Unit) -> int:
        """About how many tokens the unit's whole block has, by its length."""
        length = max(unit.end - unit.start, 1)
        return round(unit.tokens * (unit.block.end - unit.block.start) / length)

    def _header_tokens(self) -> int:
        return int(self._count([self._header()])[0]) if self._header() else 0

    def _header(self) -> str:
        """The header row that goes along with these rows, of this page or the one before; empty where they have it or are no table."""
        first = self._units[0].block
        if first is self._onward and first.kind == "table" and not first.header:
            return self._carried
        if first.kind != "table" or not first.header or self._units[0].start < first.header:
            return ""
        return self._page.text[first.start : first.header]

    def _join_last(self) -> None:
        """Put what is left to the chunk before it, where it fits."""
        last = self._cuts[-1]
        end = self._units[-1].end
        shown = last.shown + self._page.text[last.end : end]
        if int(self._count([last.embedded + self._page.text[last.end : end]])[0]) > self._rules.limit:
            return
        self._cuts[-1] = _cut(
            self._page, last.start, end, shown, last.heading, last.embedded[: -len(last.shown)] + shown
        )
        self._units, self._own, self._parts, self._tokens = [], [], {}, 0

    def _flush(self, before: _Unit | None = None) -> None:
        """End the chunk; `before` is the unit that didn't fit."""
        if not self._units:
            return
        start, end = self._units[0].start, self._units[-1].end
        headings = max(self._parts, key=lambda path: self._parts[path]) if self._parts else self._path.headings
        text = self._page.text[start:end]
        header = self._header()
        if header and int(self._count([header])[0]) <= self._rules.limit // 3:
            text = f"{header}\n{text}"
        self._mark = self._units[-1].block.mark
        headings = (*headings, self._mark) if self._mark else headings
        above = self._fitting([heading for heading in headings if heading not in self._own])
        self._cuts.append(
            _cut(
                self._page,
                start,
                end,
                text,
                PATH.join(headings),
                f"{PATH.join(above)}\n{text}" if above else text,
            )
        )
        last = self._units[-1]
        self._units = [last] if self._repeats(last, start, before) else []
        self._tokens = last.tokens if self._units else 0
        self._parts = {self._path.headings: last.tokens} if self._units else {}
        self._own = []

    def _repeats(self, last: _Unit, start: int, before: _Unit | None) -> bool:
        """Whether the next chunk begins with this one's last sentence: where a paragraph is cut and there is room."""
        return (
            before is not None
            and before.block.mark == last.block.mark
            and (before.block is last.block or self._rules.strategy == "size")
            and last.block.kind in ("paragraph", "list")
            and last.start > start
            and last.tokens <= self._rules.overlap
            and last.tokens + before.tokens <= self._rules.target
        )

    def _fitting(self, headings: list[str]) -> list[str]:
        """The innermost headings that fit."""
        kept: list[str] = []
        left = self._rules.headings
        for heading, tokens in zip(
            reversed(headings), reversed(self._count(headings) if headings else []), strict=True
        ):
            if tokens + 1 > left:
                break
            kept.insert(0, heading)
            left -= tokens + 1
        return kept


def _cut(page: Page, start: int, end: int, shown: str, heading: str, embedded: str) -> Cut:
    rects = tuple(line.rect for line in page.lines if line.start < end and line.end > start)
    return Cut(page=page.number, start=start, end=end, shown=shown, heading=heading, embedded=embedded, rects=rects)


def _verified(cuts: list[Cut], pages: Mapping[int, Page], count: Count, rules: Chunking) -> list[Cut]:
    """The cuts, with the headings left out where a tokenizer that doesn't add up would make the whole too long, and in parts where it still is."""
    sizes = count([cut.embedded for cut in cuts]) if cuts else []
    checked: list[Cut] = []
    for cut, size in zip(cuts, map(int, sizes), strict=True):
        if size > rules.limit and cut.embedded != cut.shown:
            cut, size = replace(cut, embedded=cut.shown), int(count([cut.shown])[0])
        checked += [cut] if size <= rules.limit else _parts(cut, pages[cut.page], size, count, rules)
    return checked


def _parts(cut: Cut, page: Page, size: int, count: Count, rules: Chunking) -> Iterator[Cut]:
    """A chunk that is too long by itself, as the parts of its page's text that aren't."""
    for start, end, _ in _pieces(page.text, cut.start, cut.end, size, count, rules.limit):
        text = page.text[start:end]
        if text.strip():
            yield _cut(page, start, end, text, cut.heading, text)
