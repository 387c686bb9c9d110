"""Checking the index of the audit log: does a search find what the log holds, no less and no more?

A search reads what it found from the log itself, so the index can't make an entry say something else. It could hide one, though: from whoever
looks for a person, for a word, or for what was done with a document. Compared are, for each entry, its person, act and time; the rows of the
records that it put; what else it names; and each word at its place, as the index splits texts now. Sums are kept of what belongs to an entry,
of hashes that nobody outside this process can foresee: 16 bytes for each entry, however much it names.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from core.jobs import Job
from core.records import Digest
from core.trust.canonical import record_from
from core.trust.merkle import leaf_hash
from core.vault import log_tree
from core.vault.connection import in_memory, words_of
from core.vault.log_index import WORDS, instant, words
from core.vault.records import Finding, LogEntry
from core.vault.unit import Reader

STEP: Final = "Don't rely on searching the log until the vault is restored from its last good backup; an export of the whole log is complete."
INDEX: Final = "trail_words"
_EACH: Final = "SELECT offset || ' ' || term, doc FROM {}"
AT_ONCE: Final = 10_000
"""Entries whose words are split together."""
STRIDE: Final = 10_000
_64_BITS: Final = (1 << 64) - 1


def findings(reader: Reader, logged: Mapping[Digest, LogEntry], job: Job) -> Iterator[Finding]:
    """Which entries the index tells of in another way than the log. `logged` has the log entry of each object that the log names."""
    size = log_tree.size(reader.db)
    put, others = _put(reader, logged, job)
    erased = {str(object) for (object,) in reader.db.execute("SELECT object FROM erased")}
    named, wrong = _sums(reader.db.execute("SELECT object, seq FROM trail_objects"), size, job)
    with words_of(reader.db, INDEX) as instances:
        indexed, strays = _sums(reader.db.execute(_EACH.format(instances)), size, job)
    wrong |= strays
    strays = {int(seq) for (seq,) in reader.db.execute("SELECT seq FROM trail WHERE seq NOT IN (SELECT seq FROM log)")}
    wrong |= strays
    split = _Split(job)
    try:
        for entry, kept, first, last in _entries(reader, size, job):
            gone = {made for made in entry.objects if made in erased and made in others}
            names = {*(made for made in entry.objects if made in others and made not in gone), *(entry.touched or ())}
            names |= {name for name in gone if _names(reader, name, entry.index)}
            same = (entry.user, entry.act, instant(entry.time)) == kept
            same = same and _covers((first, last), put.get(entry.index), exactly=not gone)
            if not same or named[entry.index] != sum(map(hash, names)) & _64_BITS:
                wrong.add(entry.index)
            wrong |= split.add(entry, indexed)
        wrong |= split.compared(indexed)
    finally:
        split.close()
    for start, end in _runs(sorted(wrong)):
        yield Finding(
            where=f"log entry {start}" if start == end else f"log entries {start} to {end}",
            what="the index for searching tells of it in another way.",
            step=STEP,
        )


def _entries(
    reader: Reader, size: int, job: Job
) -> Iterator[tuple[LogEntry, tuple[str, str, int], int | None, int | None]]:
    """The entries whose bytes are those that were logged, with what the index has of them; the others are told of where the log is checked."""
    rows = reader.db.execute(
        "SELECT l.seq, l.leaf, l.entry, t.user, t.act, t.at, t.first, t.last FROM log l LEFT JOIN trail t ON t.seq = l.seq ORDER BY l.seq"
    )
    for seq, leaf, content, user, act, at, first, last in rows:
        job.check()
        if leaf_hash(content) == leaf:
            entry, _ = record_from(content, LogEntry)
            if entry.index == seq < size:
                yield entry, (user, act, at), first, last


def _put(reader: Reader, logged: Mapping[Digest, LogEntry], job: Job) -> tuple[dict[int, tuple[int, int]], set[str]]:
    """The first and the last row of the records of each entry, and what the log names that is no record (any more)."""
    put: dict[int, tuple[int, int]] = {}
    others: set[str] = set(logged)
    for done, (row, digest) in enumerate(reader.db.execute("SELECT seq, digest FROM records")):
        if done % STRIDE == 0:
            job.check()
        entry = logged.get(digest)
        if entry is not None:
            others.discard(digest)
            first, last = put.get(entry.index, (row, row))
            put[entry.index] = min(first, row), max(last, row)
    return put, others


def _covers(kept: tuple[int | None, int | None], put: tuple[int, int] | None, exactly: bool) -> bool:
    first, last = kept
    if exactly or first is None or last is None:
        return kept == (put or (None, None))
    return put is None or (first <= put[0] and put[1] <= last)


def _names(reader: Reader, name: str, seq: int) -> bool:
    found = reader.db.execute("SELECT 1 FROM trail_objects WHERE object = ? AND seq = ?", (name, seq)).fetchone()
    return found is not None


class _Split:
    """The words of entries as the index splits them now, in memory, some entries at a time."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._db = in_memory()
        self._db.execute(WORDS)
        self._texts: list[tuple[int, str]] = []

    def add(self, entry: LogEntry, indexed: "array[int]") -> set[int]:
        """Take an entry; those taken so far whose words differ from what is indexed, when there are enough to look."""
        self._texts.append((entry.index, words(entry)))
        return self.compared(indexed) if len(self._texts) == AT_ONCE else set()

    def compared(self, indexed: "array[int]") -> set[int]:
        """The entries taken since the last time whose words differ from what is indexed."""
        if not self._texts:
            return set()
        self._db.conn.execute("BEGIN")
        self._db.conn.executemany(
            f"INSERT INTO {INDEX}(rowid, words) VALUES (?, ?)", enumerate(text for _, text in self._texts)
        )
        self._db.conn.execute("COMMIT")
        with words_of(self._db, INDEX) as instances:
            right, _ = _sums(self._db.execute(_EACH.format(instances)), AT_ONCE, self._job)
        self._db.execute(f"INSERT INTO {INDEX}({INDEX}) VALUES ('delete-all')")
        wrong = {index for place, (index, _) in enumerate(self._texts) if indexed[index] != right[place]}
        self._texts.clear()
        return wrong

    def close(self) -> None:
        self._db.conn.close()


def _sums(pairs: Iterable[tuple[str, int]], size: int, job: Job) -> tuple["array[int]", set[int]]:
    """The sum of the hashes of what belongs to each entry, and the numbers that are no entry's."""
    sums, strays = array("Q", bytes(8 * size)), set()
    for done, (name, seq) in enumerate(pairs):
        if done % STRIDE == 0:
            job.check()
        if 0 <= seq < size:
            sums[seq] = (sums[seq] + hash(name)) & _64_BITS
        else:
            strays.add(seq)
    return sums, strays


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for number in numbers:
        if first is None or last is None or number != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last
