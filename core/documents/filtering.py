"""Which of a collection's passages a search looks at: those of some files, folders, kinds of file, dates or tags.

Rules: what is given twice widens (either file), what is given in different ways narrows (this folder, and PDF). Names are those that
the documents have in the collection, with slashes; a folder's name means everything below it. Dates are those on which a version was added, by the
clock of the machine that added it, both ends included.
"""

import json
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from core.documents import store
from core.errors import BadInput, NotFound
from core.records import Record
from core.vault.unit import Reader

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Filters(Record, frozen=True, kw_only=True):
    """What a search is narrowed to; nothing, where nothing is given."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    """Endings of names, such as pdf."""
    since: str = ""
    """The earliest date of adding, YYYY-MM-DD."""
    until: str = ""
    """The latest."""
    tags: tuple[str, ...] = ()

    @property
    def narrow(self) -> bool:
        """Whether anything is left out."""
        return bool(self.files or self.folders or self.types or self.since or self.until or self.tags)


def check(filters: Filters) -> None:
    """Raise `BadInput` for dates that are none."""
    for name, date in (("since", filters.since), ("until", filters.until)):
        if date and not _DATE.fullmatch(date):
            raise BadInput(source=name, problem=f"{date[:20]} is no date. Write it as 2026-03-31.")


class Listed(NamedTuple):
    """What filters look at, of one document that is searched."""

    document: int
    """Its number in the table."""
    name: str
    date: str
    tags: tuple[str, ...] = ()


def listed(reader: Reader, collection: int) -> tuple[Listed, ...]:
    """All documents of a collection that are searched."""
    rows = reader.db.execute(
        "SELECT d.id, d.name, r.time FROM documents d JOIN records r ON r.digest = d.digest"
        " WHERE d.collection = ? AND d.current = 1 ORDER BY d.id",
        (collection,),
    ).fetchall()
    tags = store.tags(reader, collection)
    return tuple(Listed(int(document), name, time[:10], tags.get(name, ())) for document, name, time in rows)


def chosen(documents: Sequence[Listed], filters: Filters) -> list[int]:
    """The numbers of those within `filters`. Raises `BadInput`, and `NotFound` for a file, folder or tag of which the
    collection holds nothing."""
    check(filters)
    _known(filters, [one.name for one in documents], {tag for one in documents for tag in one.tags})
    return [one.document for one in documents if _within(filters, one)]


def chunks(reader: Reader, collection: int, filters: Filters) -> list[int]:
    """The chunks that can be found within `filters`, ascending. Raises as `chosen`."""
    wanted = chosen(listed(reader, collection), filters)
    found = reader.db.execute(
        "SELECT c.id FROM json_each(?) w CROSS JOIN chunks c ON c.document = w.value ORDER BY c.id",
        (json.dumps(wanted),),
    ).fetchall()
    return [int(chunk) for (chunk,) in found]


def _known(filters: Filters, names: list[str], tags: set[str]) -> None:
    for tag in filters.tags:
        if tag not in tags:
            raise NotFound(kind="tag", name=tag, step="`assay documents tags COLLECTION` shows those that are used.")
    for file in filters.files:
        if file not in names:
            raise NotFound(kind="document", name=file, step="`assay documents list COLLECTION` shows what it holds.")
    for folder in filters.folders:
        if not any(_below(name, folder) for name in names):
            raise NotFound(kind="folder", name=folder, step="`assay documents list COLLECTION` shows what it holds.")


def _within(filters: Filters, one: Listed) -> bool:
    name, date = one.name, one.date
    return (
        (not filters.files or name in filters.files)
        and (not filters.folders or any(_below(name, folder) for folder in filters.folders))
        and (not filters.types or _ending(name) in {kind.lower().lstrip(".") for kind in filters.types})
        and (not filters.since or date >= filters.since)
        and (not filters.until or date <= filters.until)
        and (not filters.tags or not set(filters.tags).isdisjoint(one.tags))
    )


def _below(name: str, folder: str) -> bool:
    return name.startswith(folder.strip("/") + "/")


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower().lstrip(".")
