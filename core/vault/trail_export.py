"""Exporting the audit trail, as CSV for a spreadsheet or as JSON for a program or an auditor.

Rules: an export stands in the log with the SHA-256 of its file, and its checkpoint is the log's just before; a cell never begins like a
formula; JSON holds each entry's canonical bytes, so that whoever has a complete export can recompute the checkpoint's root.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from core.errors import BadInput, Damaged
from core.paths import replacing
from core.records import Digest, Record
from core.trust.canonical import b64, record_from, unb64
from core.trust.merkle import Tree, leaf_hash
from core.trust.notes import Checkpoint, LogKey, read_checkpoint, verify_checkpoint
from core.vault import log
from core.vault.records import LogEntry
from core.vault.roles import Act
from core.vault.trail_search import TrailQuery, every, fields
from core.vault.unit import Reader
from core.vault.vault import Vault

COLUMNS = ("entry", "time", "user", "act", "about", "reason", "before", "after", "objects", "touched", "leaf")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
FORMAT = "assay-trail"


class Exported(Record, frozen=True, kw_only=True):
    """An export of the trail. `size` is of the log that its checkpoint covers."""

    path: str
    sha256: Digest
    entries: int
    size: int


def export(vault: Vault, path: Path, query: TrailQuery | None = None, reason: str = "") -> Exported:
    """Write what fits a query (its page aside: all of it), oldest first, as the path's ending says: .csv or .json.

    JSON holds each entry's canonical bytes and the log's checkpoint, so that whoever has a complete one can recompute the root.
    Raises `BadInput`, `Refused`, `NotFound`, `DiskFull`, `Unavailable`."""
    query = query or TrailQuery()
    ending = path.suffix.lower()
    if ending not in (".csv", ".json"):
        raise BadInput(source=path.name, problem="an export of the trail ends in .csv or .json.")
    with vault.write(Act.EXPORT_TRAIL, about=path.name, reason=reason) as unit:
        sha, count, size = hashlib.sha256(), 0, unit.log_size
        with replacing(path) as file:
            for text, entries in (_csv if ending == ".csv" else _json)(unit, query):
                data = text.encode("utf-8")
                sha.update(data)
                file.write(data)
                count += entries
        unit.note(after=f"{count} entries; sha256 {sha.hexdigest()}")
    return Exported(path=str(path), sha256=Digest(sha.hexdigest()), entries=count, size=size)


class _Given(msgspec.Struct, forbid_unknown_fields=True):
    entry: int
    time: str
    user: str
    act: str
    about: str
    reason: str
    before: str
    after: str
    objects: list[str]
    touched: list[str]
    content: str


class _File(msgspec.Struct):
    format: str
    version: int
    checkpoint: str
    entries: list[_Given]


def verify_export(data: bytes, key: LogKey | None) -> tuple[Checkpoint, int]:
    """The checkpoint of an export in JSON, and how many entries it holds; when it holds all, they lead to the checkpoint's root.

    Without a key nothing is verified. Raises `Damaged`, also when an entry's fields differ from its canonical bytes."""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged(source="export of the log", problem="not readable.") from error
    note = file.checkpoint.encode("utf-8")
    if key is None:
        return read_checkpoint(note), 0
    point = verify_checkpoint(note, key)
    leaves, last = [], -1
    for given in file.entries:
        content = unb64(given.content, "export of the log")
        entry, _ = record_from(content, LogEntry)
        same = msgspec.to_builtins(given) == {**fields(entry), "content": given.content}
        if not same or not last < entry.index < point.size:
            raise Damaged(source=f"Log entry {given.entry}", problem="altered: it isn't what was logged.")
        last = entry.index
        leaves.append(leaf_hash(content))
    if len(leaves) == point.size and Tree(leaves).root() != point.root:
        raise Damaged(source="export of the log", problem="its entries don't lead to the checkpoint's root.")
    return point, len(leaves)


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) or cell.startswith("'") else cell


def _csv(reader: Reader, query: TrailQuery) -> Iterator[tuple[str, int]]:
    yield _row(COLUMNS), 0
    for entry in every(reader, query):
        shown = fields(entry)
        leaf = log.leaf(reader.db, entry.index).hex()
        lists = (" ".join(entry.objects), " ".join(entry.touched or ()), leaf)
        yield _row([guarded(str(shown[column])) for column in COLUMNS[:8]] + list(lists)), 1


def _row(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def _json(reader: Reader, query: TrailQuery) -> Iterator[tuple[str, int]]:
    head = {
        "format": FORMAT,
        "version": 1,
        "checkpoint": reader.checkpoint().decode("utf-8"),
        "query": {
            name: value
            for name in ("user", "act", "since", "until", "text", "object", "before")
            if (value := getattr(query, name)) not in ("", None)
        },
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "entries": [', 0
    before = "\n"
    for entry in every(reader, query):
        content = reader.log_bytes(entry.index)
        yield before + json.dumps({**fields(entry), "content": b64(content)}, ensure_ascii=False), 1
        before = ",\n"
    yield "\n]}\n", 0
