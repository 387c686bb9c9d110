"""Excel workbooks (XLSX, XLSM): a page a sheet, a line a row, with the values that formulas had when the file was saved.

A formula that was never computed shows itself ("=SUM(A1:A3)"). Hidden sheets are read and say so. Macros are never run, links never followed.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import lxml.etree

from core.documents import formats
from core.documents.worker import hidden, packing
from core.documents.worker.records import Hidden, Page, PageWriter, Parsed
from core.documents.worker.tables import Budget, Row, write_sheet
from core.errors import BadInput

_FORMULA = re.compile(rb"<(?:\w+:)?f[ >]")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
HIDDEN: Final = " (hidden)"


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
        for sheet in book.worksheets:
            label = sheet.title + (HIDDEN if sheet.sheet_state != "visible" else "")
            writer = PageWriter(len(pages) + 1, label)
            write_sheet(writer, _rows(sheet, written[sheet.title] if written else None), budget)
            pages.append(writer.page())
            rows = hidden.hidden_rows(_part(archive, getattr(sheet, "_worksheet_path", "")))
            unseen += hidden.joined(hidden.in_rows(pages[-1], rows), pages[-1].text) if rows else ()
        title = str(book.properties.title or "").strip()
        if written is not None:
            written.close()
    return tuple(pages), title, tuple(unseen)


def _part(archive: zipfile.ZipFile, member: str) -> bytes:
    return archive.read(member) if member in archive.namelist() else b""


def _rows(sheet: Any, written: Any) -> Iterator[Row]:
    sheet.reset_dimensions()  # what the file says of its size may be anything
    if written is None:
        yield from enumerate(sheet.iter_rows(values_only=True), start=1)
        return
    written.reset_dimensions()
    pairs = zip(sheet.iter_rows(values_only=True), written.iter_rows(values_only=True), strict=True)
    for number, (values, formulas) in enumerate(pairs, start=1):
        yield number, [_value(value, formula) for value, formula in zip(values, formulas, strict=True)]


def _value(value: object, formula: object) -> object:
    if value is not None or formula is None:
        return value
    return getattr(formula, "text", None) or str(formula)
