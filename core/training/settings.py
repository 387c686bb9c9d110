"""The settings of a training run: each with its default, what it does, and the numbers that it takes. Pure."""

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from core.errors import BadInput
from core.records import Record


class Settings(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an adapter is trained. `EXPLAINED` says what each is for."""

    method: Literal["lora", "full"] = "lora"
    objective: Literal["answers", "preferences", "text"] = "answers"
    beta: float = 0.1
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ()
    rslora: bool = False
    dora: bool = False
    learning_rate: float = 2e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = 0.05
    epochs: int = 3
    steps: int = 0
    batch: int = 8
    accumulation: int = 1
    packing: bool = False
    gradient_checkpointing: bool = False
    dtype: Literal["f32", "bf16"] = "f32"
    weight_decay: float = 0.0
    clip: float = 1.0
    held_out: float = 0.1
    evaluate_every: int = 50
    patience: int = 0
    checkpoint_every: int = 50
    samples: int = 2
    recall: int = 8
    canaries: int = 0
    canary_repeats: int = 4
    longest: int = 0
    seed: int = 0


PRESETS: Final = MappingProxyType(
    {
        "small": Settings(rank=8, alpha=16.0, epochs=2, learning_rate=5e-4, evaluate_every=25, checkpoint_every=25),
        "balanced": Settings(),
        "thorough": Settings(rank=32, alpha=64.0, epochs=6, learning_rate=1e-4, dropout=0.05, patience=3),
    }
)
"""What a run begins with; single settings are changed on top of one."""

EXPLAINED: Final = MappingProxyType(
    {
        "method": "What changes: an adapter beside the model (lora), or all weights of a small model, which becomes another model (full).",
        "objective": "What is learned: answers; which of two answers is better (DPO); or all words of plain text, such as documents.",
        "beta": "For preferences: how closely the model stays with what it was. Smaller lets it move further.",
        "rank": "How many directions each matrix may change in. More learns more, takes more memory and forgets more.",
        "alpha": "How strongly the change counts: it is multiplied by alpha / rank. Twice the rank is usual.",
        "dropout": "Share of the change's inputs that are left out at random while training. Helps with few examples.",
        "targets": "The matrices that are changed, by the ends of their names (q_proj, v_proj); empty for all of the blocks.",
        "rslora": "Multiply by alpha / sqrt(rank) instead, which keeps large ranks at work.",
        "dora": "Train each matrix's length apart from its direction. Such an adapter is exported, not attached.",
        "learning_rate": "The size of a step. Too large and the loss jumps; too small and nothing is learned.",
        "schedule": "How the learning rate falls: along a cosine, along a line, or not at all.",
        "warmup": "Share of the steps in which the learning rate rises from 0.",
        "epochs": "How often every example is seen.",
        "steps": "Stop after so many steps, whatever the epochs say; 0 for no such limit.",
        "batch": "Examples computed at once. More is faster and takes more memory.",
        "accumulation": "Batches whose gradients are added up before a step: a larger batch in the same memory.",
        "packing": "Put several short examples into one row, each blind to the others. Faster where lengths differ much.",
        "gradient_checkpointing": "Compute activations twice instead of keeping them: less memory, a third slower.",
        "dtype": "Numbers that the base model's weights are held in. bf16 halves their memory; the adapter itself is always f32.",
        "weight_decay": "How strongly the change is pulled towards nothing at each step.",
        "clip": "The longest that a gradient may be; longer ones are shortened.",
        "held_out": "Share of the examples that are kept back and only measured.",
        "evaluate_every": "Steps between two measurements on the examples kept back.",
        "patience": "Stop after so many measurements without a better one; 0 never stops early.",
        "checkpoint_every": "Steps between two checkpoints, from which an interrupted run goes on.",
        "samples": "Held-out inputs that are answered at each checkpoint, to be looked at; 0 for none.",
        "recall": "Examples that are asked afterwards for text learned word for word, and as many held-out ones; 0 for none.",
        "canaries": "Made-up sentences with a number that are planted into the data, to measure what is memorised. Not for an adapter that is used.",
        "canary_repeats": "How often each planted sentence stands among the examples of an epoch.",
        "longest": "Tokens of an example at most; 0 for the model's window. A longer example is refused, never cut.",
        "seed": "Chance: order, held-out examples, first weights and dropout follow from it.",
    }
)
"""One sentence for each setting."""

_Check = tuple[Callable[[Any], bool], str]
_CHECKS: Final[dict[str, _Check]] = {
    "beta": (lambda value: 0 < value <= 10, "use a number above 0, up to 10."),
    "rank": (lambda value: 1 <= value <= 1024, "use 1 to 1024."),
    "alpha": (lambda value: 0 < value <= 100_000, "use a number above 0, up to 100000."),
    "dropout": (lambda value: 0 <= value < 1, "use 0, or a number below 1."),
    "learning_rate": (lambda value: 0 < value <= 1, "use a number above 0, up to 1."),
    "warmup": (lambda value: 0 <= value <= 1, "use a share from 0 to 1."),
    "epochs": (lambda value: 1 <= value <= 1000, "use 1 to 1000."),
    "steps": (lambda value: 0 <= value <= 10_000_000, "use 0 (no limit) or more."),
    "batch": (lambda value: 1 <= value <= 4096, "use 1 to 4096."),
    "accumulation": (lambda value: 1 <= value <= 4096, "use 1 to 4096."),
    "weight_decay": (lambda value: 0 <= value <= 1, "use a number from 0 to 1."),
    "clip": (lambda value: 0 < value <= 1e6, "use a number above 0."),
    "held_out": (lambda value: 0 <= value <= 0.5, "use a share from 0 to 0.5."),
    "evaluate_every": (lambda value: value >= 1, "use 1 or more."),
    "patience": (lambda value: value >= 0, "use 0 (never) or more."),
    "checkpoint_every": (lambda value: value >= 1, "use 1 or more."),
    "samples": (lambda value: 0 <= value <= 20, "use 0 (none) to 20."),
    "recall": (lambda value: 0 <= value <= 500, "use 0 (none) to 500."),
    "canaries": (lambda value: 0 <= value <= 50, "use 0 (none) to 50."),
    "canary_repeats": (lambda value: 1 <= value <= 1000, "use 1 to 1000."),
    "longest": (lambda value: value >= 0, "use 0 (the model's window) or more."),
    "seed": (lambda value: 0 <= value < 2**32, "use 0 to 4294967295."),
}


def chosen(preset: str, changes: dict[str, Any], source: str) -> Settings:
    """A preset with single settings changed. Raises `BadInput` naming `source` and the setting."""
    if preset not in PRESETS:
        raise BadInput(source=source, problem=f"there is no preset {preset[:40]}. Use {', '.join(PRESETS)}.")
    try:
        settings = msgspec.convert({**msgspec.to_builtins(PRESETS[preset]), **changes}, Settings)
    except msgspec.ValidationError as error:
        raise BadInput(source=source, problem=f"settings: {error}.") from error
    return checked(settings, source)


def checked(settings: Settings, source: str) -> Settings:
    """The same settings, if one can train with them at all. Raises `BadInput`."""
    for name, (fine, problem) in _CHECKS.items():
        value = getattr(settings, name)
        if not math.isfinite(value) or not fine(value):
            raise BadInput(source=source, problem=f"the setting {name} is {value}: {problem}")
    if settings.objective == "preferences" and settings.packing:
        raise BadInput(source=source, problem="preferences aren't packed. Set packing to false.")
    if settings.method == "full":
        _check_full(settings, source)
    if settings.objective == "preferences" and settings.canaries:
        raise BadInput(source=source, problem="no canaries are planted into preferences. Set canaries to 0.")
    if settings.patience and not settings.held_out:
        raise BadInput(
            source=source, problem="patience needs held-out examples. Set held_out above 0, or patience to 0."
        )
    return settings


def _check_full(settings: Settings, source: str) -> None:
    wrong = {
        "objective: preferences, which need the model as it was beside them": settings.objective == "preferences",
        "dora, which is a kind of adapter": settings.dora,
        "targets, which an adapter has": bool(settings.targets),
        f"dtype {settings.dtype}, in which small steps are lost": settings.dtype != "f32",
    }
    for what, there in wrong.items():
        if there:
            raise BadInput(source=source, problem=f"method full doesn't go with {what}. Change it, or use lora.")
