"""Making samples from documents, from answers that were given, and from failures of a run; and a person's word on each.

Everything comes in as a draft, and becomes a sample when a person accepts it, as it stands or edited. What a model wrote is synthetic from its
draft on. Questions are drafted one by one and kept as they come: stopping, or a crash, loses none, and going on skips the passages that were
asked about.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from core.assistants.records import QUOTES, Answer
from core.assistants.service import Assistants
from core.datasets import drafts, keeping, questions
from core.datasets.drafts import Draft, DraftView
from core.datasets.records import SYNTHETIC, Origin, Sample, SavedDataset
from core.datasets.texts import bare
from core.documents import passages
from core.documents import store as documents_store
from core.documents.records import Chunk
from core.errors import BadInput
from core.inference.records import Generate, Token
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import ModelFile
from core.models.service import Models
from core.records import Digest, Record
from core.retrieval.records import Search
from core.retrieval.service import Retrieval
from core.vault import versions
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

FOUND_WITHIN: Final = 8
"""The passage's page must be among so many that a search with the question finds."""
MOST: Final = 1_000
MAX_TOKENS: Final = 400
TRIES: Final = 3
"""Passages that are asked about for each question that is wanted, at most."""


class DraftQuestions(Record, frozen=True, kw_only=True):
    """Draft `count` questions on a collection's documents with a model. The seed decides which passages are asked about."""

    dataset: str
    collection: str
    model: str
    count: int = 20
    seed: int = 0


class Drafted(Record, frozen=True, kw_only=True):
    """How many drafts were made, and how many weren't kept, by their reason."""

    dataset: str
    made: int
    refused: dict[str, int]


class Drafting:
    """Drafts of samples in one open vault."""

    def __init__(
        self, vault: Vault, models: Models, engine: Engine, retrieval: Retrieval, assistants: Assistants
    ) -> None:
        self._vault = vault
        self._models = models
        self._engine = engine
        self._retrieval = retrieval
        self._assistants = assistants

    def draft(self, request: DraftQuestions, job: Job, watch: Callable[[DraftView], None] | None = None) -> Drafted:
        """Draft questions, each kept as it comes; `watch` is told of it. Raises `BadInput`, `NotFound`, and what a model raises."""
        versions.check_name(keeping.KIND, request.dataset)
        if not 1 <= request.count <= MOST:
            raise BadInput(source="The number of questions", problem=f"from 1 to {MOST:,} are drafted at once.")
        model = self._models.show(request.model)
        with self._vault.read() as reader:
            kept = documents_store.get(reader, request.collection)
            ids = _chunks(reader, kept.id)
            chunks = passages.chunks_of(reader, ids)
            names = passages.names(reader, (chunk.document for chunk in chunks.values()))
            done = drafts.passages(reader, request.dataset)
            before = {bare(view.draft.sample.input) for view in drafts.of(reader, request.dataset, drafts.STATES)}
            before |= {bare(sample.input) for sample in keeping.latest(reader, request.dataset)}
        waiting = [one for one in questions.worth_asking(list(chunks.values())) if _passage_key(one) not in done]
        random.Random(request.seed).shuffle(waiting)  # noqa: S311 (which passages, not a secret)
        refused: Counter[str] = Counter()
        made = 0
        job.report(0, request.count, "questions")
        for chunk in waiting[: request.count * TRIES]:
            job.check()
            found = self._asked(request, model, chunk, names[chunk.document], frozenset(before), job)
            if isinstance(found, str):
                refused[found] += 1
                continue
            before.add(bare(found.sample.input))
            with self._vault.write(Act.DRAFT_SAMPLE, about=f"{request.dataset}: a drafted question") as unit:
                number = drafts.put(unit, found, _passage_key(chunk), (chunk.document,))
                view = drafts.find(unit, number)
            made += 1
            if watch is not None:
                watch(view)
            job.report(made, request.count, "questions")
            if made == request.count:
                break
        return Drafted(dataset=request.dataset, made=made, refused=dict(refused))

    def from_answers(self, dataset: str, traces: Sequence[Digest]) -> Drafted:
        """Draft samples from answers in the vault: what was asked, with the answer as it was given. Raises `NotFound`."""
        versions.check_name(keeping.KIND, dataset)
        given = [(trace, self._assistants.trace(trace)) for trace in traces]
        refused: Counter[str] = Counter()
        made = 0
        with self._vault.write(Act.DRAFT_SAMPLE, about=f"{dataset}: drafts from {len(given)} answers") as unit:
            done = drafts.passages(unit, dataset)
            for trace, answer in given:
                if trace in done:
                    refused[questions.THERE] += 1
                    continue
                drafts.put(unit, _from_answer(dataset, trace, answer), trace, (trace, *_cited(answer)))
                made += 1
        return Drafted(dataset=dataset, made=made, refused=dict(refused))

    def from_failures(self, dataset: str, failed: Sequence[tuple[Sample, str]], run: str) -> Drafted:
        """Draft samples that a run failed, each with what went wrong; what was synthetic stays so."""
        versions.check_name(keeping.KIND, dataset)
        refused: Counter[str] = Counter()
        made = 0
        with self._vault.write(Act.DRAFT_SAMPLE, about=f"{dataset}: drafts from failures of {run}") as unit:
            done = drafts.passages(unit, dataset)
            for sample, note in failed:
                key = f"{run} {sample.id}"
                if key in done:
                    refused[questions.THERE] += 1
                    continue
                model = sample.origin.model if sample.origin is not None else ""
                origin = Origin(kind="failure", source=run, model=model, synthetic=sample.synthetic)
                own = msgspec.structs.replace(sample, origin=origin, split="")
                drafts.put(unit, Draft(dataset=dataset, sample=own, passage=sample.quote, note=note), key)
                made += 1
        return Drafted(dataset=dataset, made=made, refused=dict(refused))

    def list(self, dataset: str, states: Sequence[str] = ("waiting", "accepted")) -> tuple[DraftView, ...]:
        """The drafts of a dataset in these states, oldest first."""
        with self._vault.read() as reader:
            return drafts.of(reader, dataset, states)

    def waiting(self) -> dict[str, int]:
        """By dataset, how many drafts wait for a word or to be kept."""
        with self._vault.read() as reader:
            return drafts.counts(reader)

    def accept(self, number: int, edited: Sample | None = None) -> DraftView:
        """Accept a draft, as it stands or edited; it is kept with `keep`. Raises `NotFound`, `BadInput` where it can't be a sample."""
        with self._vault.write(Act.DRAFT_SAMPLE, about=f"draft {number} accepted") as unit:
            view = _open(drafts.find(unit, number))
            was = view.draft.sample
            sample = edited if edited is not None else was
            if not sample.input.strip() or not (sample.target or sample.answer or sample.unanswerable):
                raise BadInput(source=f"Draft {number}", problem="a sample needs a question and an answer.")
            origin = msgspec.structs.replace(was.origin or Origin(kind="person"), by=self._vault.user.user)
            tags = sample.tags if not was.synthetic or SYNTHETIC in sample.tags else (*sample.tags, SYNTHETIC)
            sample = msgspec.structs.replace(sample, id=was.id, origin=origin, tags=tags)
            changed = msgspec.structs.replace(view.draft, sample=sample, edited=view.digest)
            drafts.decide(unit, view, "accepted", changed)
            return drafts.find(unit, number)

    def reject(self, number: int) -> DraftView:
        """Reject a draft; its dataset never gets it. Raises `NotFound`, `BadInput` for one that is kept already."""
        return self._decided(number, "rejected")

    def reopen(self, number: int) -> DraftView:
        """Take back what was said of a draft. Raises `NotFound`, `BadInput` for one that is kept already."""
        return self._decided(number, "waiting")

    def keep(self, dataset: str, note: str = "") -> SavedDataset:
        """Keep the accepted drafts in the next version of their dataset. Raises `BadInput` where there is none."""
        with self._vault.write(Act.ADD_DATASET, about=dataset) as unit:
            accepted = drafts.of(unit, dataset, ("accepted",))
            if not accepted:
                raise BadInput(source=dataset, problem="no draft is accepted. Accept some first.")
            samples = [view.draft.sample for view in accepted]
            said = note or f"{len(samples)} accepted drafts"
            saved = keeping.append(unit, dataset, samples, "accepted drafts", said)
            for view in accepted:
                drafts.decide(unit, view, "kept")
        return saved

    def _decided(self, number: int, state: drafts.State) -> DraftView:
        with self._vault.write(Act.DRAFT_SAMPLE, about=f"draft {number} {state}") as unit:
            drafts.decide(unit, _open(drafts.find(unit, number)), state)
            return drafts.find(unit, number)

    def _asked(
        self, request: DraftQuestions, model: ModelFile, chunk: Chunk, name: str, before: frozenset[str], job: Job
    ) -> Draft | str:
        """The draft of a question on a passage, or why there is none."""
        asked = Generate(
            model=model.digest,
            messages=questions.messages(name, chunk.heading, chunk.text),
            max_tokens=MAX_TOKENS,
            seed=request.seed,
            schema=questions.SCHEMA,
        )
        parts = self._engine.generate(asked, job)
        written = questions.parsed("".join(part.text for part in parts if isinstance(part, Token)))
        if written is None:
            return questions.NO_FORM

        def place(question: str) -> int:
            search = Search(collection=request.collection, query=question, limit=FOUND_WITHIN)
            found = self._retrieval.search(search, job)
            at = [n for n, p in enumerate(found, 1) if (p.document, p.page) == (chunk.document, chunk.page)]
            return at[0] if at else 0

        checks = questions.checked(written, chunk.text, place, before)
        if isinstance(checks, str):
            return checks
        sample = Sample(
            id=f"doc-{_passage_key(chunk)[:10]}",
            input=written.question.strip(),
            target=written.answer.strip(),
            document=name,
            page=chunk.page,
            quote=written.quote.strip(),
            tags=(SYNTHETIC,),
            origin=Origin(kind="document", source=chunk.document, model=f"{model.name} {model.digest}", synthetic=True),
        )
        return Draft(dataset=request.dataset, sample=sample, passage=chunk.text, checks=checks)


def _chunks(reader: Reader, collection: int) -> list[int]:
    """The chunks of a collection's current documents."""
    rows = reader.db.execute(
        "SELECT c.id FROM documents d JOIN chunks c ON c.document = d.id WHERE d.collection = ? AND d.current = 1 ORDER BY c.id",
        (collection,),
    )
    return [int(chunk) for (chunk,) in rows]


def _open(view: DraftView) -> DraftView:
    if view.state == "kept":
        raise BadInput(source=f"Draft {view.number}", problem="it is a sample already. Edit the dataset instead.")
    return view


def _passage_key(chunk: Chunk) -> str:
    return hashlib.sha256(f"{chunk.document} {chunk.page} {chunk.start}".encode()).hexdigest()


def _cited(answer: Answer) -> tuple[Digest, ...]:
    return tuple(dict.fromkeys(citation.document for citation in answer.citations))


def _from_answer(dataset: str, trace: Digest, answer: Answer) -> Draft:
    """What was asked, and the answer, which a model wrote unless it is made of quotes."""
    cited = next((citation for citation in answer.citations if citation.supported), None)
    by_model = answer.model != QUOTES
    sample = Sample(
        id=f"ask-{trace[:10]}",
        input=answer.question.text,
        answer="" if answer.abstained else answer.answer,
        unanswerable=answer.abstained,
        document=cited.name if cited is not None else "",
        page=cited.page if cited is not None else None,
        quote=cited.quote if cited is not None else "",
        tags=(SYNTHETIC,) if by_model else (),
        origin=Origin(
            kind="trace",
            source=trace,
            model=f"{answer.model} {answer.model_digest}" if by_model else "",
            synthetic=by_model,
        ),
    )
    passage = answer.passages[0].text if answer.passages else ""
    return Draft(dataset=dataset, sample=sample, passage=passage)
