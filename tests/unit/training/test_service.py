"""Training runs in a vault: what is recorded, what stays after a failure, and adapters that have no file."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import AlreadyExists, BadInput, Cancelled, NotFound, Refused, Unavailable, WorkerFailed
from core.jobs import Job
from core.models.starter import CHAT, ensure_starters
from core.training import work
from core.training.records import ExportAdapter, Judged, Source, TrainSpec
from core.training.service import Trainings
from core.training.settings import EXPLAINED, PRESETS, Settings, chosen
from core.training.worker.records import Problem
from core.trust.sealing import InvalidSeal
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.training.standin import CONTENT, KILLED, StandIn

ROWS = [{"id": str(n), "input": f"Say {n}", "target": str(n), "answer": f"It is {n}."} for n in range(6)]
CHATS = [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Good day."}]}]


@pytest.fixture
def bench(vault_factory: Any) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    ensure_starters(made.models)
    yield made
    made.close()


@pytest.fixture
def worker() -> StandIn:
    return StandIn()


@pytest.fixture
def trainings(bench: Workbench, worker: StandIn) -> Trainings:
    bench.models.lenders.clear()
    bench.trainings = Trainings(
        bench.vault, bench.models, bench.datasets, bench.engine, bench.supervisor, opened=worker
    )
    return bench.trainings


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    (tmp_path / "chats.jsonl").write_text("\n".join(map(json.dumps, CHATS)))
    return str(tmp_path / "spec.yaml")


SPEC = TrainSpec(name="style", base=CHAT, data=(Source(dataset="rows", file="rows.jsonl"), Source(file="chats.jsonl")))


def test_a_run_is_recorded_with_what_it_was_made_of(
    trainings: Trainings, bench: Workbench, source: str, worker: StandIn
) -> None:
    seen: list[Any] = []
    view = trainings.run(SPEC, source, Job("Train"), seen.append)
    assert (view.status, view.run.id, view.run.examples) == ("finished", "training-1", 7)
    assert view.run.base_digest == bench.models.show(CHAT).digest
    rows, chats = view.run.sources
    assert (rows.reference, rows.digest) == ("rows@1", bench.datasets.show("rows@1").digest)
    assert chats.digest == hashlib.sha256(Path(source).with_name("chats.jsonl").read_bytes()).hexdigest()
    assert view.result is not None
    assert [one.step for one in view.result.curve] == [1, 2, 3, 4]
    assert len(seen) == 5
    assert view.checkpoint == 0, "a finished run keeps no checkpoint"
    with bench.vault.read() as reader:
        assert reader.links(view.digest) == (rows.digest,)
        assert [reader.blob(found) for found in reader.links(view.result_digest)[1:]] == list(CONTENT.values())  # type: ignore[arg-type]
    assert trainings.list() == (trainings.show("latest"),)


@pytest.mark.parametrize(
    "failing", [KILLED, Cancelled(what="Training"), BadInput(source="Step 4", problem="no number")]
)
def test_a_run_that_ends_badly_keeps_its_checkpoint_and_goes_on_from_it(
    trainings: Trainings, source: str, worker: StandIn, failing: Exception
) -> None:
    worker.failing = failing
    with pytest.raises(type(failing)):
        trainings.run(SPEC, source, Job("Train"))
    view = trainings.show("training-1")
    assert view.result is not None
    assert view.status in ("failed", "cancelled")
    assert (view.result.reason, view.result.gguf, view.checkpoint) == (str(failing), "", 2)
    again = trainings.resume("training-1", source, Job("Train"))
    assert worker.state == b"state after 2"
    assert again.result is not None
    assert (again.status, [one.step for one in again.result.curve]) == ("finished", [1, 2, 3, 4])
    assert [one.step for one in again.result.measured] == [2]
    with pytest.raises(BadInput, match="has finished"):
        trainings.resume("training-1", source, Job("Train"))


def test_a_run_whose_program_was_killed_is_interrupted_and_goes_on(
    trainings: Trainings, bench: Workbench, source: str, worker: StandIn
) -> None:
    worker.failing = KeyboardInterrupt()  # type: ignore[assignment]  (nothing is recorded behind it)
    with pytest.raises(KeyboardInterrupt):
        trainings.run(SPEC, source, Job("Train"))
    assert (trainings.show("training-1").status, trainings.show("training-1").checkpoint) == ("interrupted", 2)
    assert trainings.resume("training-1", source, Job("Train")).status == "finished"


def test_a_checkpoint_lies_sealed_under_a_key_of_its_run(
    trainings: Trainings, bench: Workbench, source: str, worker: StandIn
) -> None:
    for _ in range(2):
        worker.failing = KILLED
        with pytest.raises(WorkerFailed):
            trainings.run(SPEC, source, Job("Train"))
    first, second = (trainings.show(f"training-{number}").digest for number in (1, 2))
    cache = bench.vault.folder / "cache"
    contents = [path.read_bytes() for path in cache.iterdir()]
    assert len(contents) == 2
    assert not any(b"state" in content or b"after 2" in content for content in contents)
    (cache / f"training-{second[:16]}-2.sealed").write_bytes((cache / f"training-{first[:16]}-2.sealed").read_bytes())
    with pytest.raises(InvalidSeal):
        trainings.resume("training-2", source, Job("Train"))


def test_a_checkpoint_that_cant_be_written_ends_the_run_with_the_reason(
    trainings: Trainings, bench: Workbench, source: str
) -> None:
    (bench.vault.folder / "cache").write_bytes(b"a file in its place")
    with pytest.raises(Unavailable, match="cache can't be made"):
        trainings.run(SPEC, source, Job("Train"))
    assert trainings.show("training-1").status == "failed"


def test_other_data_isnt_taken_for_the_same_run(trainings: Trainings, source: str, worker: StandIn) -> None:
    worker.failing = KILLED
    with pytest.raises(WorkerFailed):
        trainings.run(SPEC, source, Job("Train"))
    Path(source).with_name("chats.jsonl").write_text(json.dumps(CHATS[0]).replace("Good", "Fine"))
    with pytest.raises(BadInput, match="another one now"):
        trainings.resume("training-1", source, Job("Train"))


def test_what_cant_be_learned_stops_the_run_or_is_recorded(trainings: Trainings, source: str, worker: StandIn) -> None:
    worker.wrong = (Problem(line="rows@1, 3", problem="it has 2000 tokens, and 1536 fit."),)
    with pytest.raises(BadInput, match="rows@1, 3: it has 2000 tokens"):
        trainings.run(SPEC, source, Job("Train"))
    assert trainings.list() == ()
    spec = TrainSpec(name="style", base=CHAT, data=SPEC.data, leave_out=True)
    view = trainings.run(spec, source, Job("Train"))
    assert (view.run.left_out, view.run.examples) == (worker.wrong, 6)


def test_questions_of_the_evaluation_arent_learned(trainings: Trainings, source: str) -> None:
    spec = TrainSpec(name="s", base=CHAT, data=SPEC.data, evaluation=Judged(dataset="asked", file="rows.jsonl"))
    with pytest.raises(BadInput, match="an evaluation set asks it"):
        trainings.run(spec, source, Job("Train"))


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"base": "nothing"}, NotFound, "no model nothing"),
        ({"base": "fake"}, BadInput, "chat models"),
        ({"base": "starter-embed"}, BadInput, "chat models"),
        ({"data": ()}, BadInput, "no data"),
        ({"data": (Source(),)}, BadInput, "name a dataset"),
        ({"data": (Source(file="none.jsonl"),)}, NotFound, "none.jsonl"),
        ({"folder": "nowhere"}, NotFound, "nowhere"),
        ({"preset": "huge"}, BadInput, "no preset huge"),
        ({"settings": {"rank": 0}}, BadInput, "rank is 0"),
        ({"settings": {"rnak": 1}}, BadInput, "rnak"),
        ({"evaluation": Judged(dataset="rows", file="rows.jsonl", form="(")}, BadInput, "regular expression"),
    ],
)
def test_a_spec_that_cant_be_run_is_refused_before_anything_is_recorded(
    trainings: Trainings, bench: Workbench, source: str, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    if changes.get("base") == "starter-embed" and not any(m.name == "starter-embed" for m in bench.models.list()):
        pytest.skip("the starter embedder isn't built")
    fields = {"name": "s", "base": CHAT, "data": SPEC.data, **changes}
    with pytest.raises(error, match=said):
        trainings.run(TrainSpec(**fields), source, Job("Train"))
    assert trainings.list() == ()


def test_a_sealed_adapter_is_known_by_its_run_and_its_digest_and_read_out_of_the_vault(
    trainings: Trainings, bench: Workbench, source: str
) -> None:
    view = trainings.run(SPEC, source, Job("Train"))
    digest = hashlib.sha256(CONTENT["gguf"]).hexdigest()
    for name in ("training-1", digest):
        model = bench.models.located(name)
        assert (model.digest, model.purpose, model.path, model.base_digest) == (
            digest,
            "adapter",
            "",
            view.run.base_digest,
        )
    lent = bench.models.lent("training-1")
    assert lent is not None
    assert b"".join(lent.content()) == CONTENT["gguf"]
    with pytest.raises(NotFound):
        bench.models.show("training-2")


def test_an_adapter_is_exported_and_signed(
    trainings: Trainings, bench: Workbench, source: str, tmp_path: Path, passphrases: dict[str, str]
) -> None:
    view = trainings.run(SPEC, source, Job("Train"))
    names = trainings.export(ExportAdapter(run="training-1", folder=str(tmp_path / "out")))
    assert names == ("adapter_model.safetensors", "adapter_config.json", "adapter.gguf", "README.md")
    assert (tmp_path / "out" / "adapter.gguf").read_bytes() == CONTENT["gguf"]
    assert view.run.base_digest in (tmp_path / "out" / "README.md").read_text()
    with pytest.raises(AlreadyExists):
        trainings.export(ExportAdapter(run="training-1", folder=str(tmp_path / "out")))
    with bench.vault.confirm(passphrases["ines"]) as signer:
        trainings.sign("training-1", "authored", "", signer)
        with pytest.raises(Refused):
            trainings.sign("training-1", "approved", "", signer)
    assert [meaning for meaning, _ in trainings.show("training-1").signed] == ["authored"]


def test_a_plan_says_whether_it_fits(trainings: Trainings, source: str) -> None:
    plan = trainings.plan(SPEC, source, Job("Plan"))
    assert (plan.examples, plan.memory, plan.seconds, plan.steps) == (7, 1200, 4.0, 4)
    assert plan.fits
    assert trainings.list() == ()


def test_every_setting_is_explained_and_checked() -> None:
    assert set(EXPLAINED) == set(Settings.__struct_fields__) - {"version"}
    assert all(chosen(name, {}, "s") == preset for name, preset in PRESETS.items())


def test_missing_libraries_are_named() -> None:
    with pytest.raises(Unavailable, match="Training needs peft, which"):
        work.check_installed(lambda name: None if name == "peft" else name)


def test_a_reviewer_trains_nothing(trainings: Trainings, reopen: Any, bench: Workbench, source: str) -> None:
    vault: Vault = reopen(bench.vault, "tomas", SCHEMA)
    with pytest.raises(Refused):
        Trainings(vault, bench.models, bench.datasets, bench.engine, bench.supervisor).run(SPEC, source, Job("Train"))
