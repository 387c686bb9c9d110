"""Importance matrices: how much each input of a model's matrices weighs, computed from a text.

As llama.cpp's own tool takes them: the mean of the squares of what goes into each matrix, over windows of `WINDOW` tokens, each begun anew; of a
mixture's experts, over what each was given. llama.cpp tells of every node of its graph; a node's fields are read by the layout that this build
has, and every one is proved by what llama.cpp itself says of it, so that another layout is refused and never guessed. The text is read on the
processor: what lies on a graphics card can't be looked at.
"""

import ctypes
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.errors import BadInput, Damaged, Unsupported
from core.workers.serving import Call

WINDOW: Final = 512
DATASET: Final = "quantize.imatrix.dataset"
"""Where a file names what was learnt from, as llama.cpp's own tool writes it."""
LEAST: Final = 128
"""Tokens of a text that says something of a model."""
_SUFFIX: Final = ".weight"
_F32, _I32 = 0, 26
Floats = npt.NDArray[np.float32]


class _Node(ctypes.Structure):
    """`ggml_tensor`, as far as it is read."""


_Node._fields_ = [
    ("type", ctypes.c_int32),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * 4),
    ("nb", ctypes.c_size_t * 4),
    ("op", ctypes.c_int32),
    ("op_params", ctypes.c_int32 * 16),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(_Node) * 10),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * 64),
]


class _Sums:
    """What went into one matrix, or into each expert's: (experts, inputs) squares, and (experts,) rows."""

    def __init__(self, experts: int, inputs: int) -> None:
        self.squares = np.zeros((experts, inputs))
        self.rows = np.zeros(experts)

    def means(self) -> Floats:
        """(experts * inputs,), with 1 for an expert that was never asked."""
        asked = np.maximum(self.rows, 1)[:, None]
        return np.where(self.rows[:, None] > 0, self.squares / asked, 1.0).astype(np.float32).ravel()


class _Watch:
    """Collects while the model reads. Its `failure` is raised afterwards: nothing may pass through C."""

    def __init__(self, library: Any) -> None:
        ggml = library.llama_cpp._lib
        self._name_of, self._data_of, self._op_name = ggml.ggml_get_name, ggml.ggml_get_data, ggml.ggml_op_name
        self._name_of.argtypes = self._data_of.argtypes = [ctypes.c_void_p]
        self._name_of.restype, self._data_of.restype = ctypes.c_char_p, ctypes.c_void_p
        self._op_name.argtypes, self._op_name.restype = [ctypes.c_int], ctypes.c_char_p
        self._ops: dict[int, bytes] = {}
        self.sums: dict[str, _Sums] = {}
        self.failure: Exception | None = None

    def look(self, address: int, asks: bool, _data: object) -> bool:
        """llama.cpp's callback: first whether the node is wanted, then with its inputs computed."""
        try:
            node = self._node(address)
            op = self._op(node.op)
            if op not in (b"MUL_MAT", b"MUL_MAT_ID") or not self._matrix(node):
                return not asks
            if not asks:
                self._take(node, op == b"MUL_MAT_ID")
        except Exception as error:  # noqa: BLE001 (kept for the caller)
            self.failure = self.failure or error
            return False
        return True

    def _node(self, address: int) -> Any:
        node = ctypes.cast(address, ctypes.POINTER(_Node)).contents
        if (node.name, node.data or 0) != (self._name_of(address), self._data_of(address) or 0):
            raise Unsupported(source="This build of llama.cpp", reason="its nodes have another layout than is known.")
        return node

    def _op(self, number: int) -> bytes:
        if number not in self._ops:
            self._ops[number] = self._op_name(number) or b""
        return self._ops[number]

    def _matrix(self, node: Any) -> bool:
        name = node.src[0].contents.name.decode("utf-8", "replace")
        return bool(name.startswith("blk.") and name.endswith(_SUFFIX)) or name == "output.weight"

    def _take(self, node: Any, mixed: bool) -> None:
        matrix, given = node.src[0].contents, _values(node.src[1].contents, _F32, np.float32)
        experts = matrix.ne[2] if mixed else 1
        sums = self.sums.setdefault(matrix.name.decode("utf-8", "replace"), _Sums(experts, matrix.ne[0]))
        if not mixed:
            rows = given.reshape(-1, given.shape[-1])
            sums.squares[0] += np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
            sums.rows[0] += len(rows)
            return
        chosen = _values(node.src[2].contents, _I32, np.int32)[0, 0]  # (tokens, used)
        for expert in np.unique(chosen):
            tokens, used = np.nonzero(chosen == expert)
            rows = given[0, tokens, used % given.shape[2]]
            sums.squares[expert] += np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
            sums.rows[expert] += len(rows)


def _values(node: Any, type: int, of: Any) -> npt.NDArray[Any]:
    """A node's values, slowest dimension first; not a copy."""
    if node.type != type:
        raise Unsupported(
            source="This model", reason="what goes into its matrices isn't kept as numbers that can be read."
        )
    shape, steps = tuple(node.ne)[::-1], tuple(node.nb)[::-1]
    size = sum((length - 1) * step for length, step in zip(shape, steps, strict=True)) + np.dtype(of).itemsize
    block = (ctypes.c_char * size).from_address(node.data)
    return np.ndarray(shape, of, buffer=block, strides=steps)


def collect(library: Any, path: str, name: str, text: str, call: Call) -> tuple[dict[str, Floats], int]:
    """The importance of each matrix's inputs, by the matrix's name, and how many tokens were read.

    Raises `BadInput` when the text is too short, `Damaged`, `Unsupported`, `Cancelled`."""
    watch = _Watch(library)
    with _reading(library, path, name, watch) as (context, vocabulary):
        ids = _tokens(library, vocabulary, text)
        if len(ids) < LEAST:
            raise BadInput(
                source="The text", problem=f"it has fewer than {LEAST} tokens of this model. Give a longer one."
            )
        windows = [ids[start : start + WINDOW] for start in range(0, len(ids), WINDOW)]
        for number, window in enumerate(windows):
            call.report(number, len(windows), "windows")
            library.llama_memory_clear(library.llama_get_memory(context), True)
            failed = not _read(library, context, window)
            if watch.failure is not None:
                raise watch.failure
            if failed:
                raise Damaged(source=name, problem="llama.cpp can't compute with it.")
    if not all(np.isfinite(sums.squares).all() for sums in watch.sums.values()):
        raise Damaged(source=name, problem="it computes numbers that are none on this text.")
    return {matrix: sums.means() for matrix, sums in watch.sums.items()}, len(ids)


def _read(library: Any, context: Any, window: list[int]) -> bool:
    """Let the model read, to the last layer for every token; whether it could."""
    batch = library.llama_batch_init(len(window), 0, 1)
    try:
        batch.n_tokens = len(window)
        for place, token in enumerate(window):
            batch.token[place], batch.pos[place], batch.logits[place] = token, place, True
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
        return bool(library.llama_decode(context, batch) == 0)
    finally:
        library.llama_batch_free(batch)


def noted(library: Any, text: str, learnt: int, matrices: int) -> Any:
    """What llama.cpp writes into the new file's metadata, under the keys of its own tool: the text's SHA-256, never the text, which may be
    confidential where the file is not."""
    facts: tuple[tuple[bytes, str | int], ...] = (
        (DATASET.encode(), f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"),
        (b"quantize.imatrix.entries_count", matrices),
        (b"quantize.imatrix.chunks_count", -(-learnt // WINDOW)),
    )
    made = (library.llama_model_kv_override * (len(facts) + 1))()  # the last one has no key
    for one, (key, value) in zip(made, facts, strict=False):
        one.key = key
        if isinstance(value, int):
            one.tag, one.value.val_i64 = library.LLAMA_KV_OVERRIDE_TYPE_INT, value
        else:
            one.tag, one.value.val_str = library.LLAMA_KV_OVERRIDE_TYPE_STR, value.encode()
    return made


def as_parameter(library: Any, found: dict[str, Floats]) -> tuple[Any, list[object]]:
    """What llama.cpp's quantization takes, and what must stay alive meanwhile."""
    entries = (library.llama_model_imatrix_data * (len(found) + 1))()  # the last one has no name
    kept: list[object] = [entries]
    for entry, (name, values) in zip(entries, found.items(), strict=False):
        data = np.ascontiguousarray(values)
        kept.append(data)
        entry.name, entry.size = name.encode(), data.size
        entry.data = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    return ctypes.cast(entries, ctypes.POINTER(library.llama_model_imatrix_data)), kept


@contextmanager
def _reading(library: Any, path: str, name: str, watch: _Watch) -> Iterator[tuple[Any, Any]]:
    loading = library.llama_model_default_params()
    loading.n_gpu_layers = 0
    model = library.llama_model_load_from_file(path.encode(), loading)
    if not model:
        raise Damaged(source=name, problem="llama.cpp can't load it. Take another copy of the file.")
    context = None
    try:
        settings = library.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = WINDOW
        settings.offload_kqv = settings.op_offload = False
        settings.cb_eval = callback = library.ggml_backend_sched_eval_callback(watch.look)
        context = library.llama_init_from_model(model, settings)
        if not context:
            raise Unsupported(source=name, reason="it doesn't write text, so nothing can be learnt from one.")
        yield context, library.llama_model_get_vocab(model)
        del callback
    finally:
        if context:
            library.llama_free(context)
        library.llama_model_free(model)


def _tokens(library: Any, vocabulary: Any, text: str) -> list[int]:
    data = text.encode("utf-8", "replace")
    room = (ctypes.c_int32 * (len(data) + 8))()
    count = library.llama_tokenize(vocabulary, data, len(data), room, len(room), True, False)
    return list(room[: max(count, 0)])
