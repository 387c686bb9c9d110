"""The starter library: prompts that ship with the program, each with a small invented dataset and the evaluation that measures it.

Rules: nothing of it is in a vault until somebody adds it; adding the same again makes no version. What was measured with the starter model stands in
`results.md` beside the prompts, as `measure` gave it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from core.datasets.records import AddDataset
from core.datasets.service import Datasets
from core.errors import NotFound
from core.evals.files import read_spec
from core.evals.records import RunSpec, RunView, Spec
from core.evals.service import Evals
from core.jobs import Job
from core.paths import RESOURCES
from core.prompts.files import fingerprint, read_prompt
from core.prompts.records import SavePrompt
from core.prompts.service import Prompts, content
from core.records import Record

LIBRARY = RESOURCES / "prompts" / "library"
RESULTS = LIBRARY / "results.md"


class Entry(Record, frozen=True, kw_only=True):
    """One prompt of the library. `added`: the version in this vault that says the same, "" where none does."""

    name: str
    prompt: SavePrompt
    dataset: str
    samples: int
    scorers: tuple[str, ...]
    added: str = ""


class Added(Record, frozen=True, kw_only=True):
    """What adding an entry gave: the versions of its prompt, its dataset and its evaluation."""

    name: str
    prompt: str
    dataset: str
    spec: str
    created: bool
    """Whether the prompt's version is new."""


def names() -> tuple[str, ...]:
    """The prompts that ship with the program."""
    return tuple(sorted(path.name for path in LIBRARY.iterdir() if (path / "prompt.yaml").is_file()))


def entries(prompts: Prompts) -> tuple[Entry, ...]:
    """All of the library, and what of it this vault has."""
    known: dict[str, str] = {}
    for state in prompts.list():
        for version in prompts.versions(state.prompt.name):
            known.setdefault(fingerprint(content(version.prompt)), version.prompt.reference)
    found = []
    for name in names():
        prompt, spec = read_prompt(LIBRARY / name / "prompt.yaml"), read_spec(LIBRARY / name / "evaluation.yaml")
        with (LIBRARY / name / "samples.jsonl").open(encoding="utf-8") as lines:
            samples = sum(1 for line in lines if line.strip())
        found.append(
            Entry(
                name=name,
                prompt=prompt,
                dataset=spec.dataset,
                samples=samples,
                scorers=spec.scorers,
                added=known.get(fingerprint(prompt), ""),
            )
        )
    return tuple(found)


def add(prompts: Prompts, datasets: Datasets, evals: Evals, chosen: Iterable[str], job: Job) -> tuple[Added, ...]:
    """Put prompts of the library into the vault, each with its dataset and its evaluation. Raises `NotFound`, `Refused`."""
    found = []
    for name in chosen:
        folder = folder_of(name)
        saved = prompts.save(read_prompt(folder / "prompt.yaml"))
        spec = read_spec(folder / "evaluation.yaml")
        dataset = datasets.add(AddDataset(name=spec.dataset, path=str(folder / "samples.jsonl")), job)
        kept = evals.save(_pinned(spec, saved.prompt.reference, dataset.dataset.reference, spec.models))
        found.append(
            Added(
                name=name,
                prompt=saved.prompt.reference,
                dataset=dataset.dataset.reference,
                spec=kept.spec.reference,
                created=saved.created,
            )
        )
    return tuple(found)


def measure(
    prompts: Prompts, datasets: Datasets, evals: Evals, chosen: Sequence[str], model: str, job: Job
) -> tuple[tuple[Added, RunView], ...]:
    """Add prompts of the library and run the evaluation of each on a model. Raises `NotFound`, `Refused`, `Cancelled`."""
    found = []
    for name in chosen:
        (added,) = add(prompts, datasets, evals, (name,), job)
        spec = evals.spec(added.spec).spec.spec
        if model and spec.models != (model,):
            saved = evals.save(_pinned(spec, added.prompt, added.dataset, (model,)))
            added = msgspec.structs.replace(added, spec=saved.spec.reference)
        found.append((added, evals.run(RunSpec(reference=added.spec), job)))
    return tuple(found)


def results_page(model: str, runs: Sequence[tuple[Added, RunView]]) -> str:
    """What was measured, as Markdown."""
    lines = [
        "# What the starter library scores",
        "",
        f"Written by `assay prompt library --measure --page FILE` with the model `{model}`, mode reproducible, on the samples beside the",
        "prompts. They are invented, and few: the 95 % intervals are wide. The starter model copies a sentence out of short passages, and was made",
        "for nothing else. Where a form is right, the engine's grammar kept it; where the content is wrong, no grammar helps. Measure with the model",
        "that you mean to use.",
        "",
        "| prompt | samples | scorer | value | 95 % interval | counted on |",
        "|---|---|---|---|---|---|",
    ]
    for added, view in runs:
        variant = view.result.variants[0] if view.result is not None else None
        for m in variant.metrics if variant is not None else ():
            figures = f"{m.value:.2f} | {m.low:.2f} to {m.high:.2f} | {m.n}"
            lines.append(f"| {added.name} | {view.run.samples} | {m.scorer} | {figures} |")
        if variant is not None and variant.errors:
            lines.append(f"| {added.name} | {view.run.samples} | ended in an error | {variant.errors} | | |")
    return "\n".join(lines) + "\n"


def _pinned(spec: Spec, prompt: str, dataset: str, models: tuple[str, ...]) -> Spec:
    return msgspec.structs.replace(spec, prompts=(prompt,), dataset=dataset, models=models)


def folder_of(name: str) -> Path:
    """Where a prompt of the library lies. Raises `NotFound`."""
    if name not in names():
        raise NotFound(kind="prompt of the library", name=name, step=f"There are {', '.join(names())}.")
    return LIBRARY / name
