"""Text recognition of scanned pages and pictures: Tesseract as it is built into MuPDF, so that no program is started.

Its language data are files that the parent found; the worker may read their folder and nothing else. Recognised lines get their places on the
page like printed ones. Sizes of recognised letters waver, so those near the usual size are taken for it before headings are told by size.
"""

import statistics
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from core.documents.worker import layout
from core.documents.worker.records import Page, PageWriter
from core.errors import Unavailable

DOTS: Final = 200
"""Per inch: halves the time of 300, and printed text of ten points reads as well."""
MOST_PIXELS: Final = 30_000_000
NEAR: Final = (0.6, 1.45)
"""Sizes, in usual sizes, that are one size."""


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

    found = evened(engine.lines(pdf.page_of(document, number)))
    writer = PageWriter(number)
    known = layout.styles([found])
    for block in layout.blocks(found, known):
        writer.add(block.kind, block.text, level=block.level, header=block.header, lines=block.lines)
    page = writer.page()
    return writer.page(textless=not page.text)


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
