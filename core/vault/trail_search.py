"""Searching the audit trail.

What is found through the index is read from the log itself, compared with its leaf, and must fit what was asked.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from core.errors import BadInput, Damaged
from core.records import Digest, Json, Record
from core.trust.canonical import checked_digest
from core.vault import log, log_index
from core.vault.records import LogEntry
from core.vault.roles import Act
from core.vault.unit import Reader

MOST = 1_000
"""Entries of a page."""
AT_A_TIME = 2_000
"""Entries that are read together when all are wanted."""
DAY = len("2026-11-20")


class TrailQuery(Record, frozen=True, kw_only=True):
    """Which entries: each field that is given must hold. Newest first."""

    user: str = ""
    act: str = ""
    """The word of an `Act`."""
    since: str = ""
    """A day (2026-11-20) or a time with its offset; entries from then on."""
    until: str = ""
    """A day, which counts as a whole, or a time; entries up to then."""
    text: str = ""
    """Words of what an entry is about, its reason, before and after; the last one may be a word's beginning."""
    object: str = ""
    """The digest of a record or a blob that the entry names."""
    before: int | None = None
    """Only entries with a lower number: the next page."""
    limit: int = 50


class TrailPage(Record, frozen=True, kw_only=True):
    """What was found, newest first, in a log of `size` entries; `next` is the next page's `before`, None on the last."""

    entries: tuple[LogEntry, ...]
    size: int
    next: int | None


def search(reader: Reader, query: TrailQuery) -> TrailPage:
    """One page of what fits. Raises `BadInput` for a time, an act, a digest or a limit that can't be, `Damaged`."""
    if not 1 <= query.limit <= MOST:
        raise BadInput(source="limit", problem=f"use a number from 1 to {MOST}.")
    found = _numbers(reader, query, query.limit + 1)
    entries = tuple(log.picked(reader.db, found[: query.limit]))
    for entry in entries:
        _fits(reader, entry, query)
    more = entries[-1].index if len(found) > query.limit else None
    return TrailPage(entries=entries, size=reader.log_size, next=more)


def every(reader: Reader, query: TrailQuery) -> Iterator[LogEntry]:
    """Everything that fits, oldest first."""
    numbers = _numbers(reader, query, -1)[::-1]
    for start in range(0, len(numbers), AT_A_TIME):
        for entry in log.picked(reader.db, numbers[start : start + AT_A_TIME]):
            _fits(reader, entry, query)
            yield entry


def acts_of(reader: Reader, digests: Iterable[Digest]) -> tuple[int, ...]:
    """The numbers of all entries that name one of these records or blobs, oldest first."""
    wanted = frozenset(digests)
    return tuple(
        e.index for e in _naming(reader, wanted) if any(log_index.names(reader.db, e, name) for name in wanted)
    )


def recorded_in(reader: Reader, digests: Iterable[Digest]) -> tuple[int, ...]:
    """The numbers of the entries of the changes that put these records, oldest first."""
    wanted = frozenset(digests)
    return tuple(entry.index for entry in _naming(reader, wanted) if not wanted.isdisjoint(entry.objects))


def _naming(reader: Reader, digests: Iterable[Digest]) -> Iterator[LogEntry]:
    """What the index says of these, which is to be compared with the entries."""
    numbers: set[int] = set()
    for digest in digests:
        sql, values = log_index.of_object(reader.db, digest)
        numbers.update(int(row[0]) for row in reader.db.execute(sql, values))
    return log.picked(reader.db, sorted(numbers))


def fields(entry: LogEntry) -> dict[str, Json]:
    """An entry as JSON for people and programs; what isn't there is empty."""
    return {
        "entry": entry.index,
        "time": entry.time,
        "user": entry.user,
        "act": entry.act,
        "about": entry.about,
        "reason": entry.reason,
        "before": entry.before or "",
        "after": entry.after or "",
        "objects": list(entry.objects),
        "touched": list(entry.touched or ()),
    }


def _numbers(reader: Reader, query: TrailQuery, limit: int) -> list[int]:
    where, values = _conditions(reader, query)
    table = "trail_words w CROSS JOIN trail t ON t.seq = w.rowid" if query.text.strip() else "trail t"
    order = "w.rowid" if query.text.strip() else "t.seq"
    rows = reader.db.execute(
        f"SELECT t.seq FROM {table} WHERE {' AND '.join(where) or '1'} ORDER BY {order} DESC LIMIT ?", [*values, limit]
    )
    return [int(row[0]) for row in rows]


def _conditions(reader: Reader, query: TrailQuery) -> tuple[list[str], list[object]]:
    where: list[str] = []
    values: list[object] = []

    def need(condition: str, *given: object) -> None:
        where.append(condition)
        values.extend(given)

    if query.text.strip():
        words = log_index.match(query.text)
        if not words:
            raise BadInput(source=query.text, problem="there is no word in it to search for.")
        need("w.trail_words MATCH ?", words)
    if query.before is not None:
        need(f"{'w.rowid' if query.text.strip() else 't.seq'} < ?", query.before)
    if query.user:
        need("t.user = ?", query.user)
    if query.act:
        if query.act not in {act.value for act in Act}:
            raise BadInput(source=query.act, problem=f"it is none of the acts {', '.join(sorted(Act))}.")
        need("t.act = ?", query.act)
    if query.since:
        need("t.at >= ?", _bound(query.since, end=False))
    if query.until:
        need("t.at <= ?", _bound(query.until, end=True))
    if query.object:
        try:
            digest = checked_digest(query.object, "digest")
        except Damaged as error:
            raise BadInput(source=query.object, problem="give a whole digest, 64 hexadecimal characters.") from error
        sql, given = log_index.of_object(reader.db, digest)
        need(f"t.seq IN ({sql})", *given)
    return where, values


def _bound(text: str, end: bool) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(source=text, problem="give a day, 2026-11-20, or a time, 2026-11-20T09:30:00+01:00.") from error
    if end and len(text) <= DAY:
        moment = moment.replace(hour=23, minute=59, second=59)
    return int(moment.astimezone().timestamp())


def _fits(reader: Reader, entry: LogEntry, query: TrailQuery) -> None:
    """What the index found must say the same itself."""
    same = (not query.user or entry.user == query.user) and (not query.act or entry.act == query.act)
    if same and query.object:
        same = log_index.names(reader.db, entry, Digest(query.object))
    if not same:
        raise Damaged(
            source=f"Log entry {entry.index}",
            problem="the index for searching tells of it in another way. Run `assay vault check`.",
        )
