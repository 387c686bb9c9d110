"""The child that reads dataset files: bytes in, samples and problems out, in batches. It opens no file."""

import mimetypes
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from core.datasets.conversations import Wrong
from core.datasets.records import Sample
from core.datasets.worker import forms, tables
from core.datasets.worker.records import BATCH, FORMS, MOST_PROBLEMS, MOST_SAMPLES, Batch, ReadRows, RowProblem
from core.errors import BadInput
from core.records import Record
from core.workers.serving import Call, Handler

AHEAD = 50
"""Rows by which the form and the columns are told."""
KEPT = 10_000_000
"""Characters of a batch, about, so that no frame is too large."""


def read(request: ReadRows, check: Any = None) -> Iterator[Batch]:
    """The file's samples in batches, the first of which tells kind, form and columns. Raises `BadInput`, `Unsupported`."""
    if request.form not in ("", *FORMS):
        raise BadInput(source=request.form, problem=f"no known form. Use {', '.join(FORMS)}.")
    for field in request.columns.values():
        if field not in (*forms.FIELDS, "-"):
            raise BadInput(
                source=field,
                problem=f"no field of a sample. Use {', '.join(forms.FIELDS)}, or - to leave a column out.",
            )
    kind, rows = tables.rows(request.name, request.data)
    first = list(islice(rows, AHEAD))
    known = [row.values for row in first if isinstance(row, tables.Row)]
    form = request.form or forms.recognised(known)
    columns = forms.uses(known, form, request.columns)
    names = {column.name for column in columns}
    missing = next((name for name in request.columns if name not in names), "")
    if known and missing:
        raise BadInput(
            source=request.name, problem=f"it has no column {missing}. There are {', '.join(sorted(names))}."
        )
    if known and form == "samples" and not any(column.field == "input" for column in columns):
        raise BadInput(
            source=f"{request.name}, {'line 1' if kind == tables.CSV else first[0].place}",
            problem="the first line names the columns, and one must be `input`. Say which one holds the question."
            if kind in (tables.CSV, tables.XLSX)
            else "a sample is an object with the key `input`. Say which key holds the question.",
        )
    yield Batch(kind=kind, form=form, columns=columns)
    yield from _batches(request, form, chain(first, rows), check)


def _batches(request: ReadRows, form: str, rows: Iterable[tables.Row | RowProblem], check: Any) -> Iterator[Batch]:
    seen: set[str] = set()
    samples: list[Sample] = []
    problems: list[RowProblem] = []
    told = wrong = size = 0
    for count, row in enumerate(rows, start=1):
        found = row if isinstance(row, RowProblem) else _sample(request, form, row, len(seen) + 1, seen)
        if isinstance(found, Sample):
            seen.add(found.id)
            samples.append(found)
            size += (
                len(found.input)
                + len(found.answer)
                + sum(map(len, found.passages))
                + sum(len(t.content) for t in found.turns)
            )
        elif told < MOST_PROBLEMS:
            told += 1
            problems.append(found)
        else:
            wrong += 1
        if len(seen) > MOST_SAMPLES:
            raise BadInput(
                source=request.name, problem=f"over {MOST_SAMPLES:,} samples. Split it into several datasets."
            )
        if len(samples) >= BATCH or size > KEPT:
            if check is not None:
                check(count)
            yield Batch(samples=tuple(samples), problems=tuple(problems), wrong=wrong)
            samples, problems, wrong, size = [], [], 0, 0
        if request.most and len(seen) >= request.most:
            break
    yield Batch(samples=tuple(samples), problems=tuple(problems), wrong=wrong)


def _sample(request: ReadRows, form: str, row: tables.Row, number: int, seen: set[str]) -> Sample | RowProblem:
    try:
        found = forms.sample(row.values, form, request.columns, f"{number:04d}")
    except Wrong as problem:
        return RowProblem(place=row.place, problem=str(problem))
    except RecursionError:
        return RowProblem(place=row.place, problem="nested too deep.")
    if found.id in seen:
        return RowProblem(place=row.place, problem=f"the id {found.id[:80]} occurs twice.")
    return found


def _handle(request: ReadRows, call: Call) -> Iterator[Batch]:
    return read(request, lambda done: call.report(done, None, "rows"))


def handlers() -> dict[type[Record], Handler]:
    mimetypes.knownfiles.clear()  # openpyxl's import reads them, and here no file of the system's can be
    return {ReadRows: _handle}
