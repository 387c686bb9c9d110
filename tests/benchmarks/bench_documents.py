"""How fast a PDF is read, cut and embedded, what an import of mixed files costs over its parts, and what a search costs."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pymupdf

from core.documents import ocr, preparing
from core.documents.chunking import chunk
from core.documents.reading import SPEC, Read, Reader
from core.documents.records import Chunking
from core.documents.screening.finding import findings
from core.documents.screening.records import USUAL
from core.documents.worker.records import Parse, Parsed
from core.guards import similar
from core.jobs import Job
from core.models.starter import EMBEDDER, STARTERS, ensure_starters
from core.retrieval.records import Search
from core.retrieval.service import Retrieval
from tests.benchmarks import mixed
from tests.benchmarks.figures import Figure, figures, median_seconds, paired_ratio
from tests.unit.documents.workspace import Workspace, pdf

PAGES = 60
SENTENCE = "The safety desk keeps the records of case {0} for {1} months and sends them to the head of unit {2}."


def manual(pages: int) -> bytes:
    """A manual of `pages` pages with a heading and forty lines each."""
    return pdf(
        *(
            [
                (72, 70, f"{number + 1} Records of unit {number}", 14),
                *((72, 100 + line * 14, SENTENCE.format(line * 7 + number, line + 2, number), 9) for line in range(40)),
            ]
            for number in range(pages)
        )
    )


@figures("documents")
def documents() -> Iterator[Figure]:
    data = manual(PAGES)
    with tempfile.TemporaryDirectory() as folder, Workspace(Path(folder)) as made:

        def read() -> Parsed:
            with made.supervisor.start(SPEC) as worker:
                return worker.call(Parse(name="manual.pdf", data=data), Parsed)

        def extract() -> None:
            with pymupdf.open(stream=data, filetype="pdf") as document:
                for page in document:
                    page.get_text("dict")

        yield Figure("documents.read", PAGES / median_seconds(read), "pages/s")
        yield Figure("documents.read_over_extraction", paired_ratio(read, extract), "x")
        parsed = read()
        model = EMBEDDER if STARTERS[EMBEDDER].is_file() else "fake"
        ensure_starters(made.models)

        def count(texts: list[str]) -> list[int]:
            return [tokens - 2 for tokens in made.engine.count_tokens(texts, model)]

        yield Figure(
            "documents.cut", PAGES / median_seconds(lambda: chunk(parsed, count, Chunking()), runs=3), "pages/s"
        )
        cuts = chunk(parsed, count, Chunking())
        started = time.perf_counter()
        made.engine.embed([cut.embedded for cut in cuts], model)
        yield Figure("documents.embed", len(cuts) / (time.perf_counter() - started), "chunks/s")


@figures("documents.mixed")
def mixed_files() -> Iterator[Figure]:
    """1,000 mixed files to searchable, beside the processor time of reading them alone and of embedding their passages alone, in the same run.

    The import isn't screened; what screening would cost is told beside it, and is part of neither."""
    if not (mixed.REAL_DATA / "documents").is_dir() or not STARTERS[EMBEDDER].is_file():
        return
    number, cores = int(os.environ.get("ASSAY_MIXED_FILES", "1000")), os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        files = mixed.make(Path(folder) / "files", number)
        (Path(folder) / "alone").mkdir()
        with Workspace(Path(folder) / "alone", EMBEDDER) as made:
            ensure_starters(made.models)
            model = made.models.show(EMBEDDER)
            rules = preparing.rules(made.engine, model)
            reader = Reader(made.supervisor, lambda _: False, (), ocr.find())
            read: list[Read] = []

            def parse() -> None:
                for found in reader.read_all([(path.name, path) for path in files], Job("Read")):
                    read.extend(one for one in found if isinstance(one, Read))

            parsing = processor_seconds(parse)
            salt = bytes(32)

            def screen() -> None:
                for one in read:
                    if one.parsed is not None:
                        findings(one.parsed, USUAL, salt)
                        similar.signature("\n".join(page.text for page in one.parsed.pages))

            screening = processor_seconds(screen)
            cuts = [
                preparing.cut(made.engine, one.parsed, rules, model.digest, Job("Cut")) for one in read if one.parsed
            ]
            made.engine.close()

        with Workspace.reopened(Path(folder) / "alone" / "Team.assay") as made:

            def embed() -> None:
                for some in cuts:
                    preparing.embed(made.engine, some, model, Job("Embed"))
                made.engine.close()

            embedding = processor_seconds(embed)
        (Path(folder) / "whole").mkdir()
        with Workspace(Path(folder) / "whole", EMBEDDER) as made:
            ensure_starters(made.models)
            started = time.perf_counter()
            done = made.add(Path(folder) / "files")
            wall = time.perf_counter() - started
    yield Figure("documents.mixed_pages", done.pages / wall, "pages/s")
    yield Figure("documents.mixed_chunks", done.chunks / wall, "chunks/s")
    yield Figure("documents.mixed_refused", len(done.refused), "files")
    yield Figure("documents.mixed_parsing", parsing, "cpu-s")
    yield Figure("documents.mixed_embedding", embedding, "cpu-s")
    yield Figure("documents.mixed_screening", screening, "cpu-s")
    yield Figure("documents.mixed_wall_over_parts", wall / ((parsing + embedding) / cores), "x", "<= 1.15")


def processor_seconds(work: Callable[[], object]) -> float:
    """The processor time of this process and of its children that ended, while `work` runs."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


@figures("retrieval")
def retrieval() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, Workspace(Path(folder)) as made:
        path = Path(folder) / "manual.pdf"
        path.write_bytes(manual(PAGES))
        made.add(path)
        search = Retrieval(made.vault, made.supervisor, made.engine, made.documents)

        def ask() -> None:
            search.search(Search(collection="manuals", query="Who keeps the records of unit 7?"), Job("Search"))

        started = time.perf_counter()
        search.prepare("manuals", Job("Index"))
        yield Figure("retrieval.index_built", time.perf_counter() - started, "s")
        yield Figure("retrieval.search", median_seconds(ask) * 1000, "ms")
        search.close()
