"""The plan of a model's memory beside what is measured, for models of real shapes: within a tenth, the window partly full or full."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from core.inference.records import Generate, Message
from core.inference.service import Engine
from core.models.records import AddModel
from core.models.service import Models
from tests.benchmarks.figures import REPOSITORY
from tests.unit.inference import rerankers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is read from /proc"),
]
SHAPES = REPOSITORY / "build" / "shapes"
NEAR = (0.9, 1.1)


def near(engine: Engine, what: str) -> None:
    (held,) = engine.loaded()
    ratio = held.memory / held.resident
    assert NEAR[0] < ratio < NEAR[1], (what, round(ratio, 3), held.memory >> 20, held.resident >> 20)


@pytest.mark.parametrize("shape", ["150m-q8_0", "150m-q4_k_m", "0.5b-q4_k_m"])
def test_a_chat_model(models: Models, engine: Engine, shape: str) -> None:
    path = SHAPES / f"{shape}.gguf"
    if not path.is_file():
        pytest.skip("`make bench ONLY=engine` makes this file")
    name = models.add(AddModel(path=str(path), name=shape)).name

    def ask(mode: str, beginning: str, tokens: int) -> None:
        message = Message(role="text", content=(beginning + "abcdefgh " * 500)[:tokens])
        list(engine.generate(Generate(model=name, messages=(message,), max_tokens=2, mode=mode)))

    for beginning in "xyz":
        ask("fast", beginning, 1365)
    near(engine, "fast, a third full")
    ask("reproducible", "x", 1365)
    near(engine, "both, a third full")
    ask("reproducible", "x", 4000)
    near(engine, "both, full")


def test_an_embedder(engine: Engine, embedder: str) -> None:
    for words in (1, 20, 100, 120):
        engine.embed(["hello world this is " * words] * 4, embedder)
        near(engine, f"{4 * words} words")


@pytest.mark.parametrize("told_apart", [True, False], ids=["onnxruntime", "llama.cpp"])
def test_a_reranker(
    models: Models, engine: Engine, told_apart: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shape of MiniLM with six blocks: 384 wide, 30,000 words, 512 tokens."""
    words = (*rerankers.WORDS, *(f"[unused{n}]" for n in range(30_000)))
    wide = {"WIDTH": 384, "HEADS": 12, "WIDE": 1536, "BLOCKS": 6, "LONGEST": 512, "WORDS": words}
    for name, value in wide.items():
        monkeypatch.setattr(rerankers, name, value)
    sizes = {64: 384, 128: 1536}
    inside = {k: (n, tuple(sizes[s] for s in shape)) for k, (n, shape) in rerankers.INSIDE.items()}
    shapes = {
        "token_embd.weight": (len(words), 384),
        "position_embd.weight": (512, 384),
        "token_types.weight": (2, 384),
        "cls.weight": (384, 384),
        "cls.output.weight": (1, 384),
        "cls.output.bias": (1,),
    }
    monkeypatch.setattr(rerankers, "INSIDE", inside)
    monkeypatch.setattr(rerankers, "SHAPES", shapes)
    weights = {key: (value * 0.05).astype(np.float32) for key, value in rerankers.weights(told_apart).items()}
    path = rerankers.written(tmp_path / "wide.gguf", weights)
    assert path.stat().st_size > 80_000_000
    assert gguf.GGUFReader(path).tensors
    name = models.add(AddModel(path=str(path), name=f"wide-{int(told_apart)}")).name
    for letters in (1, 20, 120, 500):
        engine.rerank("ab", ["ab" * (letters // 2 + 1)] * 4, name)
        if told_apart or letters == 500:
            near(engine, f"{letters} letters")
        (held,) = engine.loaded()
        assert held.resident < NEAR[1] * held.memory  # llama.cpp takes room for longer texts when they come
