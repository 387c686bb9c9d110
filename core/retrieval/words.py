"""The ranking by words, BM25, computed from the postings of the vault's full-text index, as SQLite's FTS5 computes it and many times as fast.

FTS5 visits the chunks of a frequent word one by one. Here a word's postings are read once, and kept for as long as the collection stays as it is.

Rules:

1. The ranking is FTS5's own, `store.by_words`: the same formula in the same order of operations, ties by number. What this can't compute is
   computed by FTS5: a word that the tokenizer makes several tokens of.
2. What is kept is of one generation of the collection, and goes when there is another, after an erasure, and when the vault is closed.
3. A word that nobody searches for is never read.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from core.documents import passages, store
from core.retrieval import largest
from core.vault.connection import in_memory, words_of
from core.vault.events import Changed
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

K1: Final = 1.2
B: Final = 0.75
"""FTS5's constants."""
LEAST: Final = 1e-6
"""What FTS5 lets a word weigh that is in more than half of all chunks."""
MOST_POSTINGS: Final = 20_000_000
"""Kept for one collection, 12 bytes each; after more, they are read again."""
COLLECTIONS: Final = 4

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_AVERAGES: Final = 1
"""The row of FTS5's data that has the numbers of rows and tokens."""


class _Counts:
    """The words of one collection at one generation."""

    def __init__(self, reader: Reader, collection: store.Kept) -> None:
        self.generation = collection.generation
        self.table = store.words_table(collection.id)
        rows = reader.db.execute(f"SELECT id, sz FROM {self.table}_docsize ORDER BY id").fetchall()
        self.ids: Numbers = np.array([row[0] for row in rows], dtype=np.int64)
        lengths = _sums(b"".join(row[1] for row in rows), [len(row[1]) for row in rows])
        (block,) = reader.db.execute(f"SELECT block FROM {self.table}_data WHERE id = {_AVERAGES}").fetchone() or (b"",)
        self.rows, *totals = _varints(bytes(block)) or [0]
        average = sum(totals) / self.rows if self.rows and sum(totals) else 1.0
        self.norms: Floats = K1 * ((1.0 - B) + B * lengths / average)
        self.postings: dict[str, tuple[Numbers, Floats]] = {}
        self.held = 0
        self.lock = threading.Lock()

    def load(self, reader: Reader, terms: Sequence[str]) -> dict[str, tuple[Numbers, Floats]]:
        """Each term's places in `ids`, ascending, and what it adds to the score of each."""
        with self.lock:
            found = {term: self.postings[term] for term in terms if term in self.postings}
            missing = [term for term in dict.fromkeys(terms) if term not in found]
            if not missing:
                return found
            if self.held > MOST_POSTINGS:
                self.postings.clear()
                self.held = 0
            with words_of(reader.db, self.table) as instances:
                for term in missing:
                    (text,) = reader.db.execute(
                        f"SELECT group_concat(doc) FROM {instances} WHERE term = ?", (term,)
                    ).fetchone()
                    found[term] = self._postings(text or "")
                    self.postings[term] = found[term]
                    self.held += len(found[term][0])
            return found

    def _postings(self, text: str) -> tuple[Numbers, Floats]:
        chunks: Numbers = np.fromstring(text, dtype=np.int64, sep=",") if text else np.zeros(0, np.int64)
        chunks, times = np.unique(chunks, return_counts=True)
        places, often = np.searchsorted(self.ids, chunks), times.astype(np.float64)
        weight = math.log((self.rows - len(places) + 0.5) / (len(places) + 0.5))
        weight = weight if weight > 0 else LEAST
        return places, weight * ((often * (K1 + 1.0)) / (often + self.norms[places]))


class Words:
    """The words of one open vault's collections. Safe from several threads."""

    def __init__(self, vault: Vault) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[int, _Counts] = OrderedDict()
        self._terms: dict[str, tuple[str, ...]] = {}
        self._erased = 0
        self._forget_events = vault.events.subscribe(self._changed, first=True)

    def ready(self, collection: store.Kept, query: str) -> bool:
        """Whether all that `ranking` needs for this query is in memory."""
        with self._lock:
            held = self._held.get(collection.id)
            if held is None or held.generation != collection.generation:
                return False
            words = [self._terms.get(word) for word in _phrases(query)]
        return all(found is not None and all(term in held.postings for term in found) for found in words)

    def read(self, reader: Reader, collection: store.Kept, query: str) -> None:
        """Bring into memory what `ranking` needs for this query."""
        terms = [found[0] for found in self._tokens(_phrases(query)) if len(found) == 1]
        self._counts(reader, collection).load(reader, terms)

    def ranking(
        self, reader: Reader, collection: store.Kept, query: str, limit: int, among: Numbers | None = None
    ) -> list[int]:
        """What `store.by_words` gives for a query of `fusion.word_query`; `among`: the chunks, ascending, that can be found."""
        tokens = self._tokens(_phrases(query))
        if any(len(found) > 1 for found in tokens):
            return passages.by_words(reader, collection.id, query, limit, None if among is None else among.tolist())
        terms = [found[0] for found in tokens if found]
        counts = self._counts(reader, collection)
        postings = counts.load(reader, terms)
        scores = np.zeros(len(counts.ids))
        for term in terms:
            places, parts = postings[term]
            scores[places] += parts
        if among is not None:
            kept = np.zeros(len(scores), dtype=bool)
            kept[np.flatnonzero(np.isin(counts.ids, among, assume_unique=True))] = True
            scores[~kept] = 0.0
        return _best(counts.ids, scores, limit)

    def close(self) -> None:
        """Let go of everything."""
        self._forget_events()
        with self._lock:
            self._held.clear()
            self._terms.clear()

    def _counts(self, reader: Reader, collection: store.Kept) -> _Counts:
        with self._lock:
            held, erased = self._held.get(collection.id), self._erased
            if held is not None and held.generation == collection.generation:
                self._held.move_to_end(collection.id)
                return held
        made = _Counts(reader, collection)
        with self._lock:
            newer = self._held.get(collection.id)
            if erased == self._erased and (newer is None or newer.generation < made.generation):
                self._held[collection.id] = made
                while len(self._held) > COLLECTIONS:
                    self._held.popitem(last=False)
        return made

    def _tokens(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """What the full-text index makes of each word."""
        with self._lock:
            missing = [word for word in words if word not in self._terms]
            if missing:
                if len(self._terms) > 10_000:
                    self._terms.clear()
                    missing = list(words)
                self._terms |= dict(zip(missing, _tokenized(missing), strict=True))
            return [self._terms[word] for word in words]

    def _changed(self, change: Changed) -> None:
        if change.act is Act.ERASE:
            with self._lock:
                self._erased += 1
                self._held.clear()


def _phrases(query: str) -> list[str]:
    return [phrase.strip('"') for phrase in query.split(" OR ")] if query else []


def _tokenized(words: Sequence[str]) -> list[tuple[str, ...]]:
    db = in_memory()
    try:
        db.execute(f"CREATE VIRTUAL TABLE words USING fts5(text, {store.TOKENIZER})")
        db.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(words, 'instance')")
        db.conn.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", list(enumerate(words)))
        found: list[list[str]] = [[] for _ in words]
        for term, word in db.execute("SELECT term, doc FROM terms ORDER BY doc, offset").fetchall():
            found[word].append(term)
        return [tuple(several) for several in found]
    finally:
        db.conn.close()


def _best(ids: Numbers, scores: Floats, limit: int) -> list[int]:
    """The ids of the largest scores above 0; ties by number."""
    found = largest.places(scores, limit, above=0.0)
    order = np.lexsort((ids[found], -scores[found]))[:limit]
    return [int(ids[found[at]]) for at in order]


def _varints(data: bytes) -> list[int]:
    """SQLite's variable-length numbers: 7 bits a byte, the highest first, the ninth byte whole."""
    found: list[int] = []
    value = place = 0
    for byte in data:
        place += 1
        if place == 9:
            value = value << 8 | byte
        else:
            value = value << 7 | byte & 127
        if place == 9 or byte < 128:
            found.append(value)
            value = place = 0
    return found


def _sums(data: bytes, sizes: Sequence[int]) -> Floats:
    """The sum of the numbers in each of the pieces of `data`. Short numbers, which are nearly all, are summed together."""
    lengths = np.array(sizes, dtype=np.int64)
    if not data:
        return np.zeros(len(sizes))
    octets = np.frombuffer(data, dtype=np.uint8).astype(np.int64)
    ends = np.cumsum(lengths)
    totals = np.concatenate(([0], np.cumsum(octets)))
    sums: Floats = (totals[ends] - totals[ends - lengths]).astype(np.float64)
    long = np.concatenate(([0], np.cumsum(octets > 127)))
    for place in np.flatnonzero(long[ends] - long[ends - lengths] > 0).tolist():
        sums[place] = sum(_varints(data[ends[place] - lengths[place] : ends[place]]))
    return sums
