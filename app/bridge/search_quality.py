"""Measuring a collection's search by judged queries, off the UI thread."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadInput
from core.jobs import Job
from core.retrieval.records import Finding

if TYPE_CHECKING:
    from core.evals.search_quality import Measured
    from core.workbench import Workbench

LARGEST = 100_000_000
"""Bytes of a file of queries or judgements."""


def measured(bench: "Workbench", job: Job, collection: str, queries: str, judgements: str, reranker: str) -> "Measured":
    """Search for every judged query, each way by itself; nothing is kept. Raises `BadInput`, `NotFound`, `Cancelled`."""
    from core.evals.search_quality import measure
    from core.retrieval import judged

    asked = judged.queries(Path(queries).name, _text(Path(queries)))
    graded = judged.judgements(Path(judgements).name, _text(Path(judgements)))
    names = [document.name for _, document in bench.documents.list(collection)]
    return measure(bench.retrieval, collection, names, asked, graded, Finding(reranker=reranker), job)


def rerankers(bench: "Workbench") -> tuple[str, ...]:
    return tuple(one.name for one in bench.models.list() if one.purpose == "rerank")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(source=path.name, problem="over 100 MB. Split it.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(source=path.name, problem="can't be read as UTF-8 text. Check the file.") from error
