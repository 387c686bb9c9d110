"""Training of all weights of a small model, on this side of the pipe: whether it may begin, and the model that comes out.

All weights lie in memory four times while they are trained (themselves, their gradients, two moments), and checkpoints of them are sealed.
So only models up to `LARGEST` parameters are taken, and only where the memory is free.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import BadInput, NotFound
from core.jobs import Job
from core.models.records import ModelFile
from core.models.service import Models
from core.training import merged
from core.training.exporting import new_file
from core.training.records import MergeAdapter, TrainingView, TrainSpec
from core.training.settings import Settings
from core.vault.vault import Vault

LARGEST: Final = 200_000_000
"""Parameters: 0.8 GB of weights, a checkpoint of 2.4 GB."""
BYTES: Final = 4 * 4
"""Of each parameter: weight, gradient, two moments."""
PROGRAM: Final = 700_000_000
"""Bytes of Python and its libraries."""
Writer = Callable[[MergeAdapter, Job], ModelFile]


def check(spec: TrainSpec, settings: Settings, model: ModelFile, folder: Path, source: str, free: int) -> None:
    """Raises `BadInput` for a model that is too large, or larger than the `free` memory (bytes; 0 where it isn't known), and for an `out` that isn't
    fit for it; `NotFound`, `AlreadyExists` as `new_file`."""
    if settings.method != "full":
        if spec.out:
            raise BadInput(source=source, problem="out is for method full. Merge an adapter with `assay train merge`.")
        return
    if model.parameters > LARGEST:
        raise BadInput(
            source=spec.base,
            problem=f"it has {model.parameters / 1e6:,.0f} million parameters, and all weights are trained of models up to"
            f" {LARGEST / 1e6:,.0f} million. Use method lora.",
        )
    needed = model.parameters * BYTES + PROGRAM
    if free and needed > free:
        raise BadInput(
            source=spec.base,
            problem=f"training all of its weights takes at least {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free."
            " Close other programs, or use method lora.",
        )
    if spec.evaluation is not None and not spec.out:
        raise BadInput(source=source, problem="an evaluation needs the model as a file. Give out: NAME.gguf.")
    if spec.out:
        new_file(folder / spec.out)


def written(
    view: TrainingView, vault: Vault, models: Models, writer: Writer | None, folder: Path, job: Job
) -> ModelFile | None:
    """The model of a finished run that trained all weights, written where its spec says and registered, unless it is already; None for none. Raises
    as `writer`."""
    spec = view.run.spec
    if view.run.settings.method != "full" or not spec.out or view.status != "finished" or writer is None:
        return None
    if (kept := _kept(vault, models, view, (folder / spec.out).absolute())) is not None:
        return kept
    request = MergeAdapter(
        run=view.run.id,
        out=str(folder / spec.out),
        quantization="f16",
        name=Path(spec.out).stem,
        reason=f"asked for by {view.run.name}",
    )
    return writer(request, job)


def _kept(vault: Vault, models: Models, view: TrainingView, out: Path) -> ModelFile | None:
    for one in merged.of_run(vault, view.digest):
        try:
            model = models.show(one.digest)
        except NotFound:
            continue
        if Path(model.path) == out and out.exists():
            return model
    return None
