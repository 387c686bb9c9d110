"""Excel workbooks of before 2007 (XLS): a page a sheet, a line a row. Hidden sheets, rows and columns are read and said. Macros are never run."""

import datetime
import io
import struct
from collections.abc import Iterator
from typing import Any, Final

from core.documents import formats
from core.documents.worker import hidden
from core.documents.worker.csv import CELLS
from core.documents.worker.records import Hidden, Page, PageWriter, Parsed
from core.documents.worker.tables import Budget, Row, write_sheet
from core.documents.worker.xlsx import HIDDEN
from core.errors import BadInput, Unsupported

UNCHECKED: Final = (
    *(struct.error, ValueError, TypeError, AttributeError, LookupError),
    *(AssertionError, ArithmeticError, NotImplementedError),
)
"""What the library's reading of formats, which has no checks, raises."""
_ERROR: Final = 5
_BOOLEAN: Final = 4
_DATE: Final = 3


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    import xlrd

    try:
        book = _opened(data)
        budget = Budget(name)
        pages: list[Page] = []
        unseen: list[Hidden] = []
        for number, sheet in enumerate(book.sheets(), start=1):
            writer = PageWriter(number, sheet.name + (HIDDEN if sheet.visibility else ""))
            write_sheet(writer, _rows(sheet, book.datemode), budget)
            pages.append(writer.page())
            rows = frozenset(at + 1 for at, row in sheet.rowinfo_map.items() if row.hidden)
            columns = frozenset(at for at, column in sheet.colinfo_map.items() if column.hidden or column.width == 0)
            found = [*hidden.in_rows(pages[-1], rows), *hidden.in_columns(pages[-1], columns, CELLS)]
            unseen += hidden.joined(found, pages[-1].text)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise Unsupported(source=name, reason="encrypted; save a copy without a password and add that.") from error
        raise _damaged(name) from error
    except Unsupported:
        raise
    except Exception as error:  # the library reads records without checks
        raise _damaged(name) from error
    return Parsed(media=formats.XLS, title="", pages=tuple(pages), hidden=tuple(unseen))


def _opened(data: bytes) -> Any:
    """The workbook, with what its rows and columns look like where that can be read."""
    import xlrd

    try:
        return xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=False, formatting_info=True)
    except UNCHECKED:
        return xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=False)


def _rows(sheet: Any, datemode: int) -> Iterator[Row]:
    for at in range(sheet.nrows):
        yield at + 1, [_value(cell, datemode) for cell in sheet.row(at)]


def _value(cell: Any, datemode: int) -> object:
    import xlrd

    if cell.ctype == _DATE:
        try:
            moment = xlrd.xldate.xldate_as_datetime(cell.value, datemode)
        except (xlrd.xldate.XLDateError, ValueError, OverflowError):
            return cell.value
        return moment.time() if cell.value < 1 and isinstance(moment, datetime.datetime) else moment
    if cell.ctype == _BOOLEAN:
        return bool(cell.value)
    if cell.ctype == _ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#ERROR")
    return cell.value


def _damaged(name: str) -> BadInput:
    return BadInput(source=name, problem="damaged, or no Excel workbook. Save it as an XLSX in Excel.")
