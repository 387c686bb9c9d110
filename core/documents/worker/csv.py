"""CSV: one table, a row a line of text, cells parted by " | ". The first row is its header."""

import csv
import io
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
        rows = [row_text(row) for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter(content))]
    except csv.Error as error:
        raise BadInput(source=name, problem="not readable as CSV. Save it again with quoted cells.") from error
    finally:
        csv.field_size_limit(before)
    rows = [row for row in rows if row.strip(" |")]
    if not rows:
        raise BadInput(source=name, problem="a table without content.")
    writer = PageWriter(1)
    writer.add("table", "\n".join(rows), header=len(rows[0]) if len(rows) > 1 else 0)
    return Parsed(media=formats.CSV, title="", pages=(writer.page(),))


def row_text(cells: list[str]) -> str:
    """One row as a line of text: white space within a cell is one space."""
    return CELLS.join(" ".join(cell.split()) for cell in cells).rstrip()


def delimiter(content: str) -> str:
    """The one that parts the first line into the most cells, outside of quotes; a comma where there is none."""
    outside = "".join(content[:SAMPLE].split('"')[::2])
    first = next((line for line in outside.split("\n") if line.strip()), "")
    return max(DELIMITERS, key=lambda mark: (first.count(mark), -DELIMITERS.index(mark)))
