"""The evaluation that is chosen at a run's start: base against adapter, by the spec's own gate, which an approval then waits for."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.datasets.records import AddDataset
from core.errors import BadInput, NotFound, Refused, WorkerFailed
from core.evals import releasing
from core.evals.records import Criterion, Settings, Spec
from core.inference.records import Message
from core.jobs import Job
from core.models.records import AddModel
from core.prompts.records import SavePrompt
from core.training import evaluating, proving
from core.training.records import Judged, Source, TrainSpec
from core.training.service import Trainings
from core.vault import erasure
from core.vault.erasure import Erase
from core.vault.holds import Thing
from core.workbench import ERASABLES, SCHEMA, Workbench
from tests.unit.inference import loras
from tests.unit.training import standin

LEARNED = [{"id": f"s{n}", "input": f"Say {n}", "target": str(n), "answer": f"It is {n}."} for n in range(3)]
ASKED = [
    {"id": "q1", "input": "Once upon a time", "target": "there", "tags": ["stories"]},
    {"id": "q2", "input": "A boy had a", "target": "boy", "tags": ["stories"]},
    {"id": "q3", "input": "One day", "target": "day"},
]
JUDGED = Spec(
    name="closed", dataset="asked", prompts=("bare",), models=("stories",), scorers=("contains",), max_tokens=4
)
Train = Callable[..., Any]


@pytest.fixture
def bench(vault_factory: Any) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    yield made
    made.close()


@pytest.fixture
def train(bench: Workbench, tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    base = shared_data / "models" / "stories260K" / "stories260K.gguf"
    adapter = loras.written(tmp_path / "adapter.gguf", loras.pairs(base, 1)).read_bytes()
    monkeypatch.setitem(standin.CONTENT, "gguf", adapter)
    bench.models.lenders.clear()
    bench.trainings = Trainings(
        bench.vault,
        bench.models,
        bench.datasets,
        bench.engine,
        bench.supervisor,
        opened=standin.StandIn(),
        evals=bench.evals,
    )
    bench.models.add(AddModel(path=str(base), name="stories"))
    for name, rows in (("rows", LEARNED), ("asked", ASKED)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        bench.datasets.add(AddDataset(name=name, path=str(tmp_path / f"{name}.jsonl")), Job("Add"))
    bench.prompts.save(SavePrompt(name="bare", messages=(Message(role="text", content="{{ question }}"),)))

    def run(spec: Spec) -> Any:
        bench.evals.save(spec)
        wanted = TrainSpec(
            name="style", base="stories", data=(Source(dataset="rows"),), evaluation=Judged(spec=spec.name)
        )
        return bench.trainings.run(wanted, str(tmp_path / "spec.yaml"), Job("Train"))

    return run


def test_the_spec_runs_by_itself_on_base_and_adapter_with_differences_by_tag(bench: Workbench, train: Train) -> None:
    view = train(JUDGED)
    proved = view.proved
    assert (proved.spec, proved.evaluation, proved.finished, proved.passed) == ("closed@1", "run-1", True, True)
    assert view.run.spec.evaluation.spec == "closed@1", "a later version of the spec changes nothing"
    run = bench.evals.show("run-1").run
    assert [variant.name.rpartition(" / ")[2] for variant in run.variants] == ["base", "adapter"]
    assert run.variants[1].settings is not None
    assert [use.model for use in run.variants[1].settings.adapters] == [view.result.gguf]
    assert {(row.scorer, row.tag, row.n) for row in proved.rows} >= {("contains", "", 3), ("contains", "stories", 2)}
    base = next(iter(bench.evals.show("run-1").result.variants)).metrics[0].value  # type: ignore[union-attr]
    assert next(row.base for row in proved.rows if not row.tag) == pytest.approx(base, abs=1e-4)


def test_an_adapter_whose_gate_isnt_met_isnt_approved(
    bench: Workbench, train: Train, passphrases: dict[str, str]
) -> None:
    view = train(Spec(**{**{f: getattr(JUDGED, f) for f in JUDGED.__struct_fields__}, "gate": ("contains >= 2",)}))
    assert not view.proved.passed
    assert [(line.line, line.met) for line in view.proved.gate] == [("contains >= 2", False)]
    with bench.vault.read() as reader:
        assert "run-1 doesn't meet its gate" in releasing.blocked_adapter(reader, view.result.gguf, view.result_digest)
    with bench.vault.confirm(passphrases["ines"]) as signer, pytest.raises(Refused):
        bench.trainings.sign("training-1", "approved", "good", signer)


def test_a_failed_evaluation_is_run_again_and_nobody_approves_before(
    bench: Workbench, train: Train, monkeypatch: pytest.MonkeyPatch, reopen: Any
) -> None:
    def broken(*given: Any) -> Any:
        raise WorkerFailed(worker="The model", reason="it was killed", safe="Nothing was kept.")

    with monkeypatch.context() as patch:
        patch.setattr(proving, "prove", broken)
        with pytest.raises(WorkerFailed, match="it was killed"):
            train(msgspec.structs.replace(JUDGED, gate=("contains >= 2",)))
    view = bench.trainings.show("training-1")
    assert (view.status, view.proved) == ("finished", None), "the adapter is kept"
    with bench.vault.read() as reader:
        assert not releasing.blocked_adapter(reader, view.result.gguf, view.result_digest)  # type: ignore[union-attr, arg-type]
    assert "assay train evaluate training-1" in evaluating.missing(view)
    again = bench.trainings.evaluate("training-1", "", Job("Evaluate"))
    assert again.proved is not None
    assert (again.proved.spec, again.proved.finished, again.proved.passed) == ("closed@1", True, False)
    assert (again.result_digest, evaluating.missing(again)) == (view.result_digest, "")
    with bench.vault.read() as reader:
        assert "doesn't meet its gate" in releasing.blocked_adapter(reader, view.result.gguf, view.result_digest)  # type: ignore[union-attr, arg-type]
    unfinished = msgspec.structs.replace(again, result=None)
    plain = msgspec.structs.replace(
        again, run=msgspec.structs.replace(again.run, spec=TrainSpec(name="s", base="b", data=()))
    )
    for other, said in ((unfinished, "hasn't finished"), (plain, "names no evaluation")):
        with pytest.raises(BadInput, match=said):
            evaluating.check(other)
    assert evaluating.missing(plain) == ""
    reviewer = reopen(bench.vault, "tomas", SCHEMA)
    theirs = Trainings(reviewer, bench.models, bench.datasets, bench.engine, bench.supervisor, evals=bench.evals)
    with pytest.raises(Refused):
        theirs.evaluate("training-1", "", Job("Evaluate"))


def test_questions_of_the_named_evaluation_arent_learned_and_near_ones_are_told(
    bench: Workbench, train: Train, tmp_path: Path
) -> None:
    long = "Which of the seven old towers by the river has the highest lamp in winter"
    (tmp_path / "more.jsonl").write_text(json.dumps({"input": long, "target": "last"}))
    bench.datasets.add(AddDataset(name="more", path=str(tmp_path / "more.jsonl")), Job("Add"))
    bench.evals.save(Spec(name="far", dataset="more", prompts=("bare",), models=("stories",), scorers=("contains",)))
    rows = [{"input": f"{long} now", "answer": "one"}, {"input": long, "answer": "two"}]
    (tmp_path / "near.jsonl").write_text("\n".join(map(json.dumps, rows)))
    spec = TrainSpec(name="x", base="stories", data=(Source(file="near.jsonl"),), evaluation=Judged(spec="far"))
    [found] = bench.trainings.examine(spec, str(tmp_path / "spec.yaml"), Job("Examine"))
    assert (found.kind, found.line) == ("overlap", "near.jsonl, line 1"), "line 2, the same, is left out"


def test_settings_and_criteria_are_the_adapters(bench: Workbench, train: Train) -> None:
    criterion = Criterion(metric="contains", variant="bare@1 / stories / warm", at_least=0.0)
    spec = Spec(
        **{
            **{f: getattr(JUDGED, f) for f in JUDGED.__struct_fields__},
            "settings": (Settings(name="warm", temperature=0.5),),
            "criteria": (criterion,),
        }
    )
    view = train(spec)
    assert view.proved.passed
    assert [v.name for v in bench.evals.show("run-1").run.variants] == [
        "bare@1 / stories / warm",
        "bare@1 / stories / warm with adapter",
    ]


def test_a_spec_that_cant_judge_the_adapter_stops_the_run_before_it_starts(bench: Workbench, train: Train) -> None:
    with pytest.raises(NotFound):
        bench.trainings.run(
            TrainSpec(name="x", base="stories", data=(Source(dataset="rows"),), evaluation=Judged(spec="none")),
            "spec.yaml",
            Job("Train"),
        )
    assert bench.trainings.list() == ()


def test_an_erased_run_leaves_its_number_and_nothing_of_its_adapter(
    bench: Workbench, train: Train, passphrases: dict[str, str]
) -> None:
    view = train(JUDGED)
    with bench.vault.confirm(passphrases["ines"]) as signer:
        request = Erase(things=(Thing(kind="training", reference="training-1"),), reason="they asked")
        with bench.vault.read() as reader:
            planned = erasure.plan(reader, ERASABLES, request)
        assert (planned.records, planned.blobs) == (3, 3)
        erasure.erase(bench.vault, ERASABLES, signer, request, Job("Erase"))
    assert bench.trainings.list() == ()
    with pytest.raises(NotFound):
        bench.trainings.show("training-1")
    with bench.vault.read() as reader, pytest.raises(NotFound):
        reader.blob(view.result.gguf)
    assert bench.trainings.lent("training-1") is None
    assert train(JUDGED).run.id == "training-2"
