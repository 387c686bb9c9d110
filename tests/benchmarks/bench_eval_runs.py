"""How fast evaluations run. Beside the model: 4,000 samples asked of the built-in model without weights, scored twice, written, closed. With one: two
variants, each with a beginning of its own, against llama.cpp's low-level interface in a bare loop and its Python package's high-level class.

All three do the same work, and it is looked at that they did: each beginning is computed once for a variant and shared by its samples, 16 of which
are computed together with as many cells, rows and threads; every answer has all of its tokens. The bare loop is what llama.cpp's own example of
parallel sequences does. The class finds the beginning again by itself, since the samples are sorted by variant; it answers one request at a time.

`ASSAY_BENCH_SAMPLES` sets how many samples each variant has (1,000 is the whole measurement), `ASSAY_BENCH_PAIRS` how many rounds are run, of the
three in turn. How far it is and how long it will still take is said on standard error. The class is so slow that it answers one sample in
`ASSAY_BENCH_ONE_IN`, from all over the dataset, and its time is counted for all: each of its requests costs the same but the first of a variant.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.datasets.records import AddDataset
from core.evals.records import RunSpec, Spec
from core.inference.records import Message
from core.jobs import Job
from core.models.records import FAKE, AddModel
from core.prompts.records import SavePrompt
from core.trust.passphrases import FLOOR_MEMORY, new_kdf
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.benchmarks import shapes
from tests.benchmarks.bench_engine import Bare, HighLevel, text
from tests.benchmarks.engines import level
from tests.benchmarks.figures import Figure, figures, seconds

SAMPLES = 4000
ASKED = int(os.environ.get("ASSAY_BENCH_SAMPLES", "32"))
"""Samples of each variant, asked of a model."""
ROUNDS = int(os.environ.get("ASSAY_BENCH_PAIRS", "2" if ASKED > 100 else "3"))
ONE_IN = int(os.environ.get("ASSAY_BENCH_ONE_IN", "8" if ASKED > 100 else "1"))
BEGINNING, OWN, NEW, TOGETHER = 500, 16, 32, 16
"""Tokens of a variant's beginning, of a sample, of an answer; sequences that are computed together."""


@contextmanager
def bench() -> Iterator[tuple[Workbench, Path]]:
    """A workbench over a new vault, and a folder for files."""
    with tempfile.TemporaryDirectory() as folder:
        kdf = lambda: new_kdf(memory=FLOOR_MEMORY, passes=1)  # noqa: E731
        vault = Vault.create(Path(folder) / "A.assay", "ana", "Ana", "several words together", SCHEMA, kdf)
        with Workbench(vault) as made:
            yield made, Path(folder)


def dataset(made: Workbench, folder: Path, name: str, inputs: list[str]) -> None:
    lines = [json.dumps({"id": f"q{n:05}", "input": text, "target": "amber"}) for n, text in enumerate(inputs)]
    (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    made.datasets.add(AddDataset(name=name, path=str(folder / f"{name}.jsonl")), Job("Add"))


def run(made: Workbench, spec: Spec) -> float:
    """Seconds of a whole run, which is finished without an error."""
    made.evals.save(spec)
    began = time.perf_counter()
    view = made.evals.run(RunSpec(reference=spec.name, fresh=True), Job("Run"))
    taken = time.perf_counter() - began
    assert view.result is not None
    assert view.status == "finished"
    assert not any(variant.errors for variant in view.result.variants)
    return taken


@figures("evals.samples")
def samples() -> Iterator[Figure]:
    with bench() as (made, folder):
        dataset(made, folder, "many", [f"What is {n}?" for n in range(SAMPLES)])
        made.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content="{{ question }}"),)))
        spec = Spec(
            name="many",
            dataset="many",
            prompts=("ask@1",),
            models=(FAKE,),
            mode="fast",
            max_tokens=16,
            scorers=("contains", "exact"),
        )
        run(made, spec)
        yield Figure("evals.samples_a_second", SAMPLES / min(run(made, spec) for _ in range(3)), "1/s", ">= 2000")


def bare_run(bare: Bare, beginnings: Sequence[str], own: Sequence[str]) -> None:
    """The same answers with nothing around them: each beginning is computed once, the samples in lots."""
    library, memory = bare.library, bare.memory
    for beginning in beginnings:
        library.llama_memory_clear(memory, True)
        bare.decode([(token, n, TOGETHER, False) for n, token in enumerate(beginning.encode())])
        for start in range(0, len(own), TOGETHER):
            lot = own[start : start + TOGETHER]
            at, rows, last = len(beginning), [], []
            for sequence, piece in enumerate(lot):
                library.llama_memory_seq_rm(memory, sequence, -1, -1)
                library.llama_memory_seq_cp(memory, TOGETHER, sequence, 0, at)
                rows += [(token, at + n, sequence, n == OWN - 1) for n, token in enumerate(piece.encode())]
                last.append(len(rows) - 1)
            bare.decode(rows)
            tokens = [bare.sample(index) for index in last]
            for n in range(1, NEW):
                bare.decode([(token, at + OWN + n - 1, sequence, True) for sequence, token in enumerate(tokens)])
                tokens = [bare.sample(index) for index in range(len(tokens))]


def plain_run(high: HighLevel, beginnings: Sequence[str], own: Sequence[str], one_in: int) -> float:
    """Seconds in which the class would answer everything, from one sample in `one_in`. The first of a variant, which computes the beginning,
    is counted as it is."""
    whole = 0.0
    for beginning in beginnings:
        whole += seconds(lambda first=beginning + own[0]: high.ask(first, NEW))  # type: ignore[misc]
        some = own[1::one_in]
        asked = sum(seconds(lambda one=beginning + each: high.ask(one, NEW)) for each in some)  # type: ignore[misc]
        whole += asked * (len(own) - 1) / len(some)
    return whole


def check_work(made: Workbench) -> None:
    """The newest run computed what the loops beside it do: whole answers, to prompts of that length, none taken from an earlier one."""
    for _, outcome in made.evals.outcomes("latest"):
        assert outcome.answer is not None
        assert (outcome.answer.prompt_tokens, outcome.answer.tokens) == (BEGINNING + OWN, NEW)
        assert not outcome.reused


def rounds(ways: dict[str, Callable[[int], float]], count: int) -> dict[str, list[float]]:
    """The seconds of each way in each round, whose number it is given; the rounds go through the ways forwards and backwards in turn."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    began = time.perf_counter()
    steps = [(turn, name) for turn in range(count) for name in (list(ways) if turn % 2 == 0 else list(ways)[::-1])]
    for step, (turn, name) in enumerate(steps, 1):
        found[name].append(ways[name](turn))
        passed = time.perf_counter() - began
        left = passed / step * (len(steps) - step)
        said = f"{name}: {found[name][-1]:.1f} s. Step {step} of {len(steps)}, {passed:.0f} s gone, about {left:.0f} s left."
        print(said, file=sys.stderr, flush=True)
    return found


@figures("evals.model")
def model() -> Iterator[Figure]:
    """Two variants over one dataset, on a model of 150 M random weights. Each round has beginnings of its own: an engine that still held those of
    the round before would have computed less."""
    path = shapes.model(shapes.SMALL)
    own = [text(OWN, 1000 + n) for n in range(ASKED)]
    with bench() as (made, folder):
        made.models.add(AddModel(path=str(path), name=path.stem))
        dataset(made, folder, "own", own)
        dataset(made, folder, "few", own[:TOGETHER])

        def prepared(turn: int, asked: str = "own") -> tuple[Spec, list[str]]:
            """A spec whose two prompt versions begin as nothing before, and the beginnings."""
            beginnings = [text(BEGINNING, 10 * turn + n) for n in (1, 2)]
            for beginning in beginnings:
                content = f"{beginning}{{{{ question }}}}"
                made.prompts.save(SavePrompt(name=f"begins-{turn}", messages=(Message(role="user", content=content),)))
            prompts = (f"begins-{turn}@1", f"begins-{turn}@2")
            name, models = f"round-{turn}", (path.stem,)
            return Spec(
                name=name,
                dataset=asked,
                prompts=prompts,
                models=models,
                mode="fast",
                max_tokens=NEW,
                scorers=("contains",),
            ), beginnings

        spec, beginnings = prepared(0, "few")
        run(made, spec)
        check_work(made)
        level(made.engine)
        bare, high = Bare(path, TOGETHER + 1, 2048, flash=True), HighLevel(path)
        bare_run(bare, beginnings, own[:TOGETHER])
        plain_run(high, beginnings, own[:2], 1)
        given = [prepared(turn) for turn in range(1, ROUNDS + 1)]
        found = rounds(
            {
                "the run": lambda turn: run(made, given[turn][0]),
                "the bare loop": lambda turn: seconds(lambda: bare_run(bare, given[turn][1], own)),
                "the class": lambda turn: plain_run(high, given[turn][1], own, ONE_IN),
            },
            ROUNDS,
        )
        check_work(made)
        for name, other, aim in (("bare", "the bare loop", ">= 0.95"), ("high_level", "the class", ">= 1.4")):
            ratios = [theirs / ours for ours, theirs in zip(found["the run"], found[other], strict=True)]
            yield Figure(f"evals.model_over_{name}", statistics.median(ratios), "x", aim)
        yield Figure("evals.model_answers_a_second", 2 * ASKED / statistics.median(found["the run"]), "1/s")
        bare.close()
        high.close()
