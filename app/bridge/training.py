"""What the fine-tuning page shows of a vault, gathered off the UI thread: bases with why one doesn't work, data, runs, and their adapters."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AssayError
from core.models.records import FAKE, ModelFile
from core.training.records import TrainingView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.jobs import Job
    from core.vault.records import Signature
    from core.workbench import Workbench

KNOWN = "Trained are Llama, Mistral, Qwen2, Qwen3, Gemma 2, Gemma 3 and Phi-3."
LEFT_OUT_ARCHITECTURES = frozenset({"bert"})


@dataclass(frozen=True)
class Base:
    """A registered model, and why it can't be trained from; nothing where it can."""

    model: ModelFile
    why_not: str = ""


@dataclass(frozen=True)
class Choices:
    """What a run may be made of. `lacking` says what isn't installed, with the step; nothing where all is there."""

    bases: tuple[Base, ...] = ()
    datasets: tuple[tuple[str, int], ...] = ()
    collections: tuple[tuple[str, int], ...] = ()
    specs: tuple[str, ...] = ()
    lacking: str = ""


@dataclass(frozen=True)
class Shelf:
    """All runs, newest first, the choices for the next one, and who has which adapter as a model."""

    runs: tuple[TrainingView, ...] = ()
    choices: Choices = Choices()
    people: "Mapping[str, str]" = field(default_factory=dict)


def lacking() -> str:
    """What training needs and isn't installed here, with the step; nothing where all is there."""
    from core.training.work import check_installed

    try:
        check_installed()
    except AssayError as error:
        return str(error)
    return ""


def shelf(bench: "Workbench", job: "Job") -> Shelf:
    """All that the page shows first."""
    people = {person.user: person.name for person in bench.vault.users()}
    return Shelf(bench.trainings.list(), choices(bench), people)


def choices(bench: "Workbench") -> Choices:
    """What a run may be made of now."""
    known = architectures()
    bases = tuple(Base(one, why_not(one, known)) for one in bench.models.list() if one.purpose != "adapter")
    datasets = tuple((one.reference, len(one.samples)) for one in bench.datasets.list())
    documents, evals = getattr(bench, "documents", None), getattr(bench, "evals", None)
    collections = tuple((one.name, one.documents) for one in documents.collections()) if documents is not None else ()
    specs = tuple(one.spec.reference for one in evals.specs()) if hasattr(evals, "specs") else ()
    return Choices(bases, datasets, collections, specs, lacking())


def architectures() -> frozenset[str]:
    """What llama.cpp calls the architectures that are trained."""
    import gguf

    from core.models.worker.converting.families import FAMILIES

    names = (gguf.MODEL_ARCH_NAMES[family.architecture] for family in FAMILIES.values())
    return frozenset(names) - LEFT_OUT_ARCHITECTURES


def why_not(model: ModelFile, known: frozenset[str]) -> str:
    """Why an adapter can't be trained for a model, in one sentence; nothing where it can."""
    if model.name == FAKE:
        return "It only stands in for a model and has no weights."
    if model.purpose != "chat":
        return "It isn’t a chat model. Adapters are trained for chat models."
    if model.architecture not in known:
        return f"Its architecture, {model.architecture}, isn’t trained here. {KNOWN}"
    if not model.has_template:
        return "It brings no chat template, and none is guessed. Choose a chat model."
    if not Path(model.path).is_file():
        return "Its file isn’t where it was registered. Register it again."
    return ""


def adapters(bench: "Workbench") -> tuple[ModelFile, ...]:
    """The adapters that this vault's runs made, as models."""
    trainings = getattr(bench, "trainings", None)
    if trainings is None:
        return ()
    made = (trainings.lent(view.run.id) for view in trainings.list() if view.result is not None and view.result.gguf)
    return tuple(lent.model for lent in made if lent is not None)


def signatures(bench: "Workbench", view: TrainingView) -> "tuple[Signature, ...]":
    """The signatures on a run's result."""
    if view.result_digest is None:
        return ()
    with bench.vault.read() as reader:
        return tuple(reader.signatures(view.result_digest))


def reasons(bench: "Workbench") -> tuple[str, ...]:
    """The acts that this vault's policy asks a reason for."""
    from app.bridge.models import rules

    try:
        return rules(bench, None).reasons  # type: ignore[arg-type]
    except AssayError:
        return ()
