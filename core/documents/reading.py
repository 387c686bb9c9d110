"""Reading documents in parse workers: a fresh one for each document, several documents at once, in the order in which they were asked for.

Files inside of a document (attachments, members of an archive) are documents of their own, named by the path through it. They come before the
document that holds them, so that one whose import was broken off is read again and none of them is missing. How many there may be, how large and
how deep, is bounded for each file that a person gave. Pages without text are read by text recognition where its data are at hand, one call a page;
where that takes long, further workers take other pages of the document. A file that takes long holds nothing up: others are read meanwhile, as
many as `AHEAD` and `HELD` allow. Passwords are tried, and kept nowhere.
"""

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from msgspec.structs import replace

from core.documents import files, formats, ocr
from core.documents.records import Refusal
from core.documents.worker.records import (
    READER,
    Inside,
    Opened,
    OpenPages,
    Page,
    Parse,
    Parsed,
    RecognisePage,
    check_parsed,
)
from core.errors import AssayError, BadInput, Damaged, Unavailable, Unsupported, WorkerFailed
from core.jobs import Job
from core.records import Digest
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker

T = TypeVar("T")
SPEC: Final = WorkerSpec(
    module="core.documents.worker.parsing", memory=2 * 1024**3, seconds=60.0, title="The document reader"
)
"""A page of 20,000 drawing operations took 0.3 s and 90 MB; what needs more than that is not a document."""
AT_ONCE: Final = min((os.cpu_count() or 1) + 1, 9)
"""One more than cores: a reader waits for its start and for its bytes."""
FEW: Final = AT_ONCE + 3
"""Documents that are read ahead of the one that is waited for, however large they are."""
AHEAD: Final = 96
"""Small documents that are read ahead: a scanned page can take half a minute, in which the other cores read so many files."""
HELD: Final = 64 * 1000 * 1000
"""Bytes of the files that are read ahead, and of what has come out of them, from which only the few are read."""
HELPERS: Final = min((os.cpu_count() or 1) - 1, 7)
"""Further workers that recognise pages, of all documents together."""
SPARE: Final = threading.BoundedSemaphore(max(HELPERS, 1))
LOOK: Final = 0.5
"""Seconds after which one that waits for its turn looks whether a page is left."""
LONG: Final = 1.0
"""Seconds of a page's recognition from which further workers are worth their start."""
DEEPEST: Final = 4
"""Files within files within files."""
MOST_INSIDE: Final = 10_000
LARGEST_INSIDE: Final = 1000 * 1000 * 1000
"""Bytes of all that is inside of one file, at every depth."""
TOO_MANY: Final = f"over {MOST_INSIDE:,} files or 1,000 MB are inside of one file"
LONGEST_NAME: Final = 400
STEP: Final = "add it again when the machine has less to do, or save it anew or in parts."
"""What helps where a reader stopped."""
RECOGNITION_SECONDS: Final = 240.0
"""A page of a scan takes some seconds on a machine that has nothing else to do, and over a minute on one that has."""


@dataclass(frozen=True)
class Read:
    """A document as read: its bytes and its pages. `parsed` is None where the collection has exactly these bytes already."""

    name: str
    data: bytes
    content: Digest
    parsed: Parsed | None


@dataclass
class Budget:
    """What may still be inside of one file."""

    files: int = MOST_INSIDE
    size: int = LARGEST_INSIDE
    names: set[str] = field(default_factory=set)

    def take(self, size: int) -> bool:
        """Whether there is room for one more file of this size."""
        self.files -= 1
        self.size -= size
        return self.files >= 0 and self.size >= 0


@dataclass(frozen=True)
class Reader:
    """How documents are read: which bytes are known already, the passwords that a person gave, text recognition if there is one."""

    supervisor: Supervisor
    known: Callable[[Digest], bool]
    passwords: tuple[str, ...] = ()
    recognition: ocr.Recognition | None = None

    def read_all(
        self,
        found: Sequence[tuple[str, Path]],
        job: Job,
        early: Callable[[tuple[Read | Refusal, ...]], None] = lambda documents: None,
    ) -> Generator[tuple[Read | Refusal, ...], None, None]:
        """For each file in order: its documents, or the reasons why there are none. Closing the iterator stops what is being read.

        `early` is given the same as soon as it is there, in any order, on the thread that read it."""

        def read(name: str, path: Path, job: Job) -> tuple[Read | Refusal, ...]:
            documents = self._read_file(name, path, job)
            early(documents)
            return documents

        sizes = [files.size(path) for _, path in found]
        return ahead((partial(read, name, path) for name, path in found), job, sizes, _weight)

    def read_again(self, name: str, data: bytes, job: Job) -> Parsed | Refusal:
        """A document alone, whose bytes were read before: its pages, or why there are none."""
        return _attempted(name, lambda: self._parsed(name, data, job))

    def _read_file(self, name: str, path: Path, job: Job) -> tuple[Read | Refusal, ...]:
        try:
            formats.media_type(name)
            data = files.read_bytes(name, path)
        except (BadInput, Unsupported) as error:
            return (Refusal(file=name, reason=_sentence(name, error)),)
        return tuple(self._read(name, data, 0, Budget(), job))

    def _read(self, name: str, data: bytes, depth: int, budget: Budget, job: Job) -> Iterator[Read | Refusal]:
        """A document's files inside, then the document itself, or why it can't be read."""
        content = Digest(hashlib.sha256(data).hexdigest())
        parsed = _attempted(name, lambda: None if self.known(content) else self._parsed(name, data, job))
        if isinstance(parsed, Refusal):
            yield parsed
            return
        if parsed is None:
            yield Read(name=name, data=b"", content=content, parsed=None)
            return
        yield from self._inside(name, parsed.inside, depth, budget, job)
        if not parsed.pages:
            return
        if any(page.text for page in parsed.pages):
            yield Read(name=name, data=data, content=content, parsed=parsed)
        else:
            why = ocr.MISSING if self.recognition is None else ocr.NOTHING
            yield Refusal(file=name, reason=f"{name}: {why}")

    def _parsed(self, name: str, data: bytes, job: Job) -> Parsed:
        with self.supervisor.start(self._spec(name), job) as worker:
            request = Parse(name=name, data=data, passwords=self.passwords)
            parsed = replace(check_parsed(name, worker.call(request, Parsed, job)), reader=READER)
            wanted = [page.number for page in parsed.pages if page.textless]
            if self.recognition is None or not wanted or parsed.media not in formats.DRAWN:
                return parsed
            pages = self._recognised_pages(
                worker, OpenPages(name=name, data=data, passwords=self.passwords), parsed.pages, wanted, job
            )
            return check_parsed(name, replace(parsed, pages=pages))

    def _recognised_pages(
        self, worker: Worker, request: OpenPages, pages: Sequence[Page], wanted: Sequence[int], job: Job
    ) -> tuple[Page, ...]:
        """The pages with the text that was recognised on those of the numbers `wanted`; by several workers where it takes long."""
        made = list(pages)
        left = iter(wanted)
        turn = threading.Lock()
        over = threading.Event()

        def take(worker: Worker, job: Job) -> None:
            while True:
                with turn:
                    number = next(left, None)
                if number is None:
                    over.set()
                    return
                try:
                    made[number - 1] = self._recognised(worker, made[number - 1], job)
                except BaseException:
                    with turn:
                        deque(left, maxlen=0)  # nobody begins another page
                    raise

        def help_out(job: Job) -> None:
            while not SPARE.acquire(timeout=LOOK):
                if over.is_set() or job.cancelled:
                    return
            with ExitStack() as stack:
                stack.callback(SPARE.release)
                try:
                    helper = stack.enter_context(self.supervisor.start(self._spec(request.name), job))
                    helper.call(request, Opened, job)
                except WorkerFailed:
                    return  # there is no room for another one; the others read its pages
                take(helper, job)

        worker.call(request, Opened, job)
        started = time.monotonic()
        first = next(left)
        made[first - 1] = self._recognised(worker, made[first - 1], job)
        helpers = min(HELPERS, len(wanted) - 2) if time.monotonic() - started >= LONG else 0
        with quiet(job) as inner, ThreadPoolExecutor(max(helpers, 1), thread_name_prefix="recognising") as pool:
            helping = [pool.submit(help_out, inner) for _ in range(helpers)]
            try:
                take(worker, inner)
                for one in helping:
                    one.result()
            finally:
                inner.cancel()
        return tuple(made)

    def _recognised(self, worker: Worker, page: Page, job: Job) -> Page:
        """The page with the text that was recognised. One that takes too long or breaks the engine ends its document's reading."""
        assert self.recognition is not None
        request = RecognisePage(page=page.number, folder=self.recognition.folder, languages=self.recognition.languages)
        found = worker.call(request, Page, job)
        return replace(found, number=page.number, label=page.label)

    def _inside(
        self, holder: str, inside: Sequence[Inside], depth: int, budget: Budget, job: Job
    ) -> Iterator[Read | Refusal]:
        for file in inside:
            job.check()
            name = _name_inside(holder, file.name, budget.names)
            if file.refused:
                yield Refusal(file=name, reason=f"{name}: {file.refused}")
            elif depth + 1 >= DEEPEST:
                yield Refusal(
                    file=name, reason=f"{name}: inside of {DEEPEST} files, which is too deep. Unpack it yourself."
                )
            elif not budget.take(len(file.data)):
                reason = f"{TOO_MANY}. Unpack it yourself and add its folder."
                yield Refusal(file=name, reason=f"{name}: {reason}")
                return
            else:
                yield from self._read(name, file.data, depth + 1, budget, job)

    def _spec(self, name: str) -> WorkerSpec:
        """Only what may need recognition gets the longer time, and sees its data."""
        return (
            SPEC
            if self.recognition is None or formats.media_type(name) not in formats.DRAWN
            else replace(SPEC, seconds=RECOGNITION_SECONDS, readable=(self.recognition.folder,))
        )


def _name_inside(holder: str, name: str, taken: set[str]) -> str:
    """The path through a document to a file inside: no part of it leads elsewhere, none is taken twice."""
    parts = [
        "".join(letter if letter.isprintable() else " " for letter in part).strip()
        for part in name.replace("\\", "/").split("/")
    ]
    path = "/".join(part for part in parts if part not in ("", ".", ".."))[-LONGEST_NAME:] or "file"
    named = f"{holder}/{path}"
    times = 1
    while named in taken:
        times += 1
        stem, dot, ending = path.rpartition(".")
        named = (
            f"{holder}/{stem or ending} ({times}){dot}{ending if stem else ''}" if dot else f"{holder}/{path} ({times})"
        )
    taken.add(named)
    return named


def _attempted(name: str, read: Callable[[], T]) -> T | Refusal:
    """What `read` gives of the document of that name, or why it can't be read."""
    try:
        formats.media_type(name)
        return read()
    except (BadInput, Unsupported, Damaged, Unavailable) as error:
        return Refusal(file=name, reason=_sentence(name, error))
    except WorkerFailed as error:
        reason = error.fields.get("reason", "for no known reason")
        return Refusal(file=name, reason=f"{name}: its reader stopped: {reason}. The file was left out; {STEP}")


def ahead(
    tasks: Iterable[Callable[[Job], T]],
    job: Job,
    sizes: Sequence[int] | None = None,
    weigh: Callable[[T], int] = lambda found: 0,
) -> Generator[T, None, None]:
    """What each task gives, in order, some of them begun before they are asked for: `FEW`; where the `sizes` of what they read are known, in bytes,
    up to `AHEAD` while they hold no more than `HELD`. Beyond the few, tasks wait also while what was given and not asked for yet, as `weigh` has it,
    is that much. Closing the iterator cancels the jobs of those."""
    with quiet(job) as inner, ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="reading") as pool:
        rest = enumerate(tasks)
        weights = iter(sizes or ())
        waiting: deque[tuple[int, Future[tuple[int, T]]]] = deque()
        held = 0
        room = _Room()

        def run(number: int, task: Callable[[Job], T]) -> tuple[int, T]:
            room.enter(number, inner)
            found = task(inner)
            return room.keep(weigh(found)), found

        try:
            while True:
                while len(waiting) < FEW or (sizes is not None and len(waiting) < AHEAD and held < HELD):
                    if (following := next(rest, None)) is None:
                        break
                    weight = next(weights, 0)
                    held += weight
                    waiting.append((weight, pool.submit(run, *following)))
                if not waiting:
                    return
                weight, done = waiting.popleft()
                held -= weight
                kept, found = done.result()
                room.take(kept)
                yield found
        finally:
            inner.cancel()
            room.close()
            pool.shutdown(wait=True, cancel_futures=True)


class _Room:
    """What was read and not taken yet."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._taken = 0
        self._held = 0

    def enter(self, number: int, job: Job) -> None:
        """Return when the task of that number may begin: one of the few next to be taken, or while little is held."""
        with self._turn:
            self._turn.wait_for(lambda: job.cancelled or number < self._taken + FEW or self._held < HELD)

    def keep(self, weight: int) -> int:
        with self._turn:
            self._held += weight
        return weight

    def take(self, weight: int) -> None:
        with self._turn:
            self._taken += 1
            self._held -= weight
            self._turn.notify_all()

    def close(self) -> None:
        """Wake who waits, after the job was cancelled."""
        with self._turn:
            self._turn.notify_all()


def _weight(documents: Sequence[Read | Refusal]) -> int:
    read = [one for one in documents if isinstance(one, Read)]
    return sum(len(one.data) + sum(len(page.text) for page in (one.parsed.pages if one.parsed else ())) for one in read)


@contextmanager
def quiet(job: Job) -> Iterator[Job]:
    """A job that is cancelled with `job` and keeps its progress to itself."""
    inner = Job(job.title)
    take_back = job.on_cancel(inner.cancel)
    try:
        yield inner
    finally:
        take_back()


def _sentence(name: str, error: AssayError) -> str:
    text = str(error)
    return text if text.startswith(name) else f"{name}: {text}"
