"""Files to rows: CSV, JSON Lines, JSON and XLSX, told apart by their content, each row with its place.

Rules: a row that can't be read is a `RowProblem` and the others are read; what can't be read as a whole raises. Text that a spreadsheet would
take for a formula was written with an apostrophe before it (`core.datasets.writing`), which is taken away again. No formula is computed: a
cell holds what its program saved.
"""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final, NamedTuple

import msgspec

from core.datasets.worker.records import RowProblem
from core.documents.worker.csv import delimiter
from core.errors import BadInput

CSV, JSON_LINES, JSON, XLSX = "CSV", "JSON Lines", "JSON", "Excel"
GUARDED: Final = re.compile("'+[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""A cell's beginning that was guarded: an apostrophe, and what would begin a formula."""
MOST_COLUMNS: Final = 200
_TABLES: Final = (".csv", ".tsv", ".txt")


class Row(NamedTuple):
    """A row by its columns, and where it stands. Cells of CSV and XLSX are texts, values of JSON are JSON."""

    place: str
    values: dict[str, Any]


class Rows(NamedTuple):
    """A file's kind, and its rows and problems in order."""

    kind: str
    rows: Iterator[Row | RowProblem]


def rows(name: str, data: bytes) -> Rows:
    """The rows of a file. Raises `BadInput`, `Unsupported` at once or while they are read."""
    if data[:4] == b"PK\x03\x04":
        return Rows(XLSX, _xlsx(name, data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(source=name, problem=f"not UTF-8 at byte {error.start}. Save it as UTF-8.") from error
    start = text.lstrip()[:1]
    if start in ("[", "{") and not _is_table(name, text):
        if start == "[" and not _several(text):
            return Rows(JSON, _json(name, text))
        held = _list_inside(text) if start == "{" else None
        return Rows(JSON, _items(held)) if held is not None else Rows(JSON_LINES, _json_lines(text))
    return Rows(CSV, _csv(name, text))


def _is_table(name: str, text: str) -> bool:
    """Whether a file that begins with a bracket is a table after all: it is called one, and its first line is no JSON."""
    return name.lower().endswith(_TABLES) and not _is_json(text.lstrip().split("\n", 1)[0])


def _is_json(line: str) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True


def _several(text: str) -> bool:
    """Whether there is more than one value, a line each."""
    first, _, rest = text.strip().partition("\n")
    return bool(rest.strip()) and _is_json(first)


def _list_inside(text: str) -> list[Any] | None:
    """The one list of objects in a JSON object that is the whole file: `{"data": […]}`."""
    if _is_json(text.lstrip().split("\n", 1)[0]):
        first = msgspec.json.decode(text.lstrip().split("\n", 1)[0])
        if text.strip().count("\n") or not isinstance(first, dict):
            return None
    try:
        whole = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    lists = [value for value in whole.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    known = {"messages", "conversations", "turns", "input", "question", "instruction", "prompt"}
    return lists[0] if len(lists) == 1 and known.isdisjoint(whole) else None


def _json_lines(text: str) -> Iterator[Row | RowProblem]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            yield RowProblem(place=place, problem="not readable as JSON.")
            continue
        yield _object(place, value)


def _json(name: str, text: str) -> Iterator[Row | RowProblem]:
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        at = re.search(r"byte (\d+)", str(error))
        line = text.encode()[: int(at[1]) if at else None].count(b"\n") + 1
        raise BadInput(source=f"{name}, line {line}", problem=f"not readable as JSON ({error}).") from error
    yield from _items(content)


def _items(content: list[Any]) -> Iterator[Row | RowProblem]:
    for number, value in enumerate(content, start=1):
        yield _object(f"item {number}", value)


def _object(place: str, value: object) -> Row | RowProblem:
    if not isinstance(value, dict):
        return RowProblem(place=place, problem="a sample is an object with the key `input`.")
    return Row(place, value)


def _csv(name: str, text: str) -> Iterator[Row | RowProblem]:
    before = csv.field_size_limit(len(text) + 1)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
        header: list[str] = []
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield RowProblem(place=f"line {line}", problem=f"not readable as CSV ({error}).")
                if not header:
                    return
                continue
            if not header:
                if any(cell.strip() for cell in cells):
                    header = _header(name, cells, f"line {line}")
            elif any(cells):
                yield _row(f"line {line}", header, cells)
    finally:
        csv.field_size_limit(before)


def _xlsx(name: str, data: bytes) -> Iterator[Row | RowProblem]:
    import openpyxl

    from core.documents.worker import packing

    packing.check_parts(name, data, "xl/", "an Excel workbook")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with closing(
                openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            ) as book:
                sheet = next((one for one in book.worksheets if one.sheet_state == "visible"), None)
                if sheet is None:
                    raise BadInput(source=name, problem="it has no visible sheet.")
                sheet.reset_dimensions()  # what the file says of its size may be anything
                header: list[str] = []
                for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                    cells = [_cell(value) for value in values]
                    if not any(cells):
                        continue
                    if not header:
                        header = _header(name, cells, f"row {number}")
                    else:
                        yield _row(f"row {number}", header, cells)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, zipfile.BadZipFile, SyntaxError) as error:
        raise BadInput(source=name, problem="damaged; Excel may be able to repair it. Nothing was read.") from error


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _header(name: str, cells: list[str], place: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MOST_COLUMNS:
        raise BadInput(source=f"{name}, {place}", problem=f"over {MOST_COLUMNS} columns. Take out what isn't needed.")
    twice = next((one for at, one in enumerate(names) if one and one in names[:at]), "")
    if twice:
        raise BadInput(source=f"{name}, {place}", problem=f"two columns are called {twice}. Rename one.")
    return [one or f"column {at}" for at, one in enumerate(names, 1)]


def _row(place: str, header: list[str], cells: list[str]) -> Row | RowProblem:
    if any(cells[len(header) :]):
        return RowProblem(place=place, problem=f"more cells than the {len(header)} columns of the first line.")
    return Row(place, {key: _bare(cell) for key, cell in zip(header, cells, strict=False) if cell})


def _bare(cell: str) -> str:
    """The cell without the apostrophe that kept it from being a formula."""
    return cell[1:] if GUARDED.match(cell) else cell
