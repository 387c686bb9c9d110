"""The engine beside llama.cpp itself: bare loops over its low-level interface, and its Python package's high-level class."""

import os
import random
import string
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from core.inference.records import Generate, Message
from core.inference.service import Engine
from core.models.starter import EMBEDDER, STARTERS
from core.models.worker.library import open_library
from tests.benchmarks import shapes
from tests.benchmarks.engines import ask, engine, level
from tests.benchmarks.figures import REPOSITORY, Figure, figures, paired_ratio

LLAMA = open_library()
"""Opened as the worker opens it, with threads that sleep soon, so that both sides wait alike."""
PREFIX, OWN, NEW, REQUESTS = 512, 16, 32, 16
THREADS = len(os.sched_getaffinity(0))


def text(length: int, seed: int) -> str:
    """Characters at random: as many tokens."""
    rng = random.Random(seed)
    return "".join(rng.choice(string.ascii_letters) for _ in range(length))


class Bare:
    """llama.cpp's low-level interface with nothing around it."""

    def __init__(self, path: Path, sequences: int, cells: int, flash: bool = False) -> None:
        self.library = LLAMA
        self.model = self.library.llama_model_load_from_file(bytes(path), self.library.llama_model_default_params())
        settings = self.library.llama_context_default_params()
        settings.n_ctx = cells
        settings.n_batch = settings.n_ubatch = 512
        settings.n_seq_max = sequences
        settings.kv_unified = True
        settings.n_threads = settings.n_threads_batch = THREADS
        kind = "ENABLED" if flash else "DISABLED"
        settings.flash_attn_type = getattr(self.library, f"LLAMA_FLASH_ATTN_TYPE_{kind}")
        self.context = self.library.llama_init_from_model(self.model, settings)
        self.memory = self.library.llama_get_memory(self.context)
        self.batch = self.library.llama_batch_init(512, 0, 1)
        self.greedy = self.library.llama_sampler_init_greedy()

    def decode(self, rows: Sequence[tuple[int, int, int, bool]]) -> None:
        """Tokens as (token, position, sequence, wanted)."""
        for start in range(0, len(rows), 512):
            some = rows[start : start + 512]
            for n, (token, position, sequence, wanted) in enumerate(some):
                self.batch.token[n] = token
                self.batch.pos[n] = position
                self.batch.n_seq_id[n] = 1
                self.batch.seq_id[n][0] = sequence
                self.batch.logits[n] = wanted
            self.batch.n_tokens = len(some)
            assert self.library.llama_decode(self.context, self.batch) == 0

    def sample(self, index: int) -> int:
        return int(self.library.llama_sampler_sample(self.greedy, self.context, index))

    def stream(self, prompt: str, new: int) -> None:
        """One answer."""
        self.library.llama_memory_clear(self.memory, True)
        ids = list(prompt.encode())
        self.decode([(token, n, 0, n == len(ids) - 1) for n, token in enumerate(ids)])
        for n in range(new):
            token = self.sample(-1)
            if n < new - 1:
                self.decode([(token, len(ids) + n, 0, True)])

    def shared(self, prefix: str, own: Sequence[str], new: int) -> None:
        """Answers to prompts that begin alike: the beginning once, then all at once."""
        self.library.llama_memory_clear(self.memory, True)
        self.decode([(token, n, 0, False) for n, token in enumerate(prefix.encode())])
        for sequence in range(1, len(own)):
            self.library.llama_memory_seq_cp(self.memory, 0, sequence, 0, len(prefix))
        at = len(prefix)
        rows, last = [], []
        for sequence, piece in enumerate(own):
            ids = piece.encode()
            rows += [(token, at + n, sequence, n == len(ids) - 1) for n, token in enumerate(ids)]
            last.append(len(rows) - 1)
        self.decode(rows)
        tokens = [self.sample(index) for index in last]
        for n in range(1, new):
            self.decode([(token, at + OWN + n - 1, sequence, True) for sequence, token in enumerate(tokens)])
            tokens = [self.sample(index) for index in range(len(tokens))]

    def close(self) -> None:
        self.library.llama_batch_free(self.batch)
        self.library.llama_free(self.context)
        self.library.llama_model_free(self.model)


def ask_all(made: Engine, model: str, prompts: Sequence[str], new: int) -> None:
    with ThreadPoolExecutor(REQUESTS) as pool:
        list(pool.map(lambda prompt: ask(made, model, prompt, new), prompts))


class HighLevel:
    """The package's own class, as its users run it: its prefix match with the request before is on by itself."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.llama = LLAMA.Llama(
            str(path), n_ctx=4096, n_threads=THREADS, n_threads_batch=THREADS, verbose=False, **settings
        )

    def ask(self, prompt: str, new: int) -> None:
        self.llama.create_completion(prompt, max_tokens=new, temperature=0.0, logit_bias=None)

    def close(self) -> None:
        self.llama.close()


@figures("engine.batch")
def batches() -> Iterator[Figure]:
    path = shapes.model(shapes.SMALL)
    turn = iter(range(10**6))
    with engine(path) as made:
        name = path.stem
        ask(made, name, "warm", 1)
        level(made)
        bare, high = Bare(path, REQUESTS, 2048, flash=True), HighLevel(path)

        def prompts(prefixes: int) -> list[str]:
            start = next(turn) * 1000
            beginnings = [text(PREFIX, start + n) for n in range(prefixes)]
            return [beginnings[n % prefixes] + text(OWN, start + 100 + n) for n in range(REQUESTS)]

        def ours(prefixes: int = 1) -> None:
            ask_all(made, name, prompts(prefixes), NEW)

        def theirs(prefixes: int = 1) -> None:
            for prompt in prompts(prefixes):
                high.ask(prompt, NEW)

        def low() -> None:
            some = prompts(1)
            bare.shared(some[0][:PREFIX], [prompt[PREFIX:] for prompt in some], NEW)

        yield Figure("engine.batch_over_bare", 1 / paired_ratio(ours, low), "x", ">= 0.95")
        yield Figure("engine.batch_over_high_level", 1 / paired_ratio(ours, theirs), "x", ">= 1.4")
        yield Figure(
            "engine.batch_four_prefixes",
            1 / paired_ratio(lambda: ours(4), lambda: theirs(4)),
            "x",
            ">= 2.5",
        )
        bare.close()
        high.close()


@figures("engine.stream")
def streams() -> Iterator[Figure]:
    for shape, kind in ((shapes.SMALL, "Q8_0"), (shapes.SMALL, "Q4_K_M"), (shapes.HALF, "Q4_K_M")):
        with engine(shapes.model(shape, kind)) as made:
            for mode in ("reproducible", "fast"):
                ratio = stream_over_bare(made, shapes.model(shape, kind), mode)
                yield Figure(f"engine.stream_{shape.name}_{kind}_{mode}", ratio, "x", ">= 0.97")


def stream_over_bare(made: Engine, path: Path, mode: str, prompt: int = 64, new: int = 96) -> float:
    """The rate of one answer through service, worker and stream, over that of a bare loop."""
    bare, count = Bare(path, 1, 4096, flash=mode == "fast"), iter(range(10**6))
    ask(made, path.stem, "warm", 1, mode)
    level(made)
    ratio = paired_ratio(
        lambda: ask(made, path.stem, text(prompt, next(count)), new, mode), lambda: bare.stream(text(prompt, 1), new)
    )
    bare.close()
    return 1 / ratio


@figures("engine.cached")
def cached() -> Iterator[Figure]:
    path = shapes.model(shapes.SMALL)
    with engine(path) as made:
        ask(made, path.stem, "warm", 1)
        ratios = []
        for n in range(7):
            prefix = text(2000, n)
            cold = ask(made, path.stem, prefix + text(16, 1000 + n), 1).first_token_seconds
            warm = ask(made, path.stem, prefix + text(16, 2000 + n), 1).first_token_seconds
            ratios.append(cold / warm)
        yield Figure("engine.cached_first_token", float(np.median(ratios)), "x", ">= 10")


@figures("engine.embed")
def embeddings() -> Iterator[Figure]:
    path = STARTERS[EMBEDDER]
    if not path.is_file():
        return
    words = "The safety desk keeps the records of each case and sends them to the head of the unit every month ".split()
    texts = [" ".join(random.Random(n).choice(words) for _ in range(190)) for n in range(48)]
    high = LLAMA.Llama(str(path), embedding=True, n_ctx=512, n_threads=THREADS, n_threads_batch=THREADS, verbose=False)
    with engine(path) as made:
        made.embed(texts[:2], path.stem)
        level(made)
        ratio = paired_ratio(
            lambda: made.embed(texts, path.stem), lambda: [high.embed(one, normalize=True) for one in texts]
        )
        yield Figure("engine.embed_over_high_level", 1 / ratio, "x", ">= 2.5")
    high.close()


@figures("engine.start")
def start() -> Iterator[Figure]:
    path = STARTERS["starter-chat"]
    began = []
    for _ in range(5):
        with engine(path) as made:
            at = time.perf_counter()
            next(
                iter(
                    made.generate(
                        Generate(model=path.stem, messages=(Message(role="text", content="Hello"),), max_tokens=4)
                    )
                )
            )
            began.append(time.perf_counter() - at)
    yield Figure("engine.start_to_first_token", float(np.median(began)), "s", "<= 1.5")


RESIDENT = "print(next(int(l.split()[1]) / 1024 for l in open('/proc/self/status') if l.startswith('VmRSS')))"
PARENT = f"""
from tests.benchmarks.engines import answer
answer()
{RESIDENT}
"""


def resident(code: str) -> float:
    """MiB that a fresh interpreter holds after `code`."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    return float(done.stdout)


@figures("engine.parent")
def parent() -> Iterator[Figure]:
    yield Figure("engine.parent_memory_over_idle", resident(PARENT) - resident(RESIDENT), "MiB", "<= 60")
