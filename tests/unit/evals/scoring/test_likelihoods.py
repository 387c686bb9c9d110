"""Suites of choices asked of a small model with random weights: what `transformers` computes on the same samples."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.datasets.files import write_samples
from core.datasets.records import AddDataset, Sample
from core.evals.records import RunSpec, Spec
from core.evals.scoring.base import Asked, Tools
from core.evals.suites import SUITES
from core.inference.records import Message, Weighed, Weight
from core.jobs import Job
from core.models.making_records import ConvertFolder
from core.models.records import AddModel
from core.models.worker.converting import folder as converting
from core.prompts.records import SavePrompt
from core.vault.vault import Vault
from tests.golden import likelihoods
from tests.unit.evals.scoring.answers import score
from tests.unit.evals.scoring.studies import study

CLOSE = 2e-3
"""Of a log-likelihood, in parts of itself: llama.cpp and torch add in another order."""


class Silent:
    def report(self, done: int, total: int | None, unit: str) -> None: ...


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("random")
    folder = likelihoods.write(place / "random")
    request = ConvertFolder(folder=str(folder), out=str(place / "random.gguf"), quantization="f32", name="random")
    converting.convert(request, Silent())  # type: ignore[arg-type]
    return place / "random.gguf"


def test_suites_score_as_transformers_does(
    vault_factory: Callable[..., Vault], shared_data: Path, tmp_path: Path, model_file: Path
) -> None:
    golden: dict[str, list[dict[str, Any]]] = json.loads(likelihoods.STORED.read_text("utf-8"))
    evals = shared_data / "evals"
    samples = likelihoods.chosen(
        evals / "truthfulqa" / "TruthfulQA.csv", evals / "pubmedqa" / "ori_pqal.json", tmp_path
    )
    with study(vault_factory) as made:
        made.models.add(AddModel(path=str(model_file), name="random"))
        for name, some in samples.items():
            suite = SUITES[name]
            wanted = {one["id"]: one for one in golden[name]}
            assert list(wanted) == [sample.id for sample in some]
            check_weights(made, name, some, wanted)
            (tmp_path / f"{name}.jsonl").write_bytes(write_samples(some, ".jsonl"))
            made.datasets.add(AddDataset(name=name, path=str(tmp_path / f"{name}.jsonl")), Job("Add"))
            made.prompts.save(SavePrompt(name=name, messages=suite.prompt))
            labels, scoring = labels_of(suite.scorers)
            made.evals.save(
                Spec(
                    name=name,
                    dataset=name,
                    prompts=(f"{name}@1",),
                    models=("random",),
                    scorers=labels,
                    scoring=scoring,
                    max_tokens=1,
                )
            )
            view = made.evals.run(RunSpec(reference=name), Job("Run"))
            assert view.status == "finished"
            for _, outcome in made.evals.outcomes(view.run.id):
                assert not outcome.error
                values = {one.scorer: one.value for one in outcome.scores}
                assert values["choice_likelihood"] == wanted[outcome.sample]["mc1"]
                if "choice_mass" in values:
                    assert values["choice_mass"] == pytest.approx(wanted[outcome.sample]["mc2"], rel=0.05, abs=1e-6)


def labels_of(scorers: tuple[Any, ...]) -> tuple[tuple[str, ...], dict[str, dict[str, Any]]]:
    named = [one if isinstance(one, dict) else {"name": one} for one in scorers]
    settings = {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in named}
    return tuple(settings), {name: given for name, given in settings.items() if given}


def check_weights(made: Any, name: str, some: tuple[Sample, ...], wanted: dict[str, dict[str, Any]]) -> None:
    """Each choice's log-likelihood and number of tokens."""
    tools = made.scoring.tools("", Job("Weigh"))
    for sample in some:
        asked = Asked(model="random", messages=SUITES[name].prompt, variables={"question": sample.input})
        found = tools.weigh(asked, tuple(likelihoods.continuations(name, sample))).weights
        assert [weight.tokens for weight in found] == wanted[sample.id]["tokens"]
        sums = [weight.log_likelihood for weight in found]
        assert sums == pytest.approx(wanted[sample.id]["sums"], rel=CLOSE)


def test_length_counts_where_it_is_asked_to() -> None:
    sample = Sample(
        id="1", input="?", target="a long choice", choices=("a long choice", "short", "also"), targets=("also",)
    )

    class Weighing:
        def __call__(self, asked: Asked, continuations: tuple[str, ...]) -> Any:
            assert continuations == (" a long choice", " short", " also")
            sums = (-13.0, -6.0, -1.0)
            weights = tuple(Weight(log_likelihood=one, tokens=1, greedy=False) for one in sums)
            return Weighed(weights=weights, prompt_tokens=1, backend="")

    tools = Tools(weigh=Weighing())
    asked = Asked(model="m", messages=(Message(role="user", content="?"),), variables={})
    values = {
        label: found.value
        for label in ("choice_likelihood", "choice_likelihood_by_length")
        if (found := score(label, sample, "x", None, tools, asked)) is not None
    }
    # -13 < -6, but -13/13 > -6/5; "also" is as right and left out
    assert values == {"choice_likelihood": 0.0, "choice_likelihood_by_length": 1.0}


def test_quotes_are_left_out_of_likelihoods() -> None:
    """They have no model that could weigh a choice: no error, and no score."""
    sample = Sample(id="1", input="?", target="a", choices=("a", "b"))
    for label in ("choice_likelihood", "choice_likelihood_by_length", "choice_mass"):
        assert score(label, sample, "a") is None
    given = score("choice", sample, "a")
    assert given is not None
    assert given.passed
