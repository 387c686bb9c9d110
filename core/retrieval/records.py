"""What is searched for and what is found."""

from core.documents.records import Rect
from core.records import Digest, Record


class Search(Record, frozen=True, kw_only=True):
    """Find the passages of a collection that are nearest to a query, by meaning and by words."""

    collection: str
    query: str
    limit: int = 8


class Passage(Record, frozen=True, kw_only=True):
    """A found chunk."""

    chunk: int
    document: Digest
    name: str
    page: int
    text: str
    heading: str
    score: float
    """Cosine of query and passage, 0 to 1. The order is that of the fusion, not of the scores."""
    rects: tuple[Rect, ...] = ()


class IndexState(Record, frozen=True, kw_only=True):
    """How a collection is searched by meaning at this moment."""

    state: str
    """ready (the index), building or failed (an exact scan serves), or exact (always a scan: there is no storage in memory)."""
    vectors: int
    """In the index."""
    reason: str = ""
    """Why it failed, or why there is none."""
