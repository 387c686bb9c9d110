"""Sheets to text, for all formats that have cells: regions between empty rows become tables and titles.

Rules: a row is a line of text whose place is its cells ("A5:D5"); a row of one cell above a table is its title; a table's first row is its
header, and rows after an empty one go on under it unless they open with a header row of their own (text in every cell). Cells are bounded, and a
sheet beyond that is refused rather than cut short.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from core.documents.worker.csv import row_text
from core.documents.worker.records import PageWriter
from core.errors import Unsupported

MOST_CELLS: Final = 5_000_000
"""Of a file, empty ones between filled ones included."""
MOST_ROWS: Final = 1_100_000
"""Of a file; a sheet has at most 1,048,576."""

Row = tuple[int, Sequence[object]]
"""Number from 1, values from column A on."""


class Budget:
    """How much of a file is left to read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._cells = self._rows = 0

    def take(self, cells: int) -> None:
        """Raises `Unsupported` when it is too much."""
        self._cells += cells
        self._rows += 1
        if self._cells > MOST_CELLS or self._rows > MOST_ROWS:
            reason = f"over {MOST_CELLS:,} cells or {MOST_ROWS:,} rows, too large for a document. Split it, or save its data as CSV files."
            raise Unsupported(source=self._name, reason=reason)


def write_sheet(writer: PageWriter, rows: Iterable[Row], budget: Budget) -> None:
    """Put a sheet's rows on a page."""
    waiting: list[Row] = []
    for region in _regions(rows, budget):
        titles, table = _parted(region)
        if waiting and (titles or _is_header(table)):
            _write_table(writer, waiting)
            waiting = []
        for number, values in titles:
            title = row_text([text for text in _texts(values) if text])
            writer.add("paragraph", title, places=((0, _cells(number, values)),))
        waiting += table
    if waiting:
        _write_table(writer, waiting)


def _regions(rows: Iterable[Row], budget: Budget) -> Iterator[list[Row]]:
    region: list[Row] = []
    for number, values in rows:
        budget.take(len(values))
        if any(cell_text(value) for value in values):
            region.append((number, values))
        elif region:
            yield region
            region = []
    if region:
        yield region


def _parted(region: list[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of one cell at the top, and what follows them."""
    first = next((at for at, (_, values) in enumerate(region) if _filled(values) > 1), len(region))
    return region[:first], region[first:]


def _is_header(table: list[Row]) -> bool:
    values = [value for value in table[0][1] if cell_text(value)] if table else []
    return (
        len(table) > 1 and len(values) > 1 and all(isinstance(value, str) and not _is_number(value) for value in values)
    )


def _write_table(writer: PageWriter, rows: list[Row]) -> None:
    first = min(next(at for at, value in enumerate(values) if cell_text(value)) for _, values in rows)
    lines: list[str] = []
    places: list[tuple[int, str]] = []
    at = 0
    for number, values in rows:
        places.append((at, _cells(number, values)))
        lines.append(row_text(_texts(values[first:])))
        at += len(lines[-1]) + 1
    writer.add("table", "\n".join(lines), header=len(lines[0]) if len(lines) > 1 else 0, places=places)


def _filled(values: Sequence[object]) -> int:
    return sum(1 for value in values if cell_text(value))


def _texts(values: Sequence[object]) -> list[str]:
    return [cell_text(value) for value in values]


def cell_text(value: object) -> str:
    """A cell's value as a person writes it: 3, not 3.0; a date without a midnight."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value).strip()


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace(",", "").replace("-", "").strip(" %€$£").isdigit()


def _cells(number: int, values: Sequence[object]) -> str:
    """The range of a row's filled cells."""
    filled = [at for at, value in enumerate(values) if cell_text(value)]
    first, last = f"{column(filled[0])}{number}", f"{column(filled[-1])}{number}"
    return first if first == last else f"{first}:{last}"


def column(at: int) -> str:
    """A column's letters, from 0: A, B, … Z, AA."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
