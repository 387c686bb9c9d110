"""What cutting would make of documents, before anything is indexed: some of the files are read as an import reads them, and nothing is kept.

Rules: the sample is spread evenly over the files in their order; what is read of it stays in memory, so that other sizes are tried without reading
again; passages are those that an import would make, counted in the embedder's tokens.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Final

from core.documents import files, places, preparing
from core.documents.chunking import Cut
from core.documents.reading import Read, Reader
from core.documents.records import Chunking, Refusal
from core.documents.worker.records import Parsed
from core.errors import BadInput
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import ModelFile
from core.records import Record

FILES: Final = 12
"""Files that are read for a sample."""
LARGEST: Final = 20 * 1000 * 1000
"""Bytes of a file of the sample, where there are smaller ones: a preview is to be there soon."""
SHOWN: Final = 6
"""Passages that are shown of a sample."""
STEPS: Final = 12
"""Bars of the picture of sizes."""
EDGE: Final = 60
"""Characters shown of a passage's beginning and of its end."""


@dataclass(frozen=True)
class Sample:
    """Documents that were read to see how they would be cut."""

    files: int
    """All that there are."""
    read: tuple[tuple[str, Parsed], ...]
    refused: tuple[Refusal, ...]


class PreviewPassage(Record, frozen=True, kw_only=True):
    """Where a passage would begin and end."""

    document: str
    page: int
    place: str
    heading: str
    tokens: int
    begins: str
    ends: str
    repeated: int
    """Characters that it would have in common with the one before it."""


class Preview(Record, frozen=True, kw_only=True):
    """What would come of cutting a sample."""

    files: int
    documents: int
    """Those of the sample, files inside of files too."""
    pages: int
    chunks: int
    smallest: int
    median: int
    largest: int
    sizes: tuple[int, ...]
    """Passages by size, from 0 to the limit in equal steps."""
    rules: Chunking
    passages: tuple[PreviewPassage, ...]
    """The first ones."""
    refused: tuple[Refusal, ...]


def sample(reader: Reader, paths: tuple[str, ...], job: Job) -> Sample:
    """Read some of the files. Progress in files. Raises `NotFound`, `BadInput` where there are none."""
    found, refused = files.collect(paths)
    if not found:
        raise BadInput(source="preview", problem=refused[0].reason if refused else "no file was given. Name one.")
    small = [one for one in found if files.size(one[1]) <= LARGEST] or found
    chosen = [small[at * len(small) // FILES] for at in range(FILES)] if len(small) > FILES else small
    read: list[tuple[str, Parsed]] = []
    job.report(0, len(chosen), "files")
    with closing(reader.read_all(chosen, job)) as reading:
        for done, documents in enumerate(reading, 1):
            read += [(one.name, one.parsed) for one in documents if isinstance(one, Read) and one.parsed is not None]
            refused += [one for one in documents if isinstance(one, Refusal)]
            job.report(done, len(chosen), "files")
    return Sample(files=len(found), read=tuple(read), refused=tuple(refused))


def preview(engine: Engine, embedder: ModelFile, sample: Sample, rules: Chunking, job: Job) -> Preview:
    """Cut the sample. Raises as `Engine.count_tokens`."""
    cuts = [preparing.cut(engine, parsed, rules, embedder.digest, job) for _, parsed in sample.read]
    texts = [one.embedded for some in cuts for one in some]
    bare, *counted = engine.count_tokens(["", *texts], embedder.digest, job)
    tokens = [number - bare for number in counted]
    sizes = [0] * STEPS
    for number in tokens:
        sizes[min(number * STEPS // (rules.limit + 1), STEPS - 1)] += 1
    rest = iter(tokens)
    passages: list[PreviewPassage] = []
    for (name, parsed), some in zip(sample.read, cuts, strict=True):
        passages += _passages(name, parsed, some, [next(rest) for _ in some])
    return Preview(
        files=sample.files,
        documents=len(sample.read),
        pages=sum(len(parsed.pages) for _, parsed in sample.read),
        chunks=len(tokens),
        smallest=min(tokens, default=0),
        median=round(median(tokens)) if tokens else 0,
        largest=max(tokens, default=0),
        sizes=tuple(sizes),
        rules=rules,
        passages=tuple(passages[:SHOWN]),
        refused=sample.refused,
    )


def _passages(name: str, parsed: Parsed, cuts: Sequence[Cut], tokens: Sequence[int]) -> list[PreviewPassage]:
    made = []
    for at, (one, number) in enumerate(zip(cuts[:SHOWN], tokens, strict=False)):
        page = parsed.pages[one.page - 1]
        place = next((each.label for each in reversed(page.places) if each.start <= one.start), "")
        before = cuts[at - 1] if at else None
        text = " ".join(page.text[one.start : one.end].split())
        made.append(
            PreviewPassage(
                document=name,
                page=one.page,
                place=places.said(parsed.media, one.page, page.label, place),
                heading=one.heading,
                tokens=number,
                begins=text[:EDGE],
                ends=text[-EDGE:],
                repeated=max(before.end - one.start, 0) if before is not None and before.page == one.page else 0,
            )
        )
    return made
