"""A LoRA training as one writes it with `transformers` and `peft` alone: what the figures of training stand beside. It uses nothing of Assay.

`python -m tests.benchmarks.plain_training FOLDER THREADS` reads a line of JSON from its input for each run: `settings` and `steps`, each a list
of batches of rows {"ids": tokens, "start": the first that is learned}. It prints a line for each step, and at the end one with its peak of memory.
"""

import json
import sys
from pathlib import Path
from typing import Any


def main(folder: str, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        _train(folder, asked["settings"], asked["steps"])


def _train(folder: str, settings: dict[str, Any], steps: list[Any]) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, get_scheduler

    torch.manual_seed(settings["seed"])
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.config.use_cache = False
    if settings["gradient_checkpointing"]:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    config = LoraConfig(
        r=settings["rank"], lora_alpha=settings["alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = get_peft_model(model, config)
    model.train()
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings["learning_rate"], weight_decay=settings["weight_decay"])
    schedule = get_scheduler(settings["schedule"], optimizer, 1, len(steps))
    for step in steps:
        for rows in step:
            loss = model(**_batch(rows)).loss / len(step)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, settings["clip"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        print(json.dumps({"loss": float(loss.detach())}), flush=True)
    print(json.dumps({"peak": _peak()}), flush=True)


def _batch(rows: list[Any]) -> dict[str, Any]:
    import torch

    longest = max(len(row["ids"]) for row in rows)
    ids, labels, mask = [], [], []
    for row in rows:
        empty, start = longest - len(row["ids"]), row["start"]
        ids.append(row["ids"] + [0] * empty)
        labels.append([-100] * start + row["ids"][start:] + [-100] * empty)
        mask.append([1] * len(row["ids"]) + [0] * empty)
    return {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels), "attention_mask": torch.tensor(mask)}


def _peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
