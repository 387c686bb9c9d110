"""A vault with one finished run of many samples, whose answers are as long as real ones: what exporting large packs is measured on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from core.assistants.records import Answer, Citation, Question
from core.datasets.records import Dataset, Sample
from core.documents.records import Document, Rect
from core.evals import store
from core.evals.records import (
    Environment,
    Outcome,
    Run,
    RunResult,
    RunView,
    Score,
    Spec,
    SpecVersion,
    Variant,
)
from core.evals.summary import judge, summarise
from core.evidence.service import Evidence
from core.records import Digest
from core.retrieval.records import Passage
from core.trust.passphrases import FLOOR_MEMORY, FLOOR_PASSES, Kdf, new_kdf
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import SCHEMA

PASSPHRASE = "seven lanterns by the river"
PASSAGES = 4
BATCH = 500
"""Outcomes that are written at a time, as evaluations do."""
SENTENCE = (
    "The investigator reports every serious adverse event to the safety desk within {0} hours of becoming aware of it."
)
TIME = "2026-11-21T10:00:00+01:00"
SCORERS = ("contains", "exact", "citation_correct", "groundedness", "refusal", "latency")


class LargeRun(NamedTuple):
    """`evidence` exports the run `run-1` of `vault`; its records have `content` bytes."""

    vault: Vault
    evidence: Evidence
    content: int


@contextmanager
def large_run(samples: int) -> Iterator[LargeRun]:
    """A vault with the run, deleted afterwards."""
    with TemporaryDirectory(prefix="assay-bench-") as folder:
        vault = Vault.create(Path(folder) / "v.assay", "ines", "Inês Duarte", PASSPHRASE, SCHEMA, kdf=_weak)
        try:
            view = _filled(vault, samples)
            with vault.read() as reader:
                content = sum(len(reader.raw(digest)) for digest in store.parts(reader, view.digest))
                content += len(reader.raw(view.run.dataset))
            yield LargeRun(vault, Evidence(vault, _Shown(view)), content)  # type: ignore[arg-type]
        finally:
            vault.close()


class _Shown:
    """As much of evaluations as an export asks of them."""

    def __init__(self, view: RunView) -> None:
        self._view = view

    def show(self, run: str) -> RunView:
        return self._view


def _weak() -> Kdf:
    return new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES)


def _filled(vault: Vault, count: int) -> RunView:
    spec = Spec(name="large", dataset="many@1", collection="handbook", include_quotes=True, scorers=SCORERS)
    version = SpecVersion(name="large", number=1, spec=spec, parent=None, author="ines", saved=TIME)
    samples = tuple(_sample(place) for place in range(count))
    dataset = Dataset(
        name="many", number=1, samples=samples, source="many.jsonl", parent=None, author="ines", saved=TIME
    )
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        content = unit.seal((b"handbook",))
        document = unit.put(
            Document(
                name="handbook.pdf",
                content=content,
                media="application/pdf",
                pages=200,
                size=8,
                title="Handbook",
                collection="handbook",
                added=TIME,
            )
        )
    with vault.write(Act.RUN_EVALUATION) as unit:
        locked, asked = unit.put(version), unit.put(dataset)
    run = Run(
        id="run-1",
        spec=locked,
        spec_reference="large@1",
        dataset=asked,
        dataset_reference="many@1",
        collection="handbook",
        documents=(document,),
        embedder="ab" * 32,
        variants=(Variant(name="quotes", prompt="", prompt_digest="", model="quotes", model_digest=""),),
        criteria=(),
        scorers=SCORERS,
        samples=count,
        seed=0,
        environment=Environment(assay="0", python="3", system="s", processor="p", packages={}, barrier=("seccomp",)),
        user="ines",
        started=TIME,
    )
    with vault.write(Act.RUN_EVALUATION) as unit:
        begun = store.start(unit, 1, run)
    outcomes = [_outcome(begun, document, place) for place in range(count)]
    for start in range(0, count, BATCH):
        with vault.write(Act.RUN_EVALUATION) as unit:
            store.add(unit, begun, outcomes[start : start + BATCH])
    metrics = summarise("quotes", outcomes, SCORERS, 0)
    result = RunResult(
        run=begun,
        status="finished",
        variants=(metrics,),
        differences=(),
        criteria=judge((), (metrics,)),
        passed=True,
        finished=TIME,
        seconds=1.0,
    )
    with vault.write(Act.RUN_EVALUATION) as unit:
        ended = store.close(unit, begun, result)
    return RunView(digest=begun, run=run, result_digest=ended, result=result)


def _sample(place: int) -> Sample:
    return Sample(
        id=f"q{place:05}",
        input=f"How soon must site {place} report a serious adverse event?",
        target=f"{place} hours",
        answer=SENTENCE.format(place),
        document="handbook.pdf",
        page=1 + place % 200,
        quote=SENTENCE.format(place),
        tags=("safety",),
    )


def _outcome(run: Digest, document: Digest, place: int) -> Outcome:
    good = place % 10 > 0
    scores = tuple(
        Score(scorer=name, value=float(good), passed=good, reason="holds the target" if good else "doesn't hold it")
        for name in SCORERS[:-1]
    )
    late = Score(scorer="latency", value=0.25 + place % 7 / 10, passed=True, reason="0.25 s")
    return Outcome(
        run=run, sample=f"q{place:05}", variant="quotes", answer=_answer(document, place), scores=(*scores, late)
    )


def _answer(document: Digest, place: int) -> Answer:
    quote = SENTENCE.format(place)
    text = " ".join((quote, *(SENTENCE.format(place + other) for other in range(1, 7))))
    rects = tuple(Rect(x0=74, y0=206.92 + 17 * row, x1=512.88, y1=218.12 + 17 * row) for row in range(8))
    passages = tuple(
        Passage(
            chunk=(place + other) % 900,
            document=document,
            name="handbook.pdf",
            page=1 + (place + other) % 200,
            text=text,
            heading="5 Reporting",
            score=0.62658,
            rects=rects,
        )
        for other in range(PASSAGES)
    )
    citation = Citation(
        number=1,
        document=document,
        name="handbook.pdf",
        page=passages[0].page,
        quote=quote,
        score=1.0,
        supported=True,
        start=0,
        end=len(quote),
    )
    return Answer(
        question=Question(collection="handbook", text=f"How soon must site {place} report a serious adverse event?"),
        answer=quote,
        abstained=False,
        citations=(citation,),
        passages=passages,
        sentences=1,
        unsupported=(),
        best_score=0.9,
        needed_score=0.55,
        model="quotes",
        model_digest="",
        prompt_digest="",
        rendered="",
        finish="stop",
        tokens=0,
        prompt_tokens=0,
        first_token_seconds=0.1,
        seconds=0.25 + place % 7 / 10,
        backend="",
    )
