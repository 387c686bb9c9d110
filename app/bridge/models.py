"""What the models page shows of a vault's models, gathered off the UI thread: files, what is in memory, cards, aliases, uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.bridge.care import policy
from app.bridge.opening import size
from core.errors import BadInput, NotFound
from core.inference.records import Loaded
from core.models.making import LONGEST_TEXT
from core.models.records import CardState, ModelAlias, ModelFile

if TYPE_CHECKING:
    from core.inference.planning import MemoryPlan
    from core.jobs import Job
    from core.vault.records import Signature
    from core.workbench import Workbench

MOST_TEXT = LONGEST_TEXT
"""Characters of a text that models are measured on."""


@dataclass(frozen=True)
class Memory:
    """The models in memory, and the bytes that all may take; 0 where nothing limits them."""

    loaded: tuple[Loaded, ...] = ()
    budget: int = 0

    def of(self, model: ModelFile) -> Loaded | None:
        """The model as it is in memory; of one that is there with its projector and without, the busier."""
        return max((found for found in self.loaded if found.digest == model.digest), key=_requests, default=None)


@dataclass(frozen=True)
class Shelf:
    """The registered models, and by their names: the latest card, whether an approval holds, and what uses them."""

    models: tuple[ModelFile, ...] = ()
    memory: Memory = Memory()
    aliases: tuple[ModelAlias, ...] = ()
    cards: Mapping[str, CardState] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What the policy says of models: which acts take a reason, and for what a model must be approved ("no", "answers", "all")."""

    reasons: tuple[str, ...] = ()
    approved: str = "no"


def taken(found: Loaded) -> int:
    """Bytes that a model counts for: what was reserved for it, or else what it holds."""
    return found.memory or found.resident


def named(found: Loaded) -> str:
    """What a model in memory is called: held with a projector it is another one than without."""
    return f"{found.name} with {found.projector}" if found.projector else found.name


def amounts(found: Loaded) -> str:
    """What it takes at most, and now: room for its window and for what is kept beside it is filled by use."""
    if not found.memory or not found.resident:
        return size(taken(found))
    return f"up to {size(found.memory)}, now {size(found.resident)}"


def _requests(found: Loaded) -> int:
    return found.requests


def shelf(bench: "Workbench", job: "Job") -> Shelf:
    """All that the page shows first."""
    from core.models.cards import unapproved

    models = tuple(bench.models.list())
    cards = {state.card.name: state for state in bench.model_cards.list()}
    with bench.vault.read() as reader:
        uses = {model.name: bench.models.uses(reader, model) for model in models}
        approved = frozenset(model.name for model in models if model.name in cards and not unapproved(reader, model))
    pointing = tuple(alias for alias in bench.model_aliases.list() if alias.model)
    return Shelf(models, memory(bench, job), pointing, cards, approved, uses)


def memory(bench: "Workbench", job: "Job") -> Memory:
    """What is in memory now."""
    from core.inference.pool import UNKNOWN

    budget = bench.engine.budget()
    return Memory(tuple(bench.engine.loaded()), 0 if budget >= UNKNOWN else budget)


def rules(bench: "Workbench", job: "Job") -> Rules:
    """The policy's word on models."""
    found = policy(bench)
    return Rules(found.reasons, found.approved_models)


def signatures(bench: "Workbench", state: CardState) -> "tuple[Signature, ...]":
    """The signatures on a version of a card."""
    with bench.vault.read() as reader:
        return tuple(reader.signatures(state.digest))


def planned(bench: "Workbench", job: "Job", name: str, context: int) -> "MemoryPlan":
    """The memory that a model would take with a context of so many tokens; 0 for the usual one."""
    return bench.engine.plan(name, context, job)


def is_folder_of_model(path: str) -> bool:
    """Whether a path is a folder as Hugging Face lays models out."""
    return (Path(path) / "config.json").is_file()


def kind_of(path: str) -> str:
    """What a dropped path is: "model" (a GGUF, by its first bytes or its name), "folder", or a sentence on why it is neither."""
    found = Path(path)
    if found.is_dir():
        if is_folder_of_model(path):
            return "folder"
        return (
            f"{found.name} is a folder without config.json. Drop a .gguf file, or the folder of a Hugging Face model."
        )
    try:
        with found.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        return f"{found.name} can’t be read: {error.strerror}."
    if start == b"GGUF" or found.suffix.lower() == ".gguf":
        return "model"
    return f"{found.name} isn’t a model file. Models are .gguf files, or folders of Hugging Face models."


def words_of(path: str) -> str:
    """The text of a file that models are measured on. Raises `NotFound`, `BadInput` (no text, too long)."""
    found = Path(path)
    try:
        with found.open("rb") as stream:
            data = stream.read(MOST_TEXT * 4 + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise NotFound(kind="readable file", name=found.name, step="Choose another one.") from error
    except UnicodeDecodeError:
        raise BadInput(source=found.name, problem="it isn’t plain text in UTF-8. Choose another file.") from None
    if len(text) > MOST_TEXT:
        raise BadInput(source=found.name, problem=f"it is longer than {MOST_TEXT:,} characters. Give a part of it.")
    return text
