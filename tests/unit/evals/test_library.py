"""The starter library: whole, invented, and measured as its page says."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.cli import here
from core.datasets.files import read_samples
from core.errors import NotFound
from core.evals import library
from core.evals.files import read_spec
from core.jobs import Job
from core.models.starter import ensure_starters
from core.prompts.files import read_prompt
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench

NAMES = ("cite", "classify", "compare", "extract", "judge", "redact", "summarise")


@pytest.fixture
def bench(vault_factory: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setattr(here, "PATIENCE", 0.2)
    with Workbench(vault_factory(SCHEMA)) as made:
        ensure_starters(made.models, Job("Starters"))
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_prompt_samples_and_an_evaluation(name: str) -> None:
    folder = library.folder_of(name)
    prompt, spec = read_prompt(folder / "prompt.yaml"), read_spec(folder / "evaluation.yaml")
    samples = read_samples(folder / "samples.jsonl")
    assert prompt.name == name
    assert spec.prompts == (name,)
    assert 8 <= len(samples) <= 20
    assert ("contract" in spec.scorers) == (prompt.contract.form != "text")
    known = {f"metadata.{key}" for sample in samples for key in sample.metadata}
    for variable in prompt.variables:
        if variable.source.startswith("metadata."):
            assert variable.source in known
    if prompt.contract.form == "choice":
        assert {sample.target for sample in samples} == set(prompt.contract.choices)


def test_the_page_of_results_speaks_of_every_prompt_and_scorer() -> None:
    rows = re.findall(r"^\| (\w+) \| \d+ \| (\w+) \|", library.RESULTS.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = {
        (name, scorer) for name in NAMES for scorer in read_spec(library.folder_of(name) / "evaluation.yaml").scorers
    }
    assert wanted <= set(rows)


def test_adding_it_twice_adds_it_once(bench: Workbench) -> None:
    services = (bench.prompts, bench.datasets, bench.evals)
    assert [entry.added for entry in library.entries(bench.prompts)] == [""] * len(NAMES)
    first = library.add(*services, library.names(), Job("Add"))
    assert [(added.name, added.created) for added in first] == [(name, True) for name in NAMES]
    again = library.add(*services, ("judge",), Job("Add"))
    assert [(added.prompt, added.created) for added in again] == [("judge@1", False)]
    assert {entry.name: entry.added for entry in library.entries(bench.prompts)}["cite"] == "cite@1"
    with pytest.raises(NotFound, match="There are cite, classify"):
        library.add(*services, ("absent",), Job("Add"))


def test_it_is_measured_from_its_samples_own_passages(bench: Workbench) -> None:
    services = (bench.prompts, bench.datasets, bench.evals)
    ((added, view),) = library.measure(*services, ("cite",), "fake", Job("Measure"))
    assert (added.spec, view.run.variants[0].name) == ("cite-library@2", "cite@1 / fake")
    assert view.result is not None
    metrics = {metric.scorer: metric for metric in view.result.variants[0].metrics}
    assert metrics["mark_right"].value >= 0.5
    assert "| cite | 12 | mark_right |" in library.results_page("fake", [(added, view)])
