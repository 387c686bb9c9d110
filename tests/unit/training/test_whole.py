"""Training of all weights: what may begin, the weights that come back into the base's GGUF, and the model that is registered."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import msgspec
import numpy as np
import pytest
from safetensors.numpy import save

from core.datasets.records import AddDataset
from core.errors import AlreadyExists, BadInput, Refused
from core.evals import releasing
from core.evals.records import Criterion, Spec
from core.inference.records import Message
from core.jobs import Job
from core.models.records import AddModel
from core.prompts.records import SavePrompt
from core.training import whole
from core.training.records import Judged, MergeAdapter, Source, TrainSpec
from core.training.service import Trainings
from core.training.settings import Settings, chosen
from core.training.worker.foreign import Maker, WriteTrained
from core.training.worker.records import TakeCheckpoint
from core.workbench import SCHEMA, Workbench
from tests.unit.training import standin, tiny

FULL = {"method": "full"}


@pytest.fixture
def bench(vault_factory: Any) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    yield made
    made.close()


@pytest.fixture(scope="module")
def base(shared_data: Path) -> Path:
    return shared_data / "models" / "stories260K" / "stories260K.gguf"


def tensors(path: Path) -> dict[str, Any]:
    """Of a GGUF, as float32."""
    return {
        one.name: np.asarray(gguf.quants.dequantize(one.data, one.tensor_type), dtype=np.float32)
        for one in gguf.GGUFReader(path).tensors
    }


def as_trained(base: Path, more: float) -> bytes:
    """The base's weights under their names in transformers, in its order of rows, each number larger by `more`."""
    named = {
        "token_embd.weight": "model.embed_tokens.weight",
        "output.weight": "lm_head.weight",
        "output_norm.weight": "model.norm.weight",
        "attn_norm.weight": "input_layernorm.weight",
        "ffn_norm.weight": "post_attention_layernorm.weight",
        "attn_output.weight": "self_attn.o_proj.weight",
    }
    named |= {f"attn_{one}.weight": f"self_attn.{one}_proj.weight" for one in "qkv"}
    named |= {f"ffn_{one}.weight": f"mlp.{one}_proj.weight" for one in ("gate", "up", "down")}
    reader = gguf.GGUFReader(base)
    heads = {
        "attn_q.weight": reader.fields["llama.attention.head_count"].contents(),
        "attn_k.weight": reader.fields["llama.attention.head_count_kv"].contents(),
    }
    found = {}
    for name, values in tensors(base).items():
        stem = name.split(".", 2)[2] if name.startswith("blk.") else name
        layer = f"model.layers.{name.split('.')[1]}." if name.startswith("blk.") else ""
        if stem in heads:  # llama.cpp has the two halves of a head row for row
            rows = values.reshape(heads[stem], values.shape[0] // heads[stem] // 2, 2, -1)
            values = rows.swapaxes(1, 2).reshape(values.shape)
        found[layer + named[stem]] = np.ascontiguousarray(values + np.float32(more))
    return bytes(save(found))


@pytest.mark.parametrize(
    "changes", [{"dora": True}, {"targets": ["q_proj"]}, {"dtype": "bf16"}, {"objective": "preferences"}]
)
def test_settings_that_dont_go_with_all_weights_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="method full doesn't go with"):
        chosen("balanced", {**FULL, **changes}, "s")


@pytest.mark.parametrize(
    ("parameters", "free", "more", "said"),
    [
        (whole.LARGEST + 1, 0, {}, "up to 200 million"),
        (10_000_000, 500_000_000, {}, "at least 860 MB, and 500 MB are free"),
        (10_000_000, 0, {"evaluation": Judged(spec="x")}, "needs the model as a file"),
        (10_000_000, 0, {"out": "model.bin"}, ".gguf at its end"),
    ],
)
def test_a_model_that_is_too_large_is_refused_with_the_numbers(
    bench: Workbench, base: Path, tmp_path: Path, parameters: int, free: int, more: dict[str, Any], said: str
) -> None:
    model = bench.models.add(AddModel(path=str(base), name="stories"), Job("Add"))
    spec = TrainSpec(name="s", base="stories", data=(), **more)
    large = msgspec.structs.replace(model, parameters=parameters)
    with pytest.raises(BadInput, match=said):
        whole.check(spec, Settings(method="full"), large, tmp_path, "s", free)


def test_a_run_of_all_weights_becomes_a_model_that_is_registered_and_compared(
    bench: Workbench,
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    passphrases: dict[str, str],
    reopen: Any,
) -> None:
    bench.models.add(AddModel(path=str(base), name="stories"), Job("Add"))
    monkeypatch.setattr(standin, "CONTENT", {"safetensors": as_trained(base, 0.001), "config": b"{}"})
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
    bench.trainings.writer = bench.adapters.merge
    bench.adapters._trainings = bench.trainings
    (tmp_path / "rows.jsonl").write_text('{"id": "1", "input": "Say 1", "answer": "1"}')
    (tmp_path / "asked.jsonl").write_text('{"id": "2", "input": "Once upon", "target": "there"}')
    bench.datasets.add(AddDataset(name="asked", path=str(tmp_path / "asked.jsonl")), Job("Add"))
    bench.prompts.save(SavePrompt(name="bare", messages=(Message(role="text", content="{{ question }}"),)))
    criterion = Criterion(metric="contains", variant="bare@1 / stories", at_least=2.0)
    bench.evals.save(
        Spec(
            name="closed",
            dataset="asked",
            prompts=("bare",),
            models=("stories",),
            scorers=("contains",),
            max_tokens=4,
            criteria=(criterion,),
        )
    )
    spec = TrainSpec(
        name="tale",
        base="stories",
        data=(Source(dataset="rows", file="rows.jsonl"),),
        settings=FULL,
        evaluation=Judged(spec="closed"),
        out="tale.gguf",
    )
    view = bench.trainings.run(spec, str(tmp_path / "spec.yaml"), Job("Train"))
    assert (view.status, view.result.gguf) == ("finished", "")  # type: ignore[union-attr]
    assert view.proved is not None
    assert [row.variant for row in view.proved.rows if not row.tag] == ["bare@1 / tale"]
    assert [one.name for one in bench.evals.show("run-1").run.variants] == ["bare@1 / stories", "bare@1 / tale"]
    assert (view.proved.passed, [line.met for line in view.proved.gate]) == (False, [False])
    model = bench.models.show("tale")
    assert (model.purpose, model.quantization.lower()) == ("chat", "f16")
    before, after = tensors(base), tensors(Path(model.path))
    assert before.keys() == after.keys()
    assert all(np.allclose(after[name], values + 0.001, atol=2e-3) for name, values in before.items())
    assert not all(np.allclose(after[name], values, atol=1e-5) for name, values in before.items())
    again_proved = bench.trainings.evaluate("training-1", "", Job("Evaluate")).proved
    assert again_proved is not None
    assert again_proved.evaluation == "run-2", "the model that is there already is asked"
    assert view.result_digest is not None
    with bench.vault.read() as reader:
        said = releasing.blocked_model(reader, {model.digest}, view.result_digest)
        assert said.startswith("run-2 doesn't meet its gate: "), (
            "the newest run of the file that it was written to counts"
        )
        assert not releasing.blocked_model(reader, {"other"}, view.result_digest)
    with pytest.raises(AlreadyExists):
        bench.trainings.run(spec, str(tmp_path / "spec.yaml"), Job("Train"))
    merged = bench.adapters.merge(
        MergeAdapter(run="training-1", out=str(tmp_path / "full.gguf"), quantization="f32"), Job("Merge")
    )
    again = tensors(Path(merged.path))
    assert all(np.allclose(again[name], values + 0.001, atol=1e-6) for name, values in before.items())
    bench.close()
    with (
        Workbench(reopen(bench.vault, "tomas", SCHEMA)) as other,
        other.vault.confirm(passphrases["tomas"]) as signer,
        pytest.raises(Refused, match="run-2 doesn't meet its gate"),
    ):
        other.trainings.sign("training-1", "approved", "", signer)


def test_weights_of_another_base_are_refused(base: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load

    given = load(as_trained(base, 0.0))
    given["model.norm.weight"] = given["model.norm.weight"][:-1].copy()
    data = bytes(save(given))
    maker = Maker()
    maker.take(TakeCheckpoint(at=0, size=len(data), data=data), tiny.QUIET)
    ask = WriteTrained(base=str(base), out=str(tmp_path / "out.gguf"), quantization="f32", name="x")
    with pytest.raises(BadInput, match="from another base: output_norm"):
        maker.write(ask, tiny.QUIET)


# -- with the training libraries ----------------------------------------------------------------------------------------------------

EXAMPLES = tuple(tiny.example(number, 1 + number % 4) for number in range(12))
TRAINED = Settings(method="full", batch=4, epochs=2, held_out=0.2, learning_rate=1e-3, checkpoint_every=2, recall=1)


@pytest.mark.filterwarnings("default")  # those of other people's libraries
def test_all_weights_are_trained_go_on_from_a_checkpoint_and_lie_where_a_conversion_puts_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    from core.models.making_records import ConvertFolder
    from core.models.worker.converting.folder import convert

    folder = tiny.folder(tmp_path / "tiny")
    parts = list(tiny.trained(tiny.bench(folder, EXAMPLES), TRAINED))
    assert not tiny.whole(parts, "gguf")
    again = tiny.bench(folder, EXAMPLES)
    state = tiny.whole(parts, "checkpoint")[2]
    again.take(TakeCheckpoint(at=0, size=len(state), data=state), tiny.QUIET)
    rest = list(tiny.trained(again, TRAINED))
    (weights,) = tiny.whole(parts, "safetensors").values()
    assert [weights] == list(tiny.whole(rest, "safetensors").values())
    base = tmp_path / "base.gguf"
    convert(ConvertFolder(folder=str(folder), out=str(base), quantization="f32", name="tiny"), tiny.QUIET)
    maker = Maker()
    maker.take(TakeCheckpoint(at=0, size=len(weights), data=weights), tiny.QUIET)
    maker.write(WriteTrained(base=str(base), out=str(tmp_path / "mine.gguf"), quantization="f32", name="x"), tiny.QUIET)
    trained = shutil.copytree(folder, tmp_path / "trained")
    (trained / "model.safetensors").write_bytes(weights)
    convert(
        ConvertFolder(folder=str(trained), out=str(tmp_path / "theirs.gguf"), quantization="f32", name="x"), tiny.QUIET
    )
    mine, theirs, was = tensors(tmp_path / "mine.gguf"), tensors(tmp_path / "theirs.gguf"), tensors(base)
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[name], values) for name, values in theirs.items())
    assert all(not np.array_equal(mine[name], values) for name, values in was.items())
