"""What a run would take, before it is made."""

from types import SimpleNamespace

import msgspec
import pytest

from core.errors import Unavailable
from core.evals.estimating import estimate, judged
from core.evals.records import Outcome, RunSpec, Variant
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from tests.unit.evals.towers import SPEC

TWICE = msgspec.structs.replace(SPEC, repetitions=2, max_tokens=50)


def test_a_probe_then_the_run_itself(study: SimpleNamespace) -> None:
    study.evals.save(TWICE)
    before = study.evals.estimate("towers", Job("Estimate"))
    assert (before.samples, before.repetitions, before.requests, before.probed) == (3, 2, 18, True)
    assert [one.source for one in before.variants] == ["probe"] * 3
    assert study.evals.list() == (), "nothing is recorded"
    view = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    after = study.evals.estimate("towers", Job("Estimate"))
    assert [one.source for one in after.variants] == ["run-1"] * 3
    assert after.seconds == pytest.approx(view.result.seconds, rel=0.05, abs=0.01)
    answers = [outcome.answer for _, outcome in study.evals.outcomes("run-1")]
    for found in (before, after):
        assert found.prompt_tokens == sum(answer.prompt_tokens for answer in answers)
        assert found.tokens == sum(answer.tokens for answer in answers)
        assert found.most_tokens == 2 * 6 * 50
        assert found.seconds > 0


def test_a_spec_need_not_be_saved(study: SimpleNamespace) -> None:
    found = study.evals.estimate(SPEC, Job("Estimate"))
    assert (found.spec, found.requests) == ("towers", 9)
    assert study.evals.specs() == ()


def test_a_run_that_took_earlier_answers_says_nothing_of_time(study: SimpleNamespace) -> None:
    study.evals.save(msgspec.structs.replace(SPEC, scorers=("contains",)))
    for _ in range(2):
        study.evals.run(RunSpec(reference="towers"), Job("Run"))
    assert any(outcome.reused for _, outcome in study.evals.outcomes("run-2"))
    assert {one.source for one in study.evals.estimate("towers", Job("Estimate")).variants} == {"run-1"}
    study.evals.save(msgspec.structs.replace(SPEC, scorers=("contains",), mode="fast"))
    assert {one.source for one in study.evals.estimate("towers", Job("Estimate")).variants} == {"probe"}


def test_what_can_not_be_asked_is_no_estimate(study: SimpleNamespace) -> None:
    study.prompts.save(SavePrompt(name="cite", messages=(Message(role="user", content="{{ nobody_knows }}"),)))
    study.evals.save(msgspec.structs.replace(SPEC, prompts=("cite@3",), criteria=()))
    with pytest.raises(Unavailable, match="nobody_knows"):
        study.evals.estimate("towers", Job("Estimate"))


def test_loading_is_counted_once_and_judges_are_counted(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    study.evals.run(RunSpec(reference="towers"), Job("Run"))
    samples = study.datasets.show("towers").dataset.samples
    given = study.evals.outcomes("run-1")[0][1]
    times = iter((5.0, 1.0, 1.0))

    def ask(variant: Variant, sample: object) -> Outcome:
        answer = msgspec.structs.replace(given.answer, seconds=next(times))
        return msgspec.structs.replace(given, answer=answer)

    variants = study.evals.show("run-1").run.variants[:1]
    judge = {"rubric": "judge@1", "model": "fake"}
    spec = msgspec.structs.replace(
        SPEC, scorers=("rubric", "pairwise"), scoring={"rubric": {**judge, "repeat": 3}, "pairwise": judge}
    )
    found = estimate("towers@1", spec, samples, variants, lambda variant: None, ask)
    assert found.seconds == 4 + 3 * 1.0
    assert found.judge_requests == 9
    assert judged(spec, 3, 2) == 3 * 3 * 2 + 2 * 3
