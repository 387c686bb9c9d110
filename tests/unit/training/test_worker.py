"""The training worker: what is learned, resuming, and adapters that compute as PEFT's own."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from core.errors import BadInput, Damaged, Unsupported
from core.inference.records import AdapterPart, AdapterUse, Message
from core.inference.worker.adapters import HeldAdapters
from core.inference.worker.library import context
from core.models.making_records import ConvertFolder
from core.models.starter import CHAT, STARTERS
from core.models.worker.converting.folder import convert
from core.models.worker.library import open_library
from core.models.worker.reading import facts
from core.records import Digest
from core.training.settings import Settings
from core.training.worker.records import (
    Encode,
    Ended,
    Example,
    Measured,
    OpenBase,
    Probe,
    Step,
    TakeCheckpoint,
)
from core.training.worker.training import Bench
from tests.unit.training import tiny

pytestmark = pytest.mark.filterwarnings("default")  # those of other people's libraries
EXAMPLES = tuple(tiny.example(number, 1 + number % 4) for number in range(24))
SHORT = Settings(
    warmup=0.2, rank=4, alpha=8.0, dropout=0.1, batch=4, epochs=2, held_out=0.2, evaluate_every=3, checkpoint_every=4
)
NEAR = 1e-3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.folder(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def uninterrupted(folder: Path) -> list[Any]:
    return list(tiny.trained(tiny.bench(folder, EXAMPLES), SHORT))


def curve(parts: list[Any]) -> list[tuple[Any, ...]]:
    """What doesn't depend on the clock."""
    return [
        (one.step, one.loss, one.learning_rate, one.gradient_norm)
        if isinstance(one, Step)
        else (one.step, one.loss, one.best)
        for one in parts
        if isinstance(one, Step | Measured)
    ]


# -- which tokens are learned -------------------------------------------------------------------------------------------------------


def starter() -> Bench:
    made = Bench()
    made.open(OpenBase(path=str(STARTERS[CHAT]), name=CHAT, form="gguf", threads=1), tiny.QUIET)
    return made


def test_only_the_answer_and_its_end_are_learned_with_the_starter_models_own_template() -> None:
    made = starter()
    messages = (
        Message(role="system", content="Be short."),
        Message(role="user", content="What does <|im_end|> mean?"),
        Message(role="assistant", content="Nothing.  It is 12 <|im_start|>."),
    )
    assert not made.encode(Encode(examples=(Example(line="1", messages=messages),), longest=0), tiny.QUIET).problems
    (found,) = made._examples
    words = made._base.encoder._words  # type: ignore[union-attr]
    text = b"".join(words.piece(token, special=True) for token in found.ids[found.start :]).decode()  # type: ignore[attr-defined]
    assert text == " Nothing.  It is 12 <|im_start|>.<|im_end|>"
    assert [token for token in found.ids[found.start :] if words.ends(token)] == [found.ids[-1]]
    before = found.ids[: found.start]
    assert sum(map(words.ends, before)) == 2, "the user's text holds no end of a turn; system's and user's turns end"


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((Message(role="user", content="Only asked"),), "nothing to learn"),
        ((Message(role="user", content="long " * 2000), Message(role="assistant", content="x")), "nothing is cut"),
    ],
)
def test_what_cant_be_learned_is_told_with_its_line(messages: tuple[Message, ...], said: str) -> None:
    told = starter().encode(Encode(examples=(Example(line="f, line 7", messages=messages),), longest=0), tiny.QUIET)
    assert [(one.line, said in one.problem) for one in told.problems] == [("f, line 7", True)]


# -- the run ------------------------------------------------------------------------------------------------------------------------


def test_a_run_learns_and_measures(uninterrupted: list[Any]) -> None:
    steps = [part for part in uninterrupted if isinstance(part, Step)]
    assert [one.step for one in steps] == list(range(1, 11))
    assert steps[-1].loss < steps[0].loss
    assert steps[0].learning_rate == 0.0 < steps[3].learning_rate
    assert [part.step for part in uninterrupted if isinstance(part, Measured)] == [3, 6, 9, 10]
    assert sorted(tiny.whole(uninterrupted, "checkpoint")) == [4, 8, 10]
    assert isinstance(uninterrupted[-1], Ended)


@pytest.mark.parametrize("at", [4, 8])
def test_a_run_that_goes_on_from_a_checkpoint_gives_the_same_numbers(
    folder: Path, uninterrupted: list[Any], at: int
) -> None:
    again = tiny.bench(folder, EXAMPLES)
    data = tiny.whole(uninterrupted, "checkpoint")[at]
    half = len(data) // 2
    assert not again.take(TakeCheckpoint(at=0, size=len(data), data=data[:half]), tiny.QUIET).whole
    assert again.take(TakeCheckpoint(at=half, size=len(data), data=data[half:]), tiny.QUIET).whole
    parts = list(tiny.trained(again, SHORT))
    assert curve(parts) == [one for one in curve(uninterrupted) if one[0] > at]
    assert tiny.whole(parts, "safetensors") == tiny.whole(uninterrupted, "safetensors")


def test_a_checkpoint_of_other_settings_is_refused(folder: Path, uninterrupted: list[Any]) -> None:
    again = tiny.bench(folder, EXAMPLES)
    data = tiny.whole(uninterrupted, "checkpoint")[4]
    again.take(TakeCheckpoint(at=0, size=len(data), data=data), tiny.QUIET)
    other = Settings(rank=2, batch=4)
    with pytest.raises(Damaged, match="doesn't fit"):
        list(tiny.trained(again, other))


def test_packed_examples_dont_see_each_other(folder: Path) -> None:
    """Steps of all examples at once: the loss is the same packed or padded."""
    losses = []
    for packing in (False, True):
        settings = Settings(rank=4, batch=64, steps=2, held_out=0.0, packing=packing, longest=60)
        losses.append([one[1] for one in curve(list(tiny.trained(tiny.bench(folder, EXAMPLES), settings)))])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_it_stops_early_and_gives_the_best_weights(folder: Path) -> None:
    settings = Settings(rank=4, batch=8, epochs=50, learning_rate=0.1, evaluate_every=1, patience=2, warmup=0.0)
    parts = list(tiny.trained(tiny.bench(folder, EXAMPLES), settings))
    measured, ended = [part for part in parts if isinstance(part, Measured)], parts[-1]
    assert isinstance(ended, Ended)
    assert ended.reason == "early"
    assert ended.step == [part.step for part in measured if part.best][-1] < measured[-1].step


def test_a_loss_that_is_no_number_ends_the_run(folder: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    broken = shutil.copytree(folder, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"][0] = np.nan
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadInput, match="Step 1 of the training: its loss is no number"):
        list(tiny.trained(tiny.bench(broken, EXAMPLES), SHORT))


def test_the_probe_foretells_the_steps(folder: Path, uninterrupted: list[Any]) -> None:
    found = tiny.bench(folder, EXAMPLES).probe(Probe(settings=SHORT), tiny.QUIET)
    ended = uninterrupted[-1]
    assert (found.steps, found.tokens) == (10, ended.tokens)
    assert found.adapter == found.gradients == 4 * found.trained
    assert found.optimizer == 2 * found.adapter


def test_matrices_that_arent_there_are_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="no such matrices"):
        list(tiny.trained(tiny.bench(folder, EXAMPLES), Settings(targets=("nowhere",))))


def test_a_family_that_isnt_trained_and_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(Unsupported, match="can run code"):
        Bench().open(OpenBase(path=str(tmp_path), name="b", form="folder"), tiny.QUIET)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(Unsupported, match="writes none"):
        Bench().open(OpenBase(path=str(tmp_path), name="b", form="folder"), tiny.QUIET)


# -- the adapter --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"rslora": True}, {"targets": ("q_proj", "k_proj")}], ids=str)
def test_the_gguf_adapter_computes_what_peft_computes(folder: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    import msgspec
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    settings = msgspec.structs.replace(SHORT, learning_rate=2e-2, **changes)
    parts = list(tiny.trained(tiny.bench(folder, EXAMPLES), settings, "a" * 64))
    (tmp_path / "peft").mkdir()
    for of, name in (("safetensors", "adapter_model.safetensors"), ("config", "adapter_config.json")):
        (tmp_path / "peft" / name).write_bytes(next(iter(tiny.whole(parts, of).values())))
    adapter = tmp_path / "adapter.gguf"
    adapter.write_bytes(next(iter(tiny.whole(parts, "gguf").values())))
    base = tmp_path / "base.gguf"
    convert(ConvertFolder(folder=str(folder), out=str(base), quantization="f32", name="tiny"), tiny.QUIET)
    ids = [1, *range(300, 340)]
    with torch.no_grad():
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        unchanged = plain(torch.tensor([ids])).logits[0].numpy()
        expected = PeftModel.from_pretrained(plain, tmp_path / "peft")(torch.tensor([ids])).logits[0].numpy()
    assert np.abs(expected - unchanged).max() > 10 * NEAR, "the adapter changes something"
    assert np.abs(_logits(base, adapter, ids) - expected).max() <= NEAR
    read = facts(adapter)
    assert (read.purpose, read.architecture, read.base_digest) == ("adapter", "llama", "a" * 64)


def test_dora_makes_no_gguf(folder: Path) -> None:
    parts = list(tiny.trained(tiny.bench(folder, EXAMPLES), Settings(rank=2, dora=True, steps=1)))
    assert not tiny.whole(parts, "gguf")
    assert tiny.whole(parts, "safetensors")


def _logits(base: Path, adapter: Path, ids: list[int]) -> Any:
    """At every place [token, vocabulary]."""
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(base), library.llama_model_default_params())
    held = HeldAdapters(library, model, "tiny")
    data = adapter.read_bytes()
    assert held.take(AdapterPart(digest=Digest("a"), name="a", at=0, size=len(data), data=data)).whole
    exact = library.GGML_TYPE_F32
    made = context(library, model, "tiny", 64, 64, 1, type_k=exact, type_v=exact)
    batch = library.llama_batch_init(64, 0, 1)
    for place, token in enumerate(ids):
        batch.token[place], batch.pos[place], batch.n_seq_id[place] = token, place, 1
        batch.seq_id[place][0], batch.logits[place] = 0, 1
    batch.n_tokens = len(ids)
    held.chosen([AdapterUse(model="a")]).attach(library, made)
    assert library.llama_decode(made, batch) == 0
    rows = [np.ctypeslib.as_array(library.llama_get_logits_ith(made, n), (4096,)).copy() for n in range(len(ids))]
    library.llama_batch_free(batch)
    library.llama_free(made)
    library.llama_model_free(model)
    return np.stack(rows)
