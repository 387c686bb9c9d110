"""A document's name is looked through too: whoever sends a file chooses it, and those of the files within an archive or a mail.

Rules: it is an aside of the document, and only where there is something to find; so it is counted, shown and decided as what stands beside the pages
is. Whatever is decided, the name stays the document's, and none that commands a model reaches a prompt (`core.guards.naming`).
"""

from collections.abc import Iterable

from msgspec.structs import replace

from core.documents.worker.records import Aside, Parsed
from core.guards.naming import telling

WHERE = "its name"


def with_names(parsed: Parsed, names: Iterable[str]) -> Parsed:
    """The document, with those of these names that say something to a model."""
    told = dict.fromkeys(said.encode("utf-8", "replace").decode() for name in names if (said := telling(name)))
    return replace(parsed, asides=(*parsed.asides, *(Aside(where=WHERE, text=one) for one in told))) if told else parsed
