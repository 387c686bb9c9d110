"""Saved assistants: who answers, with which prompt, from which collections and how, under a name that people and programs ask.

Rules: versions are immutable, hashed, and logged; the next one takes the place of the last, and removing an assistant keeps all that it was.
A prompt is kept as the version and the digest that it was found with. A model or an adapter that is named by itself is kept with its
file's digest, and one that was replaced meanwhile is refused; a model that is named by an alias follows the alias. An answer says which
version was asked.
"""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import field
from msgspec.structs import replace

from core.assistants.records import QUOTES, Question
from core.errors import AlreadyExists, BadInput, NotFound, Unavailable
from core.inference.adapters import check_uses, fits
from core.inference.records import MODES, AdapterUse
from core.models.records import ModelFile
from core.models.service import Models
from core.prompts.filling import askable, value_problem
from core.prompts.records import PromptVersion
from core.prompts.service import Prompts
from core.records import Digest, Record, now
from core.retrieval.records import Finding
from core.vault import versions
from core.vault.unit import Reader, Unit

KIND = "assistant"
MOST_COLLECTIONS = 16
MOST_PASSAGES = 50
LONGEST_TEXT = 4_000
"""Characters of a fallback or of notes."""


class SaveAssistant(Record, frozen=True, kw_only=True):
    """What an assistant shall be, whole."""

    name: str
    model: str = QUOTES
    """`quotes`, a chat model's name or digest, or an alias."""
    prompt: str = ""
    """`name@number`, `name@label` or `name`; the prompt that ships with the program where it is empty."""
    adapters: tuple[AdapterUse, ...] = ()
    collections: tuple[str, ...] = ()
    passages: int = 6
    finding: Finding = Finding()
    """Filters, order and reranker; its further collections stand in `collections`."""
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repeat_penalty: float = 1.0
    seed: int = 0
    mode: str = "reproducible"
    trim: Literal["refuse", "passages"] = "refuse"
    without_support: Literal["mark", "decline"] = "decline"
    fallback: str = ""
    """What is answered where the documents don't say; the usual sentence where it is empty."""
    notes: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """What variables of the prompt are filled with, by their names, whoever asks; the others are asked each time."""


class Assistant(SaveAssistant, frozen=True, kw_only=True, tag="assistant"):
    """One version."""

    number: int
    model_digest: str = ""
    """Empty for `quotes`, and where an alias is followed."""
    prompt_digest: str = ""
    adapter_digests: tuple[str, ...] = ()
    removed: bool = False
    """This version ends the assistant; the rest is as it was before."""
    parent: Digest | None
    author: str
    saved: str

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.number}"


class AssistantState(Record, frozen=True, kw_only=True):
    """A version with its digest."""

    digest: Digest
    assistant: Assistant
    created: bool = False
    """Whether it was made just now; saving the same again makes none."""


def resolved(models: Models, prompts: Prompts, aliases: Sequence[str], request: SaveAssistant) -> Assistant:
    """The request as a version that has no place yet: checked, and with the digests of what it names. Raises `BadInput`, `NotFound`."""
    versions.check_name(KIND, request.name)
    _check(request)
    model, digest = request.model, ""
    if model != QUOTES:
        found = _chat_model(models, model)
        if model.casefold() not in {alias.casefold() for alias in aliases}:
            model, digest = found.name, found.digest
        for use in request.adapters:
            if not fits(models.show(use.model), found):
                raise BadInput(source=use.model, problem=f"it is no adapter for {found.name}. Choose another.")
    adapters = tuple((use, models.show(use.model)) for use in request.adapters)
    if request.finding.reranker:
        models.show(request.finding.reranker)
    state = prompts.show(request.prompt) if request.prompt else None
    _check_values(request, state.prompt if state else None)
    return Assistant(
        **{name: getattr(request, name) for name in SaveAssistant.__struct_fields__}
        | {
            "model": model,
            "prompt": state.prompt.reference if state else "",
            "adapters": tuple(AdapterUse(model=found.name, scale=use.scale) for use, found in adapters),
        },
        number=0,
        model_digest=digest,
        prompt_digest=state.digest if state else "",
        adapter_digests=tuple(found.digest for _, found in adapters),
        parent=None,
        author="",
        saved="",
    )


def keep(unit: Unit, given: Assistant, author: str) -> AssistantState:
    """Enter the next version, unless it equals the latest."""

    def make(number: int, parent: Digest | None) -> Assistant:
        return replace(given, number=number, parent=parent, author=author, saved=now())

    def same(last: Assistant) -> bool:
        return replace(given, number=last.number, parent=last.parent, author=last.author, saved=last.saved) == last

    digest, assistant, created = versions.save(unit, KIND, given.name, Assistant, same, make)
    return AssistantState(digest=digest, assistant=assistant, created=created)


def latest(reader: Reader) -> tuple[AssistantState, ...]:
    """The latest version of each assistant that is there, by name."""
    found = (_state(reader, digest) for digest in versions.latest(reader, KIND))
    return tuple(state for state in found if not state.assistant.removed)


def history(reader: Reader, name: str) -> tuple[AssistantState, ...]:
    """All that an assistant was, newest first, also of one that was removed. Raises `NotFound`."""
    versions.resolve(reader, KIND, name)
    found = versions.digests(reader, KIND, name)
    return tuple(_state(reader, found[number]) for number in sorted(found, reverse=True))


def find(reader: Reader, reference: str) -> AssistantState:
    """A version by `name@number`, or the latest by `name`. Raises `NotFound`, also for an assistant that was removed."""
    state = _state(reader, versions.resolve(reader, KIND, reference))
    if _state(reader, versions.resolve(reader, KIND, state.assistant.name)).assistant.removed:
        raise NotFound(kind=KIND, name=state.assistant.name, step="It was removed. Saving it again brings it back.")
    return state


def check_new(reader: Reader, name: str) -> None:
    """Raise `AlreadyExists` where there is an assistant of that name."""
    if any(state.assistant.name == name for state in latest(reader)):
        raise AlreadyExists(kind=KIND, name=name, step="Change it, or choose another name.")


def question(assistant: Assistant, text: str, earlier: Sequence[str] = ()) -> Question:
    """What is asked when this version is asked."""
    first, *also = assistant.collections or ("",)
    return Question(
        collection=first,
        text=text,
        model=assistant.model,
        prompt=assistant.prompt or None,
        passages=assistant.passages,
        max_tokens=assistant.max_tokens,
        seed=assistant.seed,
        mode=assistant.mode,
        trim=assistant.trim,
        temperature=assistant.temperature,
        top_p=assistant.top_p,
        top_k=assistant.top_k,
        repeat_penalty=assistant.repeat_penalty,
        adapters=assistant.adapters,
        finding=replace(assistant.finding, also=tuple(also)),
        earlier=tuple(earlier),
        without_support=assistant.without_support,
        fallback=assistant.fallback,
        sampling="question",
        assistant=assistant.reference,
        values=dict(assistant.values),
    )


def check_unchanged(models: Models, prompts: Prompts, assistant: Assistant) -> None:
    """Raise `Unavailable` when a name leads to something else than when the assistant was saved; `NotFound` when it leads nowhere."""
    named = [(assistant.model, assistant.model_digest)] if assistant.model_digest else []
    named += [(use.model, digest) for use, digest in zip(assistant.adapters, assistant.adapter_digests, strict=True)]
    changed = [name for name, digest in named if models.show(name).digest != digest]
    if assistant.prompt and prompts.show(assistant.prompt).digest != assistant.prompt_digest:
        changed.append(assistant.prompt)
    if changed:
        raise Unavailable(
            what=f"The assistant {assistant.reference} was saved with another {changed[0]} than there is now",
            step="Look whether it still answers as it should, and save it again.",
        )


def uses_of(reader: Reader, model: ModelFile) -> list[str]:
    """The assistants that need a model, each as the end of a sentence."""
    named = {model.name, model.digest}
    return [
        f"the assistant {state.assistant.name} answers with it"
        for state in latest(reader)
        if model.digest in (state.assistant.model_digest, *state.assistant.adapter_digests)
        or state.assistant.finding.reranker in named
    ]


def _check(request: SaveAssistant) -> None:
    """Raise `BadInput` for what no question could be asked with."""

    def wrong(problem: str) -> BadInput:
        return BadInput(source=request.name, problem=problem)

    if request.model == QUOTES and (request.prompt or request.adapters):
        raise wrong("quotes answers without a prompt and adapters. Choose a chat model, or leave them out.")
    if not request.collections and (request.model == QUOTES or not request.prompt):
        raise wrong("it has no collection. Give one; a chat model with a prompt of its own may do without.")
    if request.finding.also:
        raise wrong("all collections of an assistant are named in one place. Name them there.")
    if len(request.collections) > MOST_COLLECTIONS or len(set(request.collections)) != len(request.collections):
        raise wrong(f"its collections are up to {MOST_COLLECTIONS}, each named once.")
    if not 1 <= request.passages <= MOST_PASSAGES:
        raise wrong(f"it shows from 1 to {MOST_PASSAGES} passages.")
    if request.max_tokens < 1 or request.top_k < 0 or request.seed < 0:
        raise wrong("an answer has at least one token; the seed and top k are 0 or more.")
    if not (0 <= request.temperature <= 2 and 0 <= request.top_p <= 1 and 0.01 <= request.repeat_penalty <= 10):
        raise wrong("temperature is from 0 to 2, top p from 0 to 1, the penalty for repeating from 0.01 to 10.")
    if request.mode not in MODES:
        raise wrong(f"its mode is {' or '.join(MODES)}.")
    if max(len(request.fallback), len(request.notes)) > LONGEST_TEXT:
        raise wrong(f"what it says otherwise and the notes have up to {LONGEST_TEXT:,} characters each.")
    check_uses(request.adapters)


def _check_values(request: SaveAssistant, prompt: PromptVersion | None) -> None:
    """Raise `BadInput` for a value that its prompt doesn't take."""
    known = {variable.name: variable for variable in askable(prompt.declared)} if prompt else {}
    for name, value in request.values.items():
        if prompt is not None and not prompt.declared:
            continue  # whatever its templates name
        problem = value_problem(known[name], value) if name in known else "there is no such variable to fill."
        if problem:
            raise BadInput(source=f"{request.name}, variable {name}", problem=problem)


def _chat_model(models: Models, name: str) -> ModelFile:
    found = models.show(name)
    if found.purpose != "chat":
        raise BadInput(source=name, problem="it writes no text. Choose a chat model.")
    return found


def _state(reader: Reader, digest: Digest) -> AssistantState:
    return AssistantState(digest=digest, assistant=reader.get(digest, Assistant))
