"""Which bases are trained, and the sentence for each that isn't; needs no training library."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import numpy as np
import pytest

from core.errors import Unsupported
from core.training.worker import fitness

TRAINABLE = ("llama", "qwen2")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "mixtral", "num_local_experts": 8}, r"a mixture of experts \(mixtral\)"),
        ({"model_type": "deepseek_v3", "n_routed_experts": 64}, "a mixture of experts"),
        ({"model_type": "llama", "num_experts": "8"}, "the number of its experts as something else than a number"),
        ({"model_type": "llama", "num_local_experts": [8]}, "something else than a number"),
        ({"model_type": "llama", "n_routed_experts": {"a": 1}}, "something else than a number"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "type t5, an encoder with a decoder"),
        ({"model_type": "bert"}, "type bert, which reads texts and writes none"),
        ({"model_type": "xlm-roberta"}, "reads texts"),
        ({"model_type": "llama", "quantization_config": {"quant_method": "gptq"}}, r"quantized \(gptq\)"),
        ({"model_type": "mamba"}, "models of the type mamba are not trained here"),
    ],
    ids=lambda value: value.get("model_type", "") if isinstance(value, dict) else "",
)
def test_what_isnt_trained_is_refused_with_its_own_reason(config: dict[str, Any], said: str) -> None:
    with pytest.raises(Unsupported, match=said) as refused:
        fitness.check_config("Base", SimpleNamespace(**config), TRAINABLE)
    text = str(refused.value)
    assert text.startswith("Base")
    assert "These are: llama, qwen2." in text


def test_a_plain_model_is_taken_and_one_expert_is_no_mixture() -> None:
    config = SimpleNamespace(model_type="llama", num_local_experts=1, num_experts=None, quantization_config=None)
    assert fitness.check_config("Base", config, TRAINABLE) == "llama"


def _file(path: Path, kind: gguf.GGMLQuantizationType) -> Path:
    block, size = gguf.GGML_QUANT_SIZES[kind]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((2, int(size)), dtype=np.uint8), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert block
    return path


def test_weights_that_cant_be_computed_back_are_refused_by_their_type(tmp_path: Path) -> None:
    for kind in (gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.IQ2_XXS, gguf.GGMLQuantizationType.F16):
        fitness.check_types("Base", _file(tmp_path / f"{kind.name}.gguf", kind))
    wrong = gguf.GGMLQuantizationType.Q8_K
    with pytest.raises(Unsupported, match="of the type Q8_K, which can't be computed back"):
        fitness.check_types("Base", _file(tmp_path / "wrong.gguf", wrong))
