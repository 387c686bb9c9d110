"""The inference worker: one GGUF file, through llama.cpp.

`Load` comes first and once. After it a chat model answers `Generate`, `Weigh` and `Count`, an embedder `Embed` and `Count`.
"""

import ctypes
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from core.errors import Cancelled, Damaged, NotFound, Unsupported
from core.inference.offloading import DevicesFound, FindDevices
from core.inference.planning import Measure, Needs
from core.inference.records import (
    AdapterHeld,
    AdapterPart,
    Complete,
    Completed,
    Count,
    Counted,
    Embed,
    Embedded,
    EmbedTokens,
    Finished,
    Generate,
    Load,
    PromptTokens,
    Ready,
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
from core.inference.worker import bert, devices, measuring
from core.inference.worker import library as loading
from core.inference.worker.embedding import Embedder
from core.inference.worker.generation import Chat
from core.inference.worker.reranking import Reranker
from core.inference.worker.seeing import Seeing
from core.inference.worker.watching import WATCH, Step, goes_on
from core.models.worker.library import open_library
from core.records import Record
from core.workers.serving import Call, Handler

LARGEST_WINDOW: Final = 4096
"""Tokens; a larger window takes memory that most questions never use."""


class Worker:
    """What the handlers share: the library and, after `Load`, the model."""

    def __init__(self, library: ModuleType) -> None:
        self._library = library
        self._loaded: Chat | Embedder | Reranker | None = None

    def measure(self, request: Measure, call: Call) -> Needs:
        return measuring.measure(self._library, request, call)

    def find_devices(self, request: FindDevices, call: Call) -> DevicesFound:
        return DevicesFound(devices=devices.found(self._library), backends=devices.backends(self._library))

    def load(self, request: Load, call: Call) -> Ready:
        """Raises `NotFound`, `Damaged` (llama.cpp refuses the file), `Unsupported`, `Cancelled`."""
        with WATCH.step() as step:
            return self._load(request, call, step)

    def _load(self, request: Load, call: Call, step: Step) -> Ready:
        library = self._library
        if self._loaded is not None:
            raise Unsupported(source=request.name, reason="this worker holds a model already.")
        onnx = bert.taken_graph(Path(request.path)) if request.embeds and Path(request.path).is_file() else None
        model = self._open(request, call, step)
        threads = request.threads or (
            loading.cores() if request.embeds or request.ranks else loading.threads(library, model)
        )
        window = min(request.window or LARGEST_WINDOW, library.llama_model_n_ctx_train(model))
        backend = f"llama-cpp-python {version('llama-cpp-python')}, CPU {loading.features(library)}, {threads} threads"
        backend += f", {request.placed}" if request.gpu_layers else ""
        if request.embeds:
            self._loaded = Embedder(library, model, request.name, window, threads, onnx)
            backend = f"{self._loaded.backend}, {threads} threads" if onnx is not None else backend
        elif request.ranks:
            self._loaded = Reranker(library, model, Path(request.path), request.name, window, threads)
            backend = f"{self._loaded.backend}, {threads} threads" if self._loaded.backend else backend
        elif library.llama_model_has_encoder(model) or library.llama_model_is_diffusion(model):
            raise Unsupported(
                source=request.name, reason="this kind of model doesn't answer token by token. Choose a chat model."
            )
        elif request.projector:
            eyes = Path(request.projector)
            self._loaded = Seeing(library, model, request.name, window, threads, backend, eyes)
        else:
            self._loaded = Chat(library, model, request.name, window, threads, backend)
        route = self._loaded.route if isinstance(self._loaded, Embedder | Reranker) else ""
        return Ready(context=window, dimensions=library.llama_model_n_embd_out(model), backend=backend, route=route)

    def generate(self, request: Generate, call: Call) -> Iterator[Token | Finished]:
        return self._chat(request).generate(request, call)

    def complete(self, request: Complete, call: Call) -> Completed:
        return self._chat(request.request).complete(request, call)

    def weigh(self, request: Weigh, call: Call) -> Weighed:
        return self._chat(request).weigh(request, call)

    def show_tokens(self, request: ShowTokens, call: Call) -> PromptTokens:
        return self._chat(request).tokens(request.request, call)

    def weigh_text(self, request: WeighText, call: Call) -> WeighedText:
        return self._chat(request).weigh_text(request, call)

    def embed(self, request: Embed, call: Call) -> Embedded:
        if not isinstance(self._loaded, Embedder):
            raise Unsupported(source=self._name, reason="it makes no vectors. Choose an embedder.")
        vectors = self._loaded.embed(request.texts, call)
        return Embedded(count=len(vectors), dimensions=self._loaded.dimensions, vectors=vectors.astype("<f4").tobytes())

    def embed_tokens(self, request: EmbedTokens, call: Call) -> TokensEmbedded:
        if not isinstance(self._loaded, Embedder):
            raise Unsupported(source=self._name, reason="it makes no vectors. Choose an embedder.")
        found, words = self._loaded.embed_tokens(request.texts, call)
        return TokensEmbedded(
            counts=tuple(map(len, found)),
            dimensions=self._loaded.dimensions,
            words=bytes(words),
            vectors=b"".join(one.astype("<f4").tobytes() for one in found),
        )

    def rerank(self, request: Rerank, call: Call) -> Reranked:
        if not isinstance(self._loaded, Reranker):
            raise Unsupported(source=self._name, reason="it scores no texts. Choose a reranker.")
        return Reranked(scores=self._loaded.scores(request.query, request.texts, call))

    def take_adapter(self, request: AdapterPart, call: Call) -> AdapterHeld:
        return self._chat(request).adapters.take(request)

    def count(self, request: Count, call: Call) -> Counted:
        if self._loaded is None:
            raise Unsupported(source="The inference worker", reason="it holds no model yet.")
        return Counted(tokens=self._loaded.count(request.texts, call))

    @property
    def _name(self) -> str:
        return "The inference worker" if self._loaded is None else self._loaded.name

    def _chat(self, request: Generate | Weigh | WeighText | ShowTokens | AdapterPart) -> Chat:
        if not isinstance(self._loaded, Chat):
            raise Unsupported(source=self._name, reason="it writes no text. Choose a chat model.")
        return self._loaded

    def _open(self, request: Load, call: Call, step: Step) -> Any:
        library = self._library
        if not Path(request.path).is_file():
            raise NotFound(kind="file", name=request.path, step="Put it back, or register the model again.")
        watch = library.llama_progress_callback(lambda done, data: goes_on(step, call))
        settings = library.llama_model_default_params()
        settings.progress_callback = watch
        cards = devices.handles(library, request.devices if request.gpu_layers else ())
        settings.n_gpu_layers, settings.devices = request.gpu_layers, ctypes.addressof(cards)
        model = library.llama_model_load_from_file(os.fsencode(request.path), settings)
        if model:
            loading.let_go(request.path)
            return model
        if call.cancelled:
            raise Cancelled(what=f"Loading {request.name}")
        raise Damaged(
            source=request.name,
            problem="llama.cpp can't load this file: damaged, or of a kind that it doesn't know. Take another copy.",
        )


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    worker = Worker(open_library())
    return {
        FindDevices: worker.find_devices,
        Measure: worker.measure,
        Load: worker.load,
        Generate: worker.generate,
        Complete: worker.complete,
        Weigh: worker.weigh,
        WeighText: worker.weigh_text,
        Embed: worker.embed,
        EmbedTokens: worker.embed_tokens,
        Rerank: worker.rerank,
        AdapterPart: worker.take_adapter,
        Count: worker.count,
        ShowTokens: worker.show_tokens,
    }
