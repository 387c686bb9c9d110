"""Dataset files in and out: JSON Lines, JSON, CSV and Excel, told apart by content, read in a limited child.

A file is read whole, or refused with the lines that are wrong; nothing is skipped silently. What is read without a supervisor is read in this
process, which is for the program's own files. How rows become samples: `core.datasets.worker.forms`; how they are written: `core.datasets.writing`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from core.datasets.records import Sample
from core.datasets.worker import reading
from core.datasets.worker.records import Batch, ColumnUse, ReadRows, RowProblem, checked_batch
from core.datasets.writing import written
from core.errors import BadInput
from core.jobs import Job
from core.records import Record
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

LARGEST: Final = 200_000_000
"""Bytes of a dataset file: what a message to a child can hold, with room."""
SPEC: Final = WorkerSpec(
    module="core.datasets.worker.reading", memory=4 * 1024**3, seconds=120.0, title="The dataset reader"
)


class ReadFile(Record, frozen=True, kw_only=True):
    """What a file holds. `wrong` counts the rows that can't be read, of which `problems` tells the first ones."""

    name: str
    kind: str
    form: str
    columns: tuple[ColumnUse, ...]
    samples: tuple[Sample, ...]
    problems: tuple[RowProblem, ...]
    wrong: int


def read_file(
    path: Path,
    job: Job,
    supervisor: Supervisor | None = None,
    form: str = "",
    columns: dict[str, str] | None = None,
    most: int = 0,
) -> ReadFile:
    """The samples and the problems of a file. Raises `BadInput`, `Unsupported`, `WorkerFailed`, `Cancelled`."""
    asked = {name: field or "-" for name, field in (columns or {}).items()}
    request = ReadRows(name=path.name, data=_bytes(path), form=form, columns=asked, most=most)
    if supervisor is None:
        return _gathered(path.name, reading.read(request), job)
    with supervisor.start(SPEC, job) as worker:
        return _gathered(path.name, worker.stream(request, Batch, job), job)


def read_samples(path: Path) -> tuple[Sample, ...]:
    """The samples of a file, in its order. Raises `BadInput` naming file and line, `Unsupported`."""
    return whole(read_file(path, Job(f"Read {path.name}")))


def whole(found: ReadFile, leave_out: bool = False) -> tuple[Sample, ...]:
    """The samples of a file that has any and, unless they are to be left out, no row that can't be read. Raises `BadInput`."""
    if found.problems and not leave_out:
        first = found.problems[0]
        more = f" {found.wrong - 1:,} more can't be read either." if found.wrong > 1 else ""
        raise BadInput(source=f"{found.name}, {first.place}", problem=f"{first.problem}{more}")
    if not found.samples:
        raise BadInput(source=found.name, problem="no samples in it.")
    return found.samples


def write_samples(samples: Iterable[Sample], suffix: str) -> bytes:
    """The bytes of a file that `read_samples` reads back to the same samples. Raises `Unsupported`."""
    return written(tuple(samples), suffix)


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise BadInput(source=str(path), problem="this is a folder. Give the name of a file.")
    if not path.is_file():
        raise BadInput(source=str(path), problem="there is no such file.")
    if path.stat().st_size > LARGEST:
        raise BadInput(source=path.name, problem="over 200 MB. Split it into several datasets.")
    return path.read_bytes()


def _gathered(name: str, batches: Iterator[Batch], job: Job) -> ReadFile:
    samples: list[Sample] = []
    problems: list[RowProblem] = []
    seen: set[str] = set()
    wrong = 0
    first = Batch()
    for batch in batches:
        first = batch if batch.kind else first
        checked_batch(name, batch.samples, seen)
        samples += batch.samples
        problems += batch.problems
        wrong += batch.wrong + len(batch.problems)
        job.report(len(samples), None, "samples")
    return ReadFile(
        name=name,
        kind=first.kind,
        form=first.form,
        columns=first.columns,
        samples=tuple(samples),
        problems=tuple(problems),
        wrong=wrong,
    )
