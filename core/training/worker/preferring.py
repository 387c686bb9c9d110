"""Learning from preferences: direct preference optimisation (Rafailov et al. 2023, equation 7).

The loss of a pair is -log sigmoid(beta * ((chosen - chosen of the base) - (rejected - rejected of the base))), each the sum of its answer's log
probabilities; the base is the model with its adapter put aside. A first step therefore always shows log 2, 0.693.
"""

from collections.abc import Sequence
from typing import Any

from core.errors import BadInput
from core.training.worker import batches
from core.training.worker.batches import Row


def loss(model: Any, rows: Sequence[Row], beta: float, device: str) -> tuple[Any, int]:
    """(the sum over the pairs, tokens computed). Raises `BadInput` for an example that is no preference."""
    import torch

    chosen = [one for row in rows for one in row]
    rejected = [one.pair for one in chosen if one.pair is not None]
    if len(rejected) < len(chosen):
        raise BadInput(
            source="The training data", problem="an example is no preference. Give chosen and rejected answers."
        )
    batch = batches.tensors([(one,) for one in (*chosen, *rejected)], False, device)
    now = sums(model, batch.inputs)
    with torch.no_grad(), model.disable_adapter():
        before = sums(model, batch.inputs)
    margin = now - before
    better, worse = margin.chunk(2)
    return -torch.nn.functional.logsigmoid(beta * (better - worse)).sum(), batch.tokens


def sums(model: Any, inputs: dict[str, Any]) -> Any:
    """Log probability of each row's answer."""
    import torch

    logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits[:, :-1].float()
    labels = inputs["labels"][:, 1:]
    every = -torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), labels, ignore_index=batches.IGNORED, reduction="none"
    )
    return every.sum(dim=1)
