"""What a run would hold, by formula: no weight is loaded and no step is taken, so that it is told in a moment for a model of any size.

Weights, adapter, gradients and optimizer are counted exactly, on a model without numbers. Activations are estimated from what transformers keeps
for the backward pass: of each place a multiple of the width, of the hidden width and of the vocabulary. A few real steps (`Probe`) know better: of
14 cases this was between 0.8 and 1.2 of what was held.
"""

from typing import Any, Final

from core.training.settings import Settings
from core.training.worker import adapters, batches, memory, pacing, whole
from core.training.worker.base import DTYPES, Base
from core.training.worker.encoding import Encoding
from core.training.worker.records import Probed

WIDTHS: Final = 16.0
HIDDEN: Final = 7.1
PAIRS: Final = 0.76
WORDS: Final = 6.0
"""Numbers of 32 bits that are held of a place: in a layer for each of the width, of the hidden width, and of a head's other places; and for each word
of the vocabulary. Fitted to probes of Llamas of 4 and 6 layers, 256 and 512 wide, in rows of 100 to 600 tokens."""
AGAIN: Final = 1.6
"""Layers that are held at once where activations are computed again."""
TAKEN: Final = 36_000_000
"""Bytes that the first step takes for itself: threads, buffers of the matrix library."""


class _Blank:
    """A base of its shape, without numbers."""

    def __init__(self, base: Base) -> None:
        self.name = base.name
        self._config = base.config

    def weights(self, dtype: str) -> Any:
        import torch
        from transformers import AutoModelForCausalLM

        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(self._config, dtype=getattr(torch, DTYPES[dtype]))


def foreseen(base: Base, settings: Settings, learned: list[Encoding], window: int) -> Probed:
    """The same as a probe tells, but for the time. Raises `BadInput` for matrices that the base hasn't."""
    memory.load_libraries()
    before = memory.now()
    blank = _Blank(base)
    model = whole.model(blank, settings) if settings.method == "full" else adapters.model(blank, settings)
    sized = [(value.numel(), value.element_size(), value.requires_grad) for value in model.parameters()]
    weights = sum(count * size for count, size, trained in sized if not trained)
    adapter = sum(count * size for count, size, trained in sized if trained)
    widest = batches.widest(learned, settings, window)
    held = activations(base.config, settings, pacing.padded(widest), len(widest))
    steps = batches.count_steps(learned, settings, window)
    each = len(pacing.first_epoch(learned, settings, window))
    return Probed(
        weights=weights or adapter,
        adapter=adapter if weights else 0,
        gradients=adapter,
        optimizer=2 * adapter,
        activations=held,
        before=before,
        peak=before + weights + 4 * adapter + held,
        trained=sum(count for count, _, trained in sized if trained),
        tokens_per_second=0.0,
        steps=steps,
        tokens=sum(len(one.ids) for one in learned) * steps // max(1, each),
    )


def activations(config: Any, settings: Settings, places: int, rows: int) -> int:
    """Bytes for so many places at once, in so many rows."""
    width, hidden, layers = int(config.hidden_size), int(config.intermediate_size), int(config.num_hidden_layers)
    layer = WIDTHS * width + HIDDEN * hidden + PAIRS * int(config.num_attention_heads) * places / max(1, rows)
    kept = layers * width + AGAIN * layer if settings.gradient_checkpointing else layers * layer
    if settings.objective == "preferences":
        places *= 2
    return round(4 * places * (kept + WORDS * int(config.vocab_size))) + TAKEN
