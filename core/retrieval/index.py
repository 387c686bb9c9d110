"""The vector indexes of the collections, in the index worker, kept in step with the vault.

The worker has ids and vectors only, in storage in memory of its own that goes with it; where the system has no such storage there is no index,
unless an administrator allows that it lies in clear. A collection's index is taken from its sealed copy (`cache.py`) or built, beside the work,
when it is first needed; until it is there, when it failed, and while it lags behind by much, `nearest` says None and the caller scans. It is
sealed again when it was built, and at the end.
"""

import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from core.documents import store, vectors
from core.errors import AssayError, Cancelled, WorkerFailed
from core.jobs import Job
from core.paths import ram_backed, runtime_folder, sweep
from core.retrieval.cache import KIND, IndexCache, Place, Stored, made_with, place
from core.retrieval.records import IndexState
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
from core.vault.events import Changed
from core.vault.roles import Act
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
NO_STORAGE: Final = "This system offers no storage in memory, so all vectors are compared instead."


class _Kept:
    """What is known of one collection's index."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.removed = 0  # vectors that the index was told to remove and may still have in its files
        self.generation = -1
        self.sealed = -1  # the generation that was sealed last
        self.collection: store.Kept | None = None  # as it was when the index was last in step
        self.place: Place | None = None
        self.purged = False  # something was erased: nothing of this index may stay
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
        self._cache = IndexCache(vault)
        sweep()
        self._base = ram_backed()
        self._forget_events = vault.events.subscribe(self._changed)

    def nearest(self, collection: store.Kept, vector: bytes, limit: int, job: Job | None) -> Found | None:
        """The index's answer; None while there is none that is in step with the collection."""
        with self._lock:
            kept = self._kept.setdefault(collection.id, _Kept())
            if self._base is None or max(kept.failures, self._deaths) > FAILURES or kept.builder is not None:
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
        """Bring a collection's index in step, seal it, and wait for that. Does nothing where there is no storage for it. Raises `WorkerFailed`,
        `Cancelled`."""
        if self._base is None:
            return
        with self._lock:
            kept = self._kept.setdefault(collection.id, _Kept())
            builder = kept.builder
        if builder is not None:
            builder.join()
        kept.failures = 0
        self._deaths = 0
        with self._changing:
            self._synchronize(collection, kept, job)
            self._seal(kept, job)

    def allow_clear(self, vault: Vault, reason: str) -> None:
        """Let the indexes lie in clear in the temporary folder while this vault is open, where there is no storage in memory. Logged. Raises
        `Refused` to all but administrators; `vault` is that of the person who asks."""
        if self._base is None:
            with vault.write(Act.OPEN_IN_CLEAR, about=KIND, reason=reason):
                pass
            self._base = Path(tempfile.gettempdir())

    def state(self, collection: store.Kept) -> IndexState:
        """How the collection is searched at this moment."""
        with self._lock:
            kept = self._kept.get(collection.id, _Kept())
            ready = kept.generation == collection.generation and kept.builder is None
            if self._base is None:
                return IndexState(state="exact", vectors=0, reason=NO_STORAGE)
            state = "ready" if ready else "failed" if max(kept.failures, self._deaths) > FAILURES else "building"
            return IndexState(state=state, vectors=len(kept.ids), reason=kept.reason)

    def close(self) -> None:
        """Seal what changed, end the worker and remove its folder. What is being built is given up."""
        self._closing.cancel()
        with self._lock:
            builders = [kept.builder for kept in self._kept.values() if kept.builder is not None]
        if not builders:
            with self._changing:
                for kept in self._kept.values():
                    self._seal(kept, Job("Seal the index"))
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        for builder in builders:
            builder.join()
        with self._changing:
            if self._worker is not None:
                self._worker.close()
            self._folders.close()
            self._forget_events()

    def _catch_up(self, collection: store.Kept, kept: _Kept) -> bool:
        """Take over a few changes at once, many beside the search. Whether the index is in step now."""
        if not self._changing.acquire(blocking=False):
            return False
        try:
            if self._worker is not None and self._worker.alive and kept.generation >= 0:
                with self._vault.read() as reader:
                    changed = kept.ids.symmetric_difference(vectors.chunk_ids(reader, collection.id))
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
                if self._synchronized(collection, kept):
                    self._seal(kept, self._closing)
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
        if kept.purged or kept.removed > len(kept.ids):
            self._drop(worker, collection, kept)
        with self._vault.read() as reader:
            now = store.find(reader, collection.name) or collection
            here = place(reader)
            wanted = vectors.chunk_ids(reader, collection.id)
            if kept.collection is not None and made_with(kept.collection) != made_with(now):  # it was rebuilt
                self._drop(worker, collection, kept)
                kept.sealed = -1
            if not kept.ids and kept.sealed < 0:
                found = self._cache.load(now, reader)
                if found is not None and len(found.ids.symmetric_difference(wanted)) + found.removed <= len(wanted):
                    self._open(worker, collection, kept, found, job)
            missing = [chunk for chunk in wanted if chunk not in kept.ids]
            surplus = sorted(kept.ids.difference(wanted))
            for start in range(0, len(missing), PORTION):
                job.check()
                ids = missing[start : start + PORTION]
                matrix = vectors.of(reader, ids, now.dimensions)
                request = AddVectors(
                    collection=collection.id, ids=tuple(ids), dimensions=now.dimensions, vectors=matrix.tobytes()
                )
                worker.call(request, Counted, job)
                kept.ids.update(ids)
        if surplus:
            worker.call(RemoveVectors(collection=collection.id, ids=tuple(surplus)), Counted, job)
            kept.ids.difference_update(surplus)
            kept.removed += len(surplus)
        kept.collection, kept.place = now, here
        kept.generation = -1 if kept.purged else now.generation
        kept.failures, kept.reason = 0, ""

    def _open(self, worker: Worker, collection: store.Kept, kept: _Kept, found: Stored, job: Job) -> None:
        """Give the worker the files of a sealed index. One that turns out to be damaged is dropped, and leaves nothing."""
        try:
            for part in found.parts:
                worker.call(PutPart(collection=collection.id, part=part), Counted, job)
            counted = worker.call(CountVectors(collection=collection.id), Counted, job)
        except AssayError as error:
            self._drop(worker, collection, kept)
            if isinstance(error, Cancelled) or not worker.alive:
                raise
            self._cache.drop(collection.id)
            return
        if counted.vectors != len(found.ids):
            self._drop(worker, collection, kept)
            self._cache.drop(collection.id)
            return
        kept.ids, kept.removed, kept.sealed = set(found.ids), found.removed, found.generation

    def _drop(self, worker: Worker, collection: store.Kept, kept: _Kept) -> None:
        kept.ids.clear()
        kept.removed, kept.purged = 0, False
        if worker.alive:
            worker.call(DropIndex(collection=collection.id), Counted)

    def _seal(self, kept: _Kept, job: Job) -> None:
        """Put the index into the cache, if it is in step and not there as it is. What prevents that costs nothing but the time to build it
        again. Called with `_changing` held."""
        worker, collection, at = self._worker, kept.collection, kept.place
        if worker is None or not worker.alive or collection is None or at is None or kept.purged or not kept.ids:
            return
        if kept.generation != collection.generation or kept.sealed == kept.generation:
            return
        parts = worker.stream(TakeFiles(collection=collection.id), FilePart, job)
        try:
            self._cache.save(collection, at, kept.ids, kept.removed, parts)
        except (AssayError, OSError) as error:
            kept.reason = str(error)
            return
        kept.sealed = kept.generation
        if kept.purged:
            self._cache.drop()

    def _changed(self, change: Changed) -> None:
        """After an erasure nothing of the indexes stays as it was: the sealed ones go at once, the open ones before they are used again."""
        if change.act is Act.ERASE:
            with self._lock:
                for kept in self._kept.values():
                    kept.purged, kept.generation, kept.sealed = True, -1, -1
            self._cache.drop()

    def _started(self, job: Job) -> Worker:
        """The worker, started where it isn't there. Called with `_changing` held."""
        if self._worker is not None and self._worker.alive:
            return self._worker
        self._forget()
        self._folders.close()
        folder = self._folders.enter_context(runtime_folder("index", self._base))
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
            kept.removed = 0
            kept.generation = kept.sealed = -1


def _spec(folder: Path) -> WorkerSpec:
    return WorkerSpec(
        module="core.retrieval.worker.index",
        writable=(str(folder),),
        hidden=(str(folder),),
        seconds=SECONDS,
        title="The index worker",
    )
