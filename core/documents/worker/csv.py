"""CSV: one table, a row a line of text, cells parted by " | ". The first row is its header."""

import csv
import io
import itertools
from typing import Final

from core.documents import formats
from core.documents.worker import text
from core.documents.worker.records import PageWriter, Parsed
from core.errors import BadInput

DELIMITERS: Final = ",;\t|"
CELLS: Final = " | "
SAMPLE: Final = 64 * 1024


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput` for bytes that are no table."""
    content = text.decode(name, data)
    before = csv.field_size_limit(len(content) + 1)
    try:
        reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter(content))
        rows = [(number, row_text(row)) for number, row in enumerate(reader, start=1)]
    except csv.Error as error:
        raise BadInput(source=name, problem="not readable as CSV. Save it again with quoted cells.") from error
    finally:
        csv.field_size_limit(before)
    rows = [(number, row) for number, row in rows if row.strip(" |")]
    if not rows:
        raise BadInput(source=name, problem="a table without content.")
    writer = PageWriter(1)
    at = itertools.accumulate((len(row) + 1 for _, row in rows), initial=0)
    places = [(start, f"row {number}") for start, (number, _) in zip(at, rows, strict=False)]
    table = "\n".join(row for _, row in rows)
    writer.add("table", table, header=len(rows[0][1]) if len(rows) > 1 else 0, places=places)
    return Parsed(media=formats.CSV, title="", pages=(writer.page(),))


def row_text(cells: list[str]) -> str:
    """One row as a line of text: white space within a cell is one space."""
    return CELLS.join(" ".join(cell.split()) for cell in cells).rstrip()


def delimiter(content: str) -> str:
    """The one that parts the first line into the most cells, outside of quotes; a comma where there is none."""
    outside = "".join(content[:SAMPLE].split('"')[::2])
    first = next((line for line in outside.split("\n") if line.strip()), "")
    return max(DELIMITERS, key=lambda mark: (first.count(mark), -DELIMITERS.index(mark)))
