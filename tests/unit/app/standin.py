"""A workbench in memory for tests of pages: the same calls and records, no vault, no workers, answers at once."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from msgspec.structs import replace

from core.assistants.records import QUOTES, Answer, Answered, Citation, Delta, Found, Question
from core.assistants.saved import Assistant, AssistantState, SaveAssistant
from core.datasets.records import AddDataset, Dataset, Sample, SavedDataset
from core.documents.comparing import Comparison, Piece, rows
from core.documents.cutting import SMALLEST
from core.documents.formats import LOCKED
from core.documents.previewing import Preview, PreviewPassage
from core.documents.previewing import Sample as ReadSample
from core.documents.rebuilding import Plan, Rebuild, Rebuilt
from core.documents.records import (
    AddDocuments,
    AddedDocuments,
    Chunking,
    Collection,
    CuttingChoice,
    Document,
    PageImage,
    Rect,
    Refusal,
)
from core.documents.refreshing import Changes, Refreshed
from core.documents.screening.records import ScreeningPolicy, ScreeningState
from core.documents.watched import Following, Seen
from core.errors import BadInput, NotFound, Unsupported, WrongPassphrase
from core.inference.records import Message, ShownPicture, ShowPicture
from core.jobs import Job
from core.models.records import AddModel, ModelFile
from core.prompts.records import PromptState, PromptVersion
from core.records import Digest
from core.retrieval.records import Passage
from core.vault.events import Changed, Events
from core.vault.records import LogEntry, User
from core.vault.roles import Act

PASSPHRASE = "correct horse battery staple"
PAGE_TEXT = "The investigator reports every serious adverse event within 24 hours.\nDay 0 is the day of receipt."
WHEN = "2026-11-03T14:02:11+01:00"


def digest(of: str) -> Digest:
    """A digest that differs for each text."""
    return Digest((of.encode().hex() + "0" * 64)[:64])


class Reader:
    def __init__(self, entries: list[LogEntry]) -> None:
        self._entries = entries
        nothing = SimpleNamespace(fetchone=lambda: None, fetchall=list)
        self.db = SimpleNamespace(execute=lambda *_: nothing)

    def find(self, of: object) -> list[Digest]:
        return []

    @property
    def log_size(self) -> int:
        return len(self._entries)

    def log(self, limit: int = 100, after: int = -1) -> list[LogEntry]:
        return [entry for entry in self._entries if entry.index > after][:limit]


class Vault:
    def __init__(self, folder: Path, roles: tuple[str, ...]) -> None:
        self.folder = folder
        self.events = Events()
        self.user = User(user="ines", name="Ines Korhan", roles=roles, card=digest("ines"))
        self._people = [self.user]
        self._connections = SimpleNamespace(key=b"k" * 32)
        self._entries: list[LogEntry] = []
        self.happened(Act.CREATE_VAULT, "")

    def happened(self, act: Act, about: str) -> None:
        entry = LogEntry(
            index=len(self._entries), user="ines", time=WHEN, act=act.value, about=about, reason="", objects=()
        )
        self._entries.append(entry)
        self.events.publish(Changed(act=act, about=about))

    @contextmanager
    def read(self) -> Iterator[Reader]:
        yield Reader(self._entries)

    @contextmanager
    def write(self, act: Act, about: str = "", reason: str = "") -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(note=lambda **facts: None)
        self.happened(act, about)

    def users(self) -> tuple[User, ...]:
        return tuple(self._people)

    def cards(self) -> tuple[object, ...]:
        return ()

    @contextmanager
    def confirm(self, passphrase: str) -> Iterator[object]:
        if passphrase != PASSPHRASE:
            raise WrongPassphrase(vault="Drug safety")
        yield object()

    def add_user(self, signer: object, user: str, name: str, roles: tuple[str, ...], passphrase: str) -> User:
        added = User(user=user, name=name, roles=tuple(roles), card=digest(user))
        self._people.append(added)
        self.happened(Act.ADD_USER, user)
        return added


class Documents:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.held: dict[str, dict[Digest, Document]] = {}
        self.older = 0
        """Documents of each collection that an older version read."""
        self.problem = ""
        self.taken_out: list[tuple[Digest, Document, str]] = []
        self.reasons: list[str] = []
        self.passwords: list[tuple[str, ...]] = []
        self.cuttings: list[CuttingChoice] = []
        self.previewed: list[CuttingChoice] = []
        self.held_size = 0
        """A preview of this size waits for the gate."""
        self.gate = threading.Event()
        self.gate.set()

    def add(self, request: AddDocuments, job: Job, passwords: Sequence[str] = ()) -> AddedDocuments:
        self.passwords.append(tuple(passwords))
        self.cuttings.append(request.cutting)
        held = self.held.setdefault(request.collection, {})
        added, refused = 0, []
        for done, path in enumerate(request.paths, 1):
            self.gate.wait(120)
            job.report(done, len(request.paths), "files")
            name = Path(path).name
            if name.startswith("locked") and "open sesame" not in passwords:
                refused.append(Refusal(file=path, reason=f"{name}: {LOCKED}"))
                continue
            if name.startswith("broken"):
                refused.append(Refusal(file=path, reason=f"{name}: the file ends in the middle of page 3."))
                continue
            media = "application/pdf" if name.endswith(".pdf") else "text/plain"
            held[digest(name)] = Document(
                name=name,
                content=digest(name),
                media=media,
                pages=3,
                size=48_213,
                title=name,
                collection=request.collection,
                added=WHEN,
            )
            added += 1
        self._vault.happened(Act.ADD_DOCUMENTS, request.collection)
        return AddedDocuments(
            collection=request.collection,
            added=added,
            unchanged=0,
            refused=tuple(refused),
            chunks=9 * added,
            pages=3 * added,
            seconds=0.1,
        )

    def sample(self, paths: Sequence[str], job: Job, passwords: Sequence[str] = ()) -> ReadSample:
        self.gate.wait(120)
        job.check()
        refused = tuple(Refusal(file=path, reason=f"{path}: {LOCKED}") for path in paths if "locked" in path)
        return ReadSample(files=len(paths), read=(), refused=refused)

    def preview(self, sample: ReadSample, choice: CuttingChoice, job: Job, collection: str = "") -> Preview:
        """By how it is cut, from 36 passages of 20 tokens upwards."""
        self.previewed.append(choice)
        if choice.size == self.held_size:
            self.gate.wait(120)
            job.check()
        size = choice.size or Chunking().target
        if size < SMALLEST:
            raise BadInput(source="size", problem=f"{size} tokens; this embedder allows {SMALLEST} to 206.")
        passage = PreviewPassage(
            document="SOP-PV-014.pdf",
            page=2,
            place="",
            heading="Case intake",
            tokens=size - 3,
            begins="The investigator reports every serious adverse event within",
            ends="24 hours. Day 0 is the day of receipt of the first report.",
            repeated=0,
        )
        return Preview(
            files=sample.files,
            documents=sample.files - len(sample.refused),
            pages=3 * sample.files,
            chunks=36 * 20 // size + 1,
            smallest=17,
            median=size - 9,
            largest=size,
            sizes=(2, 0, 1, 3, 4, 8, 12, 5, 1, 0, 0, 0),
            rules=Chunking(target=size, overlap=choice.overlap or 0),
            passages=(passage, replace(passage, page=3, repeated=41), passage),
            refused=sample.refused,
        )

    def collections(self) -> tuple[Collection, ...]:
        return tuple(
            Collection(
                name=name,
                documents=len(held),
                chunks=9 * len(held),
                pages=3 * len(held),
                embedder=digest("embed"),
                embedder_name="starter-embed",
                chunking=Chunking(),
                older=self.older,
            )
            for name, held in sorted(self.held.items())
        )

    def list(self, collection: str) -> tuple[tuple[Digest, Document], ...]:
        return tuple(self.held[collection].items())

    def outdated(self, collection: str, job: Job) -> str:
        return self.problem

    def gone(self, collection: str) -> tuple[tuple[Digest, Document, str], ...]:
        return tuple(self.taken_out)

    def show(self, document: Digest) -> Document:
        for held in (*self.held.values(), {one[0]: one[1] for one in self.taken_out}):
            if document in held:
                return held[document]
        raise NotFound(kind="document", name=document[:8], step="Add it again.")

    def out_of_search(self, document: Digest) -> tuple[str, bool]:
        return next(((time, False) for one, _, time in self.taken_out if one == document), ("", False))

    def page(self, document: Digest, page: int, zoom: float = 1.5) -> PageImage:
        if self.show(document).media != "application/pdf":
            raise Unsupported(source=self.show(document).name, reason="it has no pages.")
        width, height = round(420 * zoom), round(594 * zoom)
        return PageImage(width=width, height=height, scale=zoom, pixels=b"\xff" * (width * height * 3))

    def text(self, document: Digest, page: int) -> str:
        return PAGE_TEXT

    def place(self, document: Digest, page: int, start: int) -> str:
        return "line 1"

    def locate(self, document: Digest, page: int, quote: str) -> tuple[Rect, ...]:
        return (Rect(x0=40, y0=60, x1=350, y1=72),)

    def locate_overleaf(self, document: Digest, page: int, quote: str) -> tuple[Rect, ...]:
        return ()

    def remove(self, document: Digest, reason: str = "") -> None:
        self.reasons.append(reason)
        for held in self.held.values():
            held.pop(document, None)
        self._vault.happened(Act.REMOVE_DOCUMENTS, document)


class Refreshing:
    """Every refresh finds one new, one renamed and one that can't be read."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.followed: dict[str, tuple[str, ...]] = {}

    def folders(self, collection: str) -> tuple[str, ...]:
        return self.followed.get(collection, ())

    def follow(self, collection: str, folders: Sequence[str]) -> None:
        self.followed[collection] = (*self.folders(collection), *folders)

    def unfollow(self, collection: str) -> None:
        self.followed.pop(collection, None)

    def refresh(self, collection: str, job: Job) -> Refreshed:
        added = self._documents.add(AddDocuments(collection=collection, paths=("new.txt", "broken.pdf")), job)
        return Refreshed(
            collection=collection,
            folders=self.folders(collection),
            added=1,
            replaced=0,
            unchanged=2,
            renamed=1,
            removed=0,
            held=(),
            refused=added.refused,
            seconds=0.1,
        )


class Watched:
    """What is watched is due at every look."""

    def __init__(self, refreshing: Refreshing) -> None:
        self._refreshing = refreshing
        self.watched: set[str] = set()
        self.may = True
        self.changes: dict[str, Changes] = {}
        self.seen: dict[str, Seen] = {}

    def following(self, collection: str) -> Following:
        return Following(
            folders=self._refreshing.folders(collection),
            watched=collection in self.watched,
            may=self.may,
            changes=self.changes.get(collection),
        )

    def begin(self, collection: str, folders: Sequence[str] = ()) -> None:
        self._refreshing.follow(collection, folders)
        self.watched.add(collection)

    def pause(self, collection: str) -> None:
        self.watched.discard(collection)

    def look(self, job: Job) -> tuple[Seen, ...]:
        due = (Seen(collection=name, time=WHEN, due=True) for name in sorted(self.watched))
        return tuple(self.seen.get(one.collection, one) for one in due)

    def refresh(self, collection: str, job: Job) -> Refreshed:
        done = self._refreshing.refresh(collection, job)
        self.changes[collection] = Changes(time=WHEN, new=1, changed=0, renamed=1, gone=0)
        return done


class Rebuilding:
    """A document whose name begins with "locked" holds a rebuild up until its password is given."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.asked: list[Rebuild] = []
        self.begun: Plan | None = None

    def pending(self, collection: str) -> Plan | None:
        return self.begun

    def give_up(self, collection: str) -> None:
        self.begun = None
        self._documents._vault.happened(Act.ADD_DOCUMENTS, collection)

    def rebuild(self, request: Rebuild, job: Job, passwords: Sequence[str] = ()) -> Rebuilt:
        self.asked.append(request)
        held = [one.name for one in self._documents.held[request.collection].values()]
        plan = Plan(
            embedder=digest("embed"),
            embedder_name=request.embedder or "starter-embed",
            dimensions=8,
            route="",
            chunking=Chunking(target=request.size or Chunking().target),
            older=request.older,
        )
        self.begun = plan
        for done, _ in enumerate(held, 1):
            self._documents.gate.wait(120)
            job.report(done, len(held), "documents")
        refused = [name for name in held if name.startswith("locked") and "open sesame" not in passwords]
        if not refused:
            self.begun, self._documents.older = None, 0
        self._documents._vault.happened(Act.ADD_DOCUMENTS, request.collection)
        return Rebuilt(
            collection=request.collection,
            plan=plan,
            done=not refused,
            documents=1,
            unchanged=len(held) - 1,
            embedded=9,
            refused=tuple(Refusal(file=name, reason=f"{name}: {LOCKED}") for name in refused),
            left_out=0,
            seconds=0.1,
        )


class Comparing:
    """Each document has one earlier version; the real alignment, by equal words alone."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.pieces: dict[Digest, tuple[str, ...]] = {}
        self.compared: list[tuple[Digest, Digest]] = []

    def versions(self, reference: str) -> tuple[tuple[Digest, Document], ...]:
        collection, _, name = reference.partition("/")
        current = next(one for one in self._documents.held[collection].items() if one[1].name == name)
        return (current, (digest(f"before {name}"), replace(current[1], added="2026-10-01T09:30:00Z")))

    def compare(self, first: Digest, second: Digest, job: Job) -> Comparison:
        self.compared.append((first, second))
        usual = ("Reports are due in 24 hours.", "Day 0 is the day of receipt.", "Logs are kept for two years.")
        sides = [
            tuple(Piece(page=1, start=0, place=f"line {at}", text=text) for at, text in enumerate(texts, 1))
            for texts in (
                self.pieces.get(first, usual),
                self.pieces.get(second, (usual[0].replace("24", "72"), *usual[1:])),
            )
        ]
        likeness = np.array(
            [[SequenceMatcher(None, one.text, two.text).ratio() for two in sides[1]] for one in sides[0]],
            dtype=np.float32,
        )
        return Comparison(
            first=first,
            first_name="SOP-PV-014, edition 7.pdf",
            second=second,
            second_name="SOP-PV-014, edition 8.pdf",
            embedder=digest("embed"),
            rows=rows(sides[0], sides[1], likeness),
        )


class Assistants:
    """Answers with the two sentences of the page's text; a question with "hotel" in it is declined; `hold` keeps it streaming."""

    def __init__(self, vault: Vault, documents: Documents) -> None:
        self._vault, self._documents = vault, documents
        self._traces: list[tuple[Digest, Answer]] = []
        self.hold = False
        self.saved: dict[str, AssistantState] = {}
        self.asked: list[Question] = []
        self.shown: list[tuple[bytes, ...]] = []

    def ask(self, question: Question, job: Job, pictures: Sequence[bytes] = ()) -> Iterator[Found | Delta | Answered]:
        self.shown.append(tuple(pictures))
        self.asked.append(question)
        held = self._documents.held[question.collection]
        document, known = next(iter(held.items()))
        passage = Passage(
            chunk=1, document=document, name=known.name, page=2, text=PAGE_TEXT, heading="", score=0.91, rects=()
        )
        yield Found(passages=(passage,))
        while self.hold:
            job.check()
            time.sleep(0.005)
        first, second = PAGE_TEXT.split("\n")
        text = f"{first} {second} Weekends count double."
        declined = "hotel" in question.text
        for word in ("The documents don’t say." if declined else text).split(" "):
            yield Delta(text=f"{word} ")
        start = len(first) + 1
        answer = Answer(
            question=question,
            answer="The documents don’t say." if declined else text,
            abstained=declined,
            citations=()
            if declined
            else (
                Citation(number=1, document=document, name=known.name, page=2, quote=first, score=1.0, supported=True, start=0, end=len(first)),
                Citation(
                    number=2, document=document, name=known.name, page=2, quote=second, score=0.8, supported=True, start=start, end=start + len(second)  # noqa: E501
                ),
            ),
            passages=(passage, passage),
            sentences=0 if declined else 3,
            unsupported=() if declined else ((start + len(second) + 1, len(text)),),
            best_score=0.31,
            needed_score=0.5,
            model=QUOTES,
            model_digest="",
            prompt_digest="",
            rendered="",
            finish="stop",
            tokens=0,
            prompt_tokens=0,
            first_token_seconds=0.1,
            seconds=0.2,
            backend=QUOTES,
        )  # fmt: skip
        trace = digest(f"{len(self._traces)}{question.text}")
        self._traces.insert(0, (trace, answer))
        self._vault.happened(Act.ASK, question.collection)
        yield Answered(answer=answer, trace=trace)

    def list(self) -> tuple[AssistantState, ...]:
        return tuple(self.saved.values())

    def save(self, request: SaveAssistant) -> AssistantState:
        number = self.saved[request.name].assistant.number + 1 if request.name in self.saved else 1
        fields = {name: getattr(request, name) for name in SaveAssistant.__struct_fields__}
        made = Assistant(**fields, number=number, parent=None, author="ines", saved=WHEN)
        self.saved[request.name] = AssistantState(digest=digest(made.reference), assistant=made, created=True)
        self._vault.happened(Act.SAVE_ASSISTANT, request.name)
        return self.saved[request.name]

    def remove(self, name: str, reason: str = "") -> None:
        del self.saved[name]

    def traces(self, limit: int = 100) -> tuple[tuple[Digest, Answer], ...]:
        return tuple(self._traces[:limit])


class Models:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.held = [model("starter-embed", "embed"), model("starter-chat", "chat")]

    def add(self, request: AddModel, job: Job) -> ModelFile:
        added = model(Path(request.path).stem, "chat")
        self.held.append(added)
        self._vault.happened(Act.ADD_MODEL, added.name)
        return added

    def list(self) -> tuple[ModelFile, ...]:
        return tuple(self.held)

    def uses(self, reader: object, model: ModelFile) -> tuple[str, ...]:
        return ()

    def remove(self, name: str, reason: str = "") -> None:
        self.held = [one for one in self.held if one.name != name]
        self._vault.happened(Act.REMOVE_MODEL, name)


def model(name: str, purpose: str) -> ModelFile:
    return ModelFile(
        name=name,
        digest=digest(name),
        path=f"/models/{name}.gguf",
        size=25_000_000,
        modified_us=0,
        architecture="llama",
        purpose=purpose,
        quantization="q8_0",
        parameters=22_000_000,
        context=512,
        dimensions=384,
        has_template=purpose == "chat",
        licence="Apache-2.0",
        added=WHEN,
    )


class Datasets:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.held: dict[str, Dataset] = {}

    def add(self, request: AddDataset, job: Job) -> SavedDataset:
        samples = tuple(
            Sample(
                id=f"S-{number:02}",
                input=f"Question {number}?",
                target=f"{number}",
                document="SOP-PV-014.pdf",
                page=number,
            )
            for number in range(1, 41)
        )
        number = self.held[request.name].number + 1 if request.name in self.held else 1
        made = Dataset(
            name=request.name,
            number=number,
            samples=samples,
            source=Path(request.path).name,
            parent=None,
            author="ines",
            saved=WHEN,
        )
        self.held[request.name] = made
        self._vault.happened(Act.ADD_DATASET, request.name)
        return SavedDataset(digest=digest(request.name), dataset=made, created=True)

    def list(self) -> tuple[Dataset, ...]:
        return tuple(self.held.values())


class Drafting:
    def waiting(self) -> dict[str, int]:
        return {}


class Prompts:
    def list(self) -> tuple[PromptState, ...]:
        messages = (Message(role="user", content="{{ question }}"),)
        prompt = PromptVersion(
            name="cite-answers", number=2, messages=messages, notes="", parent=None, author="ines", saved=WHEN
        )
        return (PromptState(digest=digest("prompt"), prompt=prompt, labels=(), signed=()),)


class Engine:
    def loaded(self) -> tuple[object, ...]:
        return ()

    def budget(self) -> int:
        return 0


class Supervisor:
    """Its workers make a grey small copy of every picture, unless it says that it isn't one."""

    @contextmanager
    def start(self, spec: object, job: Job) -> Iterator["Supervisor"]:
        yield self

    def call(self, request: ShowPicture, reply: type[ShownPicture], job: Job) -> ShownPicture:
        if not request.data.startswith(b"picture"):
            raise BadInput(source=f"Picture {request.number}", problem="it can't be read. Give a PNG.")
        side = min(40, request.longest)
        return ShownPicture(
            width=640, height=640, shown_width=side, shown_height=side, pixels=b"\x80" * (side * side * 3)
        )


def unscreened(collection: str) -> ScreeningState:
    """Where a collection stands of which nothing was said."""
    policy = ScreeningPolicy(collection=collection)
    return ScreeningState(policy=policy, waiting=(), open={}, excluded=())


class StandIn:
    """What `core.workbench.Workbench` is for a page."""

    def __init__(self, folder: Path, roles: tuple[str, ...] = ("admin", "author")) -> None:
        self.vault = Vault(folder, roles)
        self.events = self.vault.events
        self.documents = Documents(self.vault)
        self.refreshing = Refreshing(self.documents)
        self.watched = Watched(self.refreshing)
        self.rebuilding = Rebuilding(self.documents)
        self.comparing = Comparing(self.documents)
        self.assistants = Assistants(self.vault, self.documents)
        self.models = Models(self.vault)
        self.engine = Engine()
        self.supervisor = Supervisor()
        self.model_cards = SimpleNamespace(list=tuple)
        self.model_aliases = SimpleNamespace(list=tuple)
        self.datasets = Datasets(self.vault)
        self.drafting = Drafting()
        self.prompts = Prompts()
        self.tagging = SimpleNamespace(counts=lambda collection: {"urgent": 2})
        self.screening = SimpleNamespace(collections=tuple, state=unscreened)
        self.closed = False
        self.on_close: Callable[[], None] | None = None

    def close(self) -> None:
        self.closed = True
