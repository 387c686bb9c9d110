"""How good a search is over judged queries: its measures with intervals, ways to rank compared, and what each query missed.

Rules: every way is measured over the same queries; those without a relevant document are left out, and counted. Intervals are percentile
bootstraps over queries; two ways are compared query by query, by flipping the signs of their differences. A judged document is one whose name in
the collection, whole or without its folders or its ending, is the judged id.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from core.errors import BadInput
from core.evals.statistics import bootstrap_mean, paired_difference
from core.jobs import Job
from core.records import Record
from core.retrieval.evaluation import DEPTH, Judgements, Ranking, judged, measures, relevant
from core.retrieval.records import Finding, Search
from core.retrieval.service import Retrieval

PASSAGES: Final = 100
"""Of each ranking; what stands further down was not found."""
SEED: Final = 7
"""Of the bootstrap, the same for everybody: the same rankings give the same intervals."""
SIGNIFICANT: Final = 0.05


class Estimate(Record, frozen=True, kw_only=True):
    """A mean over queries, with its 95 % interval."""

    value: float
    low: float
    high: float


class Missed(Record, frozen=True, kw_only=True):
    """What a ranking did with one query."""

    query: str
    ndcg: float
    relevant: int
    """Documents that are relevant to it."""
    found: int
    """Those of them in the ranking."""
    missed: tuple[str, ...]
    """The others, the most relevant first."""


class Quality(Record, frozen=True, kw_only=True):
    """The measures of one way to rank."""

    way: str
    queries: int
    measures: dict[str, Estimate]
    each: tuple[Missed, ...]


class Comparison(Record, frozen=True, kw_only=True):
    """The nDCG of `way` less that of `other`, over the same queries; `p` is two-sided."""

    way: str
    other: str
    difference: Estimate
    p: float

    @property
    def verdict(self) -> str:
        """better, worse, or no difference shown."""
        if self.p >= SIGNIFICANT:
            return "no difference shown"
        return "better" if self.difference.value > 0 else "worse"


class Measured(Record, frozen=True, kw_only=True):
    """What came of `measure`."""

    ways: tuple[Quality, ...]
    comparisons: tuple[Comparison, ...]
    """The last way beside each of the others."""
    unjudged: int
    """Queries that were left out: no document is relevant to them."""
    absent: tuple[str, ...]
    """Relevant documents that the collection doesn't hold; no ranking can find them."""


def measure(
    retrieval: Retrieval,
    collection: str,
    names: Sequence[str],
    queries: Mapping[str, str],
    judgements: Judgements,
    finding: Finding,
    job: Job,
) -> Measured:
    """Search for every judged query, each way by itself; `names` are the collection's documents. Progress in queries.

    Raises `BadInput` where no query with a relevant document is among `queries`, and as `Retrieval.search`."""
    wanted = {query: judgements[query] for query in judged(judgements) if query in queries}
    if not wanted:
        raise BadInput(
            source="judgements", problem="none of the queries has a relevant document, so there is nothing to measure."
        )
    ids = _ids(names, {document for grades in wanted.values() for document in grades})
    rankings: dict[str, dict[str, list[str]]] = {}
    for done, query in enumerate(wanted):
        job.check()
        job.report(done, len(wanted), "queries")
        request = Search(collection=collection, query=queries[query], limit=PASSAGES, finding=finding)
        found = retrieval.rank(request, job)
        ways = {"meaning": found.meaning, "words": found.words, "fused": found.fused}
        if finding.reranker:
            ways["reranked"] = found.reranked
        for way, ranked in ways.items():
            rankings.setdefault(way, {})[query] = [ids.get(name, name) for name in ranked]
    job.report(len(wanted), len(wanted), "queries")
    measured = [quality(way, ranked, wanted) for way, ranked in rankings.items()]
    *others, last = measured
    held = set(ids.values())
    sought = {document for grades in wanted.values() for document in relevant(grades)}
    return Measured(
        ways=tuple(measured),
        comparisons=tuple(compare(last, other) for other in others),
        unjudged=len(queries.keys() - wanted.keys()),
        absent=tuple(sorted(sought - held)),
    )


def _ids(names: Sequence[str], judged_ids: set[str]) -> dict[str, str]:
    """The judged id of each document that has one."""
    found = {}
    for name in names:
        path = PurePosixPath(name)
        for form in (name, str(path.with_suffix("")), path.name, path.stem):
            if form in judged_ids:
                found[name] = form
                break
    return found


def quality(way: str, rankings: Mapping[str, Ranking], judgements: Judgements) -> Quality:
    """The measures of rankings, a document's id a place. Raises `BadInput` where no query has a relevant document."""
    queries = judged(judgements)
    if not queries:
        raise BadInput(source="judgements", problem="no query has a relevant document, so there is nothing to measure.")
    rows = [measures(rankings.get(query, ()), judgements[query]) for query in queries]
    return Quality(
        way=way,
        queries=len(queries),
        measures={name: _estimate([row[name] for row in rows]) for name in rows[0]},
        each=tuple(
            _missed(query, row[f"ndcg@{DEPTH}"], rankings.get(query, ()), judgements[query])
            for query, row in zip(queries, rows, strict=True)
        ),
    )


def compare(one: Quality, other: Quality) -> Comparison:
    """Two ways over the same queries, by nDCG."""
    mine, theirs = ({each.query: each.ndcg for each in way.each} for way in (one, other))
    if mine.keys() != theirs.keys():
        raise BadInput(source="comparison", problem="the two were measured on different queries.")
    value, low, high, p = paired_difference([theirs[query] for query in mine], list(mine.values()), SEED)
    return Comparison(way=one.way, other=other.way, difference=Estimate(value=value, low=low, high=high), p=p)


def _estimate(values: Sequence[float]) -> Estimate:
    low, high = bootstrap_mean(values, SEED)
    return Estimate(value=sum(values) / len(values), low=low, high=high)


def _missed(query: str, gain: float, ranking: Ranking, grades: Mapping[str, int]) -> Missed:
    wanted = relevant(grades)
    missed = sorted(wanted.difference(ranking), key=lambda document: (-grades[document], document))
    return Missed(query=query, ndcg=gain, relevant=len(wanted), found=len(wanted) - len(missed), missed=tuple(missed))
