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

    def embed_tokens(self, texts: Sequence[str], call: Call) -> tuple[list[Floats], list[bool]]:
        """For each text the vectors of its tokens (tokens, dimensions), of length 1, before pooling; and for all tokens, one text after the other,
        whether it is a word, not one that the model sets around a text. Raises as `embed`."""
        with WATCH.step():
            ids = [self._tokens(number, text) for number, text in enumerate(texts, 1)]
        out: list[Floats] = [np.zeros((0, self.dimensions), dtype=np.float32)] * len(texts)

        def embed(lane: _Lane | _OnnxLane, place: int) -> None:
            out[place] = _normal(lane.token_vectors(ids[place]), self.name)

        spread(self._pool, self._lanes, list(map(len, ids)), embed, call)
        return out, [not self._vocabulary.steers(token) for some in ids for token in some]

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
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.backend = f"onnxruntime {onnxruntime.__version__}"

    def vector(self, ids: Sequence[int]) -> Floats:
        """The vector of one text. Raises `Damaged` when the model gives no finite one."""
        vector: Floats = self._run(self._outputs[0], ids)
        if not np.isfinite(vector).all() or not vector.any():
            raise Damaged(source=self._name, problem="it gives no usable vectors. Take another copy of the file.")
        return vector

    def token_vectors(self, ids: Sequence[int]) -> Floats:
        """Those of one text's tokens, before pooling."""
        return self._run(self._outputs[1], ids)

    def _run(self, output: str, ids: Sequence[int]) -> Floats:
        (found,) = self._session.run([output], {"ids": np.array([ids], dtype=np.int64)})
        values: Floats = found[0]
        return values


class _Lane:
    """One context, used by one thread at a time."""

    def __init__(self, library: ModuleType, model: Any, name: str, window: int, dimensions: int) -> None:
        self._library = library
        self._name = name
        self._model, self._window = model, window
        self._single: Any = None
        """A context that doesn't pool, made when it is first needed."""
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
        self._batch = library.llama_batch_init(window, 0, 1)

    def vector(self, ids: Sequence[int]) -> Floats:
        """The vector of one text. Raises `Damaged` when the model gives no finite one."""
        library = self._library
        code = self._compute(self._context, ids)
        found = library.llama_get_embeddings_seq(self._context, 0) if code == 0 else None
        values = np.zeros(0) if not found else np.ctypeslib.as_array(found, (self._dimensions,)).astype(np.float64)
        length = math.sqrt(float(values @ values))
        if not 0.0 < length < math.inf:
            raise Damaged(source=self._name, problem="it gives no usable vectors. Take another copy of the file.")
        return (values / length).astype(np.float32)

    def token_vectors(self, ids: Sequence[int]) -> Floats:
        """Those of one text's tokens, before pooling. Raises `Damaged`."""
        library = self._library
        if self._single is None:
            settings = {"embeddings": True, "pooling_type": library.LLAMA_POOLING_TYPE_NONE}
            self._single = context(library, self._model, self._name, self._window, self._window, 1, **settings)
        out = np.zeros((len(ids), self._dimensions), dtype=np.float32)
        code = self._compute(self._single, ids)
        for place in range(len(ids)):
            found = library.llama_get_embeddings_ith(self._single, place) if code == 0 else None
            if found:
                out[place] = np.ctypeslib.as_array(found, (self._dimensions,))
        return out

    def _compute(self, into: Any, ids: Sequence[int]) -> int:
        library, batch = self._library, self._batch
        for position, token in enumerate(ids):
            batch.token[position] = token
            batch.pos[position] = position
            batch.n_seq_id[position] = 1
            batch.seq_id[position][0] = 0
            batch.logits[position] = 1
        batch.n_tokens = len(ids)
        memory = library.llama_get_memory(into)
        if memory:
            library.llama_memory_clear(memory, True)
            return int(library.llama_decode(into, batch))
        return int(library.llama_encode(into, batch))


def _normal(values: Floats, name: str) -> Floats:
    """Each row of length 1. Raises `Damaged` where one has none."""
    lengths = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        raise Damaged(source=name, problem="it gives no usable vectors. Take another copy of the file.")
    normal: Floats = (values / lengths).astype(np.float32)
    return normal
