"""The models that come with the program: known to every new vault, where their files are there."""

from pathlib import Path
from types import MappingProxyType
from typing import Final

from core.errors import NotFound
from core.jobs import Job
from core.models.records import AddModel, ModelFile
from core.models.service import Models, file_digest
from core.paths import RESOURCES

EMBEDDER: Final = "starter-embed"
CHAT: Final = "starter-chat"
STARTERS: Final = MappingProxyType({name: RESOURCES / "models" / f"{name}.gguf" for name in (EMBEDDER, CHAT)})
"""Name and file. The embedder is built at set-up from public weights; the chat model is ours."""


def ensure_starters(models: Models, job: Job | None = None) -> tuple[ModelFile, ...]:
    """Register the starter models whose files are there and whose names are not taken; those that are known now. One that is known at a
    place where it no longer lies is registered where it is."""
    return tuple(model for name, path in STARTERS.items() if (model := _ensured(models, name, path, job)) is not None)


def _ensured(models: Models, name: str, path: Path, job: Job | None) -> ModelFile | None:
    try:
        known = models.show(name)
    except NotFound:
        return models.add(AddModel(path=str(path), name=name), job) if path.is_file() else None
    if Path(known.path).is_file() or not path.is_file() or file_digest(path, job) != known.digest:
        return known
    return models.add(AddModel(path=str(path), name=name), job)
