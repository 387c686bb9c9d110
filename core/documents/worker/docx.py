"""Word documents (DOCX): paragraphs, lists and tables in order; then notes, comments, headers and footers, each once.

Text that tracked changes deleted, or moved elsewhere, is left out; inserted text, content controls, hyperlinks, text boxes and the letters of
equations are kept. Paragraphs have the numbers that Word shows before them.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import lxml.etree

from core.documents import formats
from core.documents.worker import hidden, packing
from core.documents.worker.csv import row_text
from core.documents.worker.docx_numbers import BULLET, Numbers
from core.documents.worker.hidden_runs import in_paragraphs
from core.documents.worker.hidden_words import Looks
from core.documents.worker.records import PageWriter, Parsed
from core.errors import BadInput

WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MATH: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
LEFT_OUT: Final = (FALLBACK, f"{WORD}del", f"{WORD}moveFrom")
AROUND: Final = {"/footnotes": "footnote", "/endnotes": "endnote", "/comments": "comment"}
"""Parts with texts of their own, and what each of those is."""
HOLDERS: Final = tuple(f"{WORD}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"))
"""What stands around paragraphs and tables without being any."""
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo)\s*(?P<level>[1-9])", re.IGNORECASE)


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    packing.check_parts(name, data, "word/", "a Word document")
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        writer = PageWriter(1)
        heading = _body(document, writer)
        known: set[str] = set()
        read = [document.element.body]
        for text, place, element in _around(document):
            if text and text not in known:
                known.add(text)
                read.append(element)
                writer.add("paragraph", text, places=((0, place),))
        page = writer.page()
        unseen = hidden.joined(
            in_paragraphs(page, Looks(document.styles.element, LEFT_OUT).paragraphs(read)), page.text
        )
    except (KeyError, ValueError, AttributeError, zipfile.BadZipFile, lxml.etree.LxmlError) as error:
        raise BadInput(source=name, problem="damaged; Word may be able to repair it. Nothing was read.") from error
    title = str(document.core_properties.title or "").strip()
    return Parsed(media=formats.DOCX, title=title or heading, pages=(page,), hidden=unseen)


def _body(document: Any, writer: PageWriter) -> str:
    """Fill the page; the first heading."""
    first_heading = ""
    items: list[str] = []

    numbers = Numbers(document)

    def flush() -> None:
        writer.add("list", "\n".join(items))
        items.clear()

    for part in _parts(document, document.element.body):
        if part._element.tag == f"{WORD}tbl":
            flush()
            rows = [
                row
                for row in (row_text([_text(cell._tc) for cell in _row(line)]) for line in part.rows)
                if row.strip(" |")
            ]
            writer.add("table", "\n".join(rows), header=len(rows[0]) if len(rows) > 1 else 0)
            continue
        text = _text(part._element)
        if not text:
            continue
        level = _level(part)
        mark = numbers.mark(part)
        if level:
            flush()
            text = f"{mark} {text}" if mark not in ("", BULLET) else text
            writer.add("heading", text, level=level)
            first_heading = first_heading or text
        elif _is_item(part):
            items.append(f"{mark or BULLET} {text}")
        else:
            flush()
            writer.add("paragraph", text)
    flush()
    return first_heading


def _parts(document: Any, holder: Any) -> Iterator[Any]:
    """The paragraphs and tables, also those within content controls and tracked changes."""
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    waiting = list(reversed(holder))
    while waiting:
        element = waiting.pop()
        if element.tag == f"{WORD}p":
            yield Paragraph(element, document._body)
        elif element.tag == f"{WORD}tbl":
            yield Table(element, document._body)
        elif element.tag in HOLDERS:
            waiting += reversed(element)


def _row(row: Any) -> Iterator[Any]:
    """The row's cells, a merged one once."""
    before = None
    for cell in row.cells:
        if cell._tc is not before:
            yield cell
        before = cell._tc


def _level(paragraph: Any) -> int:
    style = paragraph.style.name if paragraph.style is not None else ""
    if style == "Title":
        return 1
    if found := _HEADING.match(style or ""):
        return int(found["level"])
    outline = paragraph._element.find(f"{WORD}pPr/{WORD}outlineLvl")
    value = "9" if outline is None else outline.get(f"{WORD}val", "9")
    return int(value) + 1 if value.isdecimal() and int(value) < 9 else 0


def _is_item(paragraph: Any) -> bool:
    style = paragraph.style.name if paragraph.style is not None else ""
    return (style or "").startswith("List") or paragraph._element.find(f"{WORD}pPr/{WORD}numPr") is not None


def _text(element: Any) -> str:
    """The text below an element, white space made single."""
    parts: list[str] = []
    for node in element.iter(
        f"{WORD}t", f"{MATH}t", f"{WORD}tab", f"{WORD}br", f"{WORD}cr", f"{WORD}p", f"{WORD}noBreakHyphen"
    ):
        if any(ancestor.tag in LEFT_OUT for ancestor in node.iterancestors()):
            continue
        if node.tag in (f"{WORD}t", f"{MATH}t"):
            parts.append(node.text or "")
        else:
            parts.append("-" if node.tag == f"{WORD}noBreakHyphen" else " ")
    return " ".join("".join(parts).split())


def _around(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Footnotes, endnotes, comments, headers and footers, each with what it is."""
    for relation in document.part.rels.values():
        kind = next((kind for ending, kind in AROUND.items() if relation.reltype.endswith(ending)), "")
        if relation.is_external or not kind:
            continue
        root = lxml.etree.fromstring(relation.target_part.blob, _parser())
        for number, note in enumerate((each for each in root if not each.get(f"{WORD}type")), start=1):
            text = _text(note)
            author = " ".join(note.get(f"{WORD}author", "").split())
            if kind == "comment" and text:
                text = f"Comment by {author}: {text}" if author else f"Comment: {text}"
            yield text, f"{kind} {number}", note
    for section in document.sections:
        for part, kind in ((section.header, "header"), (section.footer, "footer")):
            if not part.is_linked_to_previous:
                yield _text(part._element), kind, part._element


def _parser() -> Any:
    return lxml.etree.XMLParser(resolve_entities=False, no_network=True)
