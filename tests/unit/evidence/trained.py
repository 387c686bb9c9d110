"""The records of an adapter that was trained in a vault, and of the cards of its models, as the small pack made by hand holds them."""

from typing import NamedTuple

from core.evals.records import Environment
from core.evidence.records import Stored
from core.models.records import ModelCard
from core.records import Digest
from core.training.records import Compared, Rated, Source, TrainingResult, TrainingRun, TrainSpec, UsedSource
from core.training.settings import Settings
from core.training.worker.records import Problem, Step

BASE, ADAPTER, FILE = Digest("ab" * 32), Digest("ad" * 32), Digest("fe" * 32)
TIME = "2026-11-20T09:00:00+01:00"


class Trained(NamedTuple):
    run: Stored
    result: Stored
    compared: Stored
    data: Stored
    card: Stored


def training_run(data: Digest) -> TrainingRun:
    return TrainingRun(
        id="training-1",
        name="house style",
        base="starter",
        base_digest=BASE,
        folder="",
        spec=TrainSpec(name="house style", base="starter", data=(Source(dataset="style"), Source(file="more.jsonl"))),
        settings=Settings(),
        sources=(
            UsedSource(reference="style@1", digest=data, form="samples", examples=2),
            UsedSource(reference="more.jsonl", digest=FILE, form="chat", examples=1),
        ),
        examples=3,
        left_out=(Problem(line="more.jsonl, 2", problem="it has no answer."),),
        versions={"torch": "2"},
        environment=Environment(
            assay="0.1.0", python="3.11.7", system="Linux", processor="x86_64", packages={}, barrier=("seccomp",)
        ),
        device="cpu",
        threads=2,
        user="ada",
        started=TIME,
    )


def training_result(run: Digest) -> TrainingResult:
    step = Step(step=1, steps=1, loss=2.5, learning_rate=0.5, gradient_norm=1.5, tokens_per_second=100.0, memory=1000)
    return TrainingResult(
        run=run,
        status="finished",
        reason="done",
        step=1,
        weights=Digest("ae" * 32),
        config=Digest("af" * 32),
        gguf=ADAPTER,
        gguf_size=4096,
        architecture="llama",
        curve=(step,),
        tokens=40,
        seconds=1.5,
        finished=TIME,
    )


def compared(dataset: Digest) -> Compared:
    rated = Rated(measure="form", base=0.0, adapter=1.0, difference=1.0, low=1.0, high=1.0, p=0.25, n=2, worse=())
    return Compared(run="training-1", dataset="held@1", dataset_digest=dataset, rated=(rated,), seconds=0.5)


def card() -> ModelCard:
    return ModelCard(
        name="starter",
        number=2,
        model=BASE,
        intended="Answering over manuals.",
        unsuited="Medical advice.",
        source="Made here.",
        licence="Apache-2.0",
        limits="It can't count.",
        evaluations=(),
        parent=None,
        author="ada",
        saved=TIME,
    )
