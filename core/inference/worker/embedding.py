"""Vectors from an embedder: pooled as the file says, of length 1.

Each text is computed alone, on one thread, and as many texts at once as there are cores. So a vector depends on its text only, never on
its neighbours, and no core waits for another: llama.cpp attends over a whole batch, so that packing texts together gains nothing
(MiniLM q8_0, AVX2, texts per second of one core: 100 of 20 tokens and 9 of 200; packed into batches of 256 tokens 50 to 70 and 6).

There are two routes: ONNX Runtime for the files that `bert` can take, and llama.cpp for all others. A vector of one route is not exactly
that of the other, so the route belongs to what is known of a vector.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.errors import BadInput, Damaged, Unsupported
from core.inference.worker.lanes import spread
from core.inference.worker.library import context
from core.inference.worker.vocabulary import Vocabulary
from core.inference.worker.watching import WATCH
from core.workers.serving import Call

LLAMA_CPP: Final = "llama.cpp"
ONNX: Final = "onnxruntime"

Floats = npt.NDArray[np.float32]


class Embedder:
    """A loaded embedding model, computing on as many threads."""

    def __init__(
        self, library: ModuleType, model: Any, name: str, window: int, threads: int, onnx: bytes | None = None
    ) -> None:
        """`onnx`: what `bert.graph` made of the file; `model` then only gives the vocabulary."""
        self.name = name
        self.window = window
        self.dimensions: int = library.llama_model_n_embd_out(model)
        self._vocabulary = Vocabulary(library, model)
        self._lanes: Sequence[_Lane | _OnnxLane]
        if onnx is not None:
            lane = _OnnxLane(name, onnx)
            self._lanes = [lane] * threads
            self.route, self.backend = ONNX, lane.backend
        else:
            self._lanes = [_Lane(library, model, name, window, self.dimensions) for _ in range(threads)]
            self.route, self.backend = LLAMA_CPP, ""
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="embed")

    def count(self, texts: Sequence[str], call: Call) -> tuple[int, ...]:
        """Tokens of each text, with the special ones."""
        numbers = []
        for text in texts:
            call.check()
            with WATCH.step():
                numbers.append(self._vocabulary.count(text))
        return tuple(numbers)

    def embed(self, texts: Sequence[str], call: Call) -> Floats:
        """Vectors (n, dimensions), float32, of length 1. Raises `BadInput` for a text longer than the window or without any token."""
        with WATCH.step():
            ids = [self._tokens(number, text) for number, text in enumerate(texts, 1)]
        out = np.zeros((len(texts), self.dimensions), dtype=np.float32)

        def embed(lane: _Lane | _OnnxLane, place: int) -> None:
            out[place] = lane.vector(ids[place])

        spread(self._pool, self._lanes, list(map(len, ids)), embed, call)
        return out

    def _tokens(self, number: int, text: str) -> list[int]:
        found = self._vocabulary.plain(text)
        if len(found) > self.window:
            raise BadInput(
                source=f"Text {number}",
                problem=f"{len(found)} tokens, but the window of {self.name} holds {self.window}. Split the text.",
            )
        if not found:
            raise BadInput(source=f"Text {number}", problem=f"{self.name} finds no token in it. Leave it out.")
        return found


class _OnnxLane:
    """A session of ONNX Runtime. Safe from several threads; each text is computed on the thread that asks."""

    def __init__(self, name: str, onnx: bytes) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 4
        self._name = name
        self._session = onnxruntime.InferenceSession(onnx, settings, providers=["CPUExecutionProvider"])
        self.backend = f"onnxruntime {onnxruntime.__version__}"

    def vector(self, ids: Sequence[int]) -> Floats:
        """The vector of one text. Raises `Damaged` when the model gives no finite one."""
        (found,) = self._session.run(None, {"ids": np.array([ids], dtype=np.int64)})
        vector: Floats = found[0]
        if not np.isfinite(vector).all() or not vector.any():
            raise Damaged(source=self._name, problem="it gives no usable vectors. Take another copy of the file.")
        return vector


class _Lane:
    """One context, used by one thread at a time."""

    def __init__(self, library: ModuleType, model: Any, name: str, window: int, dimensions: int) -> None:
        self._library = library
        self._name = name
        self._dimensions = dimensions
        self._context = context(library, model, name, window, window, 1, embeddings=True)
        if library.llama_pooling_type(self._context) not in (
            library.LLAMA_POOLING_TYPE_MEAN,
            library.LLAMA_POOLING_TYPE_CLS,
            library.LLAMA_POOLING_TYPE_LAST,
        ):
            raise Unsupported(
                source=name, reason="the file names no pooling, so it makes no vectors. Choose an embedder."
            )
        self._memory = library.llama_get_memory(self._context)
        self._batch = library.llama_batch_init(window, 0, 1)

    def vector(self, ids: Sequence[int]) -> Floats:
        """The vector of one text. Raises `Damaged` when the model gives no finite one."""
        library, batch = self._library, self._batch
        for position, token in enumerate(ids):
            batch.token[position] = token
            batch.pos[position] = position
            batch.n_seq_id[position] = 1
            batch.seq_id[position][0] = 0
            batch.logits[position] = 1
        batch.n_tokens = len(ids)
        if self._memory:
            library.llama_memory_clear(self._memory, True)
            code = library.llama_decode(self._context, batch)
        else:
            code = library.llama_encode(self._context, batch)
        found = library.llama_get_embeddings_seq(self._context, 0) if code == 0 else None
        values = np.zeros(0) if not found else np.ctypeslib.as_array(found, (self._dimensions,)).astype(np.float64)
        length = math.sqrt(float(values @ values))
        if not 0.0 < length < math.inf:
            raise Damaged(source=self._name, problem="it gives no usable vectors. Take another copy of the file.")
        return (values / length).astype(np.float32)
