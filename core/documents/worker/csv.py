"""CSV and TSV: one table, a row a line of text, cells parted by " | ".

Rules: cells are parted by the mark that parts every line into as many, so that a comma within numbers parts none; a first line "sep=;" says which, as
Excel writes it. Lines of one cell above the table are its titles. The first row of the table is its header where none of its cells is a number or a
date; else the table has none. A row's place is its number among the records of the file.
"""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from core.documents import formats
from core.documents.worker import text
from core.documents.worker.records import PageWriter, Parsed
from core.errors import BadInput

DELIMITERS: Final = "\t;|,"
"""The comma last: it stands in numbers too."""
CELLS: Final = " | "
SAMPLE: Final = 64 * 1024
ALIKE: Final = 0.9
"""Share of the lines that a mark parts into as many cells, from which it is the one."""
LINES: Final = 200

_DECLARED = re.compile(r"\A\s*\"?sep=(?P<mark>.)\"?[ \t]*(?:\n|\Z)", re.IGNORECASE)
_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*\d[\d.,:/'’ TZ+-]*\s*[%$€£¥)]*")
Record = tuple[int, Sequence[str]]
"""Number from 1, and cells."""


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput` for bytes that are no table."""
    content = text.decode(name, data)
    declared = _DECLARED.match(content)
    skipped = 1 if declared else 0
    content = content[declared.end() :] if declared else content
    before = csv.field_size_limit(len(content) + 1)
    try:
        mark = declared["mark"] if declared else delimiter(content)
        rows = list(enumerate(csv.reader(io.StringIO(content, newline=""), delimiter=mark), start=1 + skipped))
    except csv.Error as error:
        raise BadInput(source=name, problem="not readable as CSV. Save it again with quoted cells.") from error
    finally:
        csv.field_size_limit(before)
    rows = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise BadInput(source=name, problem="a table without content.")
    writer = PageWriter(1)
    titles, table = _parted(rows)
    for number, row in titles:
        writer.add("paragraph", row_text([cell for cell in row if cell.strip()]), places=((0, f"row {number}"),))
    _write(writer, table)
    return Parsed(media=formats.CSV, title="", pages=(writer.page(),))


def _parted(rows: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Record]]:
    """The rows of one cell above a table of several columns, and the table."""
    first = next((at for at, (_, row) in enumerate(rows) if sum(bool(cell.strip()) for cell in row) > 1), 0)
    return rows[:first], rows[first:]


def _write(writer: PageWriter, rows: Sequence[Record]) -> None:
    lines = [row_text(row) for _, row in rows]
    at = itertools.accumulate((len(line) + 1 for line in lines), initial=0)
    places = [(start, f"row {number}") for start, (number, _) in zip(at, rows, strict=False)]
    header = len(lines[0]) if len(rows) > 1 and is_header(rows[0][1]) else 0
    writer.add("table", "\n".join(lines), header=header, places=places)


def is_header(row: Sequence[str]) -> bool:
    """Whether a table's first row names its columns: none of its cells is a number or a date."""
    return not any(_NUMBER.fullmatch(" ".join(cell.split())) for cell in row)


def row_text(cells: Sequence[str]) -> str:
    """One row as a line of text: white space within a cell is one space."""
    return CELLS.join(" ".join(cell.split()) for cell in cells).rstrip()


def delimiter(content: str) -> str:
    """What parts the lines into as many cells each, outside of quotes; else what parts the first line into the most; a comma where nothing does."""
    outside = "".join(content[:SAMPLE].split('"')[::2])
    lines = [line for line in outside.split("\n") if line.strip()][:LINES]
    lines = lines[:-1] if len(content) > SAMPLE and len(lines) > 1 else lines
    for mark in DELIMITERS:
        usual, times = Counter(line.count(mark) for line in lines).most_common(1)[0] if lines else (0, 0)
        if usual and len(lines) > 1 and times >= ALIKE * len(lines):
            return mark
    first = lines[0] if lines else ""
    return max(",;\t|", key=lambda mark: (first.count(mark), -",;\t|".index(mark)))
