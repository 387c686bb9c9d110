"""Retrieval: the passages of a collection that are nearest to a query.

Two rankings are put together: by meaning (the cosine of embeddings, from the index worker, or by an exact scan while there is no index) and by
words (BM25, in the vault). The passages carry the exact cosine, computed from the vault's own vectors, the same whichever way they were found.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from core.documents import filtering, store
from core.documents.records import Chunk
from core.documents.service import Documents
from core.errors import BadInput
from core.inference.service import Engine
from core.jobs import Job
from core.models.service import Models
from core.retrieval import exact
from core.retrieval.fusion import SMOOTHING, diverse, fuse, fused, word_query
from core.retrieval.index import Indexes
from core.retrieval.records import IndexState, Passage, Rankings, Search, Settings
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
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


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

    def search(self, request: Search, job: Job) -> tuple[Passage, ...]:
        """The passages, best first; none in an empty collection.

        Raises `NotFound` (a collection, its embedder, a filter's file or folder), `BadInput` (an empty query, a limit out of range, collections of
        different embedders), `Changed` (the embedder's file), `Unsupported` (a reranker that is none), `WorkerFailed`, `Cancelled`."""
        _check(request)
        with self._vault.read() as reader:
            collections = _collections(reader, request)
        vector = self._embedded(request.query, collections, job)
        found = self._from_indexes(collections, request, vector, job)
        with self._vault.read() as reader:
            rankings = self._rankings(reader, collections, request, vector, found)
            best = fused(_weighted(rankings))[: max(CANDIDATES, request.limit)]
            reordered = request.finding.reranker or request.finding.mmr < 1
            ids = [chunk for chunk, _ in best[: None if reordered else request.limit]]
            several = {kept.id: kept.name for kept in collections} if len(collections) > 1 else {}
            passages = self._passages(reader, collections[0], ids, vector, several)
            vectors = store.vectors_of(reader, ids, collections[0].dimensions) if ids else None
        if not reordered or vectors is None:
            return passages
        relevance = [score for _, score in best]
        places = list(range(len(passages)))
        if request.finding.reranker:
            places, relevance = self._reranked(request, passages, job)
        if request.finding.mmr < 1:
            order = diverse(relevance, vectors[places], request.finding.mmr, request.limit)
            places = [places[at] for at in order]
        return tuple(passages[at] for at in places[: request.limit])

    def rank(self, request: Search, job: Job) -> Rankings:
        """Every ranking of a query by itself, as the names of documents, each where its first passage stands. Raises as `search`."""
        _check(request)
        with self._vault.read() as reader:
            collections = _collections(reader, request)
        vector = self._embedded(request.query, collections, job)
        found = self._from_indexes(collections, request, vector, job)
        with self._vault.read() as reader:
            meaning, *words = self._rankings(reader, collections, request, vector, found)
            together = fuse(_weighted([meaning, *words]))
            passages = self._passages(reader, collections[0], together[:RERANKED], vector, {})
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
            return self._indexes.state(store.get(reader, collection))

    def allow_clear(self, reason: str) -> None:
        """Where the system has no storage in memory: let indexes lie in clear in the temporary folder while this vault is open. Only an
        administrator may; the audit log says so. Raises `Refused`."""
        self._indexes.allow_clear(self._vault, reason)

    def close(self) -> None:
        """Seal the indexes and end their worker; its folder is removed."""
        self._indexes.close()
        self._documents.close()

    def _embedded(self, query: str, collections: Sequence[store.Kept], job: Job) -> Vector:
        embedder = collections[0].embedder
        room = self._engine.window(embedder)
        (tokens,) = self._engine.count_tokens([query], embedder, job)
        if tokens > room:
            raise BadInput(source="query", problem=f"{tokens} tokens; the embedder takes {room}. Shorten it.")
        vector: Vector = self._engine.embed([query], embedder, job)[0]
        route = self._engine.route(embedder, job)
        for collection in collections:
            store.check_route(collection, route)
        return vector

    def _from_indexes(
        self, collections: Sequence[store.Kept], request: Search, vector: Vector, job: Job
    ) -> list[list[int] | None]:
        """What each collection's index finds; None where there is none in step, or where filters leave parts of the collection out."""
        if request.finding.filters.narrow:
            return [None for _ in collections]
        data, wanted = vector.astype(store.FLOAT).tobytes(), max(CANDIDATES, request.limit)
        found = [self._indexes.nearest(collection, data, wanted, job) for collection in collections]
        return [None if one is None else list(one.ids) for one in found]

    def _rankings(
        self,
        reader: Reader,
        collections: Sequence[store.Kept],
        request: Search,
        vector: Vector,
        found: Sequence[list[int] | None],
    ) -> list[list[int]]:
        """The ranking by meaning over all collections, then the one by words of each. Ids that a broken index made up raise `NotFound`."""
        wanted, filters, query = max(CANDIDATES, request.limit), request.finding.filters, word_query(request.query)
        near: list[int] = []
        words: list[list[int]] = []
        for collection, ids in zip(collections, found, strict=True):
            among = filtering.chunks(reader, collection.id, filters) if filters.narrow else None
            if ids is None or store.get(reader, collection.name).generation != collection.generation:
                ids = exact.nearest(reader, collection, vector, wanted, among)
            near += ids
            words.append(store.by_words(reader, collection.id, query, wanted, among) if query else [])
        if near:
            near = exact.ordered(near, store.vectors_of(reader, near, collections[0].dimensions) @ vector)[:wanted]
        return [near, *words]

    def _reranked(self, request: Search, passages: Sequence[Passage], job: Job) -> tuple[list[int], list[float]]:
        """Places in `passages`, best first by the reranker, and its scores; what it wasn't given is left out."""
        given = passages[: max(RERANKED, request.limit)]
        texts = [f"{passage.heading}\n{passage.text}".strip() for passage in given]
        scores = self._engine.rerank(request.query, texts, request.finding.reranker, job) if texts else []
        places = sorted(range(len(given)), key=lambda at: (-scores[at], at))
        return places, [scores[at] for at in places]

    def _passages(
        self, reader: Reader, collection: store.Kept, ids: list[int], vector: Vector, several: Mapping[int, str]
    ) -> tuple[Passage, ...]:
        if not ids:
            return ()
        cosines = store.vectors_of(reader, ids, collection.dimensions) @ vector
        chunks = store.chunks_of(reader, ids)
        names = store.names(reader, [chunks[chunk].document for chunk in ids])
        homes = store.homes(reader, ids) if several else {}
        return tuple(
            _passage(chunks[chunk], names[chunks[chunk].document], float(cosine), several.get(homes.get(chunk, 0), ""))
            for chunk, cosine in zip(ids, cosines, strict=True)
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
                problem=f"made with another embedder than {found[0].name}; their vectors can't be compared. Search them one by one.",
            )
    return found


def _weighted(rankings: Sequence[list[int]]) -> list[tuple[float, list[int]]]:
    meaning, *words = rankings
    return [(BY_MEANING, meaning), *((BY_WORDS, ranking) for ranking in words)]


def _unweighted(rankings: Sequence[list[int]]) -> list[tuple[float, list[int]]]:
    return [(1.0, ranking) for ranking in rankings]


def _names(reader: Reader, ids: list[int]) -> tuple[str, ...]:
    chunks = store.chunks_of(reader, ids)
    names = store.names(reader, [chunk.document for chunk in chunks.values()])
    return tuple(dict.fromkeys(names[chunks[chunk].document] for chunk in ids))


def _passage(chunk: Chunk, name: str, cosine: float, collection: str) -> Passage:
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
    )
