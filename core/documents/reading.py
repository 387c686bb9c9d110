"""Reading documents in parse workers: a fresh one for each document, several documents at once, in the order in which they were asked for."""

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.documents import files, formats
from core.documents.records import Refusal
from core.documents.worker.records import Parse, Parsed, check_parsed
from core.errors import AssayError, BadInput, Damaged, Unsupported, WorkerFailed
from core.jobs import Job
from core.records import Digest
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

SPEC: Final = WorkerSpec(
    module="core.documents.worker.parsing", memory=2 * 1024**3, seconds=60.0, title="The document reader"
)
"""A page of 20,000 drawing operations took 0.3 s and 90 MB; what needs more than that is not a document."""
AT_ONCE: Final = 2
AHEAD: Final = 3
"""Documents that are read ahead of the one that is being embedded."""


@dataclass(frozen=True)
class Read:
    """A document as read: its bytes and its pages. `parsed` is None where the collection has exactly these bytes already."""

    name: str
    data: bytes
    content: Digest
    parsed: Parsed | None


def read_all(
    supervisor: Supervisor, found: Sequence[tuple[str, Path]], known: Callable[[Digest], bool], job: Job
) -> Generator[Read | Refusal, None, None]:
    """Each file's pages or the reason why there are none, in order. Closing the iterator stops what is being read."""
    with quiet(job) as inner, ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="reading") as pool:
        rest = iter(found)
        waiting: deque[Future[Read | Refusal]] = deque()
        try:
            while True:
                while len(waiting) < AHEAD and (following := next(rest, None)) is not None:
                    waiting.append(pool.submit(_read, supervisor, following[0], following[1], known, inner))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            inner.cancel()
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def quiet(job: Job) -> Iterator[Job]:
    """A job that is cancelled with `job` and keeps its progress to itself."""
    inner = Job(job.title)
    take_back = job.on_cancel(inner.cancel)
    try:
        yield inner
    finally:
        take_back()


def _read(supervisor: Supervisor, name: str, path: Path, known: Callable[[Digest], bool], job: Job) -> Read | Refusal:
    try:
        formats.media_type(name)
        data = files.read_bytes(name, path)
        content = Digest(hashlib.sha256(data).hexdigest())
        if known(content):
            return Read(name=name, data=b"", content=content, parsed=None)
        with supervisor.start(SPEC, job) as worker:
            parsed = worker.call(Parse(name=name, data=data), Parsed, job)
        return Read(name=name, data=data, content=content, parsed=check_parsed(name, parsed))
    except (BadInput, Unsupported, Damaged) as error:
        return Refusal(file=name, reason=_sentence(name, error))
    except WorkerFailed as error:
        reason = error.fields.get("reason", "for no known reason")
        return Refusal(file=name, reason=f"{name}: its reader stopped: {reason}. The file was left out.")


def _sentence(name: str, error: AssayError) -> str:
    text = str(error)
    return text if text.startswith(name) else f"{name}: {text}"
