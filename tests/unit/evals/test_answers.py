"""Answers of a run are asked for as wholes, and are those that stream."""

from types import SimpleNamespace

import msgspec
import pytest

from core.evals import answers
from core.evals.records import Outcome, RunSpec
from core.jobs import Job
from core.workers.supervisor import Worker
from tests.unit.evals.towers import SPEC


def outcomes(study: SimpleNamespace) -> list[Outcome]:
    view = study.evals.run(RunSpec(reference="towers", fresh=True), Job("Run"))
    found = [outcome for _, outcome in study.evals.outcomes(view.run.id)]
    assert all(outcome.answer is not None for outcome in found)
    timeless = {"seconds": 0.0, "first_token_seconds": 0.0}
    return [
        msgspec.structs.replace(o, run="", answer=msgspec.structs.replace(o.answer, **timeless), scores=o.scores)
        for o in found
    ]


@pytest.mark.parametrize("mode", ["reproducible", "fast"])
def test_what_is_recorded_is_the_same(study: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    study.evals.save(msgspec.structs.replace(SPEC, mode=mode, scorers=("contains", "citation_correct")))
    with monkeypatch.context() as streaming:
        streaming.setattr(answers, "_whole", lambda generate: generate)
        streamed = outcomes(study)

    def stream(*given: object) -> None:
        raise AssertionError("nobody reads along")

    monkeypatch.setattr(Worker, "stream", stream)
    assert outcomes(study) == streamed


def test_the_first_token_is_timed_where_it_was_made(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    view = study.evals.run(RunSpec(reference="towers", fresh=True), Job("Run"))
    made = [outcome.answer for _, outcome in study.evals.outcomes(view.run.id)]
    assert all(0 <= answer.first_token_seconds <= answer.seconds for answer in made)
