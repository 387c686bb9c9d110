"""What `trl` finds as the loss of preferences, with a small model and an adapter of random weights.

    python -m tests.golden.preferences

writes `preferences.json` anew (needs torch, transformers, peft and trl): for each beta the loss of each batch by `trl.DPOTrainer`. The weights and
the batches are not kept: they come from seeds.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from core.training.worker.encoding import Encoding
from tests.golden import families

FILE = Path(__file__).with_suffix(".json")
FAMILY = "llama"
BETAS = (0.05, 0.1, 0.5)
BATCHES = 4
MOST = 700
"""Tokens above that are none of the small model's words."""


def golden() -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads(FILE.read_text("utf-8"))
    return found


def batches() -> list[list[Encoding]]:
    """Preferences of several lengths: the prompt is shared, the answers are not."""
    rng = np.random.default_rng(3)

    def some(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(token) for token in rng.integers(3, MOST, rng.integers(low, high)))

    found = []
    for number in range(BATCHES):
        rows = []
        for _ in range(number + 1):
            prompt = some(2, 12)
            rows.append(Encoding(prompt + some(1, 9), len(prompt), Encoding(prompt + some(1, 14), len(prompt))))
        found.append(rows)
    return found


def base(folder: Path) -> Any:
    """The model without its adapter."""
    import torch
    from transformers import AutoModelForCausalLM

    families.write(folder, FAMILY, families.golden()[FAMILY])
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def lora() -> Any:
    """The adapter's form, as `peft` has it."""
    from peft import LoraConfig

    return LoraConfig(r=4, lora_alpha=8.0, target_modules="all-linear", task_type="CAUSAL_LM")


def change(model: Any) -> None:
    """Give the adapter weights that change what the model says."""
    import torch

    rng = np.random.default_rng(4)
    with torch.no_grad():
        for _, value in sorted(model.named_parameters()):
            if value.requires_grad:
                value.copy_(torch.from_numpy(rng.standard_normal(value.shape, dtype=np.float32) * np.float32(0.1)))


def by_trl(folder: Path) -> dict[str, list[float]]:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast
    from trl import DPOConfig, DPOTrainer

    base(folder / "words")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "words" / "tokenizer.json"), eos_token="</s>", pad_token="<s>"
    )
    data = Dataset.from_list([{"prompt": "a", "chosen": "b", "rejected": "c"}] * 4)
    found = {}
    for beta in BETAS:
        config = DPOConfig(output_dir=str(folder / "out"), beta=beta, use_cpu=True, report_to=[], bf16=False)
        trainer = DPOTrainer(
            base(folder / str(beta)), args=config, train_dataset=data, processing_class=tokenizer, peft_config=lora()
        )
        change(trainer.model)
        trainer.model.eval()
        found[str(beta)] = [float(trainer._compute_loss(trainer.model, _inputs(rows), False)) for rows in batches()]  # type: ignore[attr-defined]
    return found


def _inputs(rows: list[Encoding]) -> dict[str, Any]:
    """As trl's collator gives them: the better answers, then the worse ones."""
    import torch

    every = [*rows, *(one.pair for one in rows if one.pair is not None)]
    longest = max(len(one.ids) for one in every)
    return {
        "input_ids": torch.tensor([[*one.ids, *[0] * (longest - len(one.ids))] for one in every]),
        "attention_mask": torch.tensor([[1] * len(one.ids) + [0] * (longest - len(one.ids)) for one in every]),
        "completion_mask": torch.tensor(
            [[0] * one.start + [1] * (len(one.ids) - one.start) + [0] * (longest - len(one.ids)) for one in every]
        ),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text(json.dumps(by_trl(Path(folder)), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
