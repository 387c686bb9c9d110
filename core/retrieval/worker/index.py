"""The vector index: Chroma, embedded in a child process, over opaque ids and vectors.

Rules: it never gets text, a name or metadata; its files lie in the one private folder that the process may write, a folder a collection;
telemetry is off; no embedding function is ever set, because the library's own one would fetch a model from the network. Distances are cosine
distances. The program never opens these files: they come and go as parts in messages.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import Damaged
from core.records import Record
from core.retrieval.worker.records import (
    AddVectors,
    Counted,
    CountVectors,
    DropIndex,
    FilePart,
    FindNearest,
    Found,
    OpenIndex,
    PutPart,
    RemoveVectors,
    TakeFiles,
)
from core.workers.serving import Call, Handler

BATCH: Final = 5_461
"""Most vectors that Chroma takes in one call."""
SEARCH_WIDTH: Final = 400
"""Candidates that the graph search keeps (`ef`)."""
BUILD_WIDTH: Final = 200
"""Candidates that are looked at for a new vector's neighbours."""
NEIGHBOURS: Final = 32
"""Of each vector (`M`). Over 100,000 vectors in 2,000 dense clusters recall@10 was 1.000 with these three, and 0.976 with 16 neighbours and half
the width at building, whatever the width of the search: some clusters were out of reach."""
PART: Final = 2 * 1024 * 1024
"""Bytes of a file in one message."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


class Index:
    """A Chroma client for each collection, by our own collection number."""

    def __init__(self) -> None:
        self._folder = Path()
        self._open: dict[int, tuple[Any, Any]] = {}

    def open(self, request: OpenIndex, call: Call) -> Counted:
        """Use `folder`; the first request."""
        self._folder = Path(request.folder)
        return Counted(vectors=0)

    def put(self, request: PutPart, call: Call) -> Counted:
        """Append to a file of an index that isn't open yet. Raises `Damaged` for a name that can't be one of ours."""
        if _NAME.fullmatch(request.part.name) is None or request.collection in self._open:
            raise Damaged(source="A sealed index", problem="a file in it has an impossible name.")
        path = self._folder / str(request.collection) / request.part.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(request.part.content)
        return Counted(vectors=0)

    def count(self, request: CountVectors, call: Call) -> Counted:
        """Open an index."""
        return Counted(vectors=self._collection(request.collection).count())

    def take(self, request: TakeFiles, call: Call) -> Iterator[FilePart]:
        """Close the index, so that its files are whole, and give them. It opens again with the next request."""
        self._close(request.collection)
        folder = self._folder / str(request.collection)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            with path.open("rb") as file:
                content = file.read(PART)
                yield FilePart(name=name, content=content)
                while content := file.read(PART):
                    yield FilePart(name=name, content=content)

    def drop(self, request: DropIndex, call: Call) -> Counted:
        """Forget an index and remove its files."""
        self._close(request.collection)
        shutil.rmtree(self._folder / str(request.collection), ignore_errors=True)
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
            import chromadb
            from chromadb.config import Settings

            settings = Settings(anonymized_telemetry=False, allow_reset=False)
            client = chromadb.PersistentClient(path=str(self._folder / str(number)), settings=settings)
            collection = client.get_or_create_collection(
                f"collection-{number}",
                embedding_function=None,
                configuration={
                    "hnsw": {
                        "space": "cosine",
                        "ef_search": SEARCH_WIDTH,
                        "ef_construction": BUILD_WIDTH,
                        "max_neighbors": NEIGHBOURS,
                    }
                },
            )
            self._open[number] = client, collection
        return self._open[number][1]

    def _close(self, number: int) -> None:
        if number in self._open:
            client, _ = self._open.pop(number)
            client.close()


def handlers() -> Mapping[type[Record], Handler]:
    """What this worker answers."""
    index = Index()
    return {
        OpenIndex: index.open,
        AddVectors: index.add,
        RemoveVectors: index.remove,
        FindNearest: index.nearest,
        PutPart: index.put,
        CountVectors: index.count,
        TakeFiles: index.take,
        DropIndex: index.drop,
    }
