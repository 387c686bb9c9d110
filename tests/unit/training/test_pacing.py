"""The time of a run by a few of its steps, and what it holds by formula alone."""

from pathlib import Path

import pytest

from core.jobs import Job
from core.training.records import TrainSpec
from core.training.service import Trainings
from core.training.settings import Settings
from core.training.worker import pacing
from core.training.worker.encoding import Encoding
from core.training.worker.records import Foresee, Probe
from tests.unit.training import tiny
from tests.unit.training.standin import StandIn
from tests.unit.training.test_service import SPEC, bench, source, trainings, worker  # noqa: F401 (fixtures)

# ruff: noqa: F811 (fixtures)


def test_a_steps_time_is_a_line_that_never_falls() -> None:
    assert [pacing.line([(10, 1.0), (20, 1.5), (30, 2.0)])(size) for size in (0, 10, 40)] == pytest.approx(
        [0.5, 1, 2.5]
    )
    assert pacing.line([(10, 3.0), (30, 1.0)])(50) == 2.0, "noise is no gain"
    assert pacing.line([(10, 1.0)])(20) == 2.0
    assert pacing.line([(10, 0.1), (20, 9.0)])(0) >= 0


def test_all_that_a_run_does_beside_its_steps_is_counted() -> None:
    learned = [Encoding(tuple(range(10)), 6)] * 4
    paced = pacing.Paced(2.0, (1.0, 3.0), 0.5, 0.001, 0.25, 0.1, 0.01)
    settings = Settings(evaluate_every=2, checkpoint_every=5, samples=1, recall=1)
    steps = 2.0 + 2 * 4.0 + 1.0
    beside = 3 * 0.5 + 0.25 + (0.1 + 3 * 0.01)
    assert pacing.whole(paced, settings, 5, learned, learned, 0) == pytest.approx(steps + beside + 3 * (0.1 + 3 * 0.01))
    assert pacing.whole(paced, Settings(samples=0, recall=0), 5, learned, [], 0) == pytest.approx(steps + 0.25)
    assert pacing.whole(paced, Settings(samples=0, recall=0), 5, learned, [], 10) > steps + 0.25


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft asks transformers in an older way
def test_what_is_counted_by_formula_is_what_a_probe_counts(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    made = tiny.bench(tiny.folder(tmp_path / "model"), tuple(map(tiny.example, range(12))))
    settings = Settings(rank=4, batch=2, epochs=2, recall=2)
    probed = made.probe(Probe(settings=settings), tiny.QUIET)
    foreseen = made.foresee(Foresee(settings=settings), tiny.QUIET)
    for name in ("weights", "adapter", "gradients", "optimizer", "trained", "steps", "tokens"):
        assert getattr(foreseen, name) == getattr(probed, name), name
    assert probed.seconds > 0
    assert (foreseen.seconds, foreseen.activations > 0) == (0.0, True)


def test_a_quick_plan_takes_its_time_from_an_earlier_run_of_the_same_shape(
    trainings: Trainings, worker: StandIn, source: str
) -> None:
    unknown = trainings.plan(SPEC, source, Job("Plan"), quick=True)
    assert (unknown.seconds, unknown.time_from) == (0.0, "")
    trainings.run(SPEC, source, Job("Train"))
    known = trainings.plan(SPEC, source, Job("Plan"), quick=True)
    assert (known.seconds, known.time_from) == (pytest.approx(200 * 1.5 / 40), "run")
    assert known.low < known.seconds < known.high
    other = TrainSpec(name="s", base=SPEC.base, data=SPEC.data, settings={"rank": 4})
    assert trainings.plan(other, source, Job("Plan"), quick=True).time_from == "", "another shape tells nothing"
    assert trainings.plan(SPEC, source, Job("Plan")).time_from == "probe"
