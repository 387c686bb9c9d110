"""Word documents (DOCX): paragraphs, lists and tables in order; then notes, headers and footers, each once.

Deleted text of tracked changes is left out; inserted text, hyperlinks, text boxes and the letters of equations are kept.
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
from core.documents.worker.records import PageWriter, Parsed
from core.errors import BadInput

WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MATH: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
NOTES: Final = ("/footnotes", "/endnotes")
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo)\s*(?P<level>[1-9])", re.IGNORECASE)


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    packing.check_parts(name, data, "word/", "a Word document")
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        writer = PageWriter(1)
        heading = _body(document, writer)
        for text in dict.fromkeys(_around(document)):
            writer.add("paragraph", text)
        page = writer.page()
        unseen = hidden.joined(hidden.found_in_order(page, hidden.in_word(document.element.body)), page.text)
    except (KeyError, ValueError, AttributeError, zipfile.BadZipFile, lxml.etree.LxmlError) as error:
        raise BadInput(source=name, problem="damaged; Word may be able to repair it. Nothing was read.") from error
    title = str(document.core_properties.title or "").strip()
    return Parsed(media=formats.DOCX, title=title or heading, pages=(page,), hidden=unseen)


def _body(document: Any, writer: PageWriter) -> str:
    """Fill the page; the first heading."""
    first_heading = ""
    items: list[str] = []

    def flush() -> None:
        writer.add("list", "\n".join(items))
        items.clear()

    for part in document.iter_inner_content():
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
        if level:
            flush()
            writer.add("heading", text, level=level)
            first_heading = first_heading or text
        elif _is_item(part):
            items.append(f"• {text}")
        else:
            flush()
            writer.add("paragraph", text)
    flush()
    return first_heading


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
        if any(ancestor.tag == FALLBACK for ancestor in node.iterancestors()):
            continue
        if node.tag in (f"{WORD}t", f"{MATH}t"):
            parts.append(node.text or "")
        else:
            parts.append("-" if node.tag == f"{WORD}noBreakHyphen" else " ")
    return " ".join("".join(parts).split())


def _around(document: Any) -> Iterator[str]:
    """Footnotes, endnotes, headers and footers."""
    for relation in document.part.rels.values():
        if relation.is_external or not relation.reltype.endswith(NOTES):
            continue
        root = lxml.etree.fromstring(relation.target_part.blob, _parser())
        for note in root:
            yield _text(note)
    for section in document.sections:
        for part in (section.header, section.footer):
            if not part.is_linked_to_previous:
                yield _text(part._element)


def _parser() -> Any:
    return lxml.etree.XMLParser(resolve_entities=False, no_network=True)
