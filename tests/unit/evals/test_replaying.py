"""Making a run's answers again."""

from types import SimpleNamespace

import msgspec
import pytest

from core.errors import BadInput
from core.evals import replaying
from core.evals.records import RunSpec
from core.jobs import Job
from tests.unit.evals.towers import SPEC


def test_a_reproducible_run_gives_the_same_again(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    study.evals.run(RunSpec(reference="towers"), Job("Run"))
    found = study.evals.replay("run-1", Job("Replay"))
    assert (found.compared, found.same, found.different, found.reasons) == (9, 9, (), ())
    assert len(study.evals.list()) == 1


def test_what_differs_is_told_with_what_may_be_why(study: SimpleNamespace) -> None:
    study.evals.save(SPEC)
    view = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    first = study.evals.outcomes("run-1")[0][1]
    other = msgspec.structs.replace(first.answer, answer="Ten.", seconds=9.0, backend="fake 2")
    made = msgspec.structs.replace(first, answer=other)
    here = view.run.environment
    there = msgspec.structs.replace(here, packages={**here.packages, "numpy": "0.1"})
    found = replaying.compare("run-1", [(first, made), (first, first)], here, there)
    assert (found.compared, found.same) == (2, 1)
    assert found.different[0].fields == ("answer",)
    assert [reason.split(" was ")[0] for reason in found.reasons] == ["numpy", "it"]
    failed = msgspec.structs.replace(first, answer=None, error="stopped")
    assert replaying.compare("run-1", [(first, failed)], here, here).different[0].fields == ("error",)


def test_a_fast_run_is_not_replayed(study: SimpleNamespace) -> None:
    study.evals.save(msgspec.structs.replace(SPEC, mode="fast"))
    study.evals.run(RunSpec(reference="towers"), Job("Run"))
    with pytest.raises(BadInput, match="fast mode"):
        study.evals.replay("run-1", Job("Replay"))
