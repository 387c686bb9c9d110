"""Assistants: ask a collection, keep the trace; and save assistants under names (`saved`).

Each answer is stored with its passages, its rendered prompt and its timings before the caller gets it as `Answered`; a question that is
stopped half-way leaves no answer. With a model and no prompt, the prompt that ships with the program is used, and the trace says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec import structs

from core.assistants import saved, store
from core.assistants.answering import Context, answer
from core.assistants.guarding import Guards
from core.assistants.pictures import seeing, shown
from core.assistants.records import QUOTES, Answer, Answered, AnswerPart, Question
from core.assistants.saved import AssistantState, SaveAssistant
from core.documents import passages
from core.documents.screening import store as screening_store
from core.documents.service import Documents
from core.errors import BadInput
from core.guards import guarding
from core.guards.classifiers import ByLikelihood
from core.inference.service import Engine
from core.jobs import Job
from core.models import cards
from core.models.service import Models
from core.models.store import aliases as aliases_of
from core.paths import RESOURCES
from core.prompts.files import read_prompt
from core.prompts.records import PromptVersion
from core.prompts.service import Prompts
from core.records import Digest
from core.retrieval.records import Search, Settings
from core.retrieval.service import Retrieval
from core.trust.canonical import NONCE, digest, record_bytes
from core.vault.roles import Act
from core.vault.vault import Vault

BUILT_IN = RESOURCES / "prompts" / "answer.yaml"
OF_QUESTION = RESOURCES / "prompts" / "picture.yaml"
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]


class Embedding(Protocol):
    def __call__(self, texts: Sequence[str]) -> Matrix: ...


class Assistants:
    """Answers over the collections of one open vault."""

    def __init__(
        self, vault: Vault, models: Models, engine: Engine, documents: Documents, retrieval: Retrieval, prompts: Prompts
    ) -> None:
        self._vault = vault
        self._models = models
        self._engine = engine
        self._documents = documents
        self._retrieval = retrieval
        self._prompts = prompts

    def ask(self, question: Question, job: Job, pictures: Sequence[bytes] = ()) -> Iterator[AnswerPart]:
        """The parts of the answer as they come; the last is `Answered` with the digest of the stored trace, which keeps the pictures.

        `pictures`: files (PNG, JPEG, WebP, GIF, BMP, TIFF) that the model sees; a model needs no collection; quotes do. Raises `BadInput` for
        one that can't be read, `NotFound` for an unknown collection, model or prompt, `Refused` for a model that the policy wants approved first,
        `ContextExceeded`, `Cancelled`, `WorkerFailed`.
        """
        if not question.text.strip():
            raise BadInput(source="question", problem="it is empty.")
        asked = self._asked(question)
        if question.model != QUOTES:
            for name in (question.model, *(use.model for use in question.adapters)):
                cards.check_use(self._vault, self._models.show(name), "answers")
        if question.collection or (question.model == QUOTES and not (question.prompt or pictures)):
            self._documents.collection(question.collection)
        question = shown(question, pictures)
        context = replace(seeing(self._asked_alone(question, self.context(question, job)), pictures), each=True)
        for part in answer(question, context, job):
            if isinstance(part, Answered):
                whole = structs.replace(self._placed(part.answer), assistant_digest=asked)
                yield Answered(answer=whole, trace=self._keep(whole, pictures))
            else:
                yield part

    def question(self, assistant: str, text: str, earlier: Sequence[str] = ()) -> Question:
        """What `ask` takes to ask a saved assistant, by `name` or `name@number`. Raises `NotFound`."""
        return saved.question(self.find(assistant).assistant, text, earlier)

    def save(self, request: SaveAssistant) -> AssistantState:
        """Keep a new version of an assistant, or find that it equals the latest.

        Raises `BadInput`, `NotFound` (a collection, model, adapter or prompt), `Refused`.
        """
        for collection in request.collections:
            self._documents.collection(collection)
        with self._vault.read() as reader:
            aliases = [alias.name for alias in aliases_of(reader)]
        given = saved.resolved(self._models, self._prompts, aliases, request)
        with self._vault.write(Act.SAVE_ASSISTANT, about=request.name) as unit:
            return saved.keep(unit, given, self._vault.user.user)

    def list(self) -> tuple[AssistantState, ...]:
        """The saved assistants, each as its latest version, by name."""
        with self._vault.read() as reader:
            return saved.latest(reader)

    def find(self, reference: str) -> AssistantState:
        """A saved assistant, by `name` or `name@number`. Raises `NotFound`, also for one that was removed."""
        with self._vault.read() as reader:
            return saved.find(reader, reference)

    def versions(self, name: str) -> tuple[AssistantState, ...]:
        """All that an assistant was, newest first; the last version of one that was removed says so. Raises `NotFound`."""
        with self._vault.read() as reader:
            return saved.history(reader, name)

    def remove(self, name: str, reason: str = "") -> None:
        """End an assistant; its versions and answers stay. Raises `NotFound`, `Refused`."""
        with self._vault.write(Act.REMOVE_ASSISTANT, about=name, reason=reason) as unit:
            last = saved.find(unit, name).assistant
            saved.keep(unit, structs.replace(last, removed=True), self._vault.user.user)

    def context(self, question: Question, job: Job) -> Context:
        """What `answering` needs for a question: the collection's embedder, the model, the prompt version.

        Without a collection nothing is found and nothing embedded.
        """
        embedder = self._documents.collection(question.collection).embedder if question.collection else Digest("")

        def embed(texts: Sequence[str]) -> Matrix:
            return self._engine.embed(texts, embedder, job)

        found_with = self._found_with(question)
        if question.model == QUOTES:
            return Context(
                search=self._retrieval.search,
                embed=embed,
                generate=self._engine.generate,
                found_with=found_with,
                guards=self._guards(question),
            )
        model = self._models.show(question.model)
        prompt, prompt_digest = self._prompt(question)
        return Context(
            search=self._retrieval.search,
            embed=embed,
            generate=self._engine.generate,
            prompt=prompt,
            prompt_digest=prompt_digest,
            model_digest=model.digest,
            found_with=found_with,
            values=self._prompts.values,
            guards=self._guards(question),
        )

    def _placed(self, answer: Answer) -> Answer:
        """The answer, its citations with where their quotes begin."""
        around = {(one.document, one.page): one.place for one in reversed(answer.passages)}
        with self._vault.read() as reader:
            citations = tuple(
                structs.replace(
                    one,
                    place=(passages.place_of_quote(reader, one.document, one.page, one.quote) if one.document else "")
                    or around.get((one.document, one.page), ""),
                )
                for one in answer.citations
            )
        return structs.replace(answer, citations=citations)

    def traces(self, limit: int = 100) -> tuple[tuple[Digest, Answer], ...]:
        """The latest answers with their digests, newest first."""
        with self._vault.read() as reader:
            return tuple((found, reader.get(found, Answer)) for found in store.latest(reader, limit))

    def trace(self, found: Digest) -> Answer:
        """One stored answer."""
        with self._vault.read() as reader:
            return reader.get(found, Answer)

    def _asked(self, question: Question) -> str:
        """The digest of the assistant's version that is asked; "" where none is. Raises `NotFound`, `Unavailable`, `BadInput`."""
        if not question.assistant:
            return ""
        state = self.find(question.assistant)
        own = saved.question(state.assistant, question.text, question.earlier)
        fixed = own.values.items() <= question.values.items()
        if not fixed or structs.replace(own, values=question.values) != question:  # other variables are asked
            raise BadInput(
                source=question.assistant, problem="this isn't what the assistant asks. Ask it as it was saved."
            )
        saved.check_unchanged(self._models, self._prompts, state.assistant)
        return state.digest

    def _guards(self, question: Question) -> Guards | None:
        """The strictest of what the question's collections want."""
        names = dict.fromkeys(name for name in (question.collection, *question.finding.also) if name)
        with self._vault.read() as reader:
            policy = guarding.strictest([screening_store.policy(reader, name).guards for name in names])
        if {policy.input, policy.passages, policy.output} == {"off"}:
            return None
        judge = None
        if policy.classifier:
            model = self._models.show(policy.classifier)
            judge = ByLikelihood(self._engine.weigh, model.digest, model.name)
        return Guards(policy, judge)

    def _asked_alone(self, question: Question, context: Context) -> Context:
        """The same, where a model is asked with nothing beside the question: a prompt that speaks of passages would mislead it."""
        if question.model == QUOTES or question.collection or question.prompt or question.texts:
            return context
        prompt, prompt_digest = _shipped(OF_QUESTION)
        return replace(context, prompt=prompt, prompt_digest=prompt_digest)

    def _found_with(self, question: Question) -> Settings | None:
        if not question.collection:
            return None
        wanted = Search(
            collection=question.collection, query=question.text, limit=question.passages, finding=question.finding
        )
        return self._retrieval.settings(wanted)

    def _prompt(self, question: Question) -> tuple[PromptVersion, str]:
        if question.prompt:
            state = self._prompts.show(question.prompt)
            return state.prompt, state.digest
        return _shipped(OF_QUESTION if question.pictures and not question.collection else BUILT_IN)

    def _keep(self, given: Answer, pictures: Sequence[bytes]) -> str:
        documents = tuple(dict.fromkeys(citation.document for citation in given.citations))
        with self._vault.write(Act.ASK, about=given.question.collection) as unit:
            seen = dict.fromkeys(unit.seal((picture,)) for picture in pictures)
            kept = unit.put(given, links=(*documents, *seen))
            unit.note(touched=documents)
            store.insert(unit, kept, given.question.collection, given.question.finding.also)
        return kept


def _shipped(file: Path) -> tuple[PromptVersion, str]:
    shipped = read_prompt(file)
    prompt = PromptVersion(
        version=1,
        name=shipped.name,
        number=1,
        messages=shipped.messages,
        notes=shipped.notes,
        parent=None,
        author="assay",
        saved="",
    )
    return prompt, digest(record_bytes(prompt, bytes(NONCE)))
