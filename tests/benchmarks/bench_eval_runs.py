"""How fast evaluations run beside the model: 4,000 samples asked of the built-in model without weights, scored twice, written, closed."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.datasets.records import AddDataset
from core.evals.records import RunSpec, Spec
from core.inference.records import Message
from core.jobs import Job
from core.models.records import FAKE
from core.prompts.records import SavePrompt
from core.trust.passphrases import FLOOR_MEMORY, new_kdf
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.benchmarks.figures import Figure, figures

SAMPLES = 4000


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
