"""What a document can be compared with, off the UI thread: its other versions, then every other document of the vault."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.jobs import Job
from core.records import Digest

if TYPE_CHECKING:
    from core.workbench import Workbench


@dataclass(frozen=True)
class Other:
    """A document, or an earlier version of the same one."""

    digest: Digest
    name: str
    what: str
    """Which version, or where it is."""
    version: bool


def others(bench: "Workbench", job: Job, collection: str, name: str, digest: Digest) -> tuple[Other, ...]:
    """What the document can be compared with. Raises `NotFound`."""
    return tuple(_others(bench, job, collection, name, digest))


def _others(bench: "Workbench", job: Job, collection: str, name: str, digest: Digest) -> Iterator[Other]:
    for one, document in bench.comparing.versions(f"{collection}/{name}"):
        if one != digest:
            yield Other(one, name, f"Version added {document.added[:16].replace('T', ', ')}", version=True)
    for each in bench.documents.collections():
        job.check()
        for one, document in bench.documents.list(each.name):
            if one != digest and (each.name, document.name) != (collection, name):
                yield Other(one, document.name, f"In {each.name}", version=False)
