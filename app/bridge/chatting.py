"""What the chat asks of a vault: who may answer about what, and the pictures that a model is shown.

A picture is read off the UI thread and decoded in a worker; the window gets plain pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.bridge.assistants import saved, variables
from app.bridge.training import adapters
from core.assistants.records import Answer, Question
from core.errors import BadInput, NotFound
from core.inference.pictures import LARGEST, projectors, small_copy
from core.inference.records import AdapterUse, ShownPicture
from core.models.records import ModelFile
from core.prompts.records import Variable
from core.records import Digest

if TYPE_CHECKING:
    from core.assistants.saved import Assistant
    from core.jobs import Job
    from core.workbench import Workbench

KEPT = 200
"""How many earlier questions the list shows."""
LONGEST = 192
"""Pixels of a thumbnail's longer side."""
LARGE = 1600
"""Of a picture that is looked at."""


@dataclass(frozen=True)
class Choices:
    """What may be asked, and who may answer; `files` are all registered models, and the adapters that were trained in this vault."""

    collections: tuple[tuple[str, int], ...] = ()
    models: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    traces: tuple[tuple[str, Answer], ...] = ()
    approved: frozenset[str] = frozenset()
    files: tuple[ModelFile, ...] = ()
    assistants: "tuple[Assistant, ...]" = ()
    variables: Mapping[str, tuple[Variable, ...]] = field(default_factory=dict)
    """By prompt version, what a person fills in."""

    def file(self, name: str) -> ModelFile | None:
        """The model of that name or digest."""
        return next((one for one in self.files if name in (one.name, one.digest)), None)

    @property
    def adapters(self) -> tuple[ModelFile, ...]:
        return tuple(one for one in self.files if one.purpose == "adapter")

    @property
    def names(self) -> dict[str, str]:
        """The names of models by their digests."""
        return {one.digest: one.name for one in self.files}

    def sees_not(self, model: str) -> str:
        """Why a model sees no pictures; nothing where it does."""
        found = self.file(model)
        if found is None:
            return "Quotes sees no pictures. Choose a model that sees."
        fitting = projectors(found, self.files)
        if not fitting:
            return f"{model} sees no pictures: no projector (mmproj) that fits it is registered. Add it on the models page."
        if len(fitting) > 1:
            return f"{len(fitting)} projectors fit {model}, so it isn’t known which one it sees with. Remove the others on the models page."
        return ""


@dataclass(frozen=True)
class WithAdapter:
    """A model to be asked with an adapter, by its digest."""

    model: str
    adapter: Digest


@dataclass(frozen=True)
class Given:
    """A picture that a person gave: its file, or its content where it came from the clipboard."""

    name: str
    path: str = ""
    data: bytes = b""


@dataclass(frozen=True)
class Seen:
    """A picture with its small copy."""

    name: str
    data: bytes
    copy: ShownPicture


def gather(bench: "Workbench", job: "Job") -> Choices:
    """Collections with documents, models, prompt versions, earlier answers."""
    collections = tuple((found.name, found.documents) for found in bench.documents.collections())
    files = (*bench.models.list(), *adapters(bench))
    models = tuple(found.name for found in files if found.purpose == "chat")
    states = bench.prompts.list()
    approved = frozenset(
        state.prompt.reference for state in states if any(meaning == "approved" for meaning, _ in state.signed)
    )
    prompts = tuple(state.prompt.reference for state in states)
    assistants = saved(bench)
    asked = variables(bench, states, assistants)
    return Choices(collections, models, prompts, bench.assistants.traces(KEPT), approved, files, assistants, asked)


def read_picture(bench: "Workbench", job: "Job", given: Given) -> Seen:
    """Read a picture and make its small copy. Raises `NotFound`, `BadInput`, `WorkerFailed`, with its name in the sentence."""
    data = given.data or _content(given)
    try:
        return Seen(given.name, data, small_copy(bench.supervisor, data, LONGEST, job))
    except BadInput as error:
        raise BadInput(source=given.name, problem=str(error.fields["problem"])) from None


def kept_pictures(bench: "Workbench", job: "Job", question: Question) -> tuple[Seen, ...]:
    """The pictures of a question that was answered. Raises `NotFound` where one was erased, `WorkerFailed`."""
    from core.assistants.pictures import kept

    with bench.vault.read() as reader:
        found = kept(reader, question)
    return tuple(
        Seen(f"Picture {number}", data, small_copy(bench.supervisor, data, LONGEST, job, number))
        for number, data in enumerate(found, 1)
    )


def large_copy(bench: "Workbench", job: "Job", seen: Seen) -> ShownPicture:
    """A picture to be looked at. Raises `WorkerFailed`."""
    return small_copy(bench.supervisor, seen.data, LARGE, job)


def adapter_words(uses: Sequence[AdapterUse], names: dict[str, str]) -> str:
    """Adapters with their scales, as they stand after a model's name."""
    return "".join(f" + {names.get(use.model, use.model[:8])} × {use.scale:g}" for use in uses)


def _content(given: Given) -> bytes:
    path = Path(given.path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise NotFound(kind="readable file", name=given.name, step="Choose another one.") from error
    if len(data) > LARGEST:
        raise BadInput(source=given.name, problem=f"it takes more than {LARGEST // 1_000_000} MB. Make it smaller.")
    return data
