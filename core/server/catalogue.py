"""What the API calls a model: the vault's own models by their names, and collections of documents.

starter-chat                 a model file, by its name or its digest
collection:NAME              a collection, which answers in its documents' own sentences
collection:NAME/MODEL        a collection, answered by a chat model with the prompt that ships with the program
"""

from datetime import datetime
from typing import Final, NamedTuple

from core.errors import BadInput, NotFound, Unsupported
from core.models.records import ModelFile
from core.records import Json
from core.workbench import Workbench

COLLECTION: Final = "collection:"
STEP: Final = "GET /v1/models lists what there is."


class Target(NamedTuple):
    """What a request's `model` names: a model, or a collection and who answers."""

    name: str
    model: ModelFile | None
    collection: str = ""


def target(bench: Workbench, name: str) -> Target:
    """Raises `NotFound`."""
    if not name.startswith(COLLECTION):
        return Target(name, _model(bench, name))
    collection, _, model = name.removeprefix(COLLECTION).partition("/")
    if collection not in {known.name for known in bench.documents.collections()}:
        raise NotFound(kind="model", name=name[:120], step=STEP)
    return Target(name, _model(bench, model) if model else None, collection)


def chat_model(found: Target) -> ModelFile:
    """The model that writes. Raises `BadInput`, `Unsupported`."""
    model = plain_model(found)
    if model.purpose != "chat":
        raise Unsupported(source=model.name, reason="it writes no text. Choose a chat model.")
    return model


def plain_model(found: Target) -> ModelFile:
    """The model file that is named by itself. Raises `BadInput` for a collection."""
    if found.model is None or found.collection:
        raise BadInput(source="model", problem="a collection answers chats only. Send it to /v1/chat/completions.")
    return found.model


def listed(bench: Workbench) -> list[Json]:
    """Every model as `GET /v1/models` has it."""
    models = bench.models.list()
    found: list[Json] = [described(Target(model.name, model)) for model in models]
    for collection in bench.documents.collections():
        name = f"{COLLECTION}{collection.name}"
        found.append(described(Target(name, None, collection.name)))
        found += [
            described(Target(f"{name}/{model.name}", model, collection.name))
            for model in models
            if model.purpose == "chat"
        ]
    return found


def described(found: Target) -> dict[str, Json]:
    """One model in OpenAI's form."""
    model = found.model
    added = model.added if model is not None else ""
    more: dict[str, Json] = {"purpose": "collection" if found.collection else model.purpose if model else ""}
    if model is not None:
        more |= {"digest": model.digest, "context": model.context, "quantization": model.quantization}
    created = int(datetime.fromisoformat(added).timestamp()) if added else 0
    return {"id": found.name, "object": "model", "created": created, "owned_by": "assay", "assay": more}


def _model(bench: Workbench, name: str) -> ModelFile:
    try:
        return bench.models.show(name)
    except NotFound:
        raise NotFound(kind="model", name=name[:120], step=STEP) from None
