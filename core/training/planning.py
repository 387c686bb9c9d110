"""What a run would take, as a person is told: its memory, its time with the range that it was found to lie in, and what the time is from. Pure."""

from collections.abc import Sequence
from typing import Final

from core.models.records import ModelFile
from core.training import work
from core.training.records import Plan, TrainingView
from core.training.settings import Settings
from core.training.worker.records import Probed, Problem

SHAPE: Final = (
    *("method", "objective", "rank", "targets", "dora", "batch", "accumulation", "packing", "gradient_checkpointing"),
    *("dtype", "evaluate_every", "checkpoint_every", "samples", "longest"),
)
"""The settings that a token's time hangs on."""
LOW: Final = 0.8
HIGH: Final = 1.3
"""Of the planned time: runs of eight shapes took 0.83 to 1.18 of it."""


def seconds(found: Probed) -> float:
    """By a probe."""
    return found.seconds or found.tokens / max(found.tokens_per_second, 1e-9)


def as_before(
    runs: Sequence[TrainingView], model: ModelFile, settings: Settings, device: str, threads: int, found: Probed
) -> float:
    """By the newest finished run of the same base, shape and machine; 0 where there is none."""
    for view in runs:
        run, result = view.run, view.result
        same = run.base_digest == model.digest and (run.device, run.threads) == (device, threads)
        same = same and all(getattr(run.settings, name) == getattr(settings, name) for name in SHAPE)
        if same and result is not None and result.status == "finished" and result.tokens and result.seconds:
            return found.tokens * result.seconds / result.tokens
    return 0.0


def plan(
    found: Probed,
    lengths: Sequence[int],
    learned: int,
    problems: tuple[Problem, ...],
    settings: Settings,
    device: str,
    time: float,
    quick: bool,
) -> Plan:
    """The plan of a run with examples of these `lengths`, which takes about `time` seconds; 0 for not known."""
    free = work.free_memory()
    return Plan(
        examples=len(lengths),
        left_out=problems,
        longest=max(lengths, default=0),
        learned=learned,
        trained=found.trained,
        weights=found.weights,
        adapter=found.adapter,
        gradients=found.gradients,
        optimizer=found.optimizer,
        activations=found.activations,
        program=found.before,
        memory=found.peak,
        free=free,
        fits=not free or found.peak <= free,
        seconds=time,
        steps=found.steps,
        device=device,
        settings=settings,
        time_from="probe" if not quick else "run" if time else "",
        low=LOW * time,
        high=HIGH * time,
    )
