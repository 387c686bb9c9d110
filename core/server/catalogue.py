"""What the API calls a model: the vault's own models by their names, and collections of documents.

starter-chat                 a model file, by its name, its digest or an alias
starter-chat+tone:0.5        the same, computed with an adapter; several follow each other, and a scale that isn't said is 1
collection:NAME              a collection, which answers in its documents' own sentences
collection:NAME/MODEL        a collection, answered by a chat model with the prompt that ships with the program
assistant:NAME               a saved assistant, as its latest version; assistant:NAME@3 is its third
"""

import re
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from core.assistants.records import QUOTES
from core.assistants.saved import AssistantState
from core.errors import BadInput, NotFound, Unsupported
from core.inference.adapters import fits
from core.inference.records import AdapterUse
from core.models.cards import check_use
from core.models.records import ModelFile
from core.records import Json
from core.workbench import Workbench

COLLECTION: Final = "collection:"
ASSISTANT: Final = "assistant:"
_SCALE: Final = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,6})?")
STEP: Final = "GET /v1/models lists what there is."


class Target(NamedTuple):
    """What a request's `model` names: a model with its adapters, a collection and who answers, or a saved assistant and its model."""

    name: str
    model: ModelFile | None
    collection: str = ""
    adapters: tuple[AdapterUse, ...] = ()
    assistant: AssistantState | None = None
    older: int = 0
    """Documents of the collection that an older version of the program read."""


def target(bench: Workbench, name: str) -> Target:
    """Raises `NotFound`, `BadInput` (an adapter's scale, or one for a collection)."""
    if name.startswith(ASSISTANT):
        return _assistant(bench, name)
    if not name.startswith(COLLECTION):
        plain, *adapters = name.split("+")
        return Target(name, _model(bench, plain), adapters=tuple(map(_adapter, adapters)))
    collection, _, model = name.removeprefix(COLLECTION).partition("/")
    if "+" in model:
        raise BadInput(source="model", problem="a collection is answered without adapters. Name the model alone.")
    older = {known.name: known.older for known in bench.documents.collections()}
    if collection not in older:
        raise NotFound(kind="model", name=name[:120], step=STEP)
    return Target(name, _model(bench, model) if model else None, collection, older=older[collection])


def chat_model(bench: Workbench, found: Target) -> ModelFile:
    """The model that writes, which the policy lets answer; its adapters too. Raises `BadInput`, `NotFound`, `Unsupported`, `Refused`."""
    model = _alone(found)
    if model.purpose != "chat":
        raise Unsupported(source=model.name, reason="it writes no text. Choose a chat model.")
    for one in (model, *(_model(bench, use.model) for use in found.adapters)):
        check_use(bench.vault, one, "answers")
    return model


def plain_model(found: Target) -> ModelFile:
    """The model file that is named by itself. Raises `BadInput` for a collection, an assistant, and for a model with adapters."""
    if found.adapters:
        raise BadInput(source="model", problem="adapters are for text that is written. Name the model alone.")
    return _alone(found)


def _alone(found: Target) -> ModelFile:
    if found.assistant is not None:
        raise BadInput(source="model", problem="an assistant answers chats only. Send it to /v1/chat/completions.")
    if found.model is None or found.collection:
        raise BadInput(source="model", problem="a collection answers chats only. Send it to /v1/chat/completions.")
    return found.model


def listed(bench: Workbench) -> list[Json]:
    """Every model as `GET /v1/models` has it: the models, those with an adapter that fits, the aliases, the collections, the assistants."""
    models = bench.models.list()
    writing = [model for model in models if model.purpose == "chat"]
    found = [Target(model.name, model) for model in models]
    for adapter in models:
        if adapter.purpose == "adapter":
            use = (AdapterUse(model=adapter.name),)
            fitting = [model for model in writing if fits(adapter, model)]
            found += [Target(f"{model.name}+{adapter.name}", model, adapters=use) for model in fitting]
    by_digest = {model.digest: model for model in models}
    for alias in bench.model_aliases.list():
        if alias.model in by_digest:
            found.append(Target(alias.name, by_digest[alias.model]))
    for collection in bench.documents.collections():
        name = f"{COLLECTION}{collection.name}"
        found.append(Target(name, None, collection.name, older=collection.older))
        found += [Target(f"{name}/{model.name}", model, collection.name) for model in writing]
    for state in bench.assistants.list():
        with suppress(NotFound):  # one whose model was forgotten meanwhile answers nothing
            found.append(_of_assistant(bench, f"{ASSISTANT}{state.assistant.name}", state))
    return [described(one) for one in found]


def described(found: Target) -> dict[str, Json]:
    """One model in OpenAI's form."""
    model = found.model
    added = model.added if model is not None else ""
    if found.assistant is not None:
        return _described_assistant(found, found.assistant)
    more: dict[str, Json] = {"purpose": "collection" if found.collection else model.purpose if model else ""}
    if found.collection and model is None:
        more["older"] = found.older
    if model is not None:
        more |= {"digest": model.digest, "context": model.context, "quantization": model.quantization}
        if not found.collection and not found.adapters and found.name not in (model.name, model.digest):
            more["alias_of"] = model.name
    if found.adapters:
        more["adapters"] = [{"model": use.model, "scale": use.scale} for use in found.adapters]
    return _form(found.name, added, more)


def _form(name: str, since: str, more: dict[str, Json]) -> dict[str, Json]:
    created = int(datetime.fromisoformat(since).timestamp()) if since else 0
    return {"id": name, "object": "model", "created": created, "owned_by": "assay", "assay": more}


def _described_assistant(found: Target, state: AssistantState) -> dict[str, Json]:
    one = state.assistant
    more: dict[str, Json] = {
        "purpose": "assistant",
        "assistant": one.reference,
        "digest": state.digest,
        "model": one.model,
        "collections": list(one.collections),
    }
    return _form(found.name, one.saved, more)


def _assistant(bench: Workbench, name: str) -> Target:
    try:
        state = bench.assistants.find(name.removeprefix(ASSISTANT))
    except NotFound:
        raise NotFound(kind="model", name=name[:120], step=STEP) from None
    return _of_assistant(bench, name, state)


def _of_assistant(bench: Workbench, name: str, state: AssistantState) -> Target:
    model = state.assistant.model
    return Target(name, None if model == QUOTES else _model(bench, model), assistant=state)


def _adapter(said: str) -> AdapterUse:
    """An adapter as the name of a model has it: its own name, and its scale after a colon."""
    name, colon, scale = said.partition(":")
    if not colon:
        return AdapterUse(model=name)
    if not _SCALE.fullmatch(scale):
        raise BadInput(source="model", problem="an adapter's scale is a number, such as :0.5. Correct it.")
    return AdapterUse(model=name, scale=float(scale))


def _model(bench: Workbench, name: str) -> ModelFile:
    try:
        return bench.models.show(name)
    except NotFound:
        raise NotFound(kind="model", name=name[:120], step=STEP) from None
