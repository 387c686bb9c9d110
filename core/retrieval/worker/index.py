"""The vector index: Chroma, embedded in a child process, over opaque ids and vectors.

Rules: it never gets text, a name or metadata; its files lie in the one private folder that the process may write; telemetry is off; no
embedding function is ever set, because the library's own one would fetch a model from the network. Distances are cosine distances.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.records import Record
from core.retrieval.worker.records import AddVectors, Counted, FindNearest, Found, OpenIndex, RemoveVectors
from core.workers.serving import Call, Handler

BATCH: Final = 5_461
"""Most vectors that Chroma takes in one call."""
SEARCH_WIDTH: Final = 200
"""Candidates that the graph search keeps (`ef`); at 100,000 vectors, recall@10 was 1.0 with half of it."""


class Index:
    """One Chroma client and its open collections, by our own collection number."""

    def __init__(self) -> None:
        self._client: Any = None
        self._open: dict[int, Any] = {}

    def open(self, request: OpenIndex, call: Call) -> Counted:
        """Use `folder`; the first request."""
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False, allow_reset=False)
        self._client = chromadb.PersistentClient(path=str(Path(request.folder)), settings=settings)
        return Counted(vectors=0)

    def add(self, request: AddVectors, call: Call) -> Counted:
        """Put vectors under their ids; an id that is there already is replaced."""
        matrix = np.frombuffer(request.vectors, dtype="<f4").reshape(len(request.ids), request.dimensions)
        collection = self._collection(request.collection)
        for start in range(0, len(request.ids), BATCH):
            call.check()
            ids = [str(number) for number in request.ids[start : start + BATCH]]
            collection.upsert(ids=ids, embeddings=matrix[start : start + BATCH])
        return Counted(vectors=collection.count())

    def remove(self, request: RemoveVectors, call: Call) -> Counted:
        """Take ids out; unknown ones are passed over."""
        collection = self._collection(request.collection)
        for start in range(0, len(request.ids), BATCH):
            call.check()
            collection.delete(ids=[str(number) for number in request.ids[start : start + BATCH]])
        return Counted(vectors=collection.count())

    def nearest(self, request: FindNearest, call: Call) -> Found:
        """The ids nearest to a vector, nearest first, with their cosines."""
        collection = self._collection(request.collection)
        wanted = min(request.limit, collection.count())
        if wanted == 0:
            return Found(ids=(), cosines=())
        vector = np.frombuffer(request.vector, dtype="<f4")
        result = collection.query(query_embeddings=[vector], n_results=wanted, include=["distances"])
        return Found(
            ids=tuple(int(number) for number in result["ids"][0]),
            cosines=tuple(1.0 - float(distance) for distance in result["distances"][0]),
        )

    def _collection(self, number: int) -> Any:
        if number not in self._open:
            self._open[number] = self._client.get_or_create_collection(
                f"collection-{number}",
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "ef_search": SEARCH_WIDTH}},
            )
        return self._open[number]


def handlers() -> Mapping[type[Record], Handler]:
    """What this worker answers."""
    index = Index()
    return {OpenIndex: index.open, AddVectors: index.add, RemoveVectors: index.remove, FindNearest: index.nearest}
