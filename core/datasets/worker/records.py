"""What crosses between the program and the child that reads dataset files.

A worker is not trusted: `checked_batch` refuses samples that break the rules that the program relies on.
"""

from collections.abc import Sequence
from typing import Final

from core.datasets.records import Sample
from core.errors import Damaged
from core.records import Record

FORMS: Final = ("samples", "chat", "sharegpt", "alpaca", "preference")
"""How rows are written: fields of a sample, conversations in three ways, or prompt with a better and a worse answer."""
LEAVE_OUT: Final = "-"
"""Stands for a field where a column is left out."""
BATCH: Final = 2_000
MOST_SAMPLES: Final = 500_000
MOST_PROBLEMS: Final = 200
"""Rows that can't be read are told one by one up to here, and counted beyond."""
LONGEST_EXAMPLE: Final = 120


class RowProblem(Record, frozen=True, kw_only=True):
    """Why a row can't be used: the place in its file, and a sentence without its content."""

    place: str
    problem: str


class ReadRows(Record, frozen=True, kw_only=True, tag="read-rows"):
    """Read a file's bytes; its name tells nothing but what errors call it, and CSV from JSON where both could be meant."""

    name: str
    data: bytes
    form: str = ""
    columns: dict[str, str] = {}  # noqa: RUF012 (msgspec copies it)
    most: int = 0
    """So many samples are enough; 0 for all."""


class ColumnUse(Record, frozen=True, kw_only=True):
    """A column or key of the file, the sample's field that it becomes ("" where it is left out), and its first value, cut short."""

    name: str
    field: str
    example: str = ""


class Batch(Record, frozen=True, kw_only=True, tag="batch"):
    """Some samples; the first batch tells the file's kind and columns, and each its problems. `wrong` counts problems that aren't told too."""

    samples: tuple[Sample, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    wrong: int = 0
    kind: str = ""
    form: str = ""
    columns: tuple[ColumnUse, ...] = ()


def checked_batch(name: str, samples: Sequence[Sample], seen: set[str]) -> None:
    """Raise `Damaged` where an id is empty or was there before, or a sample asks nothing."""
    for sample in samples:
        if not sample.id or sample.id in seen or not sample.input.strip():
            raise Damaged(source=name, problem="its reader returned samples that can't be. Nothing was kept.")
        seen.add(sample.id)
