"""The engine: models at work, each in a worker of its own.

A worker is started when its model is first needed and kept warm; of those that nobody uses, the least recently used end once there are
more than `KEPT_WARM`. A worker that died is started again for the next request, but a file whose workers died `CRASHES` times is not
tried any more. Each request makes sure first that the file is still the registered one. Safe from several threads: a chat model computes
requests in fast mode together and others one after the other, in the order of asking; the line has an end.
"""

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from core.errors import BadInput, Unavailable, Unsupported, WorkerFailed
from core.inference.adapters import Adapters
from core.inference.records import (
    MODES,
    ROLES,
    TEXT,
    Checked,
    CheckTemplate,
    Count,
    Counted,
    Embed,
    Embedded,
    Finished,
    Generate,
    Load,
    Loaded,
    Message,
    PromptTokens,
    Ready,
    Render,
    Rendered,
    Rerank,
    Reranked,
    ShowTokens,
    Token,
    Weigh,
    Weighed,
    WeighedText,
    WeighText,
)
from core.jobs import Job
from core.models.records import FAKE, ModelFile
from core.models.service import Models
from core.records import Digest, Json
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker

KEPT_WARM: Final = 3
CRASHES: Final = 2
TEXTS_AT_ONCE: Final = 64
AT_ONCE: Final = 32
"""Requests that a chat model's worker takes in; of these, as many are computed together as its scheduler has slots for."""
MOST_WAITING: Final = 256
"""Requests to one model, computed or waiting; more are refused."""
LARGEST_WINDOW: Final = 4096
LARGEST_SEED: Final = 2**32 - 2
"""llama.cpp takes the number after it for "choose one"."""
LONGEST_STOP: Final = 16
MOST_LIKELY: Final = 20
TEMPLATE_MEMORY: Final = 1024 * 1024 * 1024
TEMPLATE_SECONDS: Final = 15.0
_TURN: Final = 0.1

Floats = npt.NDArray[np.float32]


class _Slot:
    """One model's place: its worker, once there is one."""

    def __init__(self, model: ModelFile) -> None:
        fake = model.name == FAKE
        self.model = model
        self.spec = WorkerSpec(
            module=f"core.inference.worker.{'fake' if fake else 'llama'}",
            readable=() if fake else model.files,
            threads=AT_ONCE if model.purpose == "chat" and not fake else 0,
            title=f"The model {model.name}",
        )
        self.starting = threading.Lock()
        self.worker: Worker | None = None
        self.ready: Ready | None = None
        self.seconds = 0.0
        self.users = 0
        self.used = 0
        self.speed = 0.0


class Engine:
    """Generates, embeds, counts and renders, through workers."""

    def __init__(self, models: Models, supervisor: Supervisor, threads: Callable[[], int] = lambda: 0) -> None:
        """`threads` is asked at each loading of a model how many it computes with; 0 chooses by its size and the cores."""
        self._models = models
        self._adapters = Adapters(models)
        self._supervisor = supervisor
        self._threads = threads
        self._lock = threading.Lock()
        self._slots: dict[Digest, _Slot] = {}
        self._clock = itertools.count(1)
        self._template_lock = threading.Lock()
        self._template_worker: Worker | None = None

    def generate(self, request: Generate, job: Job | None = None) -> Iterator[Token | Finished]:
        """The answer in pieces as they come, then `Finished`. Closing the iterator stops the model.

        At its first step it raises `BadInput` (a parameter), `NotFound`, `Changed`, `Unsupported` (no chat model, no chat template), `TemplateError`,
        `ContextExceeded`, `Damaged`, `WorkerFailed`, `Cancelled`; after the last piece `InvalidAnswer`, when the answer breaks the form asked for."""
        check_request(request)
        model = self._chat_model(request.model, job)
        request = replace(request, adapters=self._adapters.resolved(request.adapters, model, job))
        with self._using(model, job) as worker:
            self._adapters.hand_over(request.adapters, worker, job)
            for part in worker.stream(request, Token | Finished, job):
                if isinstance(part, Finished):
                    self._note_speed(model.digest, part)
                yield part

    def weigh(self, request: Weigh, job: Job | None = None) -> Weighed:
        """Log-likelihoods of given continuations, computed alone. Raises as `generate`."""
        _check_messages([message.role for message in request.messages])
        model = self._models.located(request.model, job)
        if model.purpose != "chat" or model.name == FAKE:
            raise Unsupported(source=model.name, reason="it weighs no text. Choose a chat model.")
        if not request.continuations or not all(request.continuations):
            raise BadInput(source="The continuations", problem="there are none, or one is empty. Give texts.")
        request = replace(request, adapters=self._adapters.resolved(request.adapters, model, job))
        with self._using(model, job) as worker:
            self._adapters.hand_over(request.adapters, worker, job)
            found = worker.call(request, Weighed, job)
        if len(found.weights) != len(request.continuations):
            raise WorkerFailed(worker=f"The model {model.name}", reason="it left weights out", safe="Nothing was kept.")
        return found

    def weigh_text(self, request: WeighText, job: Job | None = None) -> WeighedText:
        """Each token of a text with its log-probability after those before it, computed alone. Raises as `generate`."""
        model = self._models.located(request.model, job)
        if model.purpose != "chat" or model.name == FAKE:
            raise Unsupported(source=model.name, reason="it weighs no text. Choose a chat model.")
        if not 0 <= request.likeliest <= MOST_LIKELY:
            raise BadInput(source="likeliest", problem=f"use 0 to {MOST_LIKELY}.")
        with self._using(model, job) as worker:
            return worker.call(request, WeighedText, job)

    def embed(self, texts: Sequence[str], model: Digest | str, job: Job | None = None) -> Floats:
        """Vectors (n, dimensions), float32, each of length 1, in the texts' order. A text's vector depends on nothing but the text.

        Raises `BadInput` for a text that is longer than the model's window, and as `generate`."""
        found = self._embedder(model, job)
        parts = [np.zeros((0, found.dimensions), dtype=np.float32)]
        with self._using(found, job) as worker:
            for start in range(0, len(texts), TEXTS_AT_ONCE):
                some = tuple(texts[start : start + TEXTS_AT_ONCE])
                answer = worker.call(Embed(texts=some), Embedded, job)
                parts.append(_vectors(answer, len(some), found))
        return np.concatenate(parts)

    def count_tokens(self, texts: Sequence[str], model: Digest | str, job: Job | None = None) -> list[int]:
        """How many tokens each text has for this model, with the special ones that it adds around a text."""
        found = self._models.located(model, job)
        with self._using(found, job) as worker:
            return list(worker.call(Count(texts=tuple(texts)), Counted, job).tokens)

    def tokens(self, request: Generate, job: Job | None = None) -> PromptTokens:
        """The prompt that this request makes, token by token; nothing is generated, and one that doesn't fit is shown too. Raises as `generate`."""
        check_request(request)
        model = self._chat_model(request.model, job)
        with self._using(model, job) as worker:
            return worker.call(ShowTokens(request=request), PromptTokens, job)

    def rerank(self, query: str, texts: Sequence[str], model: Digest | str, job: Job | None = None) -> list[float]:
        """How well each text answers the query, in the texts' order; higher is better. The numbers are the model's own: they compare texts for
        one query and mean nothing across models. A text's score depends on nothing but the query and the text.

        Raises `BadInput` for an empty query and a pair that is longer than the model's window, and as `generate`."""
        found = self._models.located(model, job)
        if found.purpose != "rerank":
            raise Unsupported(source=found.name, reason="it scores no texts. Choose a reranker.")
        if not query.strip():
            raise BadInput(source="The query", problem="it is empty. Write something.")
        scores: list[float] = []
        with self._using(found, job) as worker:
            for start in range(0, len(texts), TEXTS_AT_ONCE):
                some = tuple(texts[start : start + TEXTS_AT_ONCE])
                answer = worker.call(Rerank(query=query, texts=some), Reranked, job)
                if len(answer.scores) != len(some) or not all(map(math.isfinite, answer.scores)):
                    raise WorkerFailed(
                        worker=f"The model {found.name}", reason="it left scores out", safe="Nothing was kept."
                    )
                scores += answer.scores
        return scores

    def dimensions(self, model: Digest | str) -> int:
        """The length of the model's vectors. Raises `NotFound`."""
        return self._models.show(model).dimensions

    def route(self, model: Digest | str, job: Job | None = None) -> str:
        """What computes the model's vectors; those of two routes are not compared. Loads the model. Raises as `embed`."""
        with self._using(self._embedder(model, job), job):
            with self._lock:
                slot = self._slots.get(self._models.show(model).digest)
            return slot.ready.route if slot is not None and slot.ready is not None else ""

    def window(self, model: Digest | str) -> int:
        """Tokens that fit into the model at once, as it is loaded here. Raises `NotFound`."""
        return min(self._models.show(model).context, LARGEST_WINDOW)

    def render(
        self, messages: Sequence[Message], variables: Mapping[str, Json], job: Job | None = None
    ) -> tuple[Message, ...]:
        """Messages whose contents are Jinja templates, rendered. Raises `TemplateError` with message, role and line."""
        request = Render(messages=tuple(messages), variables=dict(variables))
        return self._templates(job).call(request, Rendered, job).messages

    def check_template(self, source: str, text: str) -> tuple[str, ...]:
        """The variables that a template reads, sorted. Raises `TemplateError` with the line; `source` names the template."""
        return self._templates(None).call(CheckTemplate(source=source, text=text), Checked).variables

    def loaded(self) -> tuple[Loaded, ...]:
        """The models that are held ready, the most recently used first."""
        with self._lock:
            slots = sorted(self._slots.values(), key=lambda slot: -slot.used)
            return tuple(
                Loaded(
                    name=slot.model.name,
                    digest=slot.model.digest,
                    pid=slot.worker.pid,
                    context=slot.ready.context,
                    start_seconds=slot.seconds,
                    backend=slot.ready.backend,
                    resident=slot.worker.resident,
                    tokens_per_second=slot.speed,
                )
                for slot in slots
                if slot.worker is not None and slot.ready is not None and slot.worker.alive
            )

    def unload(self, name: Digest | str) -> None:
        """End the model's worker, also when it is at work, and forget its crashes. Raises `NotFound` for an unknown model."""
        model = self._models.show(name)
        with self._lock:
            slot = self._slots.pop(model.digest, None)
        if slot is None:
            return
        self._supervisor.forgive(slot.spec)
        if slot.worker is not None:
            slot.worker.close()

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers = [slot.worker for slot in self._slots.values()] + [self._template_worker]
            self._slots.clear()
            self._template_worker = None
        for worker in workers:
            if worker is not None:
                worker.close()

    def _note_speed(self, model: Digest, end: Finished) -> None:
        seconds = end.seconds - end.first_token_seconds
        with self._lock:
            slot = self._slots.get(model)
            if slot is not None and end.tokens > 1 and seconds > 0:
                slot.speed = (end.tokens - 1) / seconds

    def _chat_model(self, name: Digest | str, job: Job | None) -> ModelFile:
        model = self._models.located(name, job)
        if model.purpose != "chat":
            raise Unsupported(source=model.name, reason="it writes no text. Choose a chat model.")
        return model

    def _embedder(self, name: Digest | str, job: Job | None) -> ModelFile:
        model = self._models.located(name, job)
        if model.purpose != "embed" and model.name != FAKE:
            raise Unsupported(source=model.name, reason="it makes no vectors. Choose an embedder.")
        return model

    @contextmanager
    def _using(self, model: ModelFile, job: Job | None) -> Iterator[Worker]:
        """The model's worker, ready; it is not ended for want of room while the block runs."""
        with self._lock:
            slot = self._slots.get(model.digest)
            if slot is None or slot.model.path != model.path:
                slot = self._slots[model.digest] = _Slot(model)
            if slot.users >= MOST_WAITING:
                raise Unavailable(
                    what=f"{MOST_WAITING} requests wait for {model.name} already", step="Try again in a moment."
                )
            slot.users += 1
            slot.used = next(self._clock)
        try:
            yield self._started(slot, job)
        finally:
            with self._lock:
                slot.users -= 1
                surplus = self._surplus()
            for worker in surplus:
                worker.close()

    def _started(self, slot: _Slot, job: Job | None) -> Worker:
        while not slot.starting.acquire(timeout=_TURN):
            if job is not None:
                job.check()
        try:
            if slot.worker is not None and slot.worker.alive:
                return slot.worker
            if self._supervisor.crashes(slot.spec) >= CRASHES:
                raise WorkerFailed(
                    worker=slot.spec.title,
                    reason=f"it crashed {CRASHES} times with this file and is not tried again",
                    safe="Choose another model, or unload this one to try again.",
                )
            began = time.monotonic()
            slot.worker, slot.ready = self._start(slot, job)
            slot.seconds = time.monotonic() - began
            return slot.worker
        finally:
            slot.starting.release()

    def _start(self, slot: _Slot, job: Job | None) -> tuple[Worker, Ready]:
        model = slot.model
        worker = self._supervisor.start(slot.spec, job)
        try:
            request = Load(
                path=model.path,
                name=model.name,
                embeds=model.purpose == "embed",
                ranks=model.purpose == "rerank",
                threads=self._threads(),
            )
            return worker, worker.call(request, Ready, job)
        except BaseException:
            worker.close()
            raise

    def _surplus(self) -> list[Worker]:
        """Take out the least recently used models that nobody uses, down to `KEPT_WARM`."""
        running = [slot for slot in self._slots.values() if slot.worker is not None]
        idle = sorted((slot for slot in running if slot.users == 0), key=lambda slot: slot.used)
        surplus = idle[: max(0, len(running) - KEPT_WARM)]
        for slot in surplus:
            del self._slots[slot.model.digest]
        return [slot.worker for slot in surplus if slot.worker is not None]

    def _templates(self, job: Job | None) -> Worker:
        with self._template_lock:
            if self._template_worker is None or not self._template_worker.alive:
                spec = WorkerSpec(
                    module="core.inference.worker.rendering",
                    memory=TEMPLATE_MEMORY,
                    seconds=TEMPLATE_SECONDS,
                    title="The template worker",
                )
                self._template_worker = self._supervisor.start(spec, job)
            return self._template_worker


def check_request(request: Generate) -> None:
    """Raises `BadInput` for parameters that no model can follow."""
    roles = [message.role for message in request.messages]
    _check_messages(roles)
    problems = {
        "max_tokens": (request.max_tokens >= 1, "use 1 or more."),
        "temperature": (0.0 <= request.temperature <= 10.0, "use a number from 0 to 10."),
        "top_p": (0.0 < request.top_p <= 1.0, "use a number above 0, up to 1."),
        "top_k": (0 <= request.top_k < 2**31, "use 0 (no limit) or more."),
        "repeat_penalty": (0.0 < request.repeat_penalty <= 10.0, "use a number above 0, up to 10."),
        "seed": (0 <= request.seed <= LARGEST_SEED, f"use a number from 0 to {LARGEST_SEED}."),
        "stop": (
            len(request.stop) <= LONGEST_STOP and all(request.stop),
            f"give up to {LONGEST_STOP} texts, none empty.",
        ),
        "log_probabilities": (
            -1 <= request.log_probabilities <= MOST_LIKELY,
            f"use -1 (none) to {MOST_LIKELY}.",
        ),
        "grammar": (not (request.grammar and request.schema is not None), "give a grammar or a schema, not both."),
        "mode": (request.mode in MODES, f"use one of {', '.join(MODES)}."),
    }
    for source, (fine, problem) in problems.items():
        if not fine:
            raise BadInput(source=source, problem=problem)


def _check_messages(roles: Sequence[str]) -> None:
    if not roles:
        raise BadInput(source="The messages", problem="there are none. Give at least one.")
    if list(roles) != [TEXT] and not all(role in ROLES for role in roles):
        raise BadInput(source="The role", problem=f"use one of {', '.join(ROLES)}.")


def _vectors(answer: Embedded, count: int, model: ModelFile) -> Floats:
    """The array in an answer; a worker is not trusted with its shape."""
    if (answer.count, answer.dimensions, len(answer.vectors)) != (
        count,
        model.dimensions,
        count * model.dimensions * 4,
    ):
        raise WorkerFailed(
            worker=f"The model {model.name}", reason="it gave vectors of another shape", safe="Nothing was kept."
        )
    return np.frombuffer(answer.vectors, dtype="<f4").reshape(count, model.dimensions).astype(np.float32)
