"""The vector indexes of the collections, in the index worker, kept in step with the vault.

The worker has ids and vectors only, in a private folder in memory that goes with this object. A collection's index is built beside the work when
it is first needed; until it is there, when it failed, and while it lags behind by much, `nearest` says None and the caller scans.
"""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from core.documents import store
from core.errors import AssayError, WorkerFailed
from core.jobs import Job
from core.paths import runtime_folder
from core.retrieval.records import IndexState
from core.retrieval.worker.records import AddVectors, Counted, FindNearest, Found, OpenIndex, RemoveVectors
from core.vault.vault import Vault
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker

PORTION: Final = 1_024
"""Vectors in one message: a search that comes in between waits for one of them, under a second. Chroma takes 5,461 at once."""
AT_ONCE: Final = 256
"""Changes of a collection that a search waits for; more are taken over beside it."""
FAILURES: Final = 2
"""After more, of a collection's index or of the worker, no other attempt is made until somebody asks for the index (`build`)."""
SECONDS: Final = 120.0


class _Kept:
    """What is known of one collection's index."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.generation = -1
        self.builder: threading.Thread | None = None
        self.reason = ""
        self.failures = 0


class Indexes:
    """The indexes of one open vault. Safe from several threads."""

    def __init__(self, vault: Vault, supervisor: Supervisor) -> None:
        self._vault = vault
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._kept: dict[int, _Kept] = {}
        self._worker: Worker | None = None
        self._deaths = 0
        self._folders = ExitStack()
        self._closing = Job("Build the index")

    def nearest(self, collection: store.Kept, vector: bytes, limit: int, job: Job | None) -> Found | None:
        """The index's answer; None while there is none that is in step with the collection."""
        with self._lock:
            kept = self._kept.setdefault(collection.id, _Kept())
            if max(kept.failures, self._deaths) > FAILURES or kept.builder is not None:
                return None
            behind = kept.generation != collection.generation
        if behind and not self._catch_up(collection, kept):
            return None
        worker = self._worker
        if worker is None or not worker.alive:
            self._lost()
            return None
        try:
            return worker.call(FindNearest(collection=collection.id, vector=vector, limit=limit), Found, job)
        except WorkerFailed:
            self._lost()
            return None

    def build(self, collection: store.Kept, job: Job) -> None:
        """Bring a collection's index in step, and wait for it. Raises `WorkerFailed`, `Cancelled`."""
        with self._lock:
            kept = self._kept.setdefault(collection.id, _Kept())
            builder = kept.builder
        if builder is not None:
            builder.join()
        kept.failures = 0
        self._deaths = 0
        with self._changing:
            self._synchronize(collection, kept, job)

    def state(self, collection: store.Kept) -> IndexState:
        """How the collection is searched at this moment."""
        with self._lock:
            kept = self._kept.get(collection.id, _Kept())
            ready = kept.generation == collection.generation
            state = "ready" if ready else "failed" if max(kept.failures, self._deaths) > FAILURES else "building"
            return IndexState(state=state, vectors=len(kept.ids), reason=kept.reason)

    def close(self) -> None:
        """End the worker and remove its folder."""
        self._closing.cancel()
        with self._lock:
            builders = [kept.builder for kept in self._kept.values() if kept.builder is not None]
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        for builder in builders:
            builder.join()
        with self._changing:
            if self._worker is not None:
                self._worker.close()
            self._folders.close()

    def _catch_up(self, collection: store.Kept, kept: _Kept) -> bool:
        """Take over a few changes at once, many beside the search. Whether the index is in step now."""
        if not self._changing.acquire(blocking=False):
            return False
        try:
            if self._worker is not None and self._worker.alive and kept.generation >= 0:
                with self._vault.read() as reader:
                    changed = kept.ids.symmetric_difference(store.chunk_ids(reader, collection.id))
                if len(changed) <= AT_ONCE:
                    return self._synchronized(collection, kept)
        finally:
            self._changing.release()
        with self._lock:
            if kept.builder is None and not self._closing.cancelled:
                kept.builder = threading.Thread(
                    target=self._build_beside, args=(collection, kept), name=f"index-{collection.id}", daemon=True
                )
                kept.builder.start()
        return False

    def _build_beside(self, collection: store.Kept, kept: _Kept) -> None:
        try:
            with self._changing:
                self._synchronized(collection, kept)
        finally:
            with self._lock:
                kept.builder = None

    def _synchronized(self, collection: store.Kept, kept: _Kept) -> bool:
        """Bring the index in step; what went wrong is kept as the reason, and the scan goes on serving."""
        try:
            self._synchronize(collection, kept, self._closing)
        except (AssayError, OSError) as error:
            kept.failures += 1
            kept.reason = str(error)
            return False
        return True

    def _synchronize(self, collection: store.Kept, kept: _Kept, job: Job) -> None:
        """Called with `_changing` held."""
        worker = self._started(job)
        with self._vault.read() as reader:
            now = store.find(reader, collection.name)
            wanted = store.chunk_ids(reader, collection.id)
            missing = [chunk for chunk in wanted if chunk not in kept.ids]
            surplus = sorted(kept.ids.difference(wanted))
            for start in range(0, len(missing), PORTION):
                job.check()
                ids = missing[start : start + PORTION]
                matrix = store.vectors_of(reader, ids, collection.dimensions)
                request = AddVectors(
                    collection=collection.id, ids=tuple(ids), dimensions=collection.dimensions, vectors=matrix.tobytes()
                )
                worker.call(request, Counted, job)
                kept.ids.update(ids)
        if surplus:
            worker.call(RemoveVectors(collection=collection.id, ids=tuple(surplus)), Counted, job)
            kept.ids.difference_update(surplus)
        kept.generation = collection.generation if now is None else now.generation
        kept.failures, kept.reason = 0, ""

    def _started(self, job: Job) -> Worker:
        """The worker, started where it isn't there. Called with `_changing` held."""
        if self._worker is not None and self._worker.alive:
            return self._worker
        self._forget()
        self._folders.close()
        folder = self._folders.enter_context(runtime_folder("index"))
        worker = self._supervisor.start(_spec(folder), job)
        try:
            worker.call(OpenIndex(folder=str(folder)), Counted, job)
        except BaseException:
            worker.close()
            raise
        with self._lock:
            self._worker = worker
        return worker

    def _lost(self) -> None:
        """The worker died: all indexes are to be built anew."""
        with self._lock:
            if self._worker is not None and not self._worker.alive:
                self._worker = None
                self._deaths += 1
                self._forget()

    def _forget(self) -> None:
        for kept in self._kept.values():
            kept.ids.clear()
            kept.generation = -1


def _spec(folder: Path) -> WorkerSpec:
    return WorkerSpec(
        module="core.retrieval.worker.index", writable=(str(folder),), seconds=SECONDS, title="The index worker"
    )
