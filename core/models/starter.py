"""The models that come with the program: known to every new vault, where their files are there."""

from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from core.errors import AssayError, NotFound
from core.jobs import Job
from core.models.files import file_digest
from core.models.records import AddModel, ModelFile
from core.models.service import Models
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


def renew_starters(models: Models, job: Job | None = None) -> tuple[ModelFile, ...]:
    """Register the shipped files anew that an update of the program put in place of those which the vault knows; which ones. A starter
    model that the vault doesn't know was removed on purpose, and one that lies elsewhere is the person's own.

    What can't be registered stays as it was: whoever uses it is told that its file changed."""
    renewed = []
    for name, path in STARTERS.items():
        with suppress(AssayError):
            known = models.show(name)
            if Path(known.path) == path.absolute() and path.is_file() and _replaced(path, known, job):
                renewed.append(models.add(AddModel(path=str(path), name=name), job))
    return tuple(renewed)


def _replaced(path: Path, known: ModelFile, job: Job | None) -> bool:
    found = path.stat()
    if (found.st_size, found.st_mtime_ns // 1000) == (known.size, known.modified_us):
        return False
    return file_digest(path, job) != known.digest
