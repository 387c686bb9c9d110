"""From training over an evaluation to a pack, in a real vault: an adapter that the vault holds is named by a spec, used, and told of."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.datasets.records import AddDataset
from core.evals.records import RunSpec, Settings, Spec
from core.evidence import opened, zipform
from core.evidence.opened import take_apart
from core.evidence.origins import trainings
from core.evidence.records import ExportPack
from core.inference.records import AdapterUse, Message
from core.jobs import Job
from core.models.records import AddModel, SaveCard
from core.prompts.records import SavePrompt
from core.training.records import Source, TrainSpec
from core.training.service import Trainings
from core.trust.trustfile import dump, load
from core.workbench import SCHEMA, Workbench
from tests.unit.evidence.judging import judged
from tests.unit.inference import loras
from tests.unit.training import standin

LEARNED = [{"id": f"s{n}", "input": f"Say {n}", "target": str(n), "answer": f"It is {n}."} for n in range(3)]
ASKED = [{"id": "q1", "input": "Say 2", "target": "2"}, {"id": "q2", "input": "Once upon a time", "target": "there"}]


@pytest.fixture
def bench(vault_factory: Any) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    yield made
    made.close()


def test_the_pack_of_a_run_with_a_trained_adapter_goes_back_to_what_it_learned(
    bench: Workbench, tmp_path: Path, shared_data: Path, passphrases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = shared_data / "models" / "stories260K" / "stories260K.gguf"
    adapter = loras.written(tmp_path / "adapter.gguf", loras.pairs(base, 1)).read_bytes()
    monkeypatch.setitem(standin.CONTENT, "gguf", adapter)
    bench.models.lenders.clear()
    bench.trainings = Trainings(
        bench.vault, bench.models, bench.datasets, bench.engine, bench.supervisor, opened=standin.StandIn()
    )
    model = bench.models.add(AddModel(path=str(base), name="stories"))
    for name, rows in (("rows", LEARNED), ("asked", ASKED)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    spec = TrainSpec(name="style", base="stories", data=(Source(dataset="rows", file="rows.jsonl"),))
    trained = bench.trainings.run(spec, str(tmp_path / "spec.yaml"), Job("Train"))
    bench.model_cards.save(SaveCard(model="stories", intended="Stories for tests.", limits="It knows no facts."))
    bench.datasets.add(AddDataset(name="asked", path=str(tmp_path / "asked.jsonl")), Job("Add"))
    bench.prompts.save(SavePrompt(name="bare", messages=(Message(role="text", content="{{ question }}"),)))
    bench.evals.save(
        Spec(
            name="closed",
            dataset="asked",
            prompts=("bare",),
            models=("stories",),
            scorers=("contains",),
            max_tokens=4,
            settings=(Settings(name="base"), Settings(name="styled", adapters=(AdapterUse(model="training-1"),))),
        )
    )
    view = bench.evals.run(RunSpec(reference="closed"), Job("Run"))
    assert view.status == "finished"
    assert [outcome.error for _, outcome in bench.evals.outcomes("latest")] == [""] * 4
    with bench.vault.confirm(passphrases["ines"]) as signer:
        bench.trainings.sign("training-1", "authored", "mine", signer)
        bench.evidence.export(ExportPack(run=view.run.id, out=str(tmp_path / "run.pack")), signer, Job("Pack"))
    data = (tmp_path / "run.pack").read_bytes()
    verdict = judged(data, load(dump(bench.vault.trust_file())), datetime.now(UTC))
    assert (verdict.verdict, verdict.reasons) == ("valid", ())
    assert ("training-1", "authored") in [(s.subject, s.meaning) for s in verdict.signatures]
    [one] = trainings(take_apart(data).rows)
    assert trained.result is not None
    assert (one.adapter, one.run.digest, one.result.digest) == (
        trained.result.gguf,
        trained.digest,
        trained.result_digest,
    )
    files = zipform.read(data)
    assert [row.digest for row in take_apart(data).rows["training-data"]] == [bench.datasets.show("rows").digest]
    assert b"Stories for tests." in files["records/model-card.json"]
    lineage = json.loads(files[opened.LINEAGE])
    derived = {(s["prov:generatedEntity"], s["prov:usedEntity"]) for s in lineage["wasDerivedFrom"].values()}
    combined = f"assay:{view.digest}/variant/1"
    assert (combined, f"assay:{trained.result_digest}") in derived
    assert (f"assay:{trained.result_digest}", f"assay:{bench.datasets.show('rows').digest}") in derived
    assert b"1 question of the run stands word for word" in files[opened.REPORT]
    assert model.digest.encode() in files[opened.MLBOM]
