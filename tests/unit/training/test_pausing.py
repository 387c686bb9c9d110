"""Pausing from beside a run: it ends after its present step where it was started, whoever asked is logged, and it goes on from there."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.cli.main import execute
from core.errors import AssayError, BadInput, Cancelled, Refused
from core.jobs import Job
from core.training.service import Trainings
from core.training.sweeps import Sweeps
from core.training.worker.records import Ended, KeepTrained, Piece
from core.workbench import Workbench
from tests.unit.training.standin import CONTENT, StandIn, step
from tests.unit.training.test_service import SPEC, bench, source, trainings  # noqa: F401 (fixtures)
from tests.unit.vault.test_joining import joined

# ruff: noqa: F811 (fixtures)
DEADLINE = 60.0


class Held(StandIn):
    """Takes a step, and then as many as it likes until it is asked to pause."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def parts(self, request: Any, job: Job, pausing: Callable[[], bool] = lambda: False) -> Iterator[Any]:
        number = int(self.state or b"0")
        if not isinstance(request, KeepTrained):
            number += 1
            yield step(number)
            self.begun.set()
            while number == 1 and not pausing():
                job.check()
                threading.Event().wait(0.01)
        if pausing():
            yield Piece(of="checkpoint", step=number, data=str(number).encode(), last=True)
            yield Ended(reason="paused", step=number, tokens=0, seconds=1.0, peak=1)
            return
        for of, content in CONTENT.items():
            yield Piece(of=of, step=number, data=content, last=True)  # type: ignore[arg-type]
        yield Ended(reason="done", step=number, tokens=1, seconds=1.0, peak=1)


@pytest.fixture
def worker() -> Held:
    return Held()


class Under:
    """Work that goes on beside the test."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.error: AssayError | None = None

        def run() -> None:
            try:
                work()
            except AssayError as error:
                self.error = error

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def over(self) -> AssayError | None:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        return self.error


class At:
    """The console of a command that works in a workbench that is open."""

    draws = False
    vault, user = "Study.assay", "ines"
    arguments: tuple[str, ...] = ()

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.text = self.said = ""

    def out(self, text: str) -> None:
        self.text += text

    def err(self, text: str) -> None:
        self.said += text

    def watch(self, job: Job) -> None: ...

    @contextmanager
    def workbench(self, folder: Path, user: str) -> Iterator[Workbench]:
        yield self.bench


@pytest.fixture
def beside(
    bench: Workbench, trainings: Trainings, worker: Held, passphrases: dict[str, str]
) -> Callable[[str], Trainings]:
    """The services of a person who joined from another process."""

    def of(user: str) -> Trainings:
        vault = joined(bench.vault, user, passphrases[user])
        return Trainings(vault, bench.models, bench.datasets, bench.engine, bench.supervisor, opened=worker)

    return of


def test_a_run_is_paused_from_beside_it_logged_and_goes_on(
    trainings: Trainings, bench: Workbench, source: str, worker: Held, beside: Callable[[str], Trainings]
) -> None:
    run = Under(lambda: trainings.run(SPEC, source, Job("Train")))
    assert worker.begun.wait(DEADLINE)
    with pytest.raises(Refused):
        beside("tomas").pause("training-1", Job("Pause"))
    view = beside("ines").pause("latest", Job("Pause"))
    assert (view.run.id, view.status, view.checkpoint) == ("training-1", "cancelled", 1)
    assert isinstance(run.over(), Cancelled)
    with bench.vault.read() as reader:
        assert "training-1 asked to pause" in [entry.about for entry in reader.log()]
    with pytest.raises(BadInput, match="isn't under way"):
        beside("ines").pause("training-1", Job("Pause"))
    assert trainings.resume("training-1", source, Job("Train")).status == "finished"


def test_a_queue_is_paused_with_its_run(
    trainings: Trainings, bench: Workbench, source: str, worker: Held, beside: Callable[[str], Trainings]
) -> None:
    sweeps = Sweeps(bench.vault, trainings)
    queue = Under(lambda: sweeps.start(msgspec.structs.replace(SPEC, settings={"rank": [4, 8]}), source, Job("Train")))
    assert worker.begun.wait(DEADLINE)
    other = beside("ines")
    view = Sweeps(other._vault, other).pause("sweep-1", Job("Pause"))
    assert isinstance(queue.over(), Cancelled)
    assert (view.status, [place.status for place in view.places]) == ("waiting", ["cancelled", "waiting"])


def test_a_second_terminal_stops_a_run_and_keeps_its_adapter(
    trainings: Trainings, bench: Workbench, source: str, worker: Held
) -> None:
    run = Under(lambda: trainings.run(SPEC, source, Job("Train")))
    assert worker.begun.wait(DEADLINE)
    console: Any = At(bench)
    assert execute(console, ["train", "stop", "training-1", "--keep", "--json"]) == 0, console.said
    assert isinstance(run.over(), Cancelled)
    told = json.loads(console.text)
    assert (told["status"], told["result"]["step"], told["checkpoint"]) == ("finished", 1, 0)
    assert execute(console, ["train", "pause", "training-1"]) == BadInput.exit_code
    assert "training-1: it isn't under way" in console.said
