"""Identical requests are answered from earlier outcomes, and say so."""

from types import SimpleNamespace

import msgspec
import pytest

from core.evals import store
from core.evals.cache import request_digest, usable
from core.evals.erasing import ErasableRuns
from core.evals.records import Outcome, RunSpec
from core.inference.records import AdapterUse, CallTurn, Generate, Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from core.vault.roles import Act
from tests.unit.evals.towers import SPEC

PLAIN = msgspec.structs.replace(SPEC, scorers=("contains", "refusal"), include_quotes=False)


def run(study: SimpleNamespace, fresh: bool = False) -> list[Outcome]:
    view = study.evals.run(RunSpec(reference="towers", fresh=fresh), Job("Run"))
    assert (view.status, view.run.reuse) == ("finished", not fresh and usable(study.evals.spec("towers").spec.spec))
    return [outcome for _, outcome in study.evals.outcomes(view.run.id)]


def said(outcomes: list[Outcome]) -> list[tuple[object, ...]]:
    return [
        (o.variant, o.sample, o.scores, o.answer.answer, o.answer.rendered, o.answer.tokens, o.answer.seconds)
        for o in outcomes
    ]


@pytest.mark.parametrize("mode", ["reproducible", "fast"])
def test_a_second_run_takes_the_first_ones_answers(study: SimpleNamespace, mode: str) -> None:
    study.evals.save(msgspec.structs.replace(PLAIN, mode=mode, prompts=("cite@1",)))
    first = run(study)
    assert [outcome.reused for outcome in first] == ["", "", ""]
    digests = {digest for digest, _ in study.evals.outcomes("run-1")}
    again = run(study)
    taken = [outcome for outcome in again if outcome.reused]
    if mode == "reproducible":
        assert [outcome.sample for outcome in taken] == ["q2", "q3"], "the first one says what computes now"
    assert {outcome.reused for outcome in taken} <= digests
    assert [line[:-1] for line in said(again)] == [line[:-1] for line in said(first)]
    known = {outcome.sample: outcome.answer for outcome in first}
    assert all(outcome.answer.seconds == known[outcome.sample].seconds for outcome in taken)
    assert not any(outcome.reused for outcome in run(study, fresh=True))


def test_another_request_or_another_build_is_asked(study: SimpleNamespace) -> None:
    study.evals.save(PLAIN)
    run(study)
    for change in ({"seed": 1}, {"max_tokens": 99}):
        study.evals.save(msgspec.structs.replace(PLAIN, **change))
        assert not any(outcome.reused for outcome in run(study)), change
    study.evals.save(PLAIN)
    with study.vault.write(Act.RUN_EVALUATION) as unit:
        unit.db.execute("UPDATE cached SET backend = 'another build'")
    assert not any(outcome.reused for outcome in run(study))


def test_what_measures_latency_asks_everything(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    run(study)
    assert not any(outcome.reused for outcome in run(study))


def test_a_replay_computes(study: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    study.evals.save(PLAIN)
    run(study)
    run(study)
    asked = []
    context = study.evals._assistants.context

    def counted(question: object, job: Job) -> object:
        found = context(question, job)

        def generate(request: Generate, work: Job) -> object:
            asked.append(request)
            return found.generate(request, work)

        return type(found)(**{**vars(found), "generate": generate})

    monkeypatch.setattr(study.evals._assistants, "context", counted)
    assert study.evals.replay("run-2", Job("Replay")).same == 6
    assert len(asked) == 6
    asked.clear()
    run(study)
    assert len(asked) == 1, "one for the model, the rest from the cache"


def test_an_answer_goes_with_its_outcome(study: SimpleNamespace) -> None:
    study.evals.save(PLAIN)
    run(study)
    with study.vault.read() as reader:
        (digest, _), (other, _), *_ = study.evals.outcomes("run-1")
        count = reader.db.execute("SELECT count(*) FROM cached").fetchone()[0]
    assert count == 6
    with study.vault.write(Act.RUN_EVALUATION) as unit:
        store.erase_outcomes(unit, [digest])
        assert unit.db.execute("SELECT count(*) FROM cached").fetchone()[0] == 5
        assert unit.db.execute("SELECT count(*) FROM cached WHERE outcome = ?", [other]).fetchone()[0] == 1
        ErasableRuns().forget(unit, [study.evals.show("run-1").digest])
        assert unit.db.execute("SELECT count(*) FROM cached").fetchone()[0] == 0
    assert not any(outcome.reused for outcome in run(study))


def test_a_prompt_of_another_version_with_the_same_text_is_the_same_request(study: SimpleNamespace) -> None:
    study.evals.save(msgspec.structs.replace(PLAIN, prompts=("cite@1",)))
    run(study)
    text = study.prompts.show("cite@1").prompt.messages
    study.prompts.save(SavePrompt(name="copy", messages=text))
    study.evals.save(msgspec.structs.replace(PLAIN, prompts=("copy@1",), criteria=()))
    assert [outcome.reused != "" for outcome in run(study)] == [False, True, True]


def test_every_field_of_a_request_counts() -> None:
    base = Generate(model="m" * 64, messages=(Message(role="user", content="a"),))
    others = [
        msgspec.structs.replace(base, **{name: value})
        for name, value in {
            "model": "n" * 64,
            "messages": (Message(role="user", content="b"),),
            "variables": {"a": 1},
            "max_tokens": 1,
            "temperature": 1.0,
            "top_p": 0.5,
            "top_k": 3,
            "repeat_penalty": 1.1,
            "seed": 7,
            "stop": ("x",),
            "grammar": "g",
            "schema": {},
            "when_broken": "say",
            "tools": ({},),
            "turns": (CallTurn(back=1, text="t"),),
            "adapters": (AdapterUse(model="a" * 64),),
            "images": (b"png",),
            "projector": "p" * 64,
            "log_probabilities": 0,
            "mode": "fast",
        }.items()
    ]
    assert {*Generate.__struct_fields__} - {"version"} == {
        name for other in others for name in Generate.__struct_fields__ if getattr(other, name) != getattr(base, name)
    }
    assert len({request_digest(request) for request in (base, *others)}) == len(others) + 1
