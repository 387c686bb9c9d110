"""Sweeps: which runs a spec with lists asks for, and a queue that outlives failures, cancelling and the program's end."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.cli.training_sweeps import contrasted
from core.errors import BadInput, Cancelled, NotFound, Refused
from core.jobs import Job
from core.training import sweeps as module
from core.training.contrasting import contrast
from core.training.files import read_spec, read_sweep
from core.training.records import Judged, TrainSpec
from core.training.service import Trainings
from core.training.sweeps import Sweeps, points
from core.vault import erasure
from core.vault.erasure import Erase
from core.vault.holds import Thing
from core.workbench import ERASABLES, SCHEMA, Workbench
from tests.unit.training.standin import KILLED, StandIn
from tests.unit.training.test_service import SPEC, bench, source, trainings, worker  # noqa: F401 (fixtures)

LISTED: dict[str, Any] = {"learning_rate": [1e-4, 3e-4], "rank": [4, 8], "epochs": 2}


def with_settings(**changes: Any) -> TrainSpec:
    return msgspec.structs.replace(SPEC, settings=changes)


@pytest.fixture
def sweeps(bench: Workbench, trainings: Trainings) -> Sweeps:  # noqa: F811
    return Sweeps(bench.vault, trainings)


def test_each_combination_is_a_run_and_a_list_of_matrices_is_none() -> None:
    found = points(with_settings(**LISTED), "s")
    assert [(one["learning_rate"], one["rank"], one["epochs"]) for one in found] == [
        (1e-4, 4, 2),
        (1e-4, 8, 2),
        (3e-4, 4, 2),
        (3e-4, 8, 2),
    ]
    both = points(with_settings(targets=[["q_proj"], ["q_proj", "v_proj"]]), "s")
    assert [one["targets"] for one in both] == [["q_proj"], ["q_proj", "v_proj"]]


def test_a_sweep_is_read_from_a_file_that_one_run_refuses(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("name: s\nbase: b\ndata: [{dataset: d}]\nsettings: {rank: [4, 8]}\n")
    assert read_sweep(path).settings == {"rank": [4, 8]}
    with pytest.raises(BadInput, match="rank"):
        read_spec(path)
    path.write_text("name: s\nbase: b\ndata: [{dataset: d}]\nsettings: {rank: [4, 0]}\n")
    with pytest.raises(BadInput, match="rank is 0"):
        read_sweep(path)
    path.write_text("name: s\nbase: b\ndata: [{dataset: d}]\nsweep: sweep-1/2\n")
    with pytest.raises(BadInput, match="said by a sweep itself"):
        read_spec(path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rank": 4}, "no setting is a list"),
        ({"targets": ["q_proj"]}, "no setting is a list"),
        ({"rank": []}, "the list of rank is empty"),
        ({"rank": [4, 0]}, "rank is 0"),
        ({"rank": [4, "many"]}, "rank"),
        ({"seed": list(range(module.MOST + 1))}, "64 at most"),
    ],
)
def test_a_spec_that_lists_nothing_sensible_is_refused_before_anything_is_recorded(
    sweeps: Sweeps,
    source: str,  # noqa: F811
    settings: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(BadInput, match=said):
        sweeps.start(with_settings(**settings), source, Job("Train"))
    assert sweeps.list() == ()


def test_the_runs_follow_each_other_and_are_compared(
    sweeps: Sweeps,
    trainings: Trainings,  # noqa: F811
    source: str,  # noqa: F811
) -> None:
    view = sweeps.start(with_settings(**LISTED), source, Job("Train"))
    assert (view.status, [place.status for place in view.places]) == ("finished", ["finished"] * 4)
    assert [place.run for place in view.places] == [f"training-{number}" for number in range(1, 5)]
    assert [one.run.settings.rank for one in reversed(trainings.list())] == [4, 8, 4, 8]
    assert view.compared.settings == ("rank", "learning_rate")
    assert [one.settings for one in view.compared.runs][:2] == [("4", "0.0001"), ("8", "0.0001")]
    assert view.compared.best == "training-1"
    told = contrasted(view.compared)
    assert [line.split()[:4] for line in told[1:3]] == [
        ["training-1", "4", "0.0001", "finished"],
        ["training-2", "8", "0.0001", "finished"],
    ]
    assert told[-1] == "Least loss on held-out examples: training-1."
    assert sweeps.list() == (view,) == (sweeps.show("latest"),)
    with pytest.raises(BadInput, match="have ended"):
        sweeps.resume("sweep-1", Job("Train"))
    with pytest.raises(NotFound):
        sweeps.show("sweep-2")


def test_a_run_that_fails_doesnt_stop_the_queue(sweeps: Sweeps, source: str, worker: StandIn) -> None:  # noqa: F811
    worker.failing = KILLED
    view = sweeps.start(with_settings(rank=[4, 8]), source, Job("Train"))
    assert (view.status, [place.status for place in view.places]) == ("finished", ["failed", "finished"])


def test_a_queue_whose_program_was_killed_goes_on_with_its_run_and_then_the_next(
    sweeps: Sweeps,
    trainings: Trainings,  # noqa: F811
    bench: Workbench,  # noqa: F811
    source: str,  # noqa: F811
    worker: StandIn,  # noqa: F811
) -> None:
    worker.failing = KeyboardInterrupt()  # type: ignore[assignment]  (nothing is recorded behind it)
    with pytest.raises(KeyboardInterrupt):
        sweeps.start(with_settings(rank=[4, 8, 16]), source, Job("Train"))
    left = Sweeps(bench.vault, trainings).show("sweep-1")
    assert (left.status, [place.status for place in left.places]) == ("waiting", ["interrupted", "waiting", "waiting"])
    view = Sweeps(bench.vault, trainings).resume("sweep-1", Job("Train"))
    assert (view.status, [place.run for place in view.places]) == (
        "finished",
        ["training-1", "training-2", "training-3"],
    )
    curve = trainings.show("training-1").result.curve  # type: ignore[union-attr]
    assert [one.step for one in curve] == [1, 2, 3, 4], "it went on at its checkpoint"


def test_a_queue_is_stopped_cancelled_and_taken_up_again(
    sweeps: Sweeps,
    trainings: Trainings,  # noqa: F811
    source: str,  # noqa: F811
    worker: StandIn,  # noqa: F811
) -> None:
    worker.failing = Cancelled(what="Training")
    with pytest.raises(Cancelled):
        sweeps.start(with_settings(rank=[4, 8]), source, Job("Train"))
    assert [place.status for place in sweeps.show("sweep-1").places] == ["cancelled", "waiting"]
    assert sweeps.cancel("sweep-1").status == "cancelled"
    assert len(trainings.list()) == 1
    assert sweeps.resume("sweep-1", Job("Train")).status == "finished"
    with pytest.raises(BadInput, match="nothing to cancel"):
        sweeps.cancel("sweep-1")


def test_a_reviewer_starts_no_queue(bench: Workbench, reopen: Any, source: str) -> None:  # noqa: F811
    vault = reopen(bench.vault, "tomas", SCHEMA)
    with pytest.raises(Refused):
        Sweeps(vault, Trainings(vault, bench.models, bench.datasets, bench.engine, bench.supervisor)).start(
            with_settings(rank=[4, 8]), source, Job("Train")
        )


def test_runs_of_other_data_arent_ranked(trainings: Trainings, source: str) -> None:  # noqa: F811
    runs = [
        trainings.run(with_settings(rank=4), source, Job("Train")),
        trainings.run(with_settings(rank=8, held_out=0.2), source, Job("Train")),
    ]
    found = contrast(runs)
    assert (found.settings, found.best) == (("rank", "held_out"), "")
    assert contrast(()).runs == ()


def test_each_run_that_writes_a_model_writes_one_of_its_own(
    sweeps: Sweeps,
    trainings: Trainings,  # noqa: F811
    source: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (Path(source).parent / "models").mkdir()
    asked: list[TrainSpec] = []
    monkeypatch.setattr(trainings, "run", lambda spec, *more: asked.append(spec))
    listed = with_settings(method="full", rank=[4, 8])
    sweeps.start(msgspec.structs.replace(listed, out="models/tale.v2.gguf"), source, Job("Train"))
    assert [one.out for one in asked] == ["models/tale.v2-1.gguf", "models/tale.v2-2.gguf"]


def test_neither_a_run_nor_a_queue_is_gone_on_with_while_it_is_under_way(
    sweeps: Sweeps,
    bench: Workbench,  # noqa: F811
    trainings: Trainings,  # noqa: F811
    source: str,  # noqa: F811
) -> None:
    refused: list[str] = []

    def beside(_: object) -> None:
        other = Sweeps(bench.vault, trainings)
        for go_on in (
            lambda: other.resume("sweep-1", Job("Train")),
            lambda: trainings.resume("training-1", source, Job("Train")),
        ):
            with pytest.raises(BadInput, match="under way already") as told:
                go_on()
            refused.append(str(told.value).partition(":")[0])

    view = sweeps.start(with_settings(rank=[4]), source, Job("Train"), beside)
    assert set(refused) == {"sweep-1", "training-1"}
    assert view.status == "finished"
    result = trainings.show("training-1").result
    assert result is not None
    assert [one.step for one in result.curve] == [1, 2, 3, 4]


def test_choices_and_yes_or_no_are_swept_like_numbers(sweeps: Sweeps, trainings: Trainings, source: str) -> None:  # noqa: F811
    view = sweeps.start(
        with_settings(rslora=[False, True], schedule=["cosine", "linear"], targets=[["q_proj"], []]),
        source,
        Job("Train"),
    )
    assert (view.status, len(view.places)) == ("finished", 8)
    assert view.compared.settings == ("targets", "rslora", "schedule")
    assert [one.settings for one in view.compared.runs][:3] == [
        ("q_proj", "no", "cosine"),
        ("all", "no", "cosine"),
        ("q_proj", "no", "linear"),
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"schedule": ["cosine", "steep"]}, "steep"),
        ({"rslora": [True, "perhaps"]}, "rslora|bool"),
        ({"method": ["lora", "full"], "rank": 8, "dora": True}, "dora, which is a kind of adapter"),
        ({"packing": [False, True], "objective": "preferences"}, "aren't packed"),
    ],
)
def test_a_bad_choice_among_good_ones_is_said_before_the_start(
    sweeps: Sweeps,
    source: str,  # noqa: F811
    settings: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(BadInput, match=said):
        sweeps.start(with_settings(**settings), source, Job("Train"))
    assert sweeps.list() == ()


def test_what_keeps_one_run_from_starting_is_said_before_the_first(sweeps: Sweeps, source: str) -> None:  # noqa: F811
    spec = msgspec.structs.replace(with_settings(method=["lora", "full"]), evaluation=Judged(dataset="rows"))
    with pytest.raises(BadInput, match="needs the model as a file"):
        sweeps.start(spec, source, Job("Train"))
    assert sweeps.list() == ()


def test_an_erased_run_keeps_its_place_and_isnt_trained_again(
    sweeps: Sweeps,
    trainings: Trainings,  # noqa: F811
    bench: Workbench,  # noqa: F811
    source: str,  # noqa: F811
    worker: StandIn,  # noqa: F811
    passphrases: dict[str, str],
) -> None:
    sweeps.start(with_settings(rank=[4, 8]), source, Job("Train"))
    worker.failing = Cancelled(what="Training")
    with pytest.raises(Cancelled):
        sweeps.start(with_settings(rank=[4, 8, 16]), source, Job("Train"))
    for name in ("training-1", "training-3"):
        request = Erase(things=(Thing(kind="training", reference=name),), reason="asked for")
        with bench.vault.confirm(passphrases["ines"]) as signer:
            erasure.erase(bench.vault, ERASABLES, signer, request, Job("Erase"))
    first, second = sweeps.show("sweep-1"), sweeps.show("sweep-2")
    assert (first.status, [place.status for place in first.places]) == ("finished", ["erased", "finished"])
    assert (second.status, [place.status for place in second.places]) == ("waiting", ["erased", "waiting", "waiting"])
    again = sweeps.resume("sweep-2", Job("Train"))
    assert (again.status, [place.run for place in again.places]) == ("finished", ["", "training-4", "training-5"])
