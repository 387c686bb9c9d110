"""Withholding parts of a pack, as work beside the window: what there is to choose from, what a choice would do, and writing it. No widgets.

The core decides what goes with what; here its answers are only made ready for showing. The original is never written to.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.pages.pack_words import capped, lost_rows, read_file, sentence, withheld_rows
from core.errors import BadInput
from core.evidence import redaction, zipform
from core.evidence.opened import take_apart
from core.evidence.personal import KINDS
from core.evidence.redaction import Preview, Request
from core.jobs import Job
from core.paths import write_whole

WORDS = {
    "input": "Questions",
    "target": "Wanted answers",
    "answer": "Answers",
    "citations": "Citations",
    "passages": "Passages of documents",
    "prompt": "Prompts",
    "reason": "Reasons of scores",
    "error": "Error messages",
    "document": "Names of documents",
    "path": "Places of model files",
    "training": "What adapters learned from",
}
"""The fields that can be asked for, in words."""
PERSONAL = {
    "email": "E-mail addresses",
    "phone": "Telephone numbers",
    "iban": "Bank accounts (IBAN)",
    "number": "Long numbers, from 9 digits",
}
"""The kinds of personal data that a rule finds, in words."""


@dataclass(frozen=True)
class Choices:
    """A pack to be redacted, and what can be chosen in it."""

    path: str
    data: bytes
    title: str
    fields: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    samples: tuple[tuple[str, str], ...]
    """Each sample's id, and its question where that is open."""
    tags: tuple[tuple[str, int], ...]
    """Each tag, and how many samples have it."""
    documents: tuple[str, ...]
    withheld: int
    """How many fields are withheld already."""


def choices_of(path: Path, data: bytes | None, job: Job) -> Choices:
    """What can be chosen in a pack; `data` where it is in memory already. Raises `BadInput`, `Damaged`."""
    content = read_file(path, zipform.LARGEST) if data is None else data
    job.check()
    pack = take_apart(content, job=job)
    held: Any = pack.one("dataset").record["samples"]
    tags: dict[str, int] = {}
    for sample in held:
        for tag in sample.get("tags") or ():
            tags[str(tag)] = tags.get(str(tag), 0) + 1
    names = {row.record.get("name") for row in pack.rows["document"]}
    return Choices(
        path=str(path),
        data=content,
        title=capped(pack.manifest.title),
        fields=tuple((name, WORDS.get(name, name)) for name in redaction.FIELDS),
        kinds=tuple((name, PERSONAL.get(name, name)) for name in KINDS),
        samples=tuple((str(sample["id"]), _question(sample.get("input"))) for sample in held),
        tags=tuple(sorted(tags.items())),
        documents=tuple(sorted(name for name in names if isinstance(name, str))),
        withheld=pack.withheld,
    )


def preview(choices: Choices, request: Request, job: Job) -> Preview:
    """What a redaction would do. Raises `BadInput`, `NotFound`."""
    job.check()
    told = redaction.preview(choices.data, request, job)
    job.check()
    return told


def write(choices: Choices, request: Request, out: Path, job: Job) -> Path:
    """Write the redacted pack. Raises `BadInput`, `NotFound`, and what writing raises; the original isn't touched."""
    if out.exists() and out.resolve() == Path(choices.path).resolve():
        raise BadInput(source=out.name, problem="that is the pack itself. Choose another name, and keep both.")
    left = redaction.redact(choices.data, request, job)
    job.check()
    write_whole(out, left)
    return out


def proposed(choices: Choices) -> str:
    """A name for the redacted pack."""
    return f"{Path(choices.path).name.split('.')[0]}-redacted.pack"


def rows_of(told: Preview) -> tuple[tuple[str, str], ...]:
    """What goes, by field, in words."""
    return withheld_rows(told.fields)


def scores_of(told: Preview) -> tuple[tuple[str, str], ...]:
    """The figures that rest on what goes, and how many of their scores do."""
    return lost_rows(told.lost)


def sentences_of(told: Preview) -> tuple[str, ...]:
    """What else goes: of which samples, and the reports."""
    some = ", ".join(map(capped, told.samples[:5]))
    more = f" and {len(told.samples) - 5:,} more" if len(told.samples) > 5 else ""
    count = f"{len(told.samples):,} samples" if len(told.samples) > 1 else "one sample"
    samples = (f"Something of {count} goes: {some}{more}.",) if told.samples else ()
    names = ", ".join(dict.fromkeys(name.split("/")[0] for name in told.renderings))
    reports = (
        (
            f"What shows everything goes too: {names}. Whoever opens the redacted pack here gets a report of what is left.",
        )
        if names
        else ()
    )
    return (*samples, *reports)


def warnings_of(told: Preview) -> tuple[str, ...]:
    """What can still be worked out, in the words of the page."""
    found = []
    for warning in told.warnings:
        for name, words in WORDS.items():
            warning = warning.replace(f"`{name}`", f"“{words}”")
        found.append(sentence(warning))
    return tuple(found)


def _question(value: Any) -> str:
    return capped(value, 100) if isinstance(value, str) else "withheld already"
