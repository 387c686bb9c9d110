"""Text recognition of scanned pages and pictures: Tesseract as it is built into MuPDF, so that no program is started.

Its language data are files that the parent found; the worker may read their folder and nothing else. Recognised lines get their places on the
page like printed ones. Sizes of recognised letters waver, so those near the usual size are taken for it before headings are told by size. A page
that lies on its side or its head gives nonsense: where hardly a common word is found, the other three directions are tried, and the one with the
most is taken.
"""

import statistics
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from core.documents.records import Rect
from core.documents.worker import layout
from core.documents.worker.records import Page, PageWriter
from core.errors import Unavailable

DOTS: Final = 200
"""Per inch: halves the time of 300, and printed text of ten points reads as well."""
MOST_PIXELS: Final = 30_000_000
NEAR: Final = (0.6, 1.45)
"""Sizes, in usual sizes, that are one size."""
COMMON: Final = 0.06
"""Share of common words from which a page is taken to be the right way up; running text has 20 to 40 %."""
COMMONEST: Final = frozenset(
    "the of and to in is for that with as on by be this are or from at it was not an "
    "der die das und den von mit ist im für auf des ein eine zu nicht "
    "le la les de des et en du un une que pour dans est el los las del por con una "
    "il di che per non del della een het van os do da em".split()
)
"""Words of English, German, French, Spanish, Italian, Dutch and Portuguese that most sentences have; none of one letter: noise is full of them."""


class Recogniser(Protocol):
    """Reads the picture of a page."""

    def lines(self, page: Any) -> layout.PageLines:
        """The lines on it, in points."""


@dataclass(frozen=True)
class Tesseract:
    """`folder` holds the language data, `languages` names them ("eng+deu")."""

    folder: str
    languages: str

    def lines(self, page: Any) -> layout.PageLines:
        """Raises `Unavailable` where the language data can't be used."""
        import pymupdf

        area = max(page.rect.width * page.rect.height, 1.0)
        dots = max(30, min(DOTS, int(72 * (MOST_PIXELS / area) ** 0.5)))
        try:
            read = page.get_textpage_ocr(language=self.languages, dpi=dots, full=True, tessdata=self.folder)
        except (pymupdf.mupdf.FzErrorBase, RuntimeError) as error:
            step = "Install the data of Tesseract 4 or 5 again."
            raise Unavailable(what="Text recognition can't use its language data", step=step) from error
        return layout.page_lines(page, read)


def recognise(document: Any, number: int, engine: Recogniser) -> Page:
    """Page `number` (from 1), read by its picture; without text where none was recognised. Raises `NotFound`, `Unavailable`."""
    from core.documents.worker import pdf

    page = pdf.page_of(pdf.as_pdf(document), number)
    width, height = float(page.rect.width), float(page.rect.height)
    read, turn = _upright(page, engine)
    found = evened(read)
    writer = PageWriter(number)
    for block in layout.blocks(found, layout.styles([found])):
        lines = tuple((start, end, turned_back(rect, turn, width, height)) for start, end, rect in block.lines)
        writer.add(block.kind, block.text, level=block.level, header=block.header, lines=lines)
    return writer.page(textless=not found.lines)


def _upright(page: Any, engine: Recogniser) -> tuple[layout.PageLines, int]:
    """The lines as they read when the page is held the right way up, and by how many degrees clockwise it was turned for that."""
    best, turned = engine.lines(page), 0
    most = common_words(best)
    if most >= COMMON or not best.lines:
        return best, turned
    shown = page.rotation
    for turn in (180, 90, 270):
        page.set_rotation((shown + turn) % 360)
        found = engine.lines(page)
        if (share := common_words(found)) > most:
            best, turned, most = found, turn, share
    page.set_rotation(shown)
    return best, turned


def common_words(found: layout.PageLines) -> float:
    """The share of words that are among the commonest of some languages."""
    words = [word.strip(".,;:!?()").lower() for line in found.lines for word in line.text.split()]
    return sum(word in COMMONEST for word in words) / len(words) if words else 0.0


def turned_back(rect: Rect, turn: int, width: float, height: float) -> Rect:
    """A rectangle of the page turned clockwise by `turn` degrees, on the page as it is shown (`width` by `height`)."""

    def back(x: float, y: float) -> tuple[float, float]:
        return {0: (x, y), 90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}[turn]

    (x0, y0), (x1, y1) = back(rect.x0, rect.y0), back(rect.x1, rect.y1)
    edges = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    left, top, right, bottom = (round(edge, 2) for edge in edges)
    return Rect(x0=left, y0=top, x1=right, y1=bottom)


def evened(found: layout.PageLines) -> layout.PageLines:
    """The lines with sizes near the usual one made alike."""
    if not found.lines:
        return found
    usual = statistics.median(line.size for line in found.lines for _ in line.text)
    low, high = (usual * edge for edge in NEAR)
    return replace(
        found,
        lines=tuple(
            replace(line, size=usual if low <= line.size <= high else line.size, bold=False) for line in found.lines
        ),
    )
