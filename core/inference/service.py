"""The engine: models at work, each in a worker of its own (`core.inference.pool`).

Each request makes sure first that the file is still the registered one. Safe from several threads: a chat model computes
requests in fast mode together and others one after the other, in the order of asking; the line has an end.
"""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from core.errors import BadInput, NotFound, Unsupported, WorkerFailed
from core.inference.adapters import Adapters
from core.inference.offloading import CHOSEN
from core.inference.planning import FAST, REPRODUCIBLE, MemoryPlan
from core.inference.pool import Pool, offloads
from core.inference.records import (
    MODES,
    ROLES,
    TEXT,
    Checked,
    CheckTemplate,
    Complete,
    Completed,
    Count,
    Counted,
    Embed,
    Embedded,
    EmbedTokens,
    Finished,
    Generate,
    Loaded,
    Message,
    PromptTokens,
    Render,
    Rendered,
    Rerank,
    Reranked,
    ShowTokens,
    Token,
    TokensEmbedded,
    Weigh,
    Weighed,
    WeighedText,
    WeighText,
)
from core.jobs import Job
from core.models.records import FAKE, LEGACY, ModelFile
from core.models.service import Models
from core.records import Digest, Json
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker

TEXTS_AT_ONCE: Final = 64
TOKENS_OF_TEXTS: Final = 8
"""Texts whose tokens' vectors are asked for at once: a vector each."""
LARGEST_SEED: Final = 2**32 - 2
"""llama.cpp takes the number after it for "choose one"."""
LONGEST_STOP: Final = 16
MOST_LIKELY: Final = 20
MOST_PICTURES: Final = 8
LARGEST_PICTURE: Final = 16 * 2**20
"""Bytes of a picture's file."""
TEMPLATE_MEMORY: Final = 1024 * 1024 * 1024
TEMPLATE_SECONDS: Final = 15.0

Floats = npt.NDArray[np.float32]


class Engine:
    """Generates, embeds, counts and renders, through workers."""

    def __init__(
        self,
        models: Models,
        supervisor: Supervisor,
        threads: Callable[[], int] = lambda: 0,
        memory: Callable[[], int] = lambda: 0,
        context: Callable[[], int] = lambda: 0,
        gpu_layers: Callable[[], int] = lambda: CHOSEN,
    ) -> None:
        """Asked at each loading of a model: how many `threads` it computes with (0 chooses by its size and the cores), how many bytes of `memory`
        all models together may take (0: by what is free), how many tokens a `context` has at most (0: 4,096), and how many `gpu_layers` of a
        chat model go to a graphics card (-1: as many as fit)."""
        self._models = models
        self._adapters = Adapters(models)
        self._supervisor = supervisor
        self._pool = Pool(supervisor, threads, memory, context, gpu_layers)
        self._template_lock = threading.Lock()
        self._template_worker: Worker | None = None

    def generate(self, request: Generate | Complete, job: Job | None = None) -> Iterator[Token | Finished]:
        """The answer in pieces as they come, or for `Complete` in one at its end, then `Finished`. Closing the iterator stops the model.

        At its first step it raises `BadInput` (a parameter), `NotFound`, `Changed`, `Unsupported` (no chat model, no chat template), `TemplateError`,
        `ContextExceeded`, `Damaged`, `WorkerFailed`, `Cancelled`; after the last piece `InvalidAnswer`, when the answer breaks the form asked for."""
        whole, request = isinstance(request, Complete), request.request if isinstance(request, Complete) else request
        check_request(request)
        model = self._chat_model(request.model, job)
        request = replace(request, adapters=self._adapters.resolved(request.adapters, model, job))
        projector = self._projector(request, model, job)
        with self._pool.using(model, job, projector, request.mode) as worker:
            self._adapters.hand_over(request.adapters, worker, job)
            for part in _complete(worker, request, job) if whole else worker.stream(request, Token | Finished, job):
                if isinstance(part, Finished):
                    self._note_speed(model, projector, part)
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
        with self._pool.using(model, job, mode=REPRODUCIBLE) as worker:
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
        with self._pool.using(model, job, mode=REPRODUCIBLE) as worker:
            return worker.call(request, WeighedText, job)

    def embed(self, texts: Sequence[str], model: Digest | str, job: Job | None = None) -> Floats:
        """Vectors (n, dimensions), float32, each of length 1, in the texts' order. A text's vector depends on nothing but the text.

        Raises `BadInput` for a text that is longer than the model's window, and as `generate`."""
        found = self._embedder(model, job)
        parts = [np.zeros((0, found.dimensions), dtype=np.float32)]
        with self._pool.using(found, job) as worker:
            for start in range(0, len(texts), TEXTS_AT_ONCE):
                some = tuple(texts[start : start + TEXTS_AT_ONCE])
                answer = worker.call(Embed(texts=some), Embedded, job)
                parts.append(_vectors(answer, len(some), found))
        return np.concatenate(parts)

    def embed_tokens(
        self, texts: Sequence[str], model: Digest | str, job: Job | None = None
    ) -> list[tuple[Floats, npt.NDArray[np.bool_]]]:
        """For each text the vectors of its tokens (tokens, dimensions), of length 1, before they are pooled; and whether each token is a word,
        not one that the model sets around a text. Raises as `embed`."""
        found = self._embedder(model, job)
        parts: list[tuple[Floats, npt.NDArray[np.bool_]]] = []
        with self._pool.using(found, job) as worker:
            for start in range(0, len(texts), TOKENS_OF_TEXTS):
                some = tuple(texts[start : start + TOKENS_OF_TEXTS])
                parts += token_vectors(worker.call(EmbedTokens(texts=some), TokensEmbedded, job), len(some), found)
        return parts

    def count_tokens(self, texts: Sequence[str], model: Digest | str, job: Job | None = None) -> list[int]:
        """How many tokens each text has for this model, with the special ones that it adds around a text."""
        found = self._models.located(model, job)
        with self._pool.using(found, job) as worker:
            return list(worker.call(Count(texts=tuple(texts)), Counted, job).tokens)

    def tokens(self, request: Generate, job: Job | None = None) -> PromptTokens:
        """The prompt that this request makes, token by token; nothing is generated, and one that doesn't fit is shown too. Raises as `generate`."""
        check_request(request)
        model = self._chat_model(request.model, job)
        with self._pool.using(model, job) as worker:
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
        with self._pool.using(found, job) as worker:
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
        found = self._embedder(model, job)
        with self._pool.using(found, job):
            ready = self._pool.ready(found.digest)
            return ready.route if ready is not None else ""

    def window(self, model: Digest | str) -> int:
        """Tokens that fit into the model at once, as it is loaded here. Raises `NotFound`."""
        found = self._models.show(model)
        ready = self._pool.ready(found.digest)
        return min(found.context, ready.context if ready is not None else self._pool.window())

    def render(
        self, messages: Sequence[Message], variables: Mapping[str, Json], job: Job | None = None
    ) -> tuple[Message, ...]:
        """Messages whose contents are Jinja templates, rendered. Raises `TemplateError` with message, role and line."""
        request = Render(messages=tuple(messages), variables=dict(variables))
        return self._templates(job).call(request, Rendered, job).messages

    def check_template(self, source: str, text: str) -> tuple[str, ...]:
        """The variables that a template reads, sorted. Raises `TemplateError` with the line; `source` names the template."""
        return self._templates(None).call(CheckTemplate(source=source, text=text), Checked).variables

    def template_lines(self, source: str, text: str) -> dict[str, int]:
        """The variables that a template reads, each with the first line that does, from 1. Raises as `check_template`."""
        found = self._templates(None).call(CheckTemplate(source=source, text=text), Checked)
        return dict(zip(found.variables, found.lines, strict=True))

    def loaded(self) -> tuple[Loaded, ...]:
        """The models that are held ready, the most recently used first."""
        return self._pool.loaded()

    def budget(self) -> int:
        """Bytes that all models together may take now; `core.inference.pool.UNKNOWN` where nothing limits them."""
        return self._pool.budget()

    def plan(
        self,
        name: Digest | str,
        context: int = 0,
        job: Job | None = None,
        mode: str = FAST,
        gpu_layers: int | None = None,
    ) -> MemoryPlan:
        """The memory that a model would take for answers in this mode with a context of so many tokens (0: as it would be loaded), and whether it
        fits beside those in use; it is not loaded for that. The other mode takes a context more when it is first used. `gpu_layers`: layers on a
        graphics card (-1: as many as fit; None: as it would be loaded).
        Raises `NotFound`, `Changed`, `Damaged`, `Unsupported` (the fake model), `BadInput`, `Unavailable` (no card, too many layers),
        `WorkerFailed`, `Cancelled`."""
        _check_layers(gpu_layers)
        model = self._models.located(name, job)
        if model.name == FAKE:
            raise Unsupported(source=model.name, reason="it has no file. Choose a model.")
        return self._pool.plan(model, context, job, mode, gpu_layers)

    def choose_layers(self, name: Digest | str, gpu_layers: int | None) -> None:
        """How many layers of a chat model go to a graphics card, when it is loaded next (-1: as many as fit; None: as the settings say); where it is
        loaded and nobody uses it, it leaves the memory. Raises `NotFound`, `Unsupported`, `BadInput`."""
        _check_layers(gpu_layers)
        model = self._models.show(name)
        if not offloads(model):
            raise Unsupported(
                source=model.name, reason="no graphics card takes layers of it. Choose a chat model in a GGUF file."
            )
        self._pool.choose_layers(model, gpu_layers)

    def unload(self, name: Digest | str, projector: str | None = None) -> None:
        """End the model's workers, also when they are at work, and forget their crashes: all, or only that with a projector of this digest (empty:
        that without any), as `loaded` tells them apart. Raises `NotFound` for an unknown model."""
        self._pool.unload(self._models.show(name).digest, projector)

    def close(self) -> None:
        """End all workers."""
        self._pool.close()
        with self._template_lock:
            worker, self._template_worker = self._template_worker, None
        if worker is not None:
            worker.close()

    def _note_speed(self, model: ModelFile, projector: ModelFile | None, end: Finished) -> None:
        seconds = end.seconds - end.first_token_seconds
        if end.tokens > 1 and seconds > 0:
            self._pool.note_speed(model, projector, (end.tokens - 1) / seconds)

    def _chat_model(self, name: Digest | str, job: Job | None) -> ModelFile:
        model = self._models.located(name, job)
        if model.purpose != "chat":
            raise Unsupported(source=model.name, reason="it writes no text. Choose a chat model.")
        return model

    def _projector(self, request: Generate, model: ModelFile, job: Job | None) -> ModelFile | None:
        """What the model sees the request's pictures with; None without any. Raises `NotFound`, `BadInput`, `Unsupported`."""
        if not request.images:
            return None
        if model.name == FAKE or model.architecture.startswith(LEGACY):
            raise Unsupported(source=model.name, reason="it sees no pictures. Choose another model.")
        if request.projector:
            found = self._models.located(request.projector, job)
            if found.purpose != "projector":
                raise Unsupported(source=found.name, reason="it isn't a projector (mmproj). Choose that of the model.")
            return found
        fitting = [
            known
            for known in self._models.list()
            if known.purpose == "projector" and known.dimensions == model.dimensions
        ]
        if not fitting:
            raise NotFound(
                kind="projector for",
                name=model.name,
                step="Add the mmproj file that came with the model: `assay model add FILE`.",
            )
        if len(fitting) > 1:
            names = ", ".join(known.name for known in fitting)
            raise BadInput(source=model.name, problem=f"several projectors would fit: {names}. Name one.")
        return self._models.located(fitting[0].digest, job)

    def _embedder(self, name: Digest | str, job: Job | None) -> ModelFile:
        model = self._models.located(name, job)
        if model.purpose != "embed" and model.name != FAKE:
            raise Unsupported(source=model.name, reason="it makes no vectors. Choose an embedder.")
        return model

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


def _complete(worker: Worker, request: Generate, job: Job | None) -> Iterator[Token | Finished]:
    found = worker.call(Complete(request=request), Completed, job)
    if found.token.text or found.token.choices:
        yield found.token
    yield found.finished


def _check_layers(layers: int | None) -> None:
    if layers is not None and not CHOSEN <= layers < 2**16:
        raise BadInput(source="gpu_layers", problem="use -1 (as many as fit), 0 (none) or more.")


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
        "images": (
            len(request.images) <= MOST_PICTURES and all(len(image) <= LARGEST_PICTURE for image in request.images),
            f"give up to {MOST_PICTURES} pictures of at most {LARGEST_PICTURE // 2**20} MiB each.",
        ),
        "when_broken": (request.when_broken in ("refuse", "say"), "use refuse or say."),
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


def token_vectors(answer: TokensEmbedded, count: int, model: ModelFile) -> list[tuple[Floats, npt.NDArray[np.bool_]]]:
    """The arrays in an answer, text by text. Raises `WorkerFailed` for another shape: a worker is not trusted with it."""
    total = sum(answer.counts)
    shape = (len(answer.counts), answer.dimensions, len(answer.words), len(answer.vectors))
    if shape != (count, model.dimensions, total, total * model.dimensions * 4) or min(answer.counts, default=1) < 1:
        raise WorkerFailed(
            worker=f"The model {model.name}", reason="it gave vectors of another shape", safe="Nothing was kept."
        )
    vectors = np.frombuffer(answer.vectors, dtype="<f4").reshape(total, model.dimensions).astype(np.float32)
    words = np.frombuffer(answer.words, dtype=np.uint8).astype(bool)
    ends = np.cumsum(answer.counts)[:-1]
    return list(zip(np.split(vectors, ends), np.split(words, ends), strict=True))


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
