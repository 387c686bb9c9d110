"""Answers to identical requests, taken from outcomes that are recorded already.

Nothing is stored twice: a row says which outcome holds the answer to which request, and goes with that outcome when it is erased. A request
is identified by all that decides over its answer: the model's and the adapters' digests, the messages and what they are filled with, every
setting, the mode, the seed, and the version of this program; and an outcome is taken only if it was computed by exactly the build, device and
number of threads that compute now. What these are is known from the first answer of a model, so that one is always computed. The times of an
answer that is taken again are those of its making, so a spec that measures latency asks everything anew.
"""

import hashlib
import importlib.metadata
import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec

from core.errors import NotFound
from core.evals import store
from core.evals.records import Outcome, Spec
from core.inference.records import Finished, Generate, Token
from core.jobs import Job
from core.records import Digest
from core.vault.unit import Unit
from core.vault.vault import Vault

Generating = Callable[[Generate, Job], Iterator[Token | Finished]]
Place = tuple[str, str, int]
"""Variant, sample, repetition."""
MEASURING = ("latency",)
"""Scorers whose figure needs an answer that is made now."""


def usable(spec: Spec) -> bool:
    """Whether answers may be taken again under this spec."""
    return not any(label.partition(":")[0] in MEASURING for label in spec.scorers)


def request_digest(request: Generate) -> str:
    """The same for requests that must have the same answer from one build on one device."""
    head = f"assay {importlib.metadata.version('assay-workbench')}\n".encode()
    return hashlib.sha256(head + msgspec.json.encode(request, order="sorted")).hexdigest()


class Cache:
    """What one run takes from earlier outcomes, and what it leaves to later ones. Safe from several threads."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lock = threading.Lock()
        self._backends: dict[tuple[str, str, str], str] = {}
        """By model, adapters and mode: what computes now."""
        self._made: dict[Place, tuple[str, str]] = {}
        """(request, backend) of answers that aren't written yet."""

    def asking(self, generate: Generating) -> "Asking":
        """In place of `generate`, for one sample."""
        return Asking(self, generate)

    def find(self, request: Generate, key: str) -> tuple[Digest, Outcome] | None:
        """The outcome that holds the answer, if what computed it is what computes now."""
        with self._lock:
            backend = self._backends.get(_lane(request))
        if backend is None:
            return None
        with self._vault.read() as reader:
            found = store.cached(reader, key, backend)
            try:
                outcome = reader.get(found, Outcome) if found else None
            except NotFound:
                return None
        return (found, outcome) if found and outcome is not None and outcome.answer is not None else None

    def computed(self, request: Generate, backend: str) -> None:
        """Learn what computes now."""
        with self._lock:
            self._backends[_lane(request)] = backend

    def note(self, outcome: Outcome, request: str, backend: str) -> None:
        """This outcome's answer is what the model wrote for that request."""
        with self._lock:
            self._made[place(outcome)] = (request, backend)

    def keep(self, unit: Unit, written: Sequence[tuple[Digest, Outcome]]) -> None:
        """Leave these outcomes to later runs, together with their being written."""
        for digest, outcome in written:
            with self._lock:
                made = self._made.pop(place(outcome), None)
            if made is not None and outcome.answer is not None:
                store.cache(unit, *made, digest)


class Asking:
    """`generate` for one sample: from an outcome where there is one, else from the model."""

    def __init__(self, cache: Cache, generate: Generating) -> None:
        self._cache = cache
        self._generate = generate
        self._text: list[str] = []
        self._made = ("", "")
        self._source: tuple[Digest, Outcome] | None = None

    def __call__(self, request: Generate, job: Job) -> Iterator[Token | Finished]:
        key = request_digest(request)
        self._text, self._made, self._source = [], ("", ""), self._cache.find(request, key)
        if self._source is not None:
            yield from _again(self._source[1])
            return
        for part in self._generate(request, job):
            if isinstance(part, Finished):
                self._cache.computed(request, part.backend)
                self._made = (key, part.backend)
            else:
                self._text.append(part.text)
            yield part

    def marked(self, outcome: Outcome) -> Outcome:
        """The outcome as it is recorded: one whose answer was taken says from where, one that was made can be taken later."""
        if outcome.answer is None:
            return outcome
        if self._source is not None:
            digest, source = self._source
            assert source.answer is not None
            answer = msgspec.structs.replace(
                outcome.answer,
                seconds=source.answer.seconds,
                first_token_seconds=source.answer.first_token_seconds,
            )
            return msgspec.structs.replace(outcome, answer=answer, reused=source.reused or digest)
        request, backend = self._made
        if request and "".join(self._text).strip() == outcome.answer.answer:
            self._cache.note(outcome, request, backend)
        return outcome


def place(outcome: Outcome) -> Place:
    return outcome.variant, outcome.sample, outcome.repetition


def _lane(request: Generate) -> tuple[str, str, str]:
    return str(request.model), repr(request.adapters), request.mode


def _again(outcome: Outcome) -> Iterator[Token | Finished]:
    answer = outcome.answer
    assert answer is not None
    if answer.answer:
        yield Token(text=answer.answer)
    yield Finished(
        reason=answer.finish,
        prompt=answer.rendered,
        prompt_tokens=answer.prompt_tokens,
        tokens=answer.tokens,
        first_token_seconds=answer.first_token_seconds,
        seconds=answer.seconds,
        backend=answer.backend,
        broken=answer.broken,
    )
