"""The embedder's graph: the arithmetic of BERT, as numpy does it step by step, and as llama.cpp does it with the real file."""

import math
import os
from pathlib import Path

import gguf
import numpy as np
import onnxruntime
import pytest

from core.inference.worker import bert
from core.inference.worker.embedding import LLAMA_CPP, ONNX, Embedder
from core.models.starter import EMBEDDER, STARTERS
from core.models.worker.library import open_library

WIDTH, HEADS, WIDE, BLOCKS, WORDS, LONGEST = 64, 4, 128, 2, 40, 32


class Asked:
    cancelled = False

    def check(self) -> None: ...


def weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    def some(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, shape).astype(np.float32)

    found = {
        "token_embd.weight": some(WORDS, WIDTH),
        "position_embd.weight": some(LONGEST, WIDTH),
        "token_types.weight": some(2, WIDTH),
        "token_embd_norm.weight": 1 + some(WIDTH),
        "token_embd_norm.bias": some(WIDTH),
    }
    for n in range(BLOCKS):
        sizes = {"ffn_up": (WIDE, WIDTH), "ffn_down": (WIDTH, WIDE)}
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down"):
            size = sizes.get(name, (WIDTH, WIDTH))
            found[f"blk.{n}.{name}.weight"] = some(*size)
            found[f"blk.{n}.{name}.bias"] = some(size[0])
        for name in ("attn_output_norm", "layer_output_norm"):
            found[f"blk.{n}.{name}.weight"] = 1 + some(WIDTH)
            found[f"blk.{n}.{name}.bias"] = some(WIDTH)
    return found


def written(path: Path, found: dict[str, np.ndarray], kind: str, pooling: int = bert.MEAN, arch: str = "bert") -> Path:
    w = gguf.GGUFWriter(path, arch)
    w.add_block_count(BLOCKS)
    w.add_head_count(HEADS)
    w.add_layer_norm_eps(1e-12)
    w.add_causal_attention(False)
    w.add_pooling_type(gguf.PoolingType(pooling))
    for name, values in found.items():
        matrix = values.ndim == 2 and name not in ("position_embd.weight", "token_types.weight")
        if kind == "Q8_0" and matrix:
            data = gguf.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            w.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            w.add_tensor(name, values.astype(np.float16) if kind == "F16" and matrix else values)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return path


def vectors(path: Path, ids: list[int]) -> np.ndarray:
    data = bert.graph(path)
    assert data is not None
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {"ids": np.array([ids], dtype=np.int64)})[0][0]


def by_hand(w: dict[str, np.ndarray], ids: list[int], pooling: int) -> np.ndarray:
    w = {name: values.astype(np.float64) for name, values in w.items()}

    def normed(x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]

    def line(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["token_embd.weight"][ids] + w["position_embd.weight"][: len(ids)] + w["token_types.weight"][0]
    x = normed(x, "token_embd_norm")
    for n in range(BLOCKS):
        at = f"blk.{n}."
        q, k, v = (line(x, f"{at}attn_{p}").reshape(len(ids), HEADS, -1).swapaxes(0, 1) for p in "qkv")
        scores = q @ k.swapaxes(1, 2) / math.sqrt(WIDTH / HEADS)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(len(ids), WIDTH)
        x = normed(line(seen, f"{at}attn_output") + x, f"{at}attn_output_norm")
        wide = line(x, f"{at}ffn_up")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = normed(line(wide, f"{at}ffn_down") + x, f"{at}layer_output_norm")
    pooled = x.mean(0) if pooling == bert.MEAN else x[0]
    return pooled / np.linalg.norm(pooled)


@pytest.mark.parametrize("pooling", [bert.MEAN, bert.FIRST])
@pytest.mark.parametrize(("kind", "near"), [("F32", 1e-6), ("F16", 1e-5), ("Q8_0", 5e-3)])
def test_the_graph_is_bert(tmp_path: Path, kind: str, near: float, pooling: int) -> None:
    found = weights(np.random.default_rng(5))
    path = written(tmp_path / "tiny.gguf", found, kind, pooling)
    for ids in ([1], [3, 1, 4, 1, 5], list(range(LONGEST))):
        vector = vectors(path, ids)
        assert float(vector @ by_hand(found, ids, pooling)) > 1 - near
        assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)


def test_other_files_take_the_other_route(tmp_path: Path, stories_file: Path) -> None:
    found = weights(np.random.default_rng(5))
    assert bert.graph(stories_file) is None
    assert bert.graph(written(tmp_path / "a.gguf", found, "F32", arch="nomic-bert")) is None
    assert bert.graph(written(tmp_path / "b.gguf", found, "F32", pooling=3)) is None
    more = {**found, "blk.0.attn_q_norm.weight": found["token_embd_norm.weight"]}
    assert bert.graph(written(tmp_path / "c.gguf", more, "F32")) is None


def test_both_routes_agree_on_the_starter_embedder() -> None:
    path = STARTERS[EMBEDDER]
    if not path.is_file():
        pytest.skip(f"{path.name} is not built; `make setup` builds it")
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(path), library.llama_model_default_params())
    texts = ["Logs are kept for six months.", "é ü 漢字 and a longer text about nothing " * 12, "x"]
    ours = Embedder(library, model, "embed", 512, 1, bert.graph(path))
    theirs = Embedder(library, model, "embed", 512, 1)
    assert (theirs.route, ours.route) == (LLAMA_CPP, ONNX)
    found = (ours.embed(texts, Asked()) * theirs.embed(texts, Asked())).sum(1)
    assert found.min() > 0.999


def test_the_graph_that_was_measured_is_taken_once_and_only_of_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"one")
    made: list[bytes] = []

    def graph(path: Path) -> bytes:
        made.append(path.read_bytes())
        return made[-1]

    monkeypatch.setattr(bert, "graph", graph)
    assert bert.measured_graph(path) == bert.taken_graph(path) == b"one"
    assert made == [b"one"]
    assert bert.taken_graph(path) == b"one"
    assert made == [b"one", b"one"], "what was taken isn't kept"
    bert.measured_graph(path)
    path.write_bytes(b"another")
    assert bert.taken_graph(path) == b"another"
