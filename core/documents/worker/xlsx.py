"""Excel workbooks (XLSX, XLSM): a page a sheet, a line a row, with the values that formulas had when the file was saved; then its cells' comments.

Percentages are written as they are shown. A formula that was never computed shows itself ("=SUM(A1:A3)"). Hidden sheets are read and say so.
Macros are never run, links never followed.
"""

import io
import posixpath
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import lxml.etree

from core.documents import formats
from core.documents.worker import hidden, hidden_cells, packing
from core.documents.worker.csv import CELLS
from core.documents.worker.records import Hidden, Page, PageWriter, Parsed
from core.documents.worker.tables import Budget, Row, write_sheet
from core.errors import BadInput

_FORMULA = re.compile(rb"<(?:\w+:)?f[ >]")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
HIDDEN: Final = " (hidden)"
_PERCENT = re.compile(r"0(\.0+)?\s*%")
LONGEST_FRACTION: Final = 7


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    names = packing.check_parts(name, data, "xl/", "an Excel workbook")
    archive = packing.opened(name, data)
    formulas = any(_FORMULA.search(packing.part(name, archive, part)) for part in names if _SHEET.fullmatch(part))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pages, title, unseen = _pages(name, data, formulas, archive)
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        zipfile.BadZipFile,
        lxml.etree.LxmlError,
        OverflowError,
    ) as error:
        raise BadInput(source=name, problem="damaged; Excel may be able to repair it. Nothing was read.") from error
    return Parsed(media=formats.XLSX, title=title, pages=pages, hidden=unseen)


def _pages(
    name: str, data: bytes, formulas: bool, archive: zipfile.ZipFile
) -> tuple[tuple[Page, ...], str, tuple[Hidden, ...]]:
    import openpyxl

    budget = Budget(name)
    pages: list[Page] = []
    unseen: list[Hidden] = []
    with closing(openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)) as book:
        written = (
            openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            if formulas
            else None
        )
        percent = _percent(book)
        unseen_styles = hidden_cells.unseen_styles(lambda member: _part(archive, member))
        for sheet in book.worksheets:
            label = sheet.title + (HIDDEN if sheet.sheet_state != "visible" else "")
            writer = PageWriter(len(pages) + 1, label)
            write_sheet(writer, _rows(sheet, written[sheet.title] if written else None, percent), budget)
            for text, where in _comments(name, archive, getattr(sheet, "_worksheet_path", "")):
                writer.add("paragraph", text, places=((0, where),))
            pages.append(writer.page())
            path = getattr(sheet, "_worksheet_path", "")
            source = _part(archive, path)
            rows, columns = hidden.hidden_rows(source), hidden.hidden_columns(source)
            cells = hidden_cells.unseen_cells(
                source, unseen_styles, _tables(name, archive, path) if unseen_styles else []
            )
            found = [
                *hidden.in_rows(pages[-1], rows),
                *hidden.in_columns(pages[-1], columns, CELLS),
                *hidden_cells.in_cells(pages[-1], cells, CELLS),
            ]
            unseen += hidden.joined(found, pages[-1].text)
        title = str(book.properties.title or "").strip()
        if written is not None:
            written.close()
    return tuple(pages), title, tuple(unseen)


def _part(archive: zipfile.ZipFile, member: str) -> bytes:
    return archive.read(member) if member in archive.namelist() else b""


def _rows(sheet: Any, written: Any, percent: dict[int, int]) -> Iterator[Row]:
    sheet.reset_dimensions()  # what the file says of its size may be anything
    rows = sheet.iter_rows(values_only=True) if not percent else _shown(sheet, percent)
    if written is None:
        yield from enumerate(rows, start=1)
        return
    written.reset_dimensions()
    pairs = zip(rows, written.iter_rows(values_only=True), strict=True)
    for number, (values, formulas) in enumerate(pairs, start=1):
        yield number, [_value(value, formula) for value, formula in zip(values, formulas, strict=True)]


def _shown(sheet: Any, percent: dict[int, int]) -> Iterator[list[object]]:
    """The values, with percentages as a reader sees them."""
    for row in sheet.iter_rows():
        yield [
            f"{cell.value:.{percent[style]}%}"
            if isinstance(cell.value, int | float)
            and not isinstance(cell.value, bool)
            and (style := getattr(cell, "_style_id", -1)) in percent
            else cell.value
            for cell in row
        ]


def _percent(book: Any) -> dict[int, int]:
    """The styles that show percentages, with their decimals."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    found = {}
    for at, style in enumerate(book._cell_styles):
        number = style.numFmtId
        own = number - BUILTIN_FORMATS_MAX_SIZE
        form = book._number_formats[own] if 0 <= own < len(book._number_formats) else BUILTIN_FORMATS.get(number, "")
        if match := _PERCENT.search(form.split(";")[0]):
            found[at] = min(len(match[1] or "."), LONGEST_FRACTION) - 1
    return found


def _related(name: str, archive: zipfile.ZipFile, sheet: str, kind: str) -> Iterator[str]:
    """The parts of a kind that belong to a sheet."""
    folder, _, file = sheet.rpartition("/")
    relations = _part(archive, f"{folder}/_rels/{file}.rels")
    for relation in packing.tree(name, relations).iter("{*}Relationship") if relations else ():
        if relation.get("Type", "").endswith(kind):
            target = relation.get("Target", "")
            yield target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _tables(name: str, archive: zipfile.ZipFile, sheet: str) -> list[str]:
    """The ranges of a sheet's tables."""
    return [
        packing.tree(name, source).get("ref", "")
        for path in _related(name, archive, sheet, "/table")
        if (source := _part(archive, path))
    ]


def _comments(name: str, archive: zipfile.ZipFile, sheet: str) -> Iterator[tuple[str, str]]:
    """The comments on cells, each with its place."""
    for path in _related(name, archive, sheet, "/comments"):
        if not (source := _part(archive, path)):
            continue
        root = packing.tree(name, source)
        authors = [" ".join((each.text or "").split()) for each in root.iter("{*}author")]
        for comment in root.iter("{*}comment"):
            said = " ".join("".join(each.text or "" for each in comment.iter("{*}t")).split())
            number, cell = comment.get("authorId", ""), comment.get("ref", "")
            author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
            said = said.removeprefix(f"{author}:").strip() if author else said
            if said:
                yield (
                    f"Comment on {cell} by {author}: {said}" if author else f"Comment on {cell}: {said}",
                    f"{cell}, comment",
                )


def _value(value: object, formula: object) -> object:
    if value is not None or formula is None:
        return value
    return getattr(formula, "text", None) or str(formula)
