"""The plan of a run's memory beside what the run then takes, each in a process of its own, of models of random weights that are made here.

    python -m tests.unit.training.planned [CASE…]

prints a line for each case: what was planned, what was held, and the ratio. It is a process of its own because it forks, so that the libraries are
loaded once.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from core.inference.records import Message
from core.paths import RESOURCES
from core.training.settings import Settings
from core.training.worker.records import Ended, Example, Probe
from tests.unit.training import tiny


class Shape(NamedTuple):
    """A Llama in 32 bits with the starter model's words."""

    layers: int
    width: int
    hidden: int
    heads: int
    window: int = 1024


class Case(NamedTuple):
    """`words` of an answer, as `examples` takes them."""

    shape: Shape
    settings: Settings
    words: int


SMALL, WIDE, LARGE = Shape(4, 256, 704, 4), Shape(6, 512, 1408, 8), Shape(10, 768, 2048, 12)
_PLAIN = Settings(
    rank=16,
    batch=4,
    epochs=1,
    steps=3,
    held_out=0.2,
    checkpoint_every=2,
    evaluate_every=2,
    warmup=0.0,
    samples=0,
    recall=0,
)
CASES = {
    "short": Case(SMALL, _PLAIN, 60),
    "long": Case(SMALL, replace(_PLAIN, batch=16), 200),
    "long, activations twice": Case(SMALL, replace(_PLAIN, batch=16, gradient_checkpointing=True), 200),
    "wider": Case(WIDE, _PLAIN, 200),
    "wider, 16 bits": Case(WIDE, replace(_PLAIN, dtype="bf16"), 200),
    "wider, longer": Case(WIDE, replace(_PLAIN, batch=8), 400),
    "wider, longer, activations twice": Case(WIDE, replace(_PLAIN, batch=8, gradient_checkpointing=True), 400),
    "rank 128": Case(WIDE, replace(_PLAIN, batch=2, rank=128), 60),
    "DoRA": Case(WIDE, replace(_PLAIN, dora=True), 60),
    "packed": Case(WIDE, replace(_PLAIN, packing=True, longest=512, batch=2), 60),
    "early stopping": Case(WIDE, replace(_PLAIN, patience=2, rank=64), 60),
    "preferences": Case(WIDE, replace(_PLAIN, objective="preferences"), 60),
    "large, short": Case(LARGE, replace(_PLAIN, batch=2), 60),
    "large, activations twice": Case(LARGE, replace(_PLAIN, gradient_checkpointing=True), 200),
}


def folder(path: Path, shape: Shape) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=4096, hidden_size=shape.width, intermediate_size=shape.hidden, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, num_key_value_heads=shape.heads, max_position_embeddings=shape.window,
        bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(RESOURCES / "models" / "starter-chat" / "tokenizer.json"),
        eos_token="<|im_end|>",
        bos_token="<|endoftext|>",
    )
    tokenizer.chat_template = tiny.TEMPLATE
    tokenizer.save_pretrained(path)
    return path


def examples(count: int, words: int, preferences: bool = False) -> tuple[Example, ...]:
    """Answers of `words` words and up to a half more, each a token or two."""
    found = []
    for number in range(count):
        text = " ".join(["the", "gate"] * ((words + number * words // (2 * count)) // 2 + 1))
        asked = (Message(role="user", content=f"Say {number}"), Message(role="assistant", content=text))
        found.append(Example(line=f"line {number}", messages=asked, rejected=f"no {text}" if preferences else ""))
    return tuple(found)


class Measured(NamedTuple):
    """The plan's parts in bytes, and what the run then held at most."""

    before: int
    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    peak: int

    @property
    def planned(self) -> int:
        return sum(self) - self.peak

    @property
    def ratio(self) -> float:
        return self.planned / self.peak


def measured(path: Path, settings: Settings, given: tuple[Example, ...]) -> Measured:
    """Probe in one process and train in another, each forked from this one, whose libraries are there already."""
    probed = _forked(lambda: _probed(path, settings, given))
    return Measured(*probed, *_forked(lambda: _trained(path, settings, given)))


def _probed(path: Path, settings: Settings, given: tuple[Example, ...]) -> list[int]:
    one = tiny.bench(path, given).probe(Probe(settings=settings), tiny.QUIET)
    return [one.before, one.weights, one.adapter, one.gradients, one.optimizer, one.activations]


def _trained(path: Path, settings: Settings, given: tuple[Example, ...]) -> list[int]:
    # parts are let go as they come, as in a worker, which sends them
    return [part.peak for part in tiny.trained(tiny.bench(path, given), settings) if isinstance(part, Ended)]


def _forked(work: Callable[[], list[int]]) -> list[int]:
    """What `work` gives in a process of its own."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(into, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as file:
        text = file.read()
    os.waitpid(child, 0)
    found: list[int] = json.loads(text)
    return found


def warm() -> None:
    """Load the libraries, so that no forked process has to."""
    import accelerate  # noqa: F401
    import peft  # noqa: F401
    import torch
    from transformers import LlamaForCausalLM, get_scheduler  # noqa: F401

    torch.set_num_threads(1)


def main(names: list[str]) -> None:
    warm()
    with tempfile.TemporaryDirectory() as place:
        for name, (shape, settings, words) in CASES.items():
            if names and name not in names:
                continue
            path = Path(place) / f"{shape.layers}-{shape.width}"
            if not path.exists():
                _forked(lambda path=path, shape=shape: [len(folder(path, shape).name)])  # type: ignore[misc]
            given = examples(24, words, settings.objective == "preferences")
            one = measured(path, settings, given)
            said = {"case": name, "planned": one.planned, "held": one.peak, "ratio": round(one.ratio, 3)}
            print(json.dumps(said | one._asdict()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
