"""What the program asks of a parse worker, and the parsed form of a document.

A sheet, a slide and a chapter are pages too, with a label; places say which line, cell or part of it a stretch of its text comes from. A page's
text is its blocks in reading order, two line breaks apart; positions are characters of that text. A worker is not trusted: `check_parsed` refuses
positions that lie outside of the text or out of order.
"""

from collections.abc import Iterable
from typing import Final, Literal

from core.documents.records import Rect
from core.errors import Damaged
from core.records import Record

Kind = Literal["heading", "paragraph", "table", "list", "furniture"]
"""Furniture is what stands on page after page around the text: running heads and feet, page numbers."""
Joint = Literal["", "space", "word", "hyphen", "rows"]
"""How a block goes on overleaf: with a space between, as one word whose hyphen goes or stays, or with rows under the same header."""
SEPARATOR: Final = "\n\n"
"""Between two blocks of a page."""
MOST_CHARACTERS: Final = 30_000_000
"""Of a whole document; the King James Bible has 4 million."""
DEEPEST: Final = 6
"""Levels of headings that are kept apart."""
LONGEST_LABEL: Final = 120
READER: Final = 3
"""Of what reads documents. Raise it when what is read of the same bytes changes: documents that an earlier one read are counted then."""


class Parse(Record, frozen=True, kw_only=True, tag="parse"):
    """Read a document: its bytes, and the name that tells its format and that errors use."""

    name: str
    data: bytes
    passwords: tuple[str, ...] = ()
    """Tried one after the other where the document is encrypted."""


class OpenPages(Record, frozen=True, kw_only=True, tag="open-pages"):
    """Keep a PDF's bytes, to render its pages."""

    name: str
    data: bytes
    passwords: tuple[str, ...] = ()


class RecognisePage(Record, frozen=True, kw_only=True, tag="recognise-page"):
    """Read a page (from 1) of the opened document by its picture. `folder` holds Tesseract's language data."""

    page: int
    folder: str
    languages: str


class RenderPage(Record, frozen=True, kw_only=True, tag="render-page"):
    """Render a page (from 1) of the opened PDF at so many pixels a point."""

    page: int
    scale: float


class LocateQuote(Record, frozen=True, kw_only=True, tag="locate-quote"):
    """Find a quote on a page of the opened PDF."""

    page: int
    quote: str


class Opened(Record, frozen=True, kw_only=True, tag="opened"):
    pages: int


class Located(Record, frozen=True, kw_only=True, tag="located"):
    """A rectangle a line; none where the quote isn't on the page."""

    rects: tuple[Rect, ...]
    overleaf: tuple[Rect, ...] = ()
    """The rest of a quote that goes on over the page's end, on the next page."""


class Block(Record, frozen=True, kw_only=True):
    """A part of a page's text."""

    kind: Kind
    start: int
    end: int
    level: int = 0
    """Of a heading: 1 is the outermost."""
    header: int = 0
    """Of a table: where its header row ends, in characters from the page's start; 0 where it has none."""
    overleaf: Joint = ""
    """How it goes on in the first block of the next page that is no furniture; empty where it doesn't."""
    mark: str = ""
    """What it is where it isn't the document's own words: a quotation, a signature."""


class Line(Record, frozen=True, kw_only=True):
    """A line of print: which characters of the page's text, and where on the page."""

    start: int
    end: int
    rect: Rect


class Place(Record, frozen=True, kw_only=True):
    """Where the page's text from here on, up to the next place, comes from: "line 12", "A5:D5", "notes"."""

    start: int
    label: str


class Page(Record, frozen=True, kw_only=True, tag="page"):
    number: int
    text: str
    blocks: tuple[Block, ...]
    lines: tuple[Line, ...] = ()
    textless: bool = False
    """It shows something and holds no text."""
    label: str = ""
    """What it is called in its document: a sheet's name, a printed page number."""
    places: tuple[Place, ...] = ()


class Hidden(Record, frozen=True, kw_only=True):
    """A stretch of a page's text that whoever looks at the page doesn't see."""

    page: int
    start: int
    end: int
    why: str
    """colour, transparent, tiny, off-page, style, sheet, row, column or slide."""


class Aside(Record, frozen=True, kw_only=True):
    """Text that a file holds and none of its pages: a property, a comment in its source. Screening looks through it; it goes no further."""

    where: str
    """What holds it, as the end of a sentence: "the property “subject”"."""
    text: str


class Inside(Record, frozen=True, kw_only=True):
    """A file within a document, to be read as one of its own; or why it can't be."""

    name: str
    data: bytes = b""
    refused: str = ""
    """The end of a sentence that starts with its name."""


class Parsed(Record, frozen=True, kw_only=True, tag="parsed"):
    """A document as read."""

    media: str
    title: str
    pages: tuple[Page, ...]
    """None for an archive: it has no text besides that of the files inside."""
    inside: tuple[Inside, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    """By page and start."""
    asides: tuple[Aside, ...] = ()
    """What is in the file and on none of its pages."""
    reader: int = 1
    """The `READER` that read it; what was kept before there were numbers is of the first."""


class PageWriter:
    """Puts a page together block by block, so that positions fit."""

    def __init__(self, number: int, label: str = "") -> None:
        self.number = number
        self.label = label
        self._places: list[Place] = []
        self._text: list[str] = []
        self._at = 0
        self._blocks: list[Block] = []
        self._lines: list[Line] = []

    def add(
        self,
        kind: Kind,
        text: str,
        level: int = 0,
        header: int = 0,
        lines: tuple[tuple[int, int, Rect], ...] = (),
        places: Iterable[tuple[int, str]] = (),
        overleaf: Joint = "",
        mark: str = "",
    ) -> None:
        """Add a block; blank ones are left out. `header`, `lines` and `places` (start, label) count from the block's start."""
        if not text.strip():
            return
        if self._blocks:
            self._text.append(SEPARATOR)
            self._at += len(SEPARATOR)
        start = self._at
        self._text.append(text)
        self._at += len(text)
        self._blocks.append(
            Block(
                kind=kind,
                start=start,
                end=self._at,
                level=min(level, DEEPEST),
                header=start + header if header else 0,
                overleaf=overleaf,
                mark=mark[:LONGEST_LABEL],
            )
        )
        self._lines += [Line(start=start + first, end=start + last, rect=rect) for first, last, rect in lines]
        self._places += [Place(start=start + at, label=label[:LONGEST_LABEL]) for at, label in places]

    def page(self, textless: bool = False) -> Page:
        return Page(
            number=self.number,
            text="".join(self._text),
            blocks=tuple(self._blocks),
            lines=tuple(self._lines),
            textless=textless,
            label=" ".join(self.label.split())[:LONGEST_LABEL],
            places=tuple(self._places),
        )


def check_parsed(name: str, parsed: Parsed) -> Parsed:
    """The same, or `Damaged` when a position can't be right."""
    for number, page in enumerate(parsed.pages, start=1):
        at = 0
        good = page.number == number
        for block in page.blocks:
            good = good and at <= block.start < block.end <= len(page.text)
            good = good and (block.header == 0 or block.start < block.header <= block.end)
            at = block.end
        starts = [place.start for place in page.places]
        good = good and starts == sorted(starts) and all(0 <= start <= len(page.text) for start in starts)
        good = good and all(len(block.mark) <= LONGEST_LABEL for block in page.blocks)
        good = good and all(len(label) <= LONGEST_LABEL for label in (page.label, *(p.label for p in page.places)))
        good = good and all(0 <= line.start <= line.end <= len(page.text) for line in page.lines)
        if not good:
            raise Damaged(source=name, problem="the reader returned an impossible layout. The file was left out.")
    for one in parsed.hidden:
        if not 1 <= one.page <= len(parsed.pages) or not 0 <= one.start < one.end <= len(
            parsed.pages[one.page - 1].text
        ):
            raise Damaged(source=name, problem="the reader returned an impossible layout. The file was left out.")
    return parsed
