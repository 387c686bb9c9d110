"""What stands ready before a run's first step, and the checks that it passed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.documents.service import Documents
from core.errors import BadInput, NotFound
from core.jobs import Job
from core.models.records import ModelFile
from core.records import Digest
from core.training.records import TrainingResult, TrainingRun, TrainSpec, UsedSource
from core.training.settings import Settings
from core.training.worker.records import Example, OpenBase, Problem

LARGEST = 500_000_000
"""Bytes of a file of examples."""


class Ready(msgspec.Struct, frozen=True):
    """A run before its first step; `spec` with the versions that it names."""

    spec: TrainSpec
    settings: Settings
    model: ModelFile
    base: OpenBase
    folder: Path
    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    sources: tuple[UsedSource, ...]
    datasets: tuple[Digest, ...]
    asked: tuple[str, ...] = ()
    """The evaluation's questions."""


def text_of(documents: Documents, collection: str, job: Job) -> tuple[list[Example], UsedSource]:
    """The text of a collection's documents, one example for each. Raises `NotFound`, `BadInput` for a collection without text."""
    found = []
    digests = hashlib.sha256()
    for digest, document in documents.list(collection):
        job.check()
        pages = [documents.text(digest, page) for page in range(1, document.pages + 1)]
        text = "\n\n".join(page for page in pages if page.strip())
        digests.update(f"{digest}\n".encode())
        found += [Example(line=f"{collection}/{document.name}", text=text)] if text else []
    if not found:
        raise BadInput(source=collection, problem="its documents hold no text. Add some.")
    used = UsedSource(
        reference=f"collection {collection}", digest=Digest(digests.hexdigest()), form="text", examples=len(found)
    )
    return found, used


def check_left_out(spec: TrainSpec, problems: Sequence[Problem]) -> None:
    """Raises `BadInput` with the first problem, unless the person said that such examples may be left out."""
    if problems and not spec.leave_out:
        first = problems[0]
        more = f" {len(problems) - 1} more can't be learned either." if len(problems) > 1 else ""
        raise BadInput(
            source=first.line,
            problem=f"{first.problem}{more} Correct the data, or have such examples left out (leave_out: true).",
        )


def file_content(path: Path) -> bytes:
    """Raises `NotFound`, `BadInput` (too large)."""
    if not path.is_file():
        raise NotFound(kind="file", name=str(path), step="Give the path from the spec's folder on.")
    if path.stat().st_size > LARGEST:
        raise BadInput(source=path.name, problem="over 500 MB. Split it into several files.")
    return path.read_bytes()


def adapter_of(run: TrainingRun, result: TrainingResult) -> ModelFile:
    """The adapter as models are described."""
    return ModelFile(
        name=run.id,
        digest=Digest(result.gguf),
        path="",
        size=result.gguf_size,
        modified_us=0,
        architecture=result.architecture,
        purpose="adapter",
        quantization="f32",
        parameters=0,
        context=0,
        dimensions=0,
        has_template=False,
        licence="",
        added=result.finished,
        title=run.name,
        base_digest=run.base_digest,
    )
