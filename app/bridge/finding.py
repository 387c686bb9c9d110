"""What a search in a collection can be narrowed to, read off the UI thread, and how a search is said in words."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from core.retrieval.records import Finding

if TYPE_CHECKING:
    from core.workbench import Workbench

RERANKER = "rerank"


@dataclass(frozen=True)
class Shelves:
    """What there is to choose from: the other collections, and of this one its documents, folders, kinds of file and tags."""

    collection: str
    others: tuple[str, ...]
    files: tuple[str, ...]
    folders: tuple[str, ...]
    types: tuple[str, ...]
    tags: tuple[str, ...]
    rerankers: tuple[str, ...]


def shelves(bench: "Workbench", collection: str) -> Shelves:
    """Raises `NotFound`."""
    names = [document.name for _, document in bench.documents.list(collection)]
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents if str(parent) != "."}
    types = {PurePosixPath(name).suffix.lower().lstrip(".") for name in names}
    return Shelves(
        collection=collection,
        others=tuple(one.name for one in bench.documents.collections() if one.name != collection),
        files=tuple(names),
        folders=tuple(sorted(folders)),
        types=tuple(sorted(types - {""})),
        tags=tuple(sorted(bench.tagging.counts(collection))),
        rerankers=tuple(one.name for one in bench.models.list() if one.purpose == RERANKER),
    )


def said(finding: Finding) -> list[str]:
    """How a search differs from the usual one, in few words each."""
    filters = finding.filters
    words = [f"also in {', '.join(finding.also)}"] if finding.also else []
    words += [f"only {_some(filters.files, 'document')}"] if filters.files else []
    words += [f"only below {', '.join(filters.folders)}"] if filters.folders else []
    words += [f"only {', '.join(filters.types)}"] if filters.types else []
    words += [f"only tagged {', '.join(filters.tags)}"] if filters.tags else []
    words += [f"added from {filters.since}"] if filters.since else []
    words += [f"added until {filters.until}"] if filters.until else []
    words += ["varied"] if finding.mmr < 1 else []
    words += [f"ordered by {finding.reranker}"] if finding.reranker else []
    return words


def _some(names: tuple[str, ...], thing: str) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} {thing}s"
