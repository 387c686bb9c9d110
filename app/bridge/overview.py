"""What the home page shows of a vault, gathered in one go off the UI thread; and the example workspace, put into a vault."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.bridge.opening import Machine, machine
from app.bridge.people import Person, list_people
from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.errors import Unavailable
from core.evals.files import read_spec
from core.jobs import Job
from core.paths import RESOURCES
from core.prompts.files import read_prompt

if TYPE_CHECKING:
    from core.vault.records import LogEntry
    from core.workbench import Workbench

EXAMPLE = RESOURCES / "example"
COLLECTION = "merrowdale"
DATASET = "merrowdale-questions"
PROMPT = "cite-answers"
LATEST = 4
LOOK_BACK = 2000
"""Log entries that are looked through for the first steps; further back they count as not done."""


@dataclass(frozen=True)
class Happening:
    """One entry of the log, as people say it."""

    time: str
    words: str
    who: str
    entry: int


@dataclass(frozen=True)
class Content:
    """One thing in the vault: its kind (a page's name), its name and how much."""

    page: str
    name: str
    amount: str


@dataclass(frozen=True)
class Overview:
    """`done` has, by step, when it was first done ("14:02"), or nothing."""

    machine: Machine
    contents: tuple[Content, ...]
    people: tuple[Person, ...]
    latest: tuple[Happening, ...]
    done: dict[str, str]
    documents: int
    example: bool


WORDS = {
    "create-vault": "Vault created",
    "add-user": "{about} added",
    "revoke-user": "{about} revoked",
    "add-model": "Model {about} registered",
    "remove-model": "Model {about} removed",
    "add-documents": "Documents added to {about}",
    "remove-documents": "Document removed: {about}",
    "show-document": "Document shown",
    "ask": "A question to {about}",
    "save-prompt": "Prompt {about} saved",
    "sign": "{about} signed",
    "approve": "{about} approved",
    "label": "Label set: {about}",
    "add-dataset": "Dataset {about} added",
    "draft-sample": "Draft: {about}",
    "save-spec": "Evaluation {about} saved",
    "run-evaluation": "Evaluation {about} ran",
    "mark-outcome": "Answer marked: {about}",
    "export-pack": "Pack exported: {about}",
    "export-dataset": "Dataset exported: {about}",
    "export-document": "Text of documents exported: {about}",
    "export-picture": "Picture exported: {about}",
    "change-settings": "Settings changed",
}
STEPS = {
    "documents": ("add-documents",),
    "ask": ("ask",),
    "evaluate": ("run-evaluation",),
    "sign": ("sign", "approve"),
    "pack": ("export-pack",),
}


def overview(bench: "Workbench", job: Job) -> Overview:
    """Look the vault over."""
    with bench.vault.read() as reader:
        size = reader.log_size
        entries = reader.log(LOOK_BACK, after=max(-1, size - 1 - LOOK_BACK))
    people = list_people(bench)
    printed = {person.user: person.name for person in people}
    done = {
        step: next((_clock(entry.time) for entry in entries if entry.act in acts), "") for step, acts in STEPS.items()
    }
    collections = bench.documents.collections()
    contents = [Content("documents", found.name, _count(found.documents, "document")) for found in collections]
    prompts = bench.prompts.list()
    contents += [Content("prompts", state.prompt.name, _count(state.prompt.number, "version")) for state in prompts]
    contents += [
        Content("datasets", found.name, _count(len(found.samples), "sample")) for found in bench.datasets.list()
    ]
    contents += [Content("models", found.name, _megabytes(found.size)) for found in bench.models.list()]
    shown = [entry for entry in entries if entry.act != "show-document"][-LATEST:]
    return Overview(
        machine=machine(bench.vault.folder),
        contents=tuple(contents),
        people=people,
        latest=tuple(happening(entry, printed) for entry in reversed(shown)),
        done=done,
        documents=sum(found.documents for found in collections),
        example=any(found.name == COLLECTION for found in collections),
    )


def happening(entry: "LogEntry", printed: dict[str, str]) -> Happening:
    """A log entry in words."""
    about = entry.about if len(entry.about) < 60 else f"{entry.about[:24]}…{entry.about[-24:]}"
    words = WORDS.get(entry.act, entry.act).format(about=printed.get(about, about) or "the vault")
    return Happening(_clock(entry.time, seconds=True), words, printed.get(entry.user, entry.user), entry.index)


def add_example(bench: "Workbench", job: Job) -> int:
    """Put the example workspace into the vault: documents, two prompt versions, questions and a spec. Returns how many documents came in."""
    if not EXAMPLE.is_dir():
        raise Unavailable(what="The example workspace is missing", step="Use a complete installation.")
    added = bench.documents.add(AddDocuments(collection=COLLECTION, paths=(str(EXAMPLE / "documents"),)), job)
    for number in (1, 2):
        bench.prompts.save(read_prompt(EXAMPLE / "prompts" / f"{PROMPT}-v{number}.yaml", PROMPT))
    bench.datasets.add(AddDataset(name=DATASET, path=str(EXAMPLE / "questions.jsonl")), job)
    bench.evals.save(read_spec(EXAMPLE / "evaluation.yaml"))
    return added.added + added.unchanged


def _clock(time: str, seconds: bool = False) -> str:
    moment = datetime.fromisoformat(time)
    if moment.date() == datetime.now(moment.tzinfo).date():
        return f"{moment:%H:%M:%S}" if seconds else f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b %H:%M}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _megabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
