"""A base whose config.json says what no model of its family says is refused with a sentence."""

import json
from pathlib import Path

import pytest

from core.errors import Unsupported

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize("family", ["mixtral", "qwen2_moe", "llama"])
def test_text_as_the_number_of_experts_is_refused_with_a_sentence(family: str, tmp_path: Path) -> None:
    from core.training.worker.base import Base
    from core.training.worker.records import OpenBase

    config = {"model_type": family, "num_local_experts": "8", "num_experts": "8"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"")
    request = OpenBase(name="Odd", path=str(tmp_path), form="folder")
    with pytest.raises(Unsupported, match=r"^Odd: its config\.json gives .* Get the model's original files"):
        Base(request)
