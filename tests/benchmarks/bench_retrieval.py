"""How good the search is on other people's judged queries, and what it costs over 100,000 passages."""

import importlib.util
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.documents import store
from core.documents.chunking import Cut
from core.documents.filtering import Filters
from core.documents.records import Chunking, Document
from core.documents.worker.records import PageWriter, Parsed
from core.evals.search_quality import Quality, compare, measure, quality
from core.jobs import Job
from core.models.starter import EMBEDDER, STARTERS, ensure_starters
from core.records import Digest, now
from core.retrieval import exact, judged
from core.retrieval.fusion import word_query
from core.retrieval.records import Finding, Search
from core.retrieval.service import Retrieval
from core.vault.roles import Act
from core.vault.unit import Unit
from core.vault.vault import Vault
from tests.benchmarks.figures import REAL_DATA, Figure, figures
from tests.benchmarks.texts import index_texts, tokens, vaswani
from tests.unit.documents.workspace import PASSPHRASE, SCHEMA, Workspace

LARGE = 100_000
"""Passages of the large collection."""
IN_EACH = 50
"""Of its documents."""
REAL = 2_000
"""Texts that are embedded; the large collection's vectors are these with noise, so that they lie as real ones do."""
NOISE = 0.4
SEARCHES = 100
FOLDERS = 10
NEAREST = 10


def _judged() -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    folder = REAL_DATA / "evals" / "vaswani" / "vaswani_npl"
    queries = judged.queries("queries", (folder / "query-text.trec").read_text(encoding="utf-8"))
    return (
        {key: text.lower() for key, text in queries.items()},
        judged.judgements("qrels", (folder / "qrels").read_text(encoding="utf-8")),
    )


@figures("documents.vaswani")
def judged_search() -> Iterator[Figure]:
    """11,429 abstracts and 93 judged queries. The weights of the fusion were chosen on other data."""
    if not REAL_DATA.is_dir() or not STARTERS[EMBEDDER].is_file():
        return
    texts = vaswani(REAL_DATA / "evals" / "vaswani")
    queries, graded = _judged()
    with tempfile.TemporaryDirectory() as folder, Workspace(Path(folder)) as made:
        ensure_starters(made.models)
        started = time.perf_counter()
        chunks = index_texts(made, EMBEDDER, "vaswani", texts)
        yield Figure("documents.vaswani_indexed", chunks / (time.perf_counter() - started), "chunks/s")
        search = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
        measured = measure(search, "vaswani", [name for name, _ in texts], queries, graded, Finding(), Job("Measure"))
        search.close()
    meaning, words, both = measured.ways
    for way in measured.ways:
        yield Figure(f"documents.vaswani_{way.way}", way.measures["ndcg@10"].value, "nDCG@10")
    better = max(meaning, words, key=lambda way: way.measures["ndcg@10"].value)
    found = compare(both, better)
    yield Figure("documents.vaswani_fused_over_better", found.difference.value, "nDCG@10", ">= 0")
    yield Figure("documents.vaswani_fused_over_better_p", found.p, "p")
    if importlib.util.find_spec("bm25s") is None:  # it is installed for development only
        return
    beside = compare(words, _bm25s(texts, queries, graded))
    yield Figure("documents.vaswani_words_over_bm25s", beside.difference.value, "nDCG@10")
    worse = beside.verdict == "worse"
    yield Figure("documents.vaswani_words_worse_than_bm25s", float(worse), "", "<= 0")


def _bm25s(texts: list[tuple[str, str]], queries: dict[str, str], graded: dict[str, dict[str, int]]) -> Quality:
    """bm25s over the very tokens that the vault's full-text index has, with the same constants."""
    import bm25s

    other = bm25s.BM25(method="robertson", k1=1.2, b=0.75)
    other.index(tokens([text for _, text in texts]), show_progress=False)
    asked = tokens([word_query(text).replace('"', " ").replace(" OR ", " ") for text in queries.values()])
    found, _ = other.retrieve(asked, k=100, show_progress=False)
    rankings = {key: [texts[at][0] for at in row] for key, row in zip(queries, found.tolist(), strict=True)}
    return quality("bm25s", rankings, graded)


@figures("documents.large")
def large() -> Iterator[Figure]:
    if not REAL_DATA.is_dir() or not STARTERS[EMBEDDER].is_file():
        return
    texts = [text for _, text in vaswani(REAL_DATA / "evals" / "vaswani")]
    asked = list(_judged()[0].values())
    with tempfile.TemporaryDirectory() as folder:
        with Workspace(Path(folder)) as made:
            ensure_starters(made.models)
            path = made.vault.folder
            _fill(made, texts)
        started = time.perf_counter()
        vault = Vault.open(path, "ann", PASSPHRASE, SCHEMA)
        with Workspace(Path(folder), vault=vault) as made:
            search = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
            _seconds(search, asked[0], Finding())
            yield Figure("documents.large_first_answer", time.perf_counter() - started, "s", "<= 1")
            plain = [_seconds(search, asked[at % len(asked)], Finding()) * 1000 for at in range(SEARCHES)]
            some = Finding(filters=Filters(folders=("part-3",)))
            narrow = [_seconds(search, asked[at % len(asked)], some) * 1000 for at in range(SEARCHES)]
            for name, times in (("search", plain), ("filtered", narrow)):
                yield Figure(f"documents.large_{name}_p50", float(np.percentile(times, 50)), "ms", "<= 15")
                yield Figure(f"documents.large_{name}_p95", float(np.percentile(times, 95)), "ms", "<= 40")
            search.close()
        text = sum(len(texts[at % len(texts)].encode()) for at in range(LARGE))
        yield Figure("documents.large_vault_over_text", _size(path) / text, "x")
        yield from _of_the_index(path, asked, text)


def _of_the_index(path: Path, asked: list[str], text: int) -> Iterator[Figure]:
    """What the index of a collection costs and finds; a collection of this size is compared whole, so it is made here on purpose."""
    vault = Vault.open(path, "ann", PASSPHRASE, SCHEMA)
    with Workspace(path.parent, vault=vault) as made:
        search = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
        started = time.perf_counter()
        search.prepare("large", Job("Index"))
        yield Figure("documents.large_index_built", time.perf_counter() - started, "s")
        yield Figure("documents.large_recall_over_exact", _recall(made, search, asked), "recall@10", ">= 0.98")
        worker = search._indexes._worker
        if worker is not None and Path(f"/proc/{worker.pid}/status").is_file():
            status = Path(f"/proc/{worker.pid}/status").read_text()
            held = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            yield Figure("documents.large_worker_memory", int(held.split()[1]) / 1024, "MiB")
        search.close()
    yield Figure("documents.large_vault_and_index_over_text", _size(path) / text, "x")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _seconds(search: Retrieval, query: str, finding: Finding) -> float:
    started = time.perf_counter()
    search.search(Search(collection="large", query=query, finding=finding), Job("Search"))
    return time.perf_counter() - started


def _recall(made: Workspace, search: Retrieval, asked: list[str]) -> float:
    """The share of the exact nearest that the index finds."""
    found = []
    with made.vault.read() as reader:
        kept = store.get(reader, "large")
        for vector in made.engine.embed(asked, kept.embedder):
            near = search._indexes.nearest(kept, vector.astype(store.FLOAT).tobytes(), NEAREST, None)
            wanted = exact.nearest(reader, kept, vector, NEAREST)
            found.append(len(set(near.ids if near else ()).intersection(wanted)) / NEAREST)
    return sum(found) / len(found)


def _fill(made: Workspace, texts: list[str]) -> None:
    embedder = made.models.show(EMBEDDER)
    real = made.engine.embed(texts[:REAL], embedder.digest)
    chance = np.random.default_rng(7)
    for first in range(0, LARGE, 20 * IN_EACH):
        with made.vault.write(Act.ADD_DOCUMENTS, about="large") as unit:
            if store.find(unit, "large") is None:
                route = made.engine.route(embedder.digest)
                store.create(unit, "large", embedder.digest, EMBEDDER, embedder.dimensions, Chunking(), route)
            kept = store.get(unit, "large")
            for start in range(first, first + 20 * IN_EACH, IN_EACH):
                numbers = range(start, start + IN_EACH)
                vectors = real[[number % REAL for number in numbers]]
                vectors = vectors + NOISE * chance.standard_normal(vectors.shape) / vectors.shape[1] ** 0.5
                vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
                _insert(unit, kept, start, [texts[number % len(texts)] for number in numbers], vectors)


def _insert(unit: Unit, kept: store.Kept, start: int, said: list[str], vectors: np.ndarray) -> None:
    writer = PageWriter(1)
    for text in said:
        writer.add("paragraph", text)
    page = writer.page()
    cuts = [
        Cut(page=1, start=block.start, end=block.end, shown=text, heading="", embedded=text, rects=())
        for block, text in zip(page.blocks, said, strict=True)
    ]
    document = Document(
        name=f"part-{start // IN_EACH % FOLDERS}/{start}.txt",
        content=Digest(f"{start:064x}"),
        media="text/plain",
        pages=1,
        size=len(page.text),
        title=str(start),
        collection="large",
        added=now(),
    )
    parsed = Parsed(media="text/plain", title="", pages=(page,))
    store.insert(unit, kept, unit.put(document), document, parsed, cuts, vectors)
