"""Retrieval: the passages of a collection that are nearest to a query.

Two rankings are put together: by meaning (the cosine of embeddings, from the index worker, or by an exact scan while there is no index) and by
words (BM25, in the vault). The passages carry the exact cosine, computed from the vault's own vectors, the same whichever way they were found.
"""

from typing import Final

import numpy as np

from core.documents import store
from core.documents.records import Chunk
from core.documents.service import Documents
from core.errors import BadInput
from core.inference.service import Engine
from core.jobs import Job
from core.retrieval import exact
from core.retrieval.fusion import fuse, word_query
from core.retrieval.index import Indexes
from core.retrieval.records import IndexState, Passage, Search
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

CANDIDATES: Final = 50
"""Of each ranking, before they are put together."""
BY_MEANING: Final = 1.0
BY_WORDS: Final = 0.75
"""Weights of the two. nDCG@10 of 45 Vaswani questions over 2,082 of its documents: meaning alone 0.739, words alone 0.702; words with the weight 0.25
gave 0.749, 0.5 0.751, 0.75 0.761, 1 0.760."""
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
        self._documents = documents
        self._indexes: Indexes = first._indexes if first else Indexes(vault, supervisor)

    def search(self, request: Search, job: Job) -> tuple[Passage, ...]:
        """The passages, best first; none in an empty collection.

        Raises `NotFound` (the collection, its embedder), `BadInput` (an empty query, a limit out of range), `Changed` (the embedder's file),
        `WorkerFailed`, `Cancelled`."""
        if not request.query.strip():
            raise BadInput(source="query", problem="it is empty.")
        if not 1 <= request.limit <= MOST:
            raise BadInput(source="limit", problem=f"use a number from 1 to {MOST}.")
        with self._vault.read() as reader:
            collection = store.get(reader, request.collection)
        vector = self._embedded(request.query, collection, job)
        wanted = max(CANDIDATES, request.limit)
        found = self._indexes.nearest(collection, vector.astype(store.FLOAT).tobytes(), wanted, job)
        with self._vault.read() as reader:
            if found is None or store.get(reader, request.collection).generation != collection.generation:
                by_meaning = exact.nearest(reader, collection, vector, wanted)
            else:
                by_meaning = self._ranked(reader, collection, list(found.ids), vector)
            words = word_query(request.query)
            by_words = store.by_words(reader, collection.id, words, wanted) if words else []
            best = fuse([(BY_MEANING, by_meaning), (BY_WORDS, by_words)])[: request.limit]
            return self._passages(reader, collection, best, vector)

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

    def _embedded(self, query: str, collection: store.Kept, job: Job) -> Vector:
        room = self._engine.window(collection.embedder)
        (tokens,) = self._engine.count_tokens([query], collection.embedder, job)
        if tokens > room:
            raise BadInput(source="query", problem=f"{tokens} tokens; the embedder takes {room}. Shorten it.")
        vector: Vector = self._engine.embed([query], collection.embedder, job)[0]
        store.check_route(collection, self._engine.route(collection.embedder, job))
        return vector

    def _ranked(self, reader: Reader, collection: store.Kept, ids: list[int], vector: Vector) -> list[int]:
        """What the index found, in the exact order. Ids that a broken index made up raise `NotFound`."""
        return exact.ordered(ids, store.vectors_of(reader, ids, collection.dimensions) @ vector) if ids else []

    def _passages(self, reader: Reader, collection: store.Kept, ids: list[int], vector: Vector) -> tuple[Passage, ...]:
        if not ids:
            return ()
        cosines = store.vectors_of(reader, ids, collection.dimensions) @ vector
        chunks = store.chunks_of(reader, ids)
        names = store.names(reader, [chunks[chunk].document for chunk in ids])
        return tuple(
            _passage(chunks[chunk], names[chunks[chunk].document], float(cosine))
            for chunk, cosine in zip(ids, cosines, strict=True)
        )


def _passage(chunk: Chunk, name: str, cosine: float) -> Passage:
    return Passage(
        chunk=chunk.id,
        document=chunk.document,
        name=name,
        page=chunk.page,
        text=chunk.text,
        heading=chunk.heading,
        score=round(min(max(cosine, 0.0), 1.0), 6),
        rects=chunk.rects,
    )
