"""A BERT-type embedder or reranker out of its GGUF, as a graph for ONNX Runtime: on a CPU more than twice as fast as llama.cpp.

Matrices of type Q8_0 stay as they are, 8 bits in blocks of 32, and are multiplied in 8 bits as llama.cpp does; others become float32. So the
vectors are as near to the original's as llama.cpp's. Only what the graph does exactly is taken: architecture `bert` with learned
positions, mean or first-token pooling, or a classifier of one score; every other file goes through llama.cpp. A reranker's second text is
marked as such to the model, which llama.cpp doesn't do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import numpy.typing as npt

from core.inference.worker.onnx import Graph
from core.models.worker.gguf import Tensor, read

MEAN, FIRST, SCORE = 1, 2, 4
LARGEST: Final = 1024 * 1024 * 1024
"""Bytes of the file."""
BLOCK: Final = 32
"""Weights under one scale in Q8_0: a float16, then as many signed bytes."""
IN_BLOCKS: Final = 4
"""ONNX Runtime's accuracy level for products in 8 bits."""
_OUTSIDE: Final = (
    "token_embd.weight",
    "position_embd.weight",
    "token_types.weight",
    "token_embd_norm.weight",
    "token_embd_norm.bias",
)
_INSIDE: Final = tuple(
    f"{name}.{part}"
    for name in (
        "attn_q",
        "attn_k",
        "attn_v",
        "attn_output",
        "attn_output_norm",
        "ffn_up",
        "ffn_down",
        "layer_output_norm",
    )
    for part in ("weight", "bias")
)
_SCORING: Final = ("cls.weight", "cls.bias", "cls.output.weight", "cls.output.bias")
_WANTED: Final = (
    "general.architecture",
    ".block_count",
    ".attention.head_count",
    ".attention.layer_norm_epsilon",
    ".attention.causal",
    ".pooling_type",
)

Floats = npt.NDArray[np.float32]
_measured: list[tuple[tuple[str, int, int], bytes | None]] = []
"""At most one graph, with the path, size and time of its file."""


def graph(path: Path) -> bytes | None:
    """An ONNX model: ids [text, token] -> vectors [text, dimension], of length 1, and those of the tokens before pooling
    [text, token, dimension]. None for a file of another kind."""
    found = _read(path, (MEAN, FIRST), ())
    if found is None:
        return None
    builder, blocks, pooling = found
    return builder.vectors(blocks, pooling == MEAN)


def measured_graph(path: Path) -> bytes | None:
    """As `graph`, and kept until `taken_graph` takes it: putting one together takes as long as all else that loads a model."""
    made = graph(path)
    _measured[:] = [(_mark(path), made)]
    return made


def taken_graph(path: Path) -> bytes | None:
    """As `graph`; the one that `measured_graph` made of this very file, if it did."""
    kept = dict(_measured)
    _measured.clear()
    return kept[mark] if (mark := _mark(path)) in kept else graph(path)


def scoring_graph(path: Path) -> bytes | None:
    """An ONNX model: ids [pair, token], and for each its text, 0 or 1 -> scores [pair, 1]. None for a file of another kind."""
    found = _read(path, (SCORE,), _SCORING)
    if found is None:
        return None
    builder, blocks, _ = found
    return builder.scores(blocks)


def tells_texts_apart(path: Path) -> bool:
    """Whether the model was made to be told which of two texts a token belongs to."""
    with path.open("rb") as file:
        header = read(file, path.stat().st_size, path.name, _WANTED)
    if not any(tensor.name == "token_types.weight" and tensor.shape[1:] > (1,) for tensor in header.tensors):
        return False
    kinds = _Weights(np.memmap(path, dtype=np.uint8, mode="r"), header.start, header.tensors).floats(
        "token_types.weight"
    )
    return bool((kinds[0] != kinds[1]).any())


def _mark(path: Path) -> tuple[str, int, int]:
    seen = path.stat()
    return str(path), seen.st_size, seen.st_mtime_ns


def _read(path: Path, poolings: Sequence[int], more: Sequence[str]) -> "tuple[_Builder, int, int] | None":
    """What puts the graph together, the number of blocks and the pooling; `more`: tensors beside the encoder's. None for another kind."""
    size = path.stat().st_size
    if size > LARGEST:
        return None
    with path.open("rb") as file:
        header = read(file, size, path.name, _WANTED)
    about = header.values
    blocks, pooling = about.get("bert.block_count"), about.get("bert.pooling_type")
    if about.get("general.architecture") != "bert" or about.get("bert.attention.causal") or pooling not in poolings:
        return None
    wanted = {*_OUTSIDE, *more, *(f"blk.{number}.{part}" for number in range(int(blocks or 0)) for part in _INSIDE)}
    if {tensor.name for tensor in header.tensors} != wanted:
        return None
    data = np.memmap(path, dtype=np.uint8, mode="r")
    weights = _Weights(data, header.start, header.tensors)
    heads, epsilon = int(about["bert.attention.head_count"]), float(about["bert.attention.layer_norm_epsilon"])
    return _Builder(weights, heads, epsilon), int(blocks or 0), int(pooling or 0)


class _Weights:
    """The file's tensors by name."""

    def __init__(self, data: npt.NDArray[np.uint8], start: int, tensors: Sequence[Tensor]) -> None:
        self._data = data
        self._start = start
        self._tensors = {tensor.name: tensor for tensor in tensors}

    def floats(self, name: str) -> Floats:
        """As float32, [outputs, inputs] for a matrix."""
        tensor, raw = self._raw(name)
        shape = tensor.shape[::-1]
        if tensor.type == "Q8_0":  # as below, in a fifth of the time
            parts = raw.reshape(-1, BLOCK + 2)
            scales = np.ascontiguousarray(parts[:, :2]).view(np.float16).astype(np.float32)
            values: Floats = (parts[:, 2:].view(np.int8) * scales).reshape(shape)
            return values
        rows = raw.reshape(*shape[:-1], -1)
        kind = gguf.GGMLQuantizationType[tensor.type]
        out: Floats = gguf.dequantize(rows, kind).astype(np.float32).reshape(shape)
        return out

    def in_blocks(self, names: Sequence[str]) -> bool:
        """Whether all of them are matrices of Q8_0."""
        return all(self._tensors[name].type == "Q8_0" for name in names)

    def blocks(self, name: str) -> tuple[npt.NDArray[np.uint8], Floats]:
        """Of a Q8_0 matrix: bytes around 128 [outputs, blocks, 32], and scales [outputs, blocks]."""
        tensor, raw = self._raw(name)
        width, outputs = tensor.shape
        blocks = raw.reshape(outputs, width // BLOCK, BLOCK + 2)
        scales = np.ascontiguousarray(blocks[:, :, :2]).view(np.float16)[:, :, 0].astype(np.float32)
        return blocks[:, :, 2:] ^ np.uint8(0x80), scales

    def _raw(self, name: str) -> tuple[Tensor, npt.NDArray[Any]]:
        tensor = self._tensors[name]
        raw = self._data[self._start + tensor.offset : self._start + tensor.offset + tensor.size]
        plain = {"F32": np.float32, "F16": np.float16}.get(tensor.type)
        return tensor, raw if plain is None else raw.view(plain)


class _Builder:
    """Puts the graph together."""

    def __init__(self, weights: _Weights, heads: int, epsilon: float) -> None:
        self._weights = weights
        self._heads = heads
        self._epsilon = epsilon
        self._graph = Graph()

    def vectors(self, blocks: int, mean: bool) -> bytes:
        g = self._graph
        values = self._encoded(blocks, self._weights.floats("token_types.weight")[0])
        if mean:
            pooled = g.node("ReduceMean", (values, g.weight("tokens", np.ones(1, dtype=np.int64))), keepdims=0)
        else:
            pooled = g.node("Gather", (values, g.weight("first", np.array(0, dtype=np.int64))), axis=1)
        out = g.node("LpNormalization", (pooled,), axis=-1, p=2)
        outputs = {out: ("text", "dimension"), values: ("text", "token", "dimension")}
        return g.model({"ids": ("text", "token")}, outputs)

    def scores(self, blocks: int) -> bytes:
        g = self._graph
        values = self._encoded(blocks, np.zeros(1, dtype=np.float32), ("texts",))
        values = g.node("Gather", (values, g.weight("first", np.array(0, dtype=np.int64))), axis=1)
        values = g.node("Tanh", (g.node("Add", (self._times(values, ["cls.weight"]), self._held("cls.bias"))),))
        out = g.node("Add", (self._times(values, ["cls.output.weight"]), self._held("cls.output.bias")))
        return g.model({"ids": ("text", "token"), "texts": ("text", "token")}, {out: ("text", "score")})

    def _encoded(self, blocks: int, kind: Floats, kinds: Sequence[str] = ()) -> str:
        """The last block's outputs. `kind` is what every token gets; `kinds`: the input that says of each which one it gets."""
        g, weights = self._graph, self._weights
        words = g.node("Gather", (self._held("token_embd.weight"), "ids"), axis=0)
        for name in kinds:
            words = g.node("Add", (words, g.node("Gather", (self._held("token_types.weight"), name), axis=0)))
        places = weights.floats("position_embd.weight") + kind
        ends = (g.weight("zero", np.zeros(1, dtype=np.int64)), g.node("Shape", ("ids",), start=1))
        values = g.node("Add", (words, g.node("Slice", (g.weight("places", places), *ends))))
        values = self._normed(values, "token_embd_norm")
        for number in range(blocks):
            values = self._block(values, f"blk.{number}.")
        return values

    def _block(self, values: str, at: str) -> str:
        g, three = self._graph, [f"{at}attn_{part}" for part in "qkv"]
        joined = self._times(values, [f"{name}.weight" for name in three])
        bias = g.weight(f"{at}qkv.bias", np.concatenate([self._weights.floats(f"{name}.bias") for name in three]))
        parts = g.nodes(3, "Split", (joined,), axis=-1, num_outputs=3)
        seen = g.node("MultiHeadAttention", (*parts, bias), own=True, num_heads=self._heads)
        values = self._added(seen, f"{at}attn_output", values, f"{at}attn_output_norm")
        wide = self._times(values, [f"{at}ffn_up.weight"])
        wide = g.node("BiasGelu", (wide, self._held(f"{at}ffn_up.bias")), own=True)
        return self._added(wide, f"{at}ffn_down", values, f"{at}layer_output_norm")

    def _added(self, values: str, name: str, to: str, norm: str) -> str:
        g = self._graph
        values = g.node("Add", (self._times(values, [f"{name}.weight"]), self._held(f"{name}.bias")))
        return self._normed(g.node("Add", (values, to)), norm)

    def _normed(self, values: str, name: str) -> str:
        inputs = (values, self._held(f"{name}.weight"), self._held(f"{name}.bias"))
        return self._graph.node("LayerNormalization", inputs, axis=-1, epsilon=self._epsilon)

    def _times(self, values: str, names: Sequence[str]) -> str:
        """The product with the matrices of these names, their outputs side by side."""
        g, weights = self._graph, self._weights
        if not weights.in_blocks(names):
            matrix = np.concatenate([weights.floats(name) for name in names])
            return g.node("MatMul", (values, g.weight(names[0], np.ascontiguousarray(matrix.T))))
        pairs = [weights.blocks(name) for name in names]
        data, scales = (np.concatenate(part) for part in zip(*pairs, strict=True))
        inputs = (values, g.weight(names[0], data), g.weight(f"{names[0]}.scales", scales.reshape(-1)))
        outputs, width = data.shape[0], data.shape[1] * BLOCK
        return g.node(
            "MatMulNBits", inputs, own=True, K=width, N=outputs, bits=8, block_size=BLOCK, accuracy_level=IN_BLOCKS
        )

    def _held(self, name: str) -> str:
        return self._graph.weight(name, self._weights.floats(name))
