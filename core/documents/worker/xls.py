"""Excel workbooks of before 2007 (XLS): a page a sheet, a line a row. Macros are never run."""

import datetime
import io
from collections.abc import Iterator
from typing import Any, Final

from core.documents import formats
from core.documents.worker.records import PageWriter, Parsed
from core.documents.worker.tables import Budget, Row, write_sheet
from core.documents.worker.xlsx import HIDDEN
from core.errors import BadInput, Unsupported

_ERROR: Final = 5
_BOOLEAN: Final = 4
_DATE: Final = 3


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=False)
        budget = Budget(name)
        pages = []
        for number, sheet in enumerate(book.sheets(), start=1):
            writer = PageWriter(number, sheet.name + (HIDDEN if sheet.visibility else ""))
            write_sheet(writer, _rows(sheet, book.datemode), budget)
            pages.append(writer.page())
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise Unsupported(source=name, reason="encrypted; save a copy without a password and add that.") from error
        raise _damaged(name) from error
    except Unsupported:
        raise
    except Exception as error:  # the library reads records without checks
        raise _damaged(name) from error
    return Parsed(media=formats.XLS, title="", pages=tuple(pages))


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
