"""Runs that were stopped, or whose process was killed, go on: nothing twice, nothing lost."""

import random
from types import SimpleNamespace

import msgspec
import pytest

from core.errors import BadInput
from core.evals import resuming, service, store
from core.evals.records import Done, RunSpec
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from tests.unit.evals.towers import SPEC

FIRM = msgspec.structs.replace(SPEC, scorers=("contains", "refusal"), repetitions=2)


class Killed(BaseException):
    """As little is done after it as after a kill: no handler catches it."""


def keyed(study: SimpleNamespace, run: str) -> list[tuple[object, ...]]:
    return [(o.variant, o.sample, o.repetition, o.answer.answer, o.scores) for _, o in study.evals.outcomes(run)]


@pytest.mark.parametrize("mode", ["reproducible", "fast"])
def test_a_stopped_run_goes_on(study: SimpleNamespace, mode: str) -> None:
    study.evals.save(msgspec.structs.replace(FIRM, mode=mode))
    whole = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    job = Job("Run")

    def stop(done: Done) -> None:
        if done.done == 5:
            job.cancel()

    assert study.evals.run(RunSpec(reference="towers"), job, stop).status == "cancelled"
    before = {digest for digest, _ in study.evals.outcomes("run-2")}
    seen: list[Done] = []
    view = study.evals.resume("run-2", Job("Resume"), seen.append)
    assert (view.status, view.result.variants, view.result.passed) == ("finished", whole.result.variants, True)
    assert [done.done for done in seen] == list(range(len(before) + 1, 19))
    assert before <= {digest for digest, _ in study.evals.outcomes("run-2")}
    assert keyed(study, "run-1") == keyed(study, "run-2")
    with pytest.raises(BadInput, match="it is finished"):
        study.evals.resume("run-2", Job("Resume"))
    with study.vault.read() as reader:
        assert len(store.parts(reader, view.digest)) == 1 + 2 + 18


def test_a_run_killed_again_and_again_ends_as_if_it_had_not_been(
    study: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it writes, at random: what one transaction held is there or not, as after kill -9."""
    study.evals.save(FIRM)
    study.evals.run(RunSpec(reference="towers"), Job("Run"))
    monkeypatch.setattr(service, "BATCH_SECONDS", 0.0)
    write, chance = study.evals._write, random.Random(5)

    def deadly(run: object, batch: list[object]) -> None:
        if batch and chance.random() < 0.25:
            if chance.random() < 0.5:
                write(run, batch)
            batch.clear()
            raise Killed
        write(run, batch)

    monkeypatch.setattr(study.evals, "_write", deadly)
    kills = 0
    for attempt in range(100):
        try:
            if attempt == 0:
                study.evals.run(RunSpec(reference="towers"), Job("Run"))
            else:
                study.evals.resume("run-2", Job("Resume"))
            break
        except Killed:
            kills += 1
            assert study.evals.show("run-2").status == "started"
    assert kills > 2
    assert keyed(study, "run-1") == keyed(study, "run-2")
    one, two = (study.evals.show(run).result for run in ("run-1", "run-2"))
    assert (one.variants, one.differences) == (two.variants, two.differences)


def test_a_run_goes_on_only_with_what_it_began_with(study: SimpleNamespace) -> None:
    study.evals.save(FIRM)
    job = Job("Run")
    job.cancel()
    view = study.evals.run(RunSpec(reference="towers"), job)
    study.prompts.save(SavePrompt(name="cite", messages=(Message(role="user", content="Other: {{ question }}"),)))
    run = view.run
    documents = (run.documents, run.embedder)
    resuming.check(view, run.variants, documents, run.instruments)
    for variants, found in (
        (run.variants[1:], documents),
        (run.variants, ((), run.embedder)),
        (run.variants, (run.documents, "0" * 64)),
    ):
        with pytest.raises(BadInput, match="changed since it started"):
            resuming.check(view, variants, found, run.instruments)
    with resuming.working(view.digest, "run-1"), pytest.raises(BadInput, match="it is at work"):
        study.evals.resume("run-1", Job("Resume"))
    assert study.evals.resume("run-1", Job("Resume")).status == "finished"
