"""What is searched for and what is found."""

from core.documents.filtering import Filters
from core.documents.records import Rect
from core.records import Digest, Record


class Finding(Record, frozen=True, kw_only=True):
    """How passages are found, beside the query: in which collections and documents, and in what order."""

    also: tuple[str, ...] = ()
    """Further collections that are searched with the first, as if they were one."""
    filters: Filters = Filters()
    mmr: float = 1.0
    """Lambda of maximal marginal relevance: 1 goes by relevance alone; the nearer to 0, the more a passage must differ from those before it."""
    reranker: str = ""
    """The model that puts the best candidates in order; none where it is empty."""


class Search(Record, frozen=True, kw_only=True):
    """Find the passages of a collection that are nearest to a query, by meaning and by words."""

    collection: str
    query: str
    limit: int = 8
    finding: Finding = Finding()


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
    collection: str = ""
    """Which one it is from, where several were searched."""
    place: str = ""
    """Where it begins, in words: "sheet Costs, A5:D5", "slide 3", "line 12", "page 4"; empty where nothing is known, and in older answers."""


class Rankings(Record, frozen=True, kw_only=True):
    """The documents that a query finds, by name, each way by itself."""

    meaning: tuple[str, ...]
    words: tuple[str, ...]
    fused: tuple[str, ...]
    reranked: tuple[str, ...] = ()
    """Empty without a reranker."""


class Settings(Record, frozen=True, kw_only=True):
    """What a search was made with; recorded with the answers that rest on it."""

    collections: tuple[str, ...]
    embedder: Digest
    by_meaning: float
    """The weight of the ranking by meaning."""
    by_words: float
    smoothing: int
    """The constant of reciprocal rank fusion."""
    candidates: int
    """Of each ranking, before they are put together."""
    reranker: str = ""
    """The digest of the model that put the best in order."""
    reranked: int = 0
    """How many it was given."""
    compared: str = ""
    """By meaning: all (every vector that filters left was compared) or index (the nearest by the graph of the index), or both where several
    collections were searched; empty in older answers."""


class IndexState(Record, frozen=True, kw_only=True):
    """How a collection is searched by meaning at this moment."""

    state: str
    """ready (the index), building or failed (an exact scan serves), or exact (always a scan: the vectors fit into memory, or there is no storage in
    memory for an index)."""
    vectors: int
    """In the index, or compared where there is none."""
    reason: str = ""
    """Why it failed, or why there is none."""
