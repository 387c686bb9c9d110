"""Native code that hangs or aborts: whoever asked is told why, and the next request works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import WorkerFailed
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
from tests.unit.workers.children.stuck import Abort, Done, Work

TESTS = str(Path(__file__).resolve().parents[2])
SPEC = WorkerSpec(module="tests.unit.workers.children.stuck", readable=(TESTS,), threads=4, title="The model slow")


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as one:
        yield one


def test_a_model_that_makes_no_progress_is_ended_with_the_reason_and_the_next_works(supervisor: Supervisor) -> None:
    worker = supervisor.start(SPEC)
    parts = worker.stream(Work(steps=(0.0, 60.0)), Done)
    assert next(parts).number == 0
    with pytest.raises(WorkerFailed, match="The model slow stopped: it made no progress for 1 s"):
        list(parts)
    assert not worker.alive
    assert supervisor.crashes(SPEC) == 1
    with supervisor.start(SPEC) as other:
        assert [done.number for done in other.stream(Work(steps=(0.0,) * 3), Done)] == [0, 1, 2]


def test_a_model_that_is_slow_but_goes_on_is_left_alone(supervisor: Supervisor) -> None:
    with supervisor.start(SPEC) as worker:
        assert len(list(worker.stream(Work(steps=(0.3,) * 6), Done))) == 6
        assert len(list(worker.stream(Work(steps=(0.0,)), Done))) == 1


def test_a_check_inside_llama_ends_only_the_worker_and_is_named(supervisor: Supervisor, stories_file: Path) -> None:
    spec = WorkerSpec(module=SPEC.module, readable=(TESTS, str(stories_file)), threads=4, title="The model broken")
    for crashes in (1, 2):  # after which the pool doesn't try the file again
        worker = supervisor.start(spec)
        with pytest.raises(WorkerFailed, match=r"a check inside llama\.cpp failed \([\w.-]+, line \d+\)"):
            worker.call(Abort(path=str(stories_file)), Done)
        assert supervisor.crashes(spec) == crashes
    with supervisor.start(SPEC) as other:
        assert len(list(other.stream(Work(steps=(0.0,)), Done))) == 1
