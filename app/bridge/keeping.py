"""The life of content as its page asks for it: retention rules, what is due, legal holds, and erasing. Runs off the UI thread.

The rules are the core's: what may be held, due and erased, and by whom, is asked of it each time. What it says of its commands is put into the
words of the window.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.jobs import Job

if TYPE_CHECKING:
    from core.records import Digest
    from core.vault.erasable import Erasables
    from core.vault.erasure import ErasedContent, Plan
    from core.vault.holds import Hold, HoldState, Thing
    from core.vault.retention import Due, RetentionRule
    from core.vault.signing import Signer
    from core.vault.unit import Reader
    from core.workbench import Workbench

RULES = {
    "traces": ("Answers", "from when they were given"),
    "api-calls": ("API calls", "from when they were made"),
    "old-versions": ("Old versions of documents", "from when they were replaced or removed"),
    "runs": ("Runs of evaluations", "from their start"),
}
"""What the rules speak of, in words, and from when its days count."""
KINDS = {
    "document": "Documents",
    "collection": "Collections",
    "trace": "Answers",
    "api-call": "API calls",
    "run": "Runs",
    "dataset": "Datasets",
    "outcome": "Single outcomes",
    "training": "Training runs",
}
"""The kinds of content that a person chooses from, by the core's word."""
ONE = {
    "document": "Document",
    "collection": "Collection",
    "trace": "Answer",
    "api-call": "API call",
    "run": "Run",
    "dataset": "Dataset",
    "outcome": "Outcome",
    "training": "Training run",
}
LOOK_EVERY = 200
"""Records between looks at whether the search was given up."""
COMMANDS = (
    ("; --copies erases it too.", "; the choice “copies of documents” erases it too."),
    ("; --quoting erases them too.", "; the choice “what quotes them” erases them too."),
    ("Run `assay vault compact` afterwards", "Compact the vault afterwards, on its page"),
    (" `assay vault retention` shows them.", ""),
    (" `assay vault hold` lists those that last.", ""),
)


@dataclass(frozen=True)
class Rule:
    """A kind of content that a rule may speak of; `days` is None where it is kept for ever, `user` and `time` are empty where nobody said so."""

    name: str
    days: int | None
    user: str
    time: str

    @property
    def word(self) -> str:
        return RULES.get(self.name, (self.name, ""))[0]

    @property
    def counts(self) -> str:
        return RULES.get(self.name, ("", ""))[1]


@dataclass(frozen=True)
class Keeping:
    """What the page shows first: the rules, what is due, and all holds, newest first; `people` are printed names by user."""

    rules: tuple[Rule, ...]
    due: "tuple[Due, ...]"
    holds: "tuple[HoldState, ...]"
    people: dict[str, str]


@dataclass(frozen=True)
class Found:
    """Something that can be chosen: `reference` is what the core finds it by."""

    kind: str
    reference: str
    label: str
    time: str


def keeping(bench: "Workbench") -> Keeping:
    """Read the rules, what is due now, and the holds."""
    from core.vault import holds, retention

    with bench.vault.read() as reader:
        set_rules = {rule.name: rule for rule in retention.rules(reader)}
        due = retention.preview(reader, _kinds(), _now(), None, bench.vault.user)
        placed = holds.holds(reader)
    return Keeping(
        rules=tuple(_rule(name, set_rules.get(name)) for name in dict.fromkeys(k.rule for k in _kinds() if k.rule)),
        due=due,
        holds=tuple(reversed(placed)),
        people={user.user: user.name for user in bench.vault.users()},
    )


def tried(bench: "Workbench", name: str, days: int | None) -> "tuple[Due, ...]":
    """What a rule by itself would make due at once, whatever the other rules say."""
    from core.vault import retention
    from core.vault.retention import SetRetention

    with bench.vault.read() as reader:
        trial = retention.tried((), SetRetention(name=name, days=days))
        return retention.preview(reader, _kinds(), _now(), trial, bench.vault.user)


def set_rule(bench: "Workbench", name: str, days: int | None, reason: str) -> "RetentionRule":
    """Set a rule; nothing is erased by that. Raises `BadInput`, `Refused`."""
    from core.vault import retention
    from core.vault.retention import SetRetention

    return retention.set_rule(bench.vault, _kinds(), SetRetention(name=name, days=days, reason=reason))


def apply(bench: "Workbench", signer: "Signer", reason: str, job: Job) -> "ErasedContent":
    """Erase what is due and not held. Raises `Refused`, `DiskFull`; `Cancelled` between batches."""
    from core.vault import retention

    return retention.apply(bench.vault, _kinds(), signer, _now(), reason, job)


def due_now(bench: "Workbench") -> int:
    """How many contents could go by the rules, for whoever may erase them; 0 for everybody else."""
    from core.vault import retention

    said = retention.reminder(bench.vault, _kinds(), _now())
    return int("".join(sign for sign in said if sign.isdigit()) or 0) if said else 0


# choosing


def find(bench: "Workbench", kind: str, text: str, job: Job) -> tuple[Found, ...]:
    """What there is of a kind whose name or text has `text` in it, newest first; of every kind where `kind` is empty. Raises `Cancelled`."""
    with bench.vault.read() as reader:
        kinds = [kind] if kind else [name for name in KINDS if name != "collection"]
        return tuple(found for one in kinds for found in _find(reader, one, text.strip().casefold(), job))


def _find(reader: "Reader", kind: str, text: str, job: Job) -> Iterable[Found]:
    from core.assistants.api_calls import ApiCall
    from core.assistants.records import Answer
    from core.datasets.records import Dataset
    from core.evals.records import Outcome, Run
    from core.training.records import TrainingRun

    if kind == "collection":
        return _collections(reader, text)
    if kind == "document":
        return _documents(reader, text, job)
    records: dict[str, type[Any]] = {
        "trace": Answer,
        "api-call": ApiCall,
        "run": Run,
        "dataset": Dataset,
        "outcome": Outcome,
        "training": TrainingRun,
    }
    return _records(reader, kind, records[kind], text, job)


def _collections(reader: "Reader", text: str) -> Iterator[Found]:
    from core.documents import store

    for found in store.collections(reader):
        if text in found.name.casefold():
            count = f"{found.documents:,} document{'' if found.documents == 1 else 's'}"
            yield Found("collection", found.name, f"{found.name}, {count}", "")


def _documents(reader: "Reader", text: str, job: Job) -> list[Found]:
    from core.documents.records import Document

    versions: dict[str, list[str]] = {}
    with_words = _documents_with(reader, text, job) if text else frozenset()
    for number, digest in enumerate(reader.find(Document)):
        if not number % LOOK_EVERY:
            job.check()
        document = reader.get(digest, Document)
        name = f"{document.collection}/{document.name}"
        if not text or digest in with_words or text in f"{name} {document.title}".casefold():
            versions.setdefault(name, []).append(document.added)
    return [
        Found("document", name, name if len(added) == 1 else f"{name}, {len(added)} versions", max(added))
        for name, added in reversed(versions.items())
    ]


def _documents_with(reader: "Reader", text: str, job: Job) -> "frozenset[Digest]":
    """The documents, old versions too, on a page of which these words stand in this order, over the ends of lines."""
    rows = reader.db.execute("SELECT d.digest, p.text FROM pages p JOIN documents d ON d.id = p.document ORDER BY d.id")
    found: set[Digest] = set()
    wanted = _flat(text)
    for number, (digest, page) in enumerate(rows):
        if not number % LOOK_EVERY:
            job.check()
        if digest not in found and wanted in _flat(page):
            found.add(digest)
    return frozenset(found)


def _flat(text: str) -> str:
    """A text in which the ends of lines, also as JSON writes them, and the case of letters make no difference."""
    return " ".join(text.replace("\\n", " ").casefold().split())


def _records(reader: "Reader", kind: str, record: Any, text: str, job: Job) -> list[Found]:
    from core.records import kind as kind_of
    from core.vault.erasable import by_kind

    owner = by_kind(_kinds(), kind)
    wanted = _flat(json.dumps(text, ensure_ascii=False)[1:-1])
    found = []
    rows = reader.db.execute(
        "SELECT digest, time, content FROM records WHERE kind = ? ORDER BY seq DESC", (kind_of(record),)
    )
    for number, (digest, time, content) in enumerate(rows):
        if not number % LOOK_EVERY:
            job.check()
        label = owner.label(reader, digest)
        if not text or text in label.casefold() or wanted in _flat(bytes(content).decode("utf-8")):
            found.append(Found(kind, digest, label, time))
    return found


# holding


def check_hold(bench: "Workbench", name: str, reason: str, things: Sequence[Found]) -> "Hold":
    """The hold that `place_hold` would place. Raises `BadInput`, `NotFound`, `AlreadyExists`."""
    from core.vault import holds
    from core.vault.holds import PlaceHold

    with bench.vault.read() as reader:
        return holds.check(reader, _kinds(), PlaceHold(name=name, reason=reason, things=_things(things)))


def place_hold(bench: "Workbench", signer: "Signer", name: str, reason: str, things: Sequence[Found]) -> "HoldState":
    """Place and sign a hold. Raises as `check_hold`, and `Refused`."""
    from core.vault import holds
    from core.vault.holds import PlaceHold

    request = PlaceHold(name=name, reason=reason, things=_things(things))
    return holds.place(bench.vault, _kinds(), signer, request)


def release_hold(bench: "Workbench", signer: "Signer", name: str, reason: str) -> "HoldState":
    """End a hold. Raises `NotFound`, `BadInput`, `Refused`."""
    from core.vault import holds

    return holds.release(bench.vault, _kinds(), signer, name, reason)


# erasing


@dataclass(frozen=True)
class ToErase:
    """What a person chose to erase, and what shall go with it."""

    things: tuple[Found, ...]
    quoting: bool
    copies: bool


def plan(bench: "Workbench", wanted: ToErase) -> "Plan":
    """What erasing would do. Raises `NotFound`, `BadInput`."""
    from core.vault import erasure

    with bench.vault.read() as reader:
        return erasure.plan(reader, _kinds(), _request(wanted, ""))


def erase(bench: "Workbench", signer: "Signer", wanted: ToErase, reason: str, job: Job) -> "ErasedContent":
    """Erase all of it, or nothing. Raises `Refused`, `NotFound`, `BadInput`, `DiskFull`."""
    from core.vault import erasure

    return erasure.erase(bench.vault, _kinds(), signer, _request(wanted, reason), job)


def named(kind: str, label: str) -> str:
    """A thing as it is listed: what it is, and its name."""
    word = ONE.get(kind, kind)
    return f"{label[:1].upper()}{label[1:]}" if label.casefold().startswith(word.casefold()) else f"{word} {label}"


def plain(sentence: str) -> str:
    """A sentence of the core without the commands and options that a button stands for."""
    for command, words in COMMANDS:
        sentence = sentence.replace(command, words)
    return sentence


def _request(wanted: ToErase, reason: str) -> Any:
    from core.vault.erasure import Erase

    return Erase(things=_things(wanted.things), reason=reason, quoting=wanted.quoting, copies=wanted.copies)


def _things(found: Sequence[Found]) -> "tuple[Thing, ...]":
    from core.vault.holds import Thing

    return tuple(Thing(kind=one.kind, reference=one.reference) for one in found)


def _kinds() -> "Erasables":
    from core.workbench import ERASABLES

    return ERASABLES


def _rule(name: str, rule: "RetentionRule | None") -> Rule:
    return Rule(name, None, "", "") if rule is None else Rule(name, rule.days, rule.user, rule.time)


def _now() -> datetime:
    return datetime.now().astimezone()
