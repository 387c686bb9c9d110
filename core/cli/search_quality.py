"""`assay documents evaluate`: how good a collection's search is, by judged queries."""

from pathlib import Path

import click

from core.cli.output import one_line, table
from core.cli.session import FILE, Session, pass_session
from core.errors import BadInput
from core.evals.search_quality import Estimate, Measured, Missed, measure
from core.records import Json
from core.retrieval import judged
from core.retrieval.records import Finding

LARGEST = 100_000_000
"""Bytes of a file of queries or judgements."""
NAMED = 5
"""Missed documents that are named for a query; the others are counted."""
WORST = 10
"""Queries that are shown; `--json` gives all."""


@click.command()
@click.argument("collection")
@click.argument("queries", type=FILE)
@click.argument("judgements", metavar="QRELS", type=FILE)
@click.option("--reranker", default="", help="A reranker, measured as one more way.")
@pass_session
def evaluate(session: Session, collection: str, queries: Path, judgements: Path, reranker: str) -> None:
    """Measure a collection's search by judged queries: by meaning, by words, and both together.

    QUERIES and QRELS are files as TREC writes them, or JSON lines. A judged document's id is its name in the collection; folders and ending may be
    left out. Nothing is kept in the vault.
    """
    asked = judged.queries(queries.name, _text(queries))
    graded = judged.judgements(judgements.name, _text(judgements))
    with session.workbench() as bench:
        names = [document.name for _, document in bench.documents.list(collection)]
        measured = measure(
            bench.retrieval,
            collection,
            names,
            asked,
            graded,
            Finding(reranker=reranker),
            session.output.job("Searching"),
        )
        session.output.result({"collection": collection, **_json(measured)}, _lines(measured))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(source=path.name, problem="over 100 MB. Split it.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(source=path.name, problem="can't be read as UTF-8 text. Check the file.") from error


def _json(measured: Measured) -> dict[str, Json]:
    return {
        "ways": [
            {
                "way": way.way,
                "queries": way.queries,
                "measures": {name: _estimate(value) for name, value in way.measures.items()},
                "each": [
                    {
                        "query": each.query,
                        "ndcg": round(each.ndcg, 4),
                        "relevant": each.relevant,
                        "found": each.found,
                        "missed": list(each.missed),
                    }
                    for each in way.each
                ],
            }
            for way in measured.ways
        ],
        "comparisons": [
            {
                "way": found.way,
                "other": found.other,
                **_estimate(found.difference),
                "p": round(found.p, 4),
                "verdict": found.verdict,
            }
            for found in measured.comparisons
        ],
        "unjudged": measured.unjudged,
        "absent": list(measured.absent),
    }


def _estimate(value: Estimate) -> dict[str, Json]:
    return {"value": round(value.value, 4), "low": round(value.low, 4), "high": round(value.high, 4)}


def _lines(measured: Measured) -> list[str]:
    first, *_, last = measured.ways
    worst = [each for each in sorted(last.each, key=lambda each: each.ndcg) if each.missed or each.ndcg < 1][:WORST]
    return [
        f"{first.queries} queries, {measured.unjudged} left out because no document is relevant to them.",
        *table(
            ("measure", *(way.way for way in measured.ways)),
            [(name, *(_shown(way.measures[name]) for way in measured.ways)) for name in first.measures],
        ),
        *(
            f"{found.way} beside {found.other}, nDCG@10: {found.difference.value:+.4f} "
            f"({found.difference.low:+.4f} to {found.difference.high:+.4f}, p = {found.p:.3f}): {found.verdict}."
            for found in measured.comparisons
        ),
        *([f"{len(measured.absent)} relevant documents aren't in the collection."] if measured.absent else []),
        *([f"The queries where {last.way} did worst:"] if worst else []),
        *(f"  {one_line(each.query)}: nDCG@10 {each.ndcg:.2f}, {_missed(each)}" for each in worst),
    ]


def _shown(value: Estimate) -> str:
    return f"{value.value:.4f} ({value.low:.2f}–{value.high:.2f})"


def _missed(each: Missed) -> str:
    if not each.missed:
        return f"all {each.relevant} relevant documents found"
    more = f" and {len(each.missed) - NAMED} more" if len(each.missed) > NAMED else ""
    named = ", ".join(one_line(name) for name in each.missed[:NAMED])
    return f"{each.found} of {each.relevant} found; missed {named}{more}"
