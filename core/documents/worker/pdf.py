"""PDF, by PyMuPDF: lines in reading order, put together to headings, paragraphs, lists and tables; rendering; finding a quote. Pictures too.

Rules: a file that opens with an empty password is read, one that needs a password is refused unless it was given; a page that shows something
and holds no text is marked, for text recognition to read it. What a form, a comment or a link says follows the page's own text. Running heads come
before it, running feet and page numbers after all, each marked as furniture.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from core.documents import formats
from core.documents.records import PageImage, Rect
from core.documents.worker import asides, extras, hidden, layers, layout, locating
from core.documents.worker.furniture import furniture
from core.documents.worker.joining import joined
from core.documents.worker.printed import Box
from core.documents.worker.records import DEEPEST, MOST_CHARACTERS, Hidden, Joint, Located, Page, PageWriter, Parsed
from core.errors import BadInput, NotFound, Unsupported
from core.workers.serving import Call

MOST_PIXELS: Final = 24_000_000
"""Of one rendered page: 72 MB. A larger wish is rendered smaller, and the image says its scale."""

LONGEST_TITLE: Final = 1000
"""Characters of an entry in a file's own table of contents."""


def opened(name: str, data: bytes, passwords: Sequence[str] = ()) -> Any:
    """The document, a picture as one of a page. Raises `BadInput`, `Unsupported`."""
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    pymupdf.TOOLS.set_small_glyph_heights(True)  # fonts may claim six times their size
    try:
        document = pymupdf.open(stream=data, filetype=_type(name, data))
        if document.needs_pass and not any(document.authenticate(password) for password in ("", *passwords)):
            raise Unsupported(source=name, reason=formats.LOCKED)
        pages = document.page_count
    except (pymupdf.FileDataError, pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError) as error:
        raise _damaged(name) from error
    if pages == 0:
        raise _damaged(name)
    return document


def _type(name: str, data: bytes) -> str:
    media = formats.media_type(name) if name else formats.PDF
    return formats.PICTURES.get(media, "pdf")


def read(name: str, data: bytes, call: Call | None = None, passwords: Sequence[str] = ()) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    import pymupdf

    document = opened(name, data, passwords)
    found: list[layout.PageLines] = []
    marks: dict[int, Sequence[extras.Mark]] = {}
    unseen: dict[int, list[hidden.Suspect]] = {}
    unreadable = 0
    characters = 0
    for number in range(document.page_count):
        if call is not None:
            call.report(number, document.page_count, "pages")
        try:
            page = document[number]
            lines = layout.page_lines(page)
            if lines.suspects:
                unseen[number] = hidden.confirmed(page, lines.suspects)
            if extras.has_marks(page):
                marks[number] = extras.marks(page, " ".join(line.text for line in lines.lines))
        except (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError):
            lines = layout.PageLines(lines=(), textless=True, width=0.0)
            unreadable += 1
        characters += sum(len(line.text) for line in lines.lines)
        if characters > MOST_CHARACTERS:
            raise Unsupported(source=name, reason="over 30 million characters of text. Split it into parts.")
        found.append(lines)
    if unreadable == len(found):
        raise _damaged(name)
    inside = extras.attachments(document, tuple(marks))
    if characters == 0 and not inside and not any(lines.textless for lines in found):
        raise BadInput(source=name, problem="no text; its pages are blank.")
    pages = _pages(found, _outline(document), extras.labels(document), marks)
    title = str((document.metadata or {}).get("title") or "").strip()
    media = formats.media_type(name) if not document.is_pdf else formats.PDF
    return Parsed(
        media=media,
        title=_title(title, pages),
        pages=pages,
        inside=inside,
        hidden=_hidden(pages, unseen),
        asides=(*asides.of_pdf(document), *layers.of_pdf(document)),
    )


def _hidden(pages: Sequence[Page], unseen: Mapping[int, Sequence[hidden.Suspect]]) -> tuple[Hidden, ...]:
    found: list[Hidden] = []
    for number in sorted(unseen):
        found += hidden.joined(hidden.on_page(pages[number], unseen[number]), pages[number].text)
    return tuple(found)


def _pages(
    found: list[layout.PageLines],
    outline: dict[tuple[int, str], int],
    label: Callable[[int], str],
    marks: Mapping[int, Sequence[extras.Mark]],
) -> tuple[Page, ...]:
    styles = layout.styles(found)
    around = furniture(found)
    named = {page for page, _ in outline}
    texts = []
    for number, (lines, edges) in enumerate(zip(found, around, strict=True), start=1):
        taken = edges.pieces
        body = replace(lines, lines=tuple(line for line in lines.lines if id(line) not in taken)) if taken else lines
        own = list(layout.blocks(body, styles))
        texts.append([_with_level(block, outline, number) for block in own] if number in named else own)
    pages = []
    for number, (lines, edges, text) in enumerate(
        zip(found, around, joined(texts, styles.keeps_hyphen), strict=True), 1
    ):
        writer = PageWriter(number, label(number))
        for row in edges.head:
            _write(writer, layout.furniture(row))
        for at, block in enumerate(text.blocks):
            _write(writer, block, text.overleaf.get(at, ""))
        extras.write(writer, marks.get(number - 1, ()))
        for row in edges.foot:
            _write(writer, layout.furniture(row))
        pages.append(writer.page(textless=lines.textless))
    return tuple(pages)


def _with_level(block: layout.TextBlock, outline: Mapping[tuple[int, str], int], page: int) -> layout.TextBlock:
    """The block, as a heading where the file's own table of contents names it."""
    level = outline.get((page, locating.folded(block.text[:LONGEST_TITLE])), 0) or block.level
    return replace(block, kind="heading", level=level) if level else block


def _write(writer: PageWriter, block: layout.TextBlock, overleaf: Joint = "") -> None:
    writer.add(block.kind, block.text, level=block.level, header=block.header, lines=block.lines, overleaf=overleaf)


def _outline(document: Any) -> dict[tuple[int, str], int]:
    """(page, title) -> level, from the file's own table of contents."""
    try:
        entries = document.get_toc(simple=True)
    except (RuntimeError, ValueError, KeyError, TypeError):
        return {}
    return {(int(page), locating.folded(str(title))): min(int(level), DEEPEST) for level, title, page in entries}


def _title(declared: str, pages: tuple[Page, ...]) -> str:
    """The declared title where it is one (not a file's name or a default), else the first heading."""
    if " " in declared:
        return declared
    for page in pages[:2]:
        for block in page.blocks:
            if block.kind == "heading":
                return " ".join(page.text[block.start : block.end].split())
    return declared if declared not in ("untitled", "(anonymous)") else ""


def render(document: Any, number: int, scale: float) -> PageImage:
    """Page `number` (from 1) in RGB. Raises `NotFound`."""
    import pymupdf

    page = page_of(document, number)
    area = max(page.rect.width * page.rect.height, 1.0)
    scale = max(min(scale, (MOST_PIXELS / area) ** 0.5), 0.05)
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False)
    return PageImage(width=pixels.width, height=pixels.height, scale=scale, pixels=bytes(pixels.samples))


def locate(
    document: Any, number: int, quote: str, words: Callable[[int], list[tuple[Box, str]]] | None = None
) -> Located:
    """Where a quote stands on a page, a rectangle a line; its part on this page where it goes over its end or began before.

    `words` gives those of a page, where they are kept. Raises `NotFound` for the page."""
    words = words or (lambda page: locating.page_words(page_of(document, page)))
    own = words(number)
    boxes = locating.find_quote(own, quote)
    after: list[Box] = []
    if not boxes and number < document.page_count:
        boxes, after = locating.find_over_end(own, words(number + 1), quote)
    if not boxes and number > 1:
        boxes = locating.find_over_end(words(number - 1), own, quote)[1]
    return Located(rects=_rects(boxes), overleaf=_rects(after))


def _rects(boxes: Sequence[Box]) -> tuple[Rect, ...]:
    return tuple(Rect(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in boxes)


def as_pdf(document: Any) -> Any:
    """The same pages as a PDF, whose pages can be turned."""
    import pymupdf

    return document if document.is_pdf else pymupdf.open("pdf", document.convert_to_pdf())


def page_of(document: Any, number: int) -> Any:
    """Page `number` (from 1). Raises `NotFound`."""
    if not 1 <= number <= document.page_count:
        raise NotFound(kind="page", name=str(number), step=f"The document has pages 1 to {document.page_count}.")
    return document[number - 1]


def _damaged(name: str) -> BadInput:
    return BadInput(source=name, problem="damaged; no page of it can be read. Get another copy.")
