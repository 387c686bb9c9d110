"""Where a merged model is from: recorded, found from both ends, signed, and erased with the run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.errors import AlreadyExists, NotFound, Refused
from core.evidence import gathering
from core.jobs import Job
from core.models.records import AddModel, ModelFile
from core.training import merged
from core.training.adapters import AdapterFiles
from core.training.erasing import ErasableTrainings
from core.training.records import MergeAdapter, Source, TrainSpec
from core.training.service import Trainings
from core.workbench import SCHEMA, Workbench
from tests.unit.inference import loras
from tests.unit.training import standin


@pytest.fixture
def base(shared_data: Path) -> Path:
    return shared_data / "models" / "stories260K" / "stories260K.gguf"


@pytest.fixture
def bench(vault_factory: Any, base: Path) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    made.models.add(AddModel(path=str(base), name="stories"))
    yield made
    made.close()


@pytest.fixture
def model(bench: Workbench, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFile:
    adapter = loras.written(tmp_path / "a.gguf", loras.pairs(base, 1)).read_bytes()
    monkeypatch.setitem(standin.CONTENT, "gguf", adapter)
    bench.models.lenders.clear()
    bench.trainings = Trainings(
        bench.vault, bench.models, bench.datasets, bench.engine, bench.supervisor, opened=standin.StandIn()
    )
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "1", "input": "Hi", "answer": "Good day."}))
    spec = TrainSpec(name="style", base="stories", data=(Source(dataset="rows", file="rows.jsonl"),))
    bench.trainings.run(spec, str(tmp_path / "spec.yaml"), Job("Train"))
    files = AdapterFiles(bench.vault, bench.models, bench.trainings, bench.supervisor)
    return files.merge(MergeAdapter(run="training-1", out=str(tmp_path / "m.gguf"), name="both"), Job("Merge"))


def test_the_way_leads_from_the_file_to_the_data_and_is_signed(
    bench: Workbench, model: ModelFile, passphrases: dict[str, str]
) -> None:
    found = merged.of_file(bench.vault, model.digest)
    assert found is not None
    view = bench.trainings.show(found.run)
    assert view.result is not None
    assert (found.name, found.digest, found.quantization) == ("both", model.digest, "f16")
    assert (found.base, found.base_digest) == ("stories", bench.models.show("stories").digest)
    assert (found.result, found.adapter, found.by) == (view.result_digest, view.result.gguf, bench.vault.user.user)
    assert view.run.sources[0].digest == bench.datasets.show("rows@1").digest
    assert merged.of_run(bench.vault, view.digest) == (found,)
    assert "Merged from stories" in merged.told(found)[0]
    with bench.vault.read() as reader:
        kinds = {reader.kind(one) for one in ErasableTrainings().parts(reader, view.digest)}
    assert merged.KIND in kinds, "erasing the run erases it"
    bench.models.remove("both")
    again = bench.models.add(AddModel(path=model.path, name="other"))
    assert merged.of_file(bench.vault, again.digest) == found, "the same file under another name"
    assert merged.of_file(bench.vault, found.base_digest) is None
    assert merged.told(None) == []

    with bench.vault.read() as reader:
        [record] = gathering.merges(reader, (model.digest, found.base_digest), reader.find(ModelFile)[-1])
        assert reader.get(record, merged.MergedModel) == found, "what a pack of a later run gets"
        assert found.settings == view.run.settings
        assert found.learned == (view.run.sources[0].digest,)
        assert not gathering.merges(reader, (model.digest,), found.result), "not what is later"

    with bench.vault.confirm(passphrases["ines"]) as signer:
        signature = merged.sign(bench.vault, model, "authored", "made it", signer)
        assert (signature.subject_name, signature.meaning) == ("both", "authored")
        with pytest.raises(Refused):
            merged.sign(bench.vault, model, "approved", "", signer)
        with pytest.raises(NotFound, match="no merge of stories"):
            merged.sign(bench.vault, bench.models.show("stories"), "authored", "", signer)


def test_a_merge_that_was_broken_off_before_it_was_recorded_is_made_good_by_the_same_again(
    bench: Workbench, base: Path, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = AdapterFiles(bench.vault, bench.models, bench.trainings, bench.supervisor)

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    places: tuple[tuple[object, str], ...] = ((bench.models, "add"), (merged, "record"))
    for where, at in places:
        out = tmp_path / f"{at}.gguf"
        request = MergeAdapter(run="training-1", out=str(out))
        with monkeypatch.context() as patch:
            patch.setattr(where, at, broken)
            with pytest.raises(KeyboardInterrupt):
                files.merge(request, Job("Merge"))
        left = out.stat()
        assert (at in [one.name for one in bench.models.list()]) is (at == "record")
        if at == "add":
            with pytest.raises(AlreadyExists, match="Choose another name"):
                files.merge(replace(request, quantization="q8_0"), Job("Merge"))
        made = files.merge(request, Job("Merge"))
        found = merged.of_file(bench.vault, made.digest)
        assert (made.name, made.path, found and found.name) == (at, str(out), at)
        assert (out.stat().st_ino, out.stat().st_mtime_ns) == (left.st_ino, left.st_mtime_ns)
        with pytest.raises(AlreadyExists):
            files.merge(request, Job("Merge"))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".assay-making-")]
