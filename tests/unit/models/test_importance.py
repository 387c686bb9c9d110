"""Importance matrices are what goes into each matrix, also of experts; with them a quantized model stays nearer to the original."""

import hashlib
import re
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from core.errors import BadInput, Cancelled, Unsupported
from core.jobs import Job
from core.models.making import ModelMaking
from core.models.making_records import QuantizeModel
from core.models.records import AddModel
from core.models.service import Models
from core.models.worker import importance
from core.models.worker.library import open_library
from core.paths import RESOURCES
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

LEARN = """Once upon a time there was a little girl named Lily. She loved to play outside in the park with her friends. One day she saw a big
red ball under a tree. "Look, a ball!" she said to her mom. Her mom smiled and said, "You can play with it, but be careful." Lily ran to the
ball and kicked it high into the sky. The ball landed in a pond. Lily was sad and began to cry. A boy named Tim came and asked, "Why are you
sad?" Lily told him about the ball. Tim had a long stick. He pushed the ball out of the water. Lily was very happy. She said thank you, and
they played together until the sun went down. """
READ = """One day a small dog named Max went for a walk. He saw a cat who was stuck in a tree. The cat was scared and wanted to go home. Max
wanted to help, so he ran to find a man with a ladder. The man came and helped the cat to come down. The cat was so happy that she gave Max a
big hug. "Thank you, Max," said the cat. "You are a good friend." Max was proud. From that day on they were best friends, and they played in
the garden every day. They learned that it is good to help others when they need it. The end. Once upon a time there was a bird who could not
fly. He tried and tried, but he always fell. His mom told him to be brave. He jumped again and then he was in the sky. """


class Quiet:
    """A call that nobody listens to."""

    def report(self, done: int, total: int | None, unit: str) -> None:
        pass


def collected(path: Path, text: str = LEARN) -> dict[str, Any]:
    return importance.collect(open_library(), str(path), path.stem, text, Quiet())[0]  # type: ignore[arg-type]


def tensors(path: Path) -> dict[str, Any]:
    return {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}


@pytest.fixture
def making(vault: Vault, models: Models, supervisor: Supervisor) -> ModelMaking:
    return ModelMaking(vault, models, supervisor, lambda: 1)


def test_it_is_the_mean_square_of_what_goes_into_a_matrix(stories: Path) -> None:
    library = open_library()
    model = library.llama_model_load_from_file(str(stories).encode(), library.llama_model_default_params())
    ids = importance._tokens(library, library.llama_model_get_vocab(model), LEARN)
    library.llama_model_free(model)
    known = tensors(stories)
    given = known["token_embd.weight"][ids].astype(np.float64)
    given /= np.sqrt((given**2).mean(axis=1, keepdims=True) + 1e-5)
    expected = ((given * known["blk.0.attn_norm.weight"]) ** 2).mean(axis=0)
    found = collected(stories)
    for name in ("blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight"):
        assert found[name] == pytest.approx(expected, rel=1e-3)
    matrices = {name for name, data in known.items() if name.startswith("blk.") and data.ndim == 2}
    assert matrices <= set(found)
    assert all(len(found[name]) == known[name].shape[1] for name in matrices)


def test_each_expert_counts_what_it_was_given(stories: Path, tmp_path: Path) -> None:
    """Two experts with the same matrices, and every token given to both, are one."""
    path = tmp_path / "experts.gguf"
    reader = gguf.GGUFReader(stories)
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kind = field.types[0]
        writer.add_key_value(
            field.name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        )
    writer.add_expert_count(2)
    writer.add_expert_used_count(2)
    for tensor in reader.tensors:
        data = np.array(tensor.data)
        if found := re.fullmatch(r"(blk\.\d+\.ffn_(?:gate|up|down))\.weight", tensor.name):
            writer.add_tensor(f"{found[1]}_exps.weight", np.stack([data, data]))
        else:
            writer.add_tensor(tensor.name, data)
        if tensor.name.endswith("ffn_gate.weight"):
            block = tensor.name.removesuffix("ffn_gate.weight")
            writer.add_tensor(f"{block}ffn_gate_inp.weight", np.zeros((2, data.shape[1]), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    one, two = collected(stories), collected(path)
    for matrix in ("gate", "up", "down"):
        expected = one[f"blk.0.ffn_{matrix}.weight"]
        first, second = two[f"blk.0.ffn_{matrix}_exps.weight"].reshape(2, -1)
        assert first == pytest.approx(expected, rel=1e-3)
        assert second == pytest.approx(expected, rel=1e-3)


def test_a_model_that_learnt_what_matters_stays_nearer(making: ModelMaking, models: Models, stories: Path) -> None:
    models.add(AddModel(path=str(stories), name="stories"))
    plain = QuantizeModel(
        model="stories", quantization="IQ4_NL", name="plain", out=str(stories.with_name("p.gguf")), text=READ
    )
    learnt = QuantizeModel(
        model="stories",
        quantization="IQ4_NL",
        name="learnt",
        out=str(stories.with_name("l.gguf")),
        text=READ,
        importance=LEARN,
    )
    without = making.quantize(plain, Job("Quantize"))
    reported: list[str] = []
    made = making.quantize(learnt, Job("Quantize", lambda progress: reported.append(progress.unit)))
    assert without.compared is not None
    assert made.compared is not None
    assert (without.learnt, made.learnt > importance.LEAST) == (0, True)
    assert made.compared.divergence < 0.95 * without.compared.divergence
    assert 0 < made.model.size - without.model.size < 1000  # what is noted of it
    assert made.model.importance == f"sha256:{hashlib.sha256(LEARN.encode()).hexdigest()}"
    assert models.show("learnt").importance == made.model.importance
    assert without.model.importance == ""
    fields = gguf.GGUFReader(made.model.path).fields
    assert fields["quantize.imatrix.dataset"].contents() == made.model.importance
    assert fields["quantize.imatrix.chunks_count"].contents() == -(-made.learnt // importance.WINDOW)
    assert fields["quantize.imatrix.entries_count"].contents() > 10
    assert "windows" in reported


def test_types_that_need_it_are_made_with_it_and_refused_without(
    making: ModelMaking, models: Models, tmp_path: Path
) -> None:
    path = tmp_path / "chat.gguf"
    path.write_bytes((RESOURCES / "models" / "starter-chat.gguf").read_bytes())
    models.add(AddModel(path=str(path), name="chat"))
    request = {"model": "chat", "quantization": "Q2_K_S", "again": True}
    with pytest.raises(Unsupported, match="learns which numbers matter"):
        making.quantize(QuantizeModel(**request), Job("Quantize"))
    assert making.quantize(QuantizeModel(**request, importance=LEARN), Job("Quantize")).learnt
    assert models.show("chat-q2_k_s").size < models.show("chat").size


def test_a_short_text_and_a_cancel_leave_nothing(making: ModelMaking, models: Models, stories: Path) -> None:
    models.add(AddModel(path=str(stories), name="stories"))
    before = {path.name for path in stories.parent.iterdir()}
    request = QuantizeModel(model="stories", quantization="Q4_0", importance="Once upon a time.")
    with pytest.raises(BadInput, match="fewer than"):
        making.quantize(request, Job("Quantize"))
    long = QuantizeModel(model="stories", quantization="Q4_0", importance=LEARN * 60)
    job = Job("Quantize", lambda progress: job.cancel() if progress.unit == "windows" else None)
    with pytest.raises(Cancelled):
        making.quantize(long, job)
    assert {path.name for path in stories.parent.iterdir()} == before
