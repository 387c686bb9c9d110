"""Retrieval: the passages of a collection that are nearest to a query.

Two rankings are put together: by meaning (the cosine of embeddings) and by words (BM25). By meaning, a collection whose vectors fit into memory
(`resident.SCANNED`) is compared whole, and so is what filters leave of any; for larger ones the index worker answers, or a scan of the vault while
there is no index. Which it was is part of the settings. The passages carry the exact cosine, computed from the vault's own vectors, the same
whichever way they were found.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import numpy as np
import numpy.typing as npt

from core.documents import filtering, passages, store, vectors
from core.documents.preparing import SPECIAL_TOKENS
from core.documents.records import Chunk
from core.documents.service import Documents
from core.errors import BadInput, Changed, NotFound
from core.inference.service import Engine
from core.jobs import Job
from core.models.service import Models
from core.retrieval import exact
from core.retrieval.fusion import SMOOTHING, diverse, fuse, fused, word_query
from core.retrieval.index import Indexes
from core.retrieval.records import IndexState, Passage, Rankings, Search, Settings
from core.retrieval.resident import Resident, Residents, beside
from core.retrieval.words import Words
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

CANDIDATES: Final = 100
"""Of each ranking, before they are put together."""
BY_MEANING: Final = 1.0
BY_WORDS: Final = 0.5
"""Weights of the two. Chosen on PubMedQA alone, as a search for the parts of a question's abstract (1,000 questions, 3,681 chunks): the best of 24
pairs of weight and smoothing, nDCG@10 0.854 beside 0.841 by meaning and 0.796 by words; weight 0.75 with smoothing 60 gave 0.844."""
RERANKED: Final = 30
"""Of the fused candidates, what a reranker puts in order; it reads each with the query, which takes long."""
MOST: Final = 200
IN_MEMORY: Final = "Its vectors fit into memory, so all of them are compared; an index would answer no faster."
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
Numbers = npt.NDArray[np.int64]
_ByWords = dict[tuple[int, int], list[int]]
"""The ranking by words of a collection, by its number and generation."""


class Retrieval:
    """Searches the collections of one open vault."""

    def __init__(
        self,
        vault: Vault,
        supervisor: Supervisor,
        engine: Engine,
        documents: Documents,
        first: "Retrieval | None" = None,
    ) -> None:
        """With `first`, its indexes are used, which belong to no person; roles and the log's entries are still those of `vault`'s."""
        self._vault = vault
        self._engine = engine
        self._models = Models(vault, supervisor)
        self._documents = documents
        self._indexes: Indexes = first._indexes if first else Indexes(vault, supervisor)
        self._residents: Residents = first._residents if first else Residents(vault)
        self._words: Words = first._words if first else Words(vault)

    def search(self, request: Search, job: Job) -> tuple[Passage, ...]:
        """The passages, best first; none in an empty collection.

        Raises `NotFound` (a collection, a filter's file or folder), `BadInput` (an empty query, a limit out of range, collections of different
        embedders, one whose embedder isn't here as it was), `Unsupported` (a reranker that is none), `WorkerFailed`, `Cancelled`."""
        _check(request)
        with self._vault.read() as reader:
            collections = _collections(reader, request)
        with self._read_ahead(collections, request) as ranked:
            vector = self._embedded(request.query, collections, job)
        found = self._from_indexes(collections, request, vector, job)
        with self._vault.read() as reader:
            current = _current(reader, collections)
            rankings = self._rankings(reader, collections, current, request, vector, found, ranked)
            best = fused(_weighted(rankings))[: max(CANDIDATES, request.limit)]
            reordered = request.finding.reranker or request.finding.mmr < 1
            ids = [chunk for chunk, _ in best[: None if reordered else request.limit]]
            several = {kept.id: kept.name for kept in collections} if len(collections) > 1 else {}
            passages = self._passages(reader, current, ids, vector, several)
            matrix = self._vectors(reader, current, ids) if reordered and ids else None
        if matrix is None:
            return passages
        relevance = [score for _, score in best]
        places = list(range(len(passages)))
        if request.finding.reranker:
            places, relevance = self._reranked(request, passages, job)
        if request.finding.mmr < 1:
            order = diverse(relevance, matrix[places], request.finding.mmr, request.limit)
            places = [places[at] for at in order]
        return tuple(passages[at] for at in places[: request.limit])

    def rank(self, request: Search, job: Job) -> Rankings:
        """Every ranking of a query by itself, as the names of documents, each where its first passage stands. Raises as `search`."""
        _check(request)
        with self._vault.read() as reader:
            collections = _collections(reader, request)
        with self._read_ahead(collections, request) as ranked:
            vector = self._embedded(request.query, collections, job)
        found = self._from_indexes(collections, request, vector, job)
        with self._vault.read() as reader:
            current = _current(reader, collections)
            meaning, *words = self._rankings(reader, collections, current, request, vector, found, ranked)
            together = fuse(_weighted([meaning, *words]))
            passages = self._passages(reader, current, together[:RERANKED], vector, {})
            by_meaning, by_words, by_both = (
                _names(reader, ids) for ids in (meaning, fuse(_unweighted(words)), together)
            )
        reranked: tuple[str, ...] = ()
        if request.finding.reranker:
            places, _ = self._reranked(request, passages, job)
            reranked = tuple(dict.fromkeys([*(passages[at].name for at in places), *by_both]))
        return Rankings(meaning=by_meaning, words=by_words, fused=by_both, reranked=reranked)

    def settings(self, request: Search) -> Settings:
        """What such a search is made with. Raises `NotFound`, `BadInput`."""
        with self._vault.read() as reader:
            collections = _collections(reader, request)
            ways = {self._compared(reader, collection, request) for collection in collections}
        reranker = request.finding.reranker
        return Settings(
            collections=tuple(kept.name for kept in collections),
            embedder=collections[0].embedder,
            by_meaning=BY_MEANING,
            by_words=BY_WORDS,
            smoothing=SMOOTHING,
            candidates=max(CANDIDATES, request.limit),
            reranker=self._models.show(reranker).digest if reranker else "",
            reranked=RERANKED if reranker else 0,
            compared=" and ".join(sorted(ways)),
        )

    def show(self, request: Search, job: Job) -> tuple[Passage, ...]:
        """As `search`, for a person to read: the log says whose passages they were shown. Raises `Refused` too."""
        found = self.search(request, job)
        documents = tuple(dict.fromkeys(passage.document for passage in found))
        with self._vault.write(Act.SHOW_DOCUMENT, about=f"{request.collection}, {len(found)} passages found") as unit:
            unit.note(touched=documents)
        return found

    def prepare(self, collection: str, job: Job) -> IndexState:
        """Open, or build and seal, a collection's index now instead of beside the first searches. Raises `NotFound`, `WorkerFailed`, `Cancelled`."""
        with self._vault.read() as reader:
            kept = store.get(reader, collection)
        self._indexes.build(kept, job)
        return self.index_state(collection)

    def index_state(self, collection: str) -> IndexState:
        """How a collection is searched by meaning at this moment. Raises `NotFound`."""
        with self._vault.read() as reader:
            kept = store.get(reader, collection)
            state = self._indexes.state(kept)
            if state.state != "ready" and self._residents.scanned(reader, kept):
                return IndexState(state="exact", vectors=vectors.count(reader, kept.id), reason=IN_MEMORY)
            return state

    def allow_clear(self, reason: str) -> None:
        """Where the system has no storage in memory: let indexes lie in clear in the temporary folder while this vault is open. Only an
        administrator may; the audit log says so. Raises `Refused`."""
        self._indexes.allow_clear(self._vault, reason)

    def close(self) -> None:
        """Seal the indexes and end their worker; its folder is removed. What was held in memory is let go."""
        self._indexes.close()
        self._residents.close()
        self._words.close()
        self._documents.close()

    def _embedded(self, query: str, collections: Sequence[store.Kept], job: Job) -> Vector:
        embedder = collections[0].embedder
        try:
            room = self._engine.window(embedder)
            route = self._engine.route(embedder, job)
        except (NotFound, Changed) as error:
            said = f"made with the embedder {collections[0].embedder_name}, which isn't here as it was: {error}"
            raise store.outdated(collections[0].name, said) from error
        for collection in collections:
            store.check_route(collection, route)
        if len(query.encode()) + SPECIAL_TOKENS > room:  # a token takes a byte at least
            (tokens,) = self._engine.count_tokens([query], embedder, job)
            if tokens > room:
                raise BadInput(source="query", problem=f"{tokens} tokens; the embedder takes {room}. Shorten it.")
        vector: Vector = self._engine.embed([query], embedder, job)[0]
        return vector

    def _from_indexes(
        self, collections: Sequence[store.Kept], request: Search, vector: Vector, job: Job
    ) -> list[list[int] | None]:
        """What each collection's index finds; None where there is none in step, or where filters leave parts of the collection out."""
        if request.finding.filters.narrow:
            return [None for _ in collections]
        with self._vault.read() as reader:
            scanned = [self._residents.scanned(reader, collection) for collection in collections]
        data, wanted = vector.astype(store.FLOAT).tobytes(), max(CANDIDATES, request.limit)
        found = [
            None if whole else self._indexes.nearest(collection, data, wanted, job)
            for collection, whole in zip(collections, scanned, strict=True)
        ]
        return [None if one is None else list(one.ids) for one in found]

    def _compared(self, reader: Reader, collection: store.Kept, request: Search) -> str:
        """What answers for a collection by meaning: all that filters leave is compared, or the index is asked."""
        if request.finding.filters.narrow or self._residents.scanned(reader, collection):
            return "all"
        return "index" if self._indexes.state(collection).state == "ready" else "all"

    @contextmanager
    def _read_ahead(self, collections: Sequence[store.Kept], request: Search) -> Iterator[_ByWords]:
        """Beside the embedding of its query, which another process does: bring into memory what the search will need, and rank by words. Once the
        block has ended, what it gave has those rankings; what is missing there is done when it is needed, where it is said what is wrong."""
        found: _ByWords = {}

        def read() -> None:
            with suppress(Exception), self._vault.read() as reader:
                for kept in _current(reader, collections):
                    self._residents.get(reader, kept)
                    found[kept.id, kept.generation] = self._ranked_by_words(reader, kept, request)

        query = word_query(request.query)
        if all(self._residents.ready(kept) and self._words.ready(kept, query) for kept in collections):
            yield found  # half a millisecond's work, less than what two threads of Python take from each other
            return
        reading = beside().submit(read)
        try:
            yield found
        finally:
            if not reading.cancel():  # one that hasn't begun, since others' are before it, is not waited for
                reading.result()

    def _rankings(
        self,
        reader: Reader,
        collections: Sequence[store.Kept],
        current: Sequence[store.Kept],
        request: Search,
        vector: Vector,
        found: Sequence[list[int] | None],
        ranked: _ByWords,
    ) -> list[list[int]]:
        """The ranking by meaning over all collections, then the one by words of each. `current`: the collections as `reader` sees them; what was
        found when they were otherwise isn't used. Ids that a broken index made up raise `NotFound`."""
        wanted, filters = max(CANDIDATES, request.limit), request.finding.filters
        near: list[int] = []
        words: list[list[int]] = []
        for collection, kept, ids in zip(collections, current, found, strict=True):
            resident, places = self._places(reader, kept, filters)
            if resident is not None:
                ids = resident.nearest(vector, wanted, places)
            elif ids is None or kept.generation != collection.generation:
                among = None if places is None else places.tolist()
                ids = exact.nearest(reader, kept, vector, wanted, among)
            near += ids
            ranking = ranked.get((kept.id, kept.generation))
            words.append(self._ranked_by_words(reader, kept, request) if ranking is None else ranking)
        if near:
            near = exact.ordered(near, self._vectors(reader, current, near) @ vector)[:wanted]
        return [near, *words]

    def _places(
        self, reader: Reader, kept: store.Kept, filters: filtering.Filters
    ) -> tuple[Resident | None, Numbers | None]:
        """What of the collection is in memory, and what filters leave: places there, or chunks where it isn't in memory; None where all is left."""
        resident = self._residents.get(reader, kept)
        if not filters.narrow:
            return resident, None
        if resident is not None:
            return resident, resident.within(reader, kept.id, filters)
        return None, np.array(filtering.chunks(reader, kept.id, filters), dtype=np.int64)

    def _ranked_by_words(self, reader: Reader, kept: store.Kept, request: Search) -> list[int]:
        query = word_query(request.query)
        if not query:
            return []
        resident, places = self._places(reader, kept, request.finding.filters)
        among = places if resident is None or places is None else resident.ids[places]
        return self._words.ranking(reader, kept, query, max(CANDIDATES, request.limit), among)

    def _reranked(self, request: Search, passages: Sequence[Passage], job: Job) -> tuple[list[int], list[float]]:
        """Places in `passages`, best first by the reranker, and its scores; what it wasn't given is left out."""
        given = passages[: max(RERANKED, request.limit)]
        texts = [f"{passage.heading}\n{passage.text}".strip() for passage in given]
        scores = self._engine.rerank(request.query, texts, request.finding.reranker, job) if texts else []
        places = sorted(range(len(given)), key=lambda at: (-scores[at], at))
        return places, [scores[at] for at in places]

    def _vectors(self, reader: Reader, current: Sequence[store.Kept], ids: list[int]) -> vectors.Matrix:
        """The vectors of chunks that can be found. Raises `NotFound`."""
        if len(current) == 1:
            resident = self._residents.get(reader, current[0])
            if resident is not None and resident.has(ids):
                return resident.of(ids)
        return vectors.of(reader, ids, current[0].dimensions)

    def _passages(
        self,
        reader: Reader,
        current: Sequence[store.Kept],
        ids: list[int],
        vector: Vector,
        several: Mapping[int, str],
    ) -> tuple[Passage, ...]:
        if not ids:
            return ()
        cosines = self._vectors(reader, current, ids) @ vector
        chunks = passages.chunks_of(reader, ids)
        names = passages.names(reader, [chunks[chunk].document for chunk in ids])
        homes = passages.homes(reader, ids) if several else {}
        places = passages.said_places(reader, [chunks[chunk] for chunk in ids])
        return tuple(
            _passage(
                chunks[chunk], names[chunks[chunk].document], float(cosine), several.get(homes.get(chunk, 0), ""), place
            )
            for chunk, cosine, place in zip(ids, cosines, places, strict=True)
        )


def _check(request: Search) -> None:
    if not request.query.strip():
        raise BadInput(source="query", problem="it is empty.")
    if not 1 <= request.limit <= MOST:
        raise BadInput(source="limit", problem=f"use a number from 1 to {MOST}.")
    if not 0 <= request.finding.mmr <= 1:
        raise BadInput(source="mmr", problem="use a number from 0 to 1.")


def _collections(reader: Reader, request: Search) -> list[store.Kept]:
    """The collections of a search, each once. Raises `NotFound`, and `BadInput` where their vectors can't be compared."""
    found = [store.get(reader, name) for name in dict.fromkeys((request.collection, *request.finding.also))]
    for other in found[1:]:
        if other.embedder != found[0].embedder:
            raise BadInput(
                source=other.name,
                problem=f"made with another embedder than {found[0].name}; their vectors can't be compared. Search them one by one, or make one "
                "anew with `assay documents rebuild`.",
            )
    return found


def _current(reader: Reader, collections: Sequence[store.Kept]) -> list[store.Kept]:
    """The collections as `reader` sees them. Raises `NotFound`, also where one was made anew in another way since."""
    found = [store.get(reader, collection.name) for collection in collections]
    for kept, before in zip(found, collections, strict=True):
        if (kept.embedder, kept.route) != (before.embedder, before.route):
            raise vectors.gone()
    return found


def _weighted(rankings: Sequence[list[int]]) -> list[tuple[float, list[int]]]:
    meaning, *words = rankings
    return [(BY_MEANING, meaning), *((BY_WORDS, ranking) for ranking in words)]


def _unweighted(rankings: Sequence[list[int]]) -> list[tuple[float, list[int]]]:
    return [(1.0, ranking) for ranking in rankings]


def _names(reader: Reader, ids: list[int]) -> tuple[str, ...]:
    chunks = passages.chunks_of(reader, ids)
    names = passages.names(reader, [chunk.document for chunk in chunks.values()])
    return tuple(dict.fromkeys(names[chunks[chunk].document] for chunk in ids))


def _passage(chunk: Chunk, name: str, cosine: float, collection: str, place: str) -> Passage:
    return Passage(
        chunk=chunk.id,
        document=chunk.document,
        name=name,
        page=chunk.page,
        text=chunk.text,
        heading=chunk.heading,
        score=round(min(max(cosine, 0.0), 1.0), 6),
        rects=chunk.rects,
        collection=collection,
        place=place,
    )
