"""OpenDocument: texts (ODT), spreadsheets (ODS) and presentations (ODP).

A sheet and a slide are pages. Formulas show the values that they had when the file was saved. Deleted text of tracked changes is left out.
Hidden sheets, rows and slides are read and said.
"""

from collections.abc import Iterator
from typing import Any, Final

import lxml.etree

from core.documents import formats
from core.documents.worker import hidden, packing
from core.documents.worker.csv import row_text
from core.documents.worker.records import Hidden, Page, PageWriter, Parsed
from core.documents.worker.tables import MOST_CELLS, Budget, Row, write_sheet
from core.errors import BadInput, Unsupported

OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
DRAW: Final = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
STYLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
PRESENTATION: Final = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
NOTES: Final = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}notes"
DC: Final = "{http://purl.org/dc/elements/1.1/}"
SPACED: Final = (f"{TEXT}s", f"{TEXT}tab", f"{TEXT}line-break", f"{TEXT}p", f"{TEXT}h")
LEFT_OUT: Final = (f"{TEXT}tracked-changes", f"{OFFICE}annotation", f"{TEXT}sequence-decls")
WIDEST: Final = 16_384
"""Columns; empty cells are repeated up to the sheet's edge, and only those before a filled one count."""


def read(name: str, data: bytes, media: str) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    archive = packing.opened(name, data)
    if "content.xml" not in archive.namelist():
        raise BadInput(source=name, problem="a ZIP archive, not an OpenDocument file. Give it its right name.")
    manifest = "META-INF/manifest.xml"
    if manifest in archive.namelist() and b"encryption-data" in packing.part(name, archive, manifest):
        raise Unsupported(source=name, reason="encrypted; save a copy without a password and add that.")
    root = packing.tree(name, packing.part(name, archive, "content.xml"))
    body = root.find(f".//{OFFICE}body")
    content = None if body is None else next(iter(body), None)
    if content is None:
        raise BadInput(source=name, problem="damaged; it has no content. Get another copy.")
    unseen: tuple[Hidden, ...] = ()
    if media == formats.ODS:
        pages, unseen = _sheets(name, content, _unseen(root))
    elif media == formats.ODP:
        pages = tuple(_slides(content, _unseen(root)))
    else:
        writer = PageWriter(1)
        _write(writer, content)
        pages = (writer.page(),)
    return Parsed(media=media, title=_title(name, archive), pages=pages, hidden=unseen)


def _unseen(root: Any) -> frozenset[str]:
    """The names of the styles whose sheets or slides aren't shown."""
    return frozenset(
        style.get(f"{STYLE}name", "")
        for style in root.iter(f"{STYLE}style")
        for look in style
        if look.get(f"{TABLE}display") == "false" or look.get(f"{PRESENTATION}visibility") == "hidden"
    )


def _title(name: str, archive: Any) -> str:
    if "meta.xml" not in archive.namelist():
        return ""
    found = packing.tree(name, packing.part(name, archive, "meta.xml")).find(f".//{DC}title")
    return "" if found is None else " ".join("".join(found.itertext()).split())


def _write(writer: PageWriter, root: Any) -> None:
    """The blocks below an element in order, without recursion."""
    items: list[str] = []

    def flush() -> None:
        writer.add("list", "\n".join(items))
        items.clear()

    waiting = list(reversed(root))
    while waiting:
        element = waiting.pop()
        if element.tag in LEFT_OUT or not isinstance(element.tag, str):
            continue
        if element.tag == f"{TEXT}list-item":
            if text := _text(element):
                items.append(f"• {text}")
            continue
        if element.tag == f"{TEXT}list":
            waiting += reversed(element)
            continue
        if element.tag == f"{TEXT}h":
            flush()
            level = element.get(f"{TEXT}outline-level", "1")
            writer.add("heading", _text(element), level=int(level) if level.isdecimal() else 1)
        elif element.tag == f"{TEXT}p":
            flush()
            writer.add("paragraph", _text(element))
        elif element.tag == f"{TABLE}table":
            flush()
            rows = [
                row_text([_text(cell) for cell in row.iterchildren(f"{TABLE}table-cell")])
                for row in element.iter(f"{TABLE}table-row")
            ]
            rows = [row for row in rows if row.strip(" |")]
            writer.add("table", "\n".join(rows), header=len(rows[0]) if len(rows) > 1 else 0)
        else:
            waiting += reversed(element)
    flush()


def _slides(content: Any, unseen: frozenset[str]) -> Iterator[Page]:
    for number, slide in enumerate(content.iterchildren(f"{DRAW}page"), start=1):
        notes = slide.find(NOTES)
        if notes is not None:
            slide.remove(notes)
        shown = slide.get(f"{DRAW}style-name", "") not in unseen
        writer = PageWriter(number, slide.get(f"{DRAW}name", "") if shown else "hidden slide")
        _write(writer, slide)
        if notes is not None and (said := _text(notes)):
            writer.add("paragraph", said, places=((0, "notes"),))
        yield writer.page()


def _sheets(name: str, content: Any, unseen: frozenset[str]) -> tuple[tuple[Page, ...], tuple[Hidden, ...]]:
    budget = Budget(name)
    pages: list[Page] = []
    found: list[Hidden] = []
    for number, sheet in enumerate(content.iterchildren(f"{TABLE}table"), start=1):
        shown = sheet.get(f"{TABLE}style-name", "") not in unseen
        writer = PageWriter(number, sheet.get(f"{TABLE}name", "") + ("" if shown else hidden.SHEET))
        rows: set[int] = set()
        write_sheet(writer, _rows(sheet, rows), budget)
        pages.append(writer.page())
        found += hidden.joined(hidden.in_rows(pages[-1], frozenset(rows)), pages[-1].text)
    return tuple(pages), tuple(found)


def _rows(sheet: Any, unseen: set[int]) -> Iterator[Row]:
    """The rows with their numbers; those that aren't shown are added to `unseen`."""
    number = 1
    for row in sheet.iter(f"{TABLE}table-row"):
        repeated = _count(row, f"{TABLE}number-rows-repeated")
        values: list[object] = []
        empty = 0
        for cell in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            times = _count(cell, f"{TABLE}number-columns-repeated")
            value = _value(cell)
            if value == "":
                empty += times
                continue
            values += [""] * min(empty, WIDEST) + [value] * min(times, WIDEST)
            empty = 0
        concealed = row.get(f"{TABLE}visibility", "visible") != "visible"
        for _ in range(min(repeated, MOST_CELLS) if values else 1):
            if concealed and values:
                unseen.add(number)
            yield number, values
            number += 1
        number += 0 if values else repeated - 1


def _value(cell: Any) -> object:
    kind = cell.get(f"{OFFICE}value-type", "")
    if kind in ("float", "currency", "percentage"):
        try:
            return float(cell.get(f"{OFFICE}value", ""))
        except ValueError:
            return _text(cell)
    if kind == "date":
        return str(cell.get(f"{OFFICE}date-value", "") or _text(cell))
    return _text(cell)


def _count(element: Any, name: str) -> int:
    said = element.get(name, "1")
    return int(said) if said.isdecimal() and len(said) < 10 else 1


def _text(element: Any) -> str:
    """The text below an element, white space made single; notes stay in their place."""
    parts: list[str] = []
    skipping: Any = None
    for event, node in lxml.etree.iterwalk(element, events=("start", "end")):
        if skipping is None and event == "start":
            if node.tag in LEFT_OUT or not isinstance(node.tag, str):
                skipping = node
                continue
            parts.append(f" {node.text or ''}" if node.tag in SPACED else node.text or "")
        elif event == "end" and (skipping is None or node is skipping):
            skipping = None
            parts.append(node.tail or "" if node is not element else "")
    return " ".join("".join(parts).split())
