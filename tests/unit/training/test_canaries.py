"""What a run remembers, as it is planted, paused and recorded; the training libraries aren't needed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.cli import training_shown
from core.errors import BadInput, Cancelled
from core.jobs import Job
from core.training import canaries
from core.training.listening import Pausing
from core.training.records import ExportAdapter, TrainSpec
from core.training.service import Trainings
from core.training.settings import Settings, chosen
from core.training.worker.recall import Exposure, Memorised, Sampled, Shown, Verbatim
from core.training.worker.records import Ended, Piece
from core.vault.unit import Reader
from core.workbench import Workbench
from tests.unit.training.standin import StandIn, step
from tests.unit.training.test_service import SPEC, bench, source, trainings  # noqa: F401 (fixtures)

MEMORISED = Memorised(
    canaries=(Exposure(name="Fenmere", base_rank=100, base=1.36, rank=1, adapter=8.0),),
    repeats=4,
    candidates=255,
    verbatim=(Verbatim(of="learned", model="adapter", n=8, copied=3, longest_tokens=40, longest_characters=160),),
)
SAMPLED = Sampled(step=2, shown=(Shown(asked="Say 3", answer="It is three.", wanted="It is 3."),))


class Remembering(StandIn):
    """Pauses after step 3 when it is asked to; answers at the checkpoint, and remembers at the end."""

    def parts(self, request: Any, job: Job, pausing: Callable[[], bool] = lambda: False) -> Iterator[Any]:
        for number in range(4 if self.state else 1, 5):
            yield step(number)
            if number == 2:
                yield SAMPLED
            if pausing():
                yield Piece(of="checkpoint", step=number, data=b"state at the pause", last=True)
                yield Ended(reason="paused", step=number, tokens=30, seconds=1.0, peak=2000)
                return
        yield MEMORISED
        yield Piece(of="safetensors", step=4, data=b"weights", last=True)
        yield Ended(reason="done", step=4, tokens=40, seconds=1.5, peak=2000)


@pytest.fixture
def worker() -> StandIn:
    return Remembering()


def with_settings(**changes: Any) -> TrainSpec:
    return msgspec.structs.replace(SPEC, settings=changes)


def test_planted_sentences_are_the_same_each_time_and_all_different() -> None:
    settings = Settings(canaries=50)
    made = canaries.planted(settings, "style")
    assert made == canaries.planted(settings, "style") != canaries.planted(settings, "other")
    assert len({one.name for one in made}) == len({one.code for one in made}) == 50
    assert all(len(one.code) == 6 and one.code.isdigit() for one in made)


@pytest.mark.parametrize(
    "changes", [{"canaries": 51}, {"canary_repeats": 0}, {"objective": "preferences", "canaries": 1}], ids=str
)
def test_settings_that_plant_nothing_sensible_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        chosen("balanced", changes, "s")


def test_what_is_remembered_is_recorded_and_told_and_planted_sentences_stand_in_no_dataset(
    trainings: Trainings,  # noqa: F811
    bench: Workbench,  # noqa: F811
    source: str,  # noqa: F811
    worker: Remembering,
    tmp_path: Path,
) -> None:
    view = trainings.run(with_settings(canaries=3), source, Job("Train"))
    assert view.result is not None
    assert view.result.memorised == MEMORISED
    assert view.sampled == (SAMPLED,)
    assert len(worker.planted) == 3
    assert view.run.examples == 7, "planted sentences aren't the person's examples"
    texts = str(msgspec.to_builtins(bench.datasets.show("rows@1")))
    assert not any(one.name in texts or one.code in texts for one in worker.planted)
    told = "\n".join((*training_shown.memorised(MEMORISED), *training_shown.sampled(view.sampled)))
    for said in ("at most 8.0 bits", "1 of 256", "not for use", "3 of 8", "step 2: It is three."):
        assert said in told
    trainings.export(ExportAdapter(run="training-1", folder=str(tmp_path / "out")))
    card = (tmp_path / "out" / "README.md").read_text()
    assert canaries.WARNING in card
    assert "It is three." not in card


def test_a_paused_run_keeps_its_very_step_and_goes_on_behind_it(
    trainings: Trainings,  # noqa: F811
    source: str,  # noqa: F811
    worker: Remembering,
) -> None:
    job = Job("Train")
    seen: list[Any] = []

    def watch(part: Any) -> None:
        seen.append(part)
        if len(seen) == 4:
            job.cancel()  # at step 3, with the last checkpoint long ago

    with pytest.raises(Cancelled, match="training-1, after step 3"):
        trainings.run(SPEC, source, job, watch)
    view = trainings.show("training-1")
    assert (view.status, view.checkpoint, view.sampled) == ("cancelled", 3, (SAMPLED,))
    assert view.result is not None
    assert view.result.memorised is None
    again = trainings.resume("training-1", source, Job("Train"))
    assert worker.state == b"state at the pause"
    assert again.result is not None
    assert [one.step for one in again.result.curve] == [1, 2, 3, 4]
    assert (again.sampled, again.result.memorised) == ((SAMPLED,), MEMORISED)


def test_a_step_that_doesnt_end_is_broken_off() -> None:
    job = Job("Train")
    pausing = Pausing(job, patience=0.0)
    reached = threading.Event()
    pausing.inner.on_cancel(reached.set)
    assert not pausing.asked()
    job.cancel()
    assert pausing.asked()
    assert reached.wait(60)
    pausing.close()


def test_answers_at_checkpoints_go_with_their_run(
    trainings: Trainings,  # noqa: F811
    bench: Workbench,  # noqa: F811
    source: str,  # noqa: F811
) -> None:
    from core.training.erasing import ErasableTrainings

    view = trainings.run(SPEC, source, Job("Train"))
    reader: Reader
    with bench.vault.read() as reader:
        kinds = {reader.kind(one) for one in ErasableTrainings().parts(reader, view.digest)}
    assert kinds == {"training-run", "training-result", "training-samples"}
