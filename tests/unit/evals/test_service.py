"""Runs over real services, with the built-in deterministic model in place of a file."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from core.datasets.records import AddDataset
from core.errors import BadInput, NotFound, Refused
from core.evals.records import Criterion, Done, RunSpec
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from core.vault import policies
from tests.unit.evals.towers import QUESTIONS, SPEC


def test_every_sample_is_asked_under_every_variant(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    seen: list[Done] = []
    view = study.evals.run(RunSpec(reference="towers"), Job("Run"), seen.append)
    assert (view.status, view.run.id, len(seen)) == ("finished", "run-1", 9)
    assert [done.done for done in seen] == list(range(1, 10))
    outcomes = [outcome for _, outcome in study.evals.outcomes("run-1")]
    assert {(o.variant, o.sample) for o in outcomes} == {
        (variant, sample) for variant in ("cite@1 / fake", "cite@2 / fake", "quotes") for sample in ("q1", "q2", "q3")
    }
    assert all(not outcome.error for outcome in outcomes)
    assert study.evals.show("latest") == view
    assert view.result.passed
    metrics = {metric.scorer: metric for metric in view.result.variants[0].metrics}
    assert (metrics["contains"].n, metrics["refusal"].n) == (2, 3)


def test_the_same_spec_gives_the_same_answers(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    for _ in range(2):
        study.evals.run(RunSpec(reference="towers"), Job("Run"))
    first, second = (
        [(o.variant, o.sample, o.answer.answer) for _, o in study.evals.outcomes(run)] for run in ("run-1", "run-2")
    )
    assert first == second


def test_stopping_keeps_what_was_scored_and_closes_the_run(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    job = Job("Run")

    def stop(done: Done) -> None:
        if done.done == 4:
            job.cancel()

    view = study.evals.run(RunSpec(reference="towers"), job, stop)
    assert view.status == "cancelled"
    assert not view.result.passed
    assert len(study.evals.outcomes("run-1")) == 4


def test_what_a_spec_names_must_be_there_when_it_is_saved(study: SimpleNamespace) -> None:
    for change in (
        {"dataset": "none"},
        {"dataset": "towers@2"},
        {"prompts": ("none",)},
        {"prompts": ("cite@3",)},
        {"models": ("none",)},
    ):
        with pytest.raises(NotFound):
            study.evals.save(msgspec.structs.replace(SPEC, criteria=(), **change))
    assert study.evals.specs() == ()


def test_what_went_after_the_spec_was_saved_is_missed_before_a_run_is_recorded(study: SimpleNamespace) -> None:
    study.evals.save(msgspec.structs.replace(SPEC, collection="none"))
    with pytest.raises(NotFound):
        study.evals.run(RunSpec(reference="towers"), Job("Run"))
    assert study.evals.list() == ()


def test_a_policy_keeps_unapproved_models_from_runs(study: SimpleNamespace, passphrases: dict[str, str]) -> None:
    study.evals.save(SPEC)
    for value, refused in (("answers", False), ("all", True)):
        with study.vault.confirm(passphrases["ines"]) as signer:
            policies.change(study.vault, {"approved-models": value}, "model risk", signer)
        stopped = Job("Run")
        stopped.cancel()
        if refused:
            with pytest.raises(Refused, match="Use fake for evaluations"):
                study.evals.run(RunSpec(reference="towers"), stopped)
        else:
            assert study.evals.run(RunSpec(reference="towers"), stopped).status == "cancelled"
    assert len(study.evals.list()) == 1


def test_a_criterion_on_an_unknown_variant_is_refused_when_it_is_saved(study: SimpleNamespace) -> None:
    criterion = Criterion(metric="contains", variant="cite@7 / fake", at_least=0.5)
    with pytest.raises(
        BadInput, match=r"cite@7 / fake, which is no variant\. There are: cite@1 / fake, cite@2 / fake, quotes"
    ):
        study.evals.save(msgspec.structs.replace(SPEC, criteria=(criterion,)))
    assert study.evals.specs() == ()


def test_a_saved_spec_names_the_version_of_its_dataset(study: SimpleNamespace, tmp_path: Path) -> None:
    first = study.evals.save(SPEC)
    assert first.spec.spec.dataset == "towers@1"
    (tmp_path / "towers.jsonl").write_text(QUESTIONS + QUESTIONS.replace('"q', '"r'))
    study.datasets.add(AddDataset(name="towers", path=str(tmp_path / "towers.jsonl")), Job("Add"))
    assert study.evals.run(RunSpec(reference="towers@1"), Job("Run")).run.dataset_reference == "towers@1"
    assert study.evals.save(first.spec.spec).created is False
    assert study.evals.save(SPEC).spec.spec.dataset == "towers@2"


def test_a_sample_that_fails_is_an_outcome_of_its_own(study: SimpleNamespace) -> None:
    study.prompts.save(SavePrompt(name="cite", messages=(Message(role="user", content="{{ nobody_knows }}"),)))

    study.evals.save(msgspec.structs.replace(SPEC, prompts=("cite@1", "cite@3"), criteria=()))
    view = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    assert [variant.errors for variant in view.result.variants] == [0, 3, 0]
    errors = {o.error for _, o in study.evals.outcomes("run-1") if o.error}
    assert len(errors) == 1
    assert "nobody_knows" in errors.pop()


def test_a_spec_is_versioned_and_signed_by_its_author_only_as_authored(
    study: SimpleNamespace, passphrases: dict[str, str]
) -> None:
    assert study.evals.save(SPEC).spec.reference == "towers@1"
    assert study.evals.save(SPEC).created is False
    with study.vault.confirm(passphrases["ines"]) as signer:
        study.evals.sign("towers@1", "authored", "", signer)
        with pytest.raises(Refused):
            study.evals.sign("towers@1", "approved", "", signer)
    assert [meaning for meaning, _ in study.evals.spec("towers").signed] == ["authored"]


def test_fast_mode_gives_the_same_outcomes_in_the_same_order(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    study.evals.save(msgspec.structs.replace(SPEC, mode="fast"))
    study.evals.run(RunSpec(reference="towers@1"), Job("Run"))
    seen: list[Done] = []
    view = study.evals.run(RunSpec(reference="towers@2"), Job("Run"), seen.append)
    assert [done.done for done in seen] == list(range(1, 10))
    one, two = ([outcome for _, outcome in study.evals.outcomes(run)] for run in ("run-1", "run-2"))
    assert [(o.variant, o.sample, o.answer.answer) for o in one] == [
        (o.variant, o.sample, o.answer.answer) for o in two
    ]
    assert view.result.passed


def test_a_stop_in_fast_mode_keeps_what_was_recorded(study: SimpleNamespace) -> None:
    study.evals.save(msgspec.structs.replace(SPEC, mode="fast"))
    job = Job("Run")

    def stop(done: Done) -> None:
        if done.done == 2:
            job.cancel()

    view = study.evals.run(RunSpec(reference="towers"), job, stop)
    assert view.status == "cancelled"
    assert 2 <= len(study.evals.outcomes("run-1")) < 9
