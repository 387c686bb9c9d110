"""How fast evaluations run. Beside the model: 4,000 samples asked of the built-in model without weights, scored twice, written, closed. With one: two
variants, each with a beginning of its own, against llama.cpp's low-level interface in a bare loop and its Python package's high-level class.

`ASSAY_BENCH_SAMPLES` sets how many samples each variant has (1,000 is the whole measurement, an hour on two cores), `ASSAY_BENCH_PAIRS` how many
interleaved pairs are run.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

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
from tests.benchmarks.figures import Figure, figures, paired_ratio

SAMPLES = 4000
ASKED = int(os.environ.get("ASSAY_BENCH_SAMPLES", "32"))
"""Samples of each variant, asked of a model."""
ASKED_PAIRS = int(os.environ.get("ASSAY_BENCH_PAIRS", "3"))
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


@figures("evals.model")
def model() -> Iterator[Figure]:
    """Two variants over one dataset, on a model of 150 M random weights."""
    path = shapes.model(shapes.SMALL)
    beginnings = [text(BEGINNING, 1), text(BEGINNING, 2)]
    own = [text(OWN, 1000 + n) for n in range(ASKED)]
    with bench() as (made, folder):
        made.models.add(AddModel(path=str(path), name=path.stem))
        dataset(made, folder, "own", own)
        for beginning in beginnings:
            content = f"{beginning}{{{{ question }}}}"
            made.prompts.save(SavePrompt(name="begins", messages=(Message(role="user", content=content),)))
        spec = Spec(
            name="own",
            dataset="own",
            prompts=("begins@1", "begins@2"),
            models=(path.stem,),
            mode="fast",
            max_tokens=NEW,
            scorers=("contains",),
        )
        run(made, replace(spec, name="short", max_tokens=1))
        level(made.engine)
        bare, high = Bare(path, TOGETHER + 1, 2048, flash=True), HighLevel(path)

        def plain() -> None:
            for beginning in beginnings:
                for one in own:
                    high.ask(beginning + one, NEW)

        ratio = paired_ratio(lambda: run(made, spec), lambda: bare_run(bare, beginnings, own), ASKED_PAIRS)
        yield Figure("evals.model_over_bare", 1 / ratio, "x", ">= 0.95")
        ratio = paired_ratio(lambda: run(made, spec), plain, ASKED_PAIRS)
        yield Figure("evals.model_over_high_level", 1 / ratio, "x", ">= 1.4")
        bare.close()
        high.close()
