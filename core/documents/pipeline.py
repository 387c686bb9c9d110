"""Documents are cut and embedded beside the reading of the next ones and the keeping of those before, in the order in which they came.

Rules: what is prepared is taken out in the order in which it was put in, so that files inside of a document are kept before the document; at most
`AHEAD` documents are in hand, which bounds memory, and those that were begun before their turn, which the reading bounds; when the work ends
early, what is being prepared is cancelled and nothing of it is kept.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self

from core.documents import preparing, store
from core.documents.chunking import Cut
from core.documents.reading import Read, quiet
from core.documents.records import Chunking
from core.documents.worker.records import Parsed
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import ModelFile
from core.records import Digest

AT_ONCE: Final = 2
"""While one document is embedded, another is cut."""
AHEAD: Final = 6
"""Documents that are prepared or wait to be kept."""
SOON: Final = 0.02
"""The part of the work after which the time left is told."""


@dataclass(frozen=True)
class Prepared:
    """A document as it can be kept."""

    read: Read
    parsed: Parsed
    cuts: Sequence[Cut]
    matrix: store.Matrix


class Pipeline:
    """Cuts and embeds documents for one collection. A context manager; leaving it cancels what is left."""

    def __init__(self, engine: Engine, model: ModelFile, rules: Chunking, job: Job) -> None:
        self.model, self.rules = model, rules
        self._engine = engine
        self._quiet = quiet(job)
        self._waiting: deque[tuple[int, Digest, Future[Prepared]]] = deque()
        self._begun: dict[Digest, tuple[Parsed, Future[Prepared]]] = {}
        self._seen: set[Digest] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._inner = self._quiet.__enter__()
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="preparing")
        return self

    def __exit__(self, *about: object) -> None:
        self._inner.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._quiet.__exit__(None, None, None)

    @property
    def first(self) -> int | None:
        """The number of the file that the oldest document in hand came from; None when there is none."""
        return self._waiting[0][0] if self._waiting else None

    def begin(self, read: Read) -> None:
        """Begin with a document before its turn, from any thread: it was read while an earlier one still is. It is kept only if it is `put`."""
        with self._lock:
            if read.parsed is not None and read.content not in self._seen:
                self._seen.add(read.content)
                self._begun[read.content] = read.parsed, self._pool.submit(self._prepare, read, read.parsed)

    def put(self, read: Read, parsed: Parsed, file: int = 0) -> None:
        """Take in a document, of the file with that number: what was begun is gone on with where it is just this."""
        with self._lock:
            begun = self._begun.pop(read.content, None)
        if begun is not None and begun[0] is parsed:
            prepared = begun[1]
        else:
            prepared = self._pool.submit(self._prepare, read, parsed)
        self._waiting.append((file, read.content, prepared))

    def has(self, content: Digest) -> bool:
        """Whether a document with these bytes is in hand."""
        return any(content == other for _, other, _ in self._waiting)

    def ready(self, *, every: bool = False) -> Iterator[Prepared]:
        """The documents that are done, in order; with `every`, all, and else as many as there must be so that not too many are in hand. Raises what
        preparing one raises."""
        while self._waiting and (every or len(self._waiting) > AHEAD or self._waiting[0][2].done()):
            _, _, found = self._waiting.popleft()
            yield found.result()

    def _prepare(self, read: Read, parsed: Parsed) -> Prepared:
        cuts = preparing.cut(self._engine, parsed, self.rules, self.model.digest, self._inner)
        return Prepared(read, parsed, cuts, preparing.embed(self._engine, cuts, self.model, self._inner))


class Pace:
    """How far an import is, in words: pages, passages, and the time left, by the sizes of the files."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._whole = max(sum(sizes), 1)
        self._started = time.monotonic()

    def said(self, files: int, pages: int, chunks: int) -> str:
        """For so many files that are done, and what came of them."""
        part = sum(self._sizes[:files]) / self._whole
        elapsed = time.monotonic() - self._started
        left = f", {duration(elapsed * (1 - part) / part)} left" if SOON <= part < 1 else ""
        return f"{pages:,} {'page' if pages == 1 else 'pages'}, {chunks:,} {'chunk' if chunks == 1 else 'chunks'}{left}"


def duration(seconds: float) -> str:
    """About how long: "20 s", "3 min", "2 h 10 min"."""
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
