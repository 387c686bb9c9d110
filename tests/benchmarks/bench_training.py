"""Training beside a plain script of `transformers` and `peft` with the same settings, on the same batches, each in a process of its own; and what
an adapter takes from PEFT's matrices to the first answer of a model of 0.5 B random weights.

Without the training libraries the first part is left out, which is said. `ASSAY_BENCH_FULL=1` trains a larger shape too.
"""

import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core.inference.records import AdapterUse, Generate, Message
from core.inference.service import Engine
from core.jobs import Job
from core.models.worker.converting.families import FAMILIES
from core.paths import RESOURCES
from core.training import work
from core.training.settings import Settings
from core.training.worker.adapters import written
from core.training.worker.records import Ended, Example, OpenBase, Step, Train
from core.workers.supervisor import Supervisor
from tests.benchmarks import shapes
from tests.benchmarks.engines import engine, even
from tests.benchmarks.figures import PAIRS, REPOSITORY, Figure, figures, seconds

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
RANK = 16


class Shape(NamedTuple):
    """A Llama in 32 bits with the starter model's words."""

    name: str
    layers: int
    width: int
    hidden: int
    heads: int
    groups: int
    words: int
    """In an answer."""
    batch: int


SHAPES = (Shape("8m", 4, 384, 1024, 6, 3, 60, 4),)
LARGER = (Shape("25m", 8, 512, 1408, 8, 4, 100, 4),)


@figures("training.plain")
def beside_plain() -> Iterator[Figure]:
    missing = [
        name for name in ("torch", "transformers", "peft", "accelerate") if importlib.util.find_spec(name) is None
    ]
    if missing:
        print(f"training.plain is left out: {', '.join(missing)} aren't installed. Install the train extra.")
        return
    for shape in (*SHAPES, *(LARGER if os.environ.get("ASSAY_BENCH_FULL") else ())):
        with tempfile.TemporaryDirectory() as folder:
            yield from _compared(shape, _made(shape, Path(folder) / shape.name))


def _compared(shape: Shape, folder: Path) -> Iterator[Figure]:
    settings = Settings(
        rank=RANK,
        alpha=32.0,
        batch=shape.batch,
        steps=8,
        held_out=0.0,
        checkpoint_every=10**6,
        warmup=0.2,
        samples=0,
        recall=0,
    )
    examples = _examples(shape)
    base = OpenBase(path=str(folder), name=shape.name, form="folder", threads=THREADS)
    asked = _asked(base, examples, settings)
    with (
        Supervisor() as supervisor,
        work.trainer(supervisor, base, 0, Job("Train")) as trainer,
        _plain(folder) as plain,
    ):
        trainer.give(examples, 0, Job("Give"))
        even(trainer._worker.pid, plain.pid)
        ratios, peaks, speeds = [], [], []
        for pair in range(PAIRS):
            own, other = (
                (_ours(trainer, settings), _theirs(plain, asked))
                if pair % 2 == 0
                else (_theirs(plain, asked), _ours(trainer, settings))[::-1]
            )
            ratios.append(other[0] / own[0])
            peaks.append(own[1] / other[1])
            speeds.append(asked.tokens / own[0])
    name = f"training.plain_{shape.name}"
    yield Figure(f"{name}_speed", statistics.median(ratios), "ratio", ">= 0.97")
    yield Figure(f"{name}_memory", peaks[0], "ratio", "<= 1.05")
    yield Figure(f"{name}_tokens", statistics.median(speeds), "tokens/s")


class Asked(NamedTuple):
    """A run as the plain script takes it; `tokens` of all steps but the first."""

    line: str
    tokens: int


def _asked(base: OpenBase, examples: tuple[Example, ...], settings: Settings) -> Asked:
    from core.training.worker import batches
    from core.training.worker.base import Base

    opened = Base(base)
    encodings = [found for one in examples for found in opened.encoder.each(one, opened.window)]
    steps = list(batches.steps(encodings, settings, opened.window))
    plain = [[[{"ids": one.ids, "start": one.start} for (one,) in rows] for rows in step] for step in steps]
    tokens = sum(len(one.ids) for step in steps[1:] for rows in step for (one,) in rows)
    return Asked(json.dumps({"settings": msgspec.to_builtins(settings), "steps": plain}), tokens)


def _ours(trainer: work.Trainer, settings: Settings) -> tuple[float, int]:
    """(seconds from the end of the first step to that of the last, bytes at most)."""
    times, peak = [], 0
    for part in trainer.parts(Train(settings=settings), Job("Train")):
        if isinstance(part, Step):
            times.append(time.perf_counter())
        elif isinstance(part, Ended):
            peak = part.peak
    return times[-1] - times[0], peak


def _theirs(plain: "subprocess.Popen[str]", asked: Asked) -> tuple[float, int]:
    assert plain.stdin is not None
    assert plain.stdout is not None
    plain.stdin.write(asked.line + "\n")
    plain.stdin.flush()
    times: list[float] = []
    for line in plain.stdout:
        said = json.loads(line)
        if "peak" in said:
            return times[-1] - times[0], int(said["peak"])
        times.append(time.perf_counter())
    raise RuntimeError("the plain script ended")


@contextmanager
def _plain(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The script in a session of its own, as workers have, so that a busy machine shares its time evenly between both; and without what
    llama.cpp's threads are told here, which a process inherits."""
    plain = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.plain_training", str(folder), str(THREADS)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=REPOSITORY,
        env=plain,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()


def _examples(shape: Shape) -> tuple[Example, ...]:
    rng = random.Random(0)
    words = "the gate is shut at night and open by day for those who have a card of the town".split()
    return tuple(
        Example(
            line=f"line {number}",
            messages=(
                Message(role="user", content=" ".join(rng.choices(words, k=12))),
                Message(role="assistant", content=" ".join(rng.choices(words, k=shape.words + rng.randrange(40)))),
            ),
        )
        for number in range(24)
    )


def _made(shape: Shape, path: Path) -> Path:
    """A Hugging Face folder; made in another process, so that this one's memory stays as it is."""
    subprocess.run(
        [sys.executable, "-c", "import sys; from tests.benchmarks.bench_training import make; make(*sys.argv[1:])",
         shape.name, str(path)], check=True, cwd=REPOSITORY,
    )  # fmt: skip
    return path


def make(name: str, path: str) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    shape = next(one for one in (*SHAPES, *LARGER) if one.name == name)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=4096, hidden_size=shape.width, intermediate_size=shape.hidden, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, num_key_value_heads=shape.groups, max_position_embeddings=1024, bos_token_id=0,
        eos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(RESOURCES / "models" / "starter-chat" / "tokenizer.json"),
        eos_token="<|im_end|>",
        bos_token="<|endoftext|>",
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(path)


@figures("training.adapter")
def adapter() -> Iterator[Figure]:
    """Of 0.5 B parameters, rank 16 on all matrices of the blocks: PEFT's matrices to a GGUF, and that into the loaded model until it answers."""
    shape = shapes.HALF
    path = shapes.model(shape)
    with tempfile.TemporaryDirectory() as folder:
        tensors = _matrices(shape)
        files = [Path(folder) / f"adapter-{number}.gguf" for number in range(PAIRS)]
        taken = [seconds(partial(_convert, shape, tensors, number + 1.0, file)) for number, file in enumerate(files)]
        yield Figure("training.adapter_0.5b_size", files[0].stat().st_size / 1e6, "MB")
        yield Figure("training.adapter_0.5b_converted", statistics.median(taken), "s")
        with engine(path, *files) as made:
            _answered(made, path.stem, None)
            taken = []
            for file in files:
                first = seconds(partial(_answered, made, path.stem, file.stem))
                taken.append(first - seconds(partial(_answered, made, path.stem, file.stem)))
            yield Figure("training.adapter_0.5b_attached", statistics.median(taken), "s")


def _answered(made: Engine, model: str, name: str | None) -> None:
    """One token, with the adapter."""
    request = Generate(
        model=model,
        messages=(Message(role="text", content="ab"),),
        max_tokens=1,
        adapters=(AdapterUse(model=name),) if name else (),
    )
    for _ in made.generate(request):
        pass


def _matrices(shape: shapes.Shape) -> dict[str, Any]:
    """As PEFT names them."""
    rng = np.random.default_rng(1)
    part = shape.width // shape.heads * shape.groups
    sizes = {
        "self_attn.q_proj": (shape.width, shape.width),
        "self_attn.k_proj": (part, shape.width),
        "self_attn.v_proj": (part, shape.width),
        "self_attn.o_proj": (shape.width, shape.width),
        "mlp.gate_proj": (shape.hidden, shape.width),
        "mlp.up_proj": (shape.hidden, shape.width),
        "mlp.down_proj": (shape.width, shape.hidden),
    }
    found = {}
    for layer in range(shape.layers):
        for name, (out, width) in sizes.items():
            stem = f"base_model.model.model.layers.{layer}.{name}"
            found[f"{stem}.lora_A.weight"] = rng.standard_normal((RANK, width), dtype=np.float32) * 0.01
            found[f"{stem}.lora_B.weight"] = rng.standard_normal((out, RANK), dtype=np.float32) * 0.01
    return found


def _convert(shape: shapes.Shape, tensors: dict[str, Any], alpha: float, out: Path) -> None:
    config = {
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.groups,
        "hidden_size": shape.width,
    }
    written(tensors, out, FAMILIES["llama"], config, alpha, False, "", "random")
