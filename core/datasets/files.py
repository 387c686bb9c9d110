"""Reading and writing samples: JSON Lines, JSON and CSV.

A file is read whole or refused with the line that is wrong; nothing is skipped silently. Columns or keys are the fields of a sample;
in CSV, tags are separated by semicolons; choices, targets, passages and metadata are written as JSON.
A sample needs an input, and a target unless it is marked unanswerable.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from core.datasets.records import Sample
from core.errors import BadInput, Unsupported

LARGEST = 500_000_000
"""Bytes of a dataset file."""
FORMATS = (".jsonl", ".json", ".csv")
_AS_JSON = ("choices", "targets", "passages", "metadata")


def read_samples(path: Path) -> tuple[Sample, ...]:
    """The samples of a file, in its order. Raises `BadInput` naming file and line, `Unsupported`."""
    if path.is_dir():
        raise BadInput(source=str(path), problem="this is a folder. Give the name of a file.")
    if not path.is_file():
        raise BadInput(source=str(path), problem="there is no such file.")
    if path.stat().st_size > LARGEST:
        raise BadInput(source=path.name, problem="over 500 MB. Split it into several datasets.")
    readers = {".jsonl": _json_lines, ".json": _json, ".csv": _csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Unsupported(source=path.name, reason=f"datasets are read from {', '.join(FORMATS)}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(source=path.name, problem=f"not UTF-8 at byte {error.start}. Save it as UTF-8.") from error
    samples = tuple(_checked(path.name, reader(path.name, text)))
    if not samples:
        raise BadInput(source=path.name, problem="no samples in it.")
    return samples


def write_samples(samples: Iterable[Sample], suffix: str) -> bytes:
    """The bytes of a file that `read_samples` reads back to the same samples. Raises `Unsupported`."""
    if suffix == ".jsonl":
        return b"".join(msgspec.json.encode(_plain(sample)) + b"\n" for sample in samples)
    if suffix == ".json":
        return msgspec.json.format(msgspec.json.encode([_plain(sample) for sample in samples]))
    if suffix == ".csv":
        buffer = io.StringIO(newline="")
        names = [field for field in Sample.__struct_fields__ if field != "version"]
        writer = csv.DictWriter(buffer, names, lineterminator="\n")
        writer.writeheader()
        for sample in samples:
            row = _plain(sample)
            row["tags"] = ";".join(sample.tags)
            row.update({name: msgspec.json.encode(row[name]).decode() for name in _AS_JSON if name in row})
            row["unanswerable"] = "true" if sample.unanswerable else ""
            writer.writerow({name: row.get(name, "") for name in names})
        return buffer.getvalue().encode()
    raise Unsupported(source=f"*{suffix}", reason=f"datasets are written as {', '.join(FORMATS)}.")


def _plain(sample: Sample) -> dict[str, object]:
    content: dict[str, object] = msgspec.to_builtins(sample)
    content.pop("version")
    return {key: value for key, value in content.items() if value not in (None, "", [], {}, False)}


def _json_lines(name: str, text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield number, msgspec.json.decode(line)
            except msgspec.DecodeError as error:
                raise BadInput(source=f"{name}, line {number}", problem="not readable as JSON.") from error


def _json(name: str, text: str) -> Iterator[tuple[int, object]]:
    try:
        content = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise BadInput(source=name, problem=f"not readable as JSON ({error}).") from error
    if not isinstance(content, list):
        raise BadInput(source=name, problem="a JSON dataset is one list of samples.")
    yield from enumerate(content, start=1)


def _csv(name: str, text: str) -> Iterator[tuple[int, object]]:
    rows = csv.DictReader(io.StringIO(text))
    if "input" not in (rows.fieldnames or ()):
        raise BadInput(source=f"{name}, line 1", problem="the first line names the columns, and one must be `input`.")
    try:
        for row in rows:
            content: dict[str, object] = {key: value for key, value in row.items() if key and value}
            if isinstance(content.get("page"), str):
                content["page"] = int(str(content["page"]))
            if "unanswerable" in content:
                content["unanswerable"] = str(content["unanswerable"]).lower() in ("true", "yes", "1")
            if "tags" in content:
                content["tags"] = [tag.strip() for tag in str(content["tags"]).split(";") if tag.strip()]
            content |= {name: msgspec.json.decode(str(content[name])) for name in _AS_JSON if name in content}
            yield rows.line_num, content
    except (csv.Error, ValueError) as error:
        raise BadInput(source=f"{name}, line {rows.line_num}", problem=f"not readable as CSV ({error}).") from error


def _checked(name: str, rows: Iterable[tuple[int, object]]) -> Iterator[Sample]:
    seen: set[str] = set()
    for line, row in rows:
        where = f"{name}, line {line}"
        if not isinstance(row, dict):
            raise BadInput(source=where, problem="a sample is an object with the key `input`.")
        content = {key: value for key, value in row.items() if value is not None}
        content.setdefault("id", f"{len(seen) + 1:04d}")
        content["id"] = str(content["id"])
        if isinstance(content.get("target"), int | float):
            content["target"] = str(content["target"])
        try:
            sample = msgspec.convert(content, Sample)
        except msgspec.ValidationError as error:
            raise BadInput(source=where, problem=f"{error}.") from error
        if not sample.input.strip():
            raise BadInput(source=where, problem="the input is empty.")
        if sample.target is None and not sample.unanswerable:
            raise BadInput(source=where, problem='no target. Give one, or mark the sample "unanswerable": true.')
        if sample.id in seen:
            raise BadInput(source=where, problem=f"the id {sample.id} occurs twice.")
        seen.add(sample.id)
        yield sample
