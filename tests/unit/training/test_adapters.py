"""Adapters from elsewhere, what of them is refused, and adapters merged into a model file. Needs no torch."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import AlreadyExists, BadInput, Refused, Unsupported
from core.inference.records import AdapterUse, Generate, Message, Token
from core.jobs import Job
from core.models.records import AddModel
from core.training.adapters import AdapterFiles
from core.training.records import ExportAdapter, ImportAdapter, MergeAdapter, Source, TrainSpec
from core.training.service import Trainings
from core.workbench import SCHEMA, Workbench
from tests.unit.inference import loras
from tests.unit.training import standin

CONFIG = {"peft_type": "LORA", "r": 4, "lora_alpha": 64, "bias": "none", "target_modules": ["down_proj"]}
STEM = "base_model.model.model.layers.{}.mlp.down_proj.lora_{}.weight"


@pytest.fixture
def base(shared_data: Path) -> Path:
    return shared_data / "models" / "stories260K" / "stories260K.gguf"


@pytest.fixture
def bench(vault_factory: Any, base: Path) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    made.models.add(AddModel(path=str(base), name="stories"))
    yield made
    made.close()


def peft(folder: Path, base: Path, more: int = 0, **changes: Any) -> Path:
    """A folder as PEFT saves it: the second feed-forward matrix of each block."""
    folder.mkdir()
    shapes = {t.name: tuple(map(int, t.shape)) for t in gguf.GGUFReader(base).tensors}
    rng = np.random.default_rng(3)
    tensors = {}
    for layer in range(sum(name.endswith("ffn_down.weight") for name in shapes)):
        inputs, outputs = shapes[f"blk.{layer}.ffn_down.weight"]
        tensors[STEM.format(layer, "A")] = rng.standard_normal((4, inputs + more)).astype(np.float32)
        tensors[STEM.format(layer, "B")] = rng.standard_normal((outputs, 4)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({**CONFIG, **changes}))
    return folder


def said(bench: Workbench, model: str, *uses: AdapterUse) -> str:
    request = Generate(
        model=model,
        messages=(Message(role="text", content="Once upon a time"),),
        max_tokens=12,
        temperature=0.0,
        adapters=uses,
    )
    return "".join(part.text for part in bench.engine.generate(request) if isinstance(part, Token))


def test_an_adapter_that_peft_made_is_sealed_used_and_given_back_as_it_came(
    bench: Workbench, base: Path, tmp_path: Path
) -> None:
    folder = peft(tmp_path / "theirs", base)
    view = bench.adapters.import_adapter(ImportAdapter(folder=str(folder), base="stories"), Job("Import"))
    assert (view.run.id, view.run.imported, view.status) == ("training-1", "theirs", "finished")
    assert (view.run.settings.rank, view.run.settings.alpha) == (4, 64.0)
    plain = said(bench, "stories")
    assert said(bench, "stories", AdapterUse(model="training-1")) != plain
    assert said(bench, "stories", AdapterUse(model="training-1", scale=0.0)) == plain
    bench.trainings.export(ExportAdapter(run="training-1", folder=str(tmp_path / "out")))
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()


def test_another_kind_of_adapter_is_refused_with_its_name(bench: Workbench, shared_data: Path) -> None:
    folder = shared_data / "models" / "not-a-lora-adapter"
    with pytest.raises(Unsupported, match="FINEGATES"):
        bench.adapters.import_adapter(ImportAdapter(folder=str(folder), base="stories"), Job("Import"))
    assert bench.trainings.list() == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "whole layers"),
        ({"bias": "all"}, "biases"),
        ({"rank_pattern": {"q_proj": 8}}, "different ranks"),
        ({"lora_alpha": 0}, "lora_alpha"),
    ],
    ids=str,
)
def test_what_isnt_plain_lora_is_refused(
    bench: Workbench, base: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    folder = peft(tmp_path / "theirs", base, **changes)
    with pytest.raises((Unsupported, BadInput), match=said):
        bench.adapters.import_adapter(ImportAdapter(folder=str(folder), base="stories"), Job("Import"))


def test_pickled_weights_and_an_adapter_for_another_base_are_refused(
    bench: Workbench, base: Path, tmp_path: Path
) -> None:
    pickled = peft(tmp_path / "pickled", base)
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    with pytest.raises(Unsupported, match="pickled"):
        bench.adapters.import_adapter(ImportAdapter(folder=str(pickled), base="stories"), Job("Import"))
    other = peft(tmp_path / "other", base, more=8)
    with pytest.raises(BadInput, match="made for another base"):
        bench.adapters.import_adapter(ImportAdapter(folder=str(other), base="stories"), Job("Import"))


def test_an_adapter_is_merged_into_a_model_that_answers_as_both_together(
    bench: Workbench, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = loras.pairs(base, 1)
    monkeypatch.setitem(standin.CONTENT, "gguf", loras.written(tmp_path / "a.gguf", pairs).read_bytes())
    bench.models.lenders.clear()
    trainings = Trainings(
        bench.vault, bench.models, bench.datasets, bench.engine, bench.supervisor, opened=standin.StandIn()
    )
    (tmp_path / "rows.jsonl").write_text(json.dumps({"input": "Hi", "answer": "Good day."}))
    spec = TrainSpec(name="style", base="stories", data=(Source(file="rows.jsonl"),))
    trainings.run(spec, str(tmp_path / "spec.yaml"), Job("Train"))
    request = MergeAdapter(run="training-1", out=str(tmp_path / "m.gguf"), quantization="f32", name="merged")
    model = bench.adapters.merge(request, Job("Merge"))
    assert (model.name, model.quantization) == ("merged", "f32")
    expected = {t.name: t.data for t in gguf.GGUFReader(loras.merged(base, tmp_path / "e.gguf", (pairs, 1.0))).tensors}
    ours = {t.name: t.data for t in gguf.GGUFReader(tmp_path / "m.gguf").tensors}
    assert ours.keys() == expected.keys()
    assert max(float(np.abs(ours[name] - expected[name]).max()) for name in ours) < 1e-5
    assert said(bench, "merged") == said(bench, "stories", AdapterUse(model="training-1"))
    with pytest.raises(AlreadyExists):
        bench.adapters.merge(request, Job("Merge"))
    small = bench.adapters.merge(
        MergeAdapter(run="training-1", out=str(tmp_path / "s.gguf"), quantization="q8_0"), Job("Merge")
    )
    assert small.size < model.size
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".assay-making-")]


def test_a_reviewer_imports_and_merges_nothing(bench: Workbench, base: Path, tmp_path: Path, reopen: Any) -> None:
    folder = peft(tmp_path / "theirs", base)
    vault = reopen(bench.vault, "tomas", SCHEMA)
    files = AdapterFiles(vault, bench.models, bench.trainings, bench.supervisor)
    with pytest.raises(Refused):
        files.import_adapter(ImportAdapter(folder=str(folder), base="stories"), Job("Import"))
    with pytest.raises(Refused):
        files.merge(MergeAdapter(run="training-1", out=str(tmp_path / "m.gguf")), Job("Merge"))
    assert not (tmp_path / "m.gguf").exists()
