"""Documents are cut and embedded before they are kept: the rules of a collection, within its embedder's window, and what is made by them."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from core.documents import store
from core.documents.chunking import Cut, chunk
from core.documents.records import Chunking
from core.documents.worker.records import Parsed
from core.errors import Unsupported
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import ModelFile
from core.records import Digest

EMBED_AT_ONCE: Final = 256
"""Chunks between two places where cancelling takes effect and progress moves."""
SPECIAL_TOKENS: Final = 2
RULES: Final = Chunking()


def room(engine: Engine, embedder: ModelFile) -> int:
    """The tokens of a passage that an embedder takes. Raises `NotFound`, and `Unsupported` where that is too few."""
    found = engine.window(embedder.digest) - SPECIAL_TOKENS
    if found < RULES.target + RULES.headings:
        raise Unsupported(
            source=embedder.name, reason=f"its window of {found + SPECIAL_TOKENS} tokens is too short for passages."
        )
    return found


def rules(engine: Engine, embedder: ModelFile) -> Chunking:
    """The rules for a new collection; those of the program, within the embedder's window. Raises as `room`."""
    found = room(engine, embedder)
    return RULES if found >= RULES.limit else Chunking(limit=found)


def cut(engine: Engine, parsed: Parsed, by: Chunking, embedder: Digest, job: Job) -> list[Cut]:
    """A document's chunks that have something to embed."""

    def count(texts: Sequence[str]) -> Sequence[int]:
        job.check()
        counted = engine.count_tokens(["", *texts], embedder, job)
        return [number - counted[0] for number in counted[1:]]

    cuts = chunk(parsed, count, by)
    sizes = count([one.embedded for one in cuts]) if cuts else []
    return [one for one, size in zip(cuts, sizes, strict=True) if size > 0]


def embed(
    engine: Engine,
    cuts: Sequence[Cut],
    embedder: ModelFile,
    job: Job,
    known: Mapping[tuple[str, str], store.Matrix] | None = None,
) -> store.Matrix:
    """The chunks' vectors, in their order. Those of `known`, by heading and text, aren't computed again."""
    known = known or {}
    found = np.zeros((len(cuts), embedder.dimensions), dtype=np.float32)
    missing = []
    for place, one in enumerate(cuts):
        if (one.heading, one.shown) in known:
            found[place] = known[one.heading, one.shown]
        else:
            missing.append(place)
    for start in range(0, len(missing), EMBED_AT_ONCE):
        job.check()
        some = missing[start : start + EMBED_AT_ONCE]
        found[some] = engine.embed([cuts[place].embedded for place in some], embedder.digest, job)
    return found
