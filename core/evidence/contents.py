"""The files of a pack in words: what each is for, and for whom. What the window and a reader are told is told from here alone.

A file is named by a pattern, so that a kind of which a pack holds several has one line. Every file of every pack fits exactly one line.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from core.evidence import opened, people

READ, MACHINE, CHECK = "To read", "For other programs", "To check with"


class Part(NamedTuple):
    """Files of one kind: `names` are patterns, `use` is READ, MACHINE or CHECK, `what` says what it is."""

    names: tuple[str, ...]
    use: str
    what: str


PARTS = (
    Part((opened.REPORT, opened.REPORT_PDF), READ, "the report, as a page and as a PDF"),
    Part((opened.LINEAGE_PICTURE,), READ, "where every answer comes from, as a picture"),
    Part((opened.DATASHEET, "datasheets/*.md"), READ, "a datasheet of each dataset"),
    Part(("model-cards/*.md",), READ, "a card for each model and adapter"),
    Part((opened.GUIDE,), READ, "how to check the pack by hand"),
    Part((opened.LINEAGE,), MACHINE, "the same lineage as PROV-JSON"),
    Part((opened.MLBOM,), MACHINE, "the bill of materials (CycloneDX)"),
    Part(("records/*.json",), MACHINE, "the records: run, samples, answers, scores, prompts, models, trainings"),
    Part(
        ("openings/*", people.REASONS), MACHINE, "what the records say, field by field, so that fields can be withheld"
    ),
    Part((opened.REDACTION,), MACHINE, "of which pack this is a redaction"),
    Part((opened.MANIFEST,), CHECK, "the manifest, which names every file by its SHA-256"),
    Part((opened.RELEASE, "envelopes/*.json"), CHECK, "the signatures"),
    Part((opened.CARDS,), CHECK, "the cards of everybody who signed"),
    Part(("log/*",), CHECK, "the log’s checkpoint and the proofs under it"),
    Part((opened.VERIFIER,), CHECK, "a second verifier, one file that can be read"),
)


def part_of(name: str) -> Part | None:
    """The line that a file belongs to."""
    return next((part for part in PARTS if any(fnmatchcase(name, pattern) for pattern in part.names)), None)


def uses(parts: Iterable[Part] = PARTS) -> dict[str, str]:
    """For each use, what there is for it, in one sentence. A file that only a redacted pack has isn't among it."""
    found: dict[str, list[str]] = {}
    for part in parts:
        if opened.REDACTION not in part.names:
            found.setdefault(part.use, []).append(part.what)
    return {use: f"{'; '.join(whats)}." for use, whats in found.items()}
