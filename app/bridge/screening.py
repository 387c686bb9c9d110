"""Screening as its page asks for it: what waits, what was found, and what people decide, in words. Runs off the UI thread.

Findings are read only where a person looks at them, because each reading stands in the log.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.documents.records import AddedDocuments
from core.documents.screening.records import KINDS, MARKS, Decide, ScreeningPolicy, ScreeningState, Shown
from core.guards.records import Guarded
from core.jobs import Job
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from core.workbench import Workbench

Action = Literal["keep", "redact", "exclude", "undo"]
MODE = {"off": "Off", "ask": "Ask about each finding", "automatic": "Automatic"}
REACTION = {"off": "Look for nothing", "mark": "Mark it", "withhold": "Withhold it", "refuse": "Refuse to answer"}
DECISION = {"keep": "Keep", "redact": "Redact", "exclude": "Exclude document"}
PLACE = {"input": "the question", "output": "the answer"}
REACTED = {"mark": "Marked", "withhold": "Withheld", "refuse": "Refused"}
READS_NOT = "Your roles here don’t allow this; an author must do it."


@dataclass(frozen=True)
class Standing:
    """A collection's policy and what waits, and whether this person may decide."""

    state: ScreeningState
    models: tuple[str, ...]
    refusal: str

    @property
    def open(self) -> int:
        return sum(self.state.open.values())


@dataclass(frozen=True)
class Found:
    """What there is to decide about."""

    standing: Standing
    findings: tuple[Shown, ...]


def kind(name: str) -> str:
    """A kind as a heading says it."""
    words = KINDS.get(name, name)
    return words[:1].upper() + words[1:]


def redactable(name: str) -> bool:
    """Whether what was found can be taken out by itself."""
    return name in MARKS


def standing(bench: "Workbench", collection: str) -> Standing:
    """Where a collection stands; nothing of a document's text is read for it."""
    return Standing(
        state=bench.screening.state(collection),
        models=tuple(one.name for one in bench.models.list() if one.purpose == "chat"),
        refusal="" if allowed(Act.ADD_DOCUMENTS, bench.vault.user.roles) else READS_NOT,
    )


def found(bench: "Workbench", collection: str) -> Found:
    """What was found in the documents that wait, with its text; the log says so. Raises `Refused`."""
    return Found(standing(bench, collection), bench.screening.findings(collection))


def decide(bench: "Workbench", collection: str, action: Action, ids: Sequence[int], reason: str) -> Standing:
    """Decide these findings, or undo what was decided. Raises `NotFound`, `BadInput`, `Refused`."""
    bench.screening.decide(Decide(collection=collection, action=action, ids=tuple(ids), reason=reason))
    return standing(bench, collection)


def set_policy(bench: "Workbench", job: Job, policy: ScreeningPolicy) -> Standing:
    """Set how a collection is screened and guarded. Raises `BadInput`, `Refused`."""
    bench.screening.set_policy(policy)
    return standing(bench, policy.collection)


def readmit(bench: "Workbench", collection: str, names: Sequence[str]) -> Standing:
    """Let excluded documents be added again. Raises `NotFound`, `Refused`."""
    for name in names:
        bench.screening.readmit(collection, name)
    return standing(bench, collection)


def said_of(done: AddedDocuments) -> str:
    """What screening did to an import, and what stays out of the text that is searched, in sentences; nothing where there is nothing to say."""
    said = []
    if done.held:
        said.append(f"{count(done.held, 'document')} {'waits' if done.held == 1 else 'wait'} for decisions.")
    if done.redacted:
        said.append(f"{count(done.redacted, 'document')} {'was' if done.redacted == 1 else 'were'} redacted.")
    if done.excluded:
        said.append(
            f"{count(done.excluded, 'document')} {'stays' if done.excluded == 1 else 'stay'} out by earlier decisions."
        )
    if done.with_furniture:
        said.append(
            f"Menus, banners, running heads or page numbers of {count(done.with_furniture, 'document')} stay on the page, apart from the text."
        )
    return " ".join(said)


def guarded(found: Sequence[Guarded]) -> list[str]:
    """What guards did while an answer was made, a sentence for each place, kind and reaction."""
    said = Counter((_place(one), one.kind, one.reaction, one.method) for one in found)
    return [
        f"{REACTED.get(reaction, reaction)} in {place}: {KINDS.get(name, name)}"
        + (f", {number} times" if number > 1 else "")
        + (f" (judged by {method})" if method != "rule" else "")
        + "."
        for (place, name, reaction, method), number in said.items()
    ]


def _place(one: Guarded) -> str:
    return PLACE.get(one.where, f"passage {one.passage}" if one.passage else "the passages")


def count(number: int, thing: str) -> str:
    """As in "1 document", "2 documents"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
