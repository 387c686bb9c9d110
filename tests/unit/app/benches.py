"""A workbench for page tests: a real vault with the real prompts, datasets and evaluations, and stand-ins where a child process would be.

The documents are the quotes of the example's questions, found by the words that they share with a question; the model copies the first
passage, and errs where its prompt's first version would. Everything is deterministic.
"""

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import jinja2
import jinja2.meta
import numpy as np

from core.assistants.answering import Context
from core.assistants.records import QUOTES, Question
from core.datasets.drafting import Drafting
from core.datasets.records import AddDataset, Sample
from core.datasets.service import Datasets
from core.documents.screening.service import Screening
from core.documents.watched import Following
from core.errors import NotFound, TemplateError
from core.evals.files import read_spec
from core.evals.service import Evals
from core.evidence.service import Evidence
from core.inference.records import Complete, Finished, Generate, Message, Token
from core.jobs import Job
from core.paths import RESOURCES
from core.prompts.files import read_prompt
from core.prompts.service import Prompts
from core.records import Digest, Json
from core.retrieval.records import Passage, Search
from core.vault.vault import Vault

EXAMPLE = RESOURCES / "example"
MODEL = Digest("c0" * 32)


class Templates:
    """Checks and renders templates in place of the inference worker."""

    def loaded(self) -> tuple[object, ...]:
        return ()

    def budget(self) -> int:
        return 0

    def check_template(self, source: str, text: str) -> None:
        try:
            jinja2.Environment(autoescape=True).parse(text)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(source=source, line=error.lineno, problem=f"{error.message}") from error

    def template_lines(self, source: str, text: str) -> dict[str, int]:
        self.check_template(source, text)
        tree = jinja2.Environment(autoescape=True).parse(text)
        names = jinja2.meta.find_undeclared_variables(tree)
        lines = {node.name: node.lineno for node in reversed(list(tree.find_all(jinja2.nodes.Name)))}
        return {name: lines[name] for name in names}

    def render(
        self, messages: Sequence[Message], variables: dict[str, Json], job: Job | None = None
    ) -> tuple[Message, ...]:
        made = jinja2.Environment(autoescape=False)  # noqa: S701 (plain text)
        return tuple(Message(role=m.role, content=made.from_string(m.content).render(variables)) for m in messages)


class Library:
    """Stands for documents, retrieval, models and the engine."""

    def __init__(self) -> None:
        self.samples: tuple[Sample, ...] = ()
        self.before_answer = lambda: None

    def collection(self, name: str) -> SimpleNamespace:
        if name != "merrowdale":
            raise NotFound(kind="collection", name=name, step="Add documents first.")
        return SimpleNamespace(name=name, documents=9, chunks=40, embedder="starter-embed")

    def gone(self, collection: str) -> tuple[()]:
        return ()

    def outdated(self, collection: str, job: Job) -> str:
        return ""

    def collections(self) -> tuple[SimpleNamespace, ...]:
        return (self.collection("merrowdale"),)

    def list(self, collection: str = "") -> tuple[tuple[Digest, SimpleNamespace], ...]:
        return ()

    def show(self, name: str) -> SimpleNamespace:
        if name not in ("starter-chat", "fake", MODEL):
            raise NotFound(kind="model", name=name, step="Add it first.")
        return SimpleNamespace(
            name="starter-chat" if name == MODEL else name, digest=MODEL, purpose="chat", size=1_000_000
        )

    def context(self, question: Question, job: Job) -> Context:
        return Context(
            search=self.search,
            embed=embed,
            generate=self.generate,
            prompt=None if question.model == QUOTES else self.prompts.show(question.prompt or "").prompt,
            model_digest="" if question.model == QUOTES else MODEL,
        )

    def search(self, search: Search, job: Job) -> tuple[Passage, ...]:
        self.before_answer()
        held = [sample for sample in self.samples if sample.quote]
        wanted = embed([search.query])[0]
        scored = sorted(held, key=lambda sample: -float(embed([sample.quote])[0] @ wanted))
        return tuple(
            Passage(
                chunk=position,
                document=Digest(f"{zlib.crc32(sample.document.encode()):08x}" * 8),
                name=sample.document,
                page=sample.page or 1,
                text=sample.quote,
                heading="",
                score=round(float(embed([sample.quote])[0] @ wanted), 4),
                rects=(),
            )
            for position, sample in enumerate(scored[: search.limit])
        )

    def generate(self, request: Generate | Complete, job: Job) -> Iterator[Token | Finished]:
        request = request.request if isinstance(request, Complete) else request
        prompt = request.messages[-1].content
        passages = (request.variables or {}).get("passages")
        first = passages[0]["text"] if isinstance(passages, list) and passages else ""
        careful = "replace" in prompt
        text = f"{first} [1]" if careful or zlib.crc32(str(first).encode()) % 3 else "It depends on the site."
        yield Token(text=text)
        yield Finished(
            reason="stop",
            prompt=f"{request.messages[0].content}\n\n[1] {first}\n\nQuestion: {(request.variables or {}).get('question')}",
            prompt_tokens=len(str(first).split()) + 40,
            tokens=len(text.split()),
            first_token_seconds=0.1,
            seconds=0.3,
            backend="stand-in",
        )


def embed(texts: Sequence[str]) -> np.ndarray:
    """Vectors of the words' hashes, of length 1."""
    made = np.zeros((len(texts), 512), dtype=np.float32)
    for position, text in enumerate(texts):
        for word in re.findall(r"\w{3,}", text.casefold()):
            made[position, zlib.crc32(word.encode()) % 512] += 1
        made[position] /= math.sqrt(float(made[position] @ made[position])) or 1.0
    return made


class Bench:
    """What a page sees of a workbench."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.events = vault.events
        self.engine = Templates()
        self.library = Library()
        self.documents = self.models = self.library
        self.models = SimpleNamespace(
            list=lambda: (self.library.show("starter-chat"), self.library.show("fake")), show=self.library.show
        )
        self.prompts = Prompts(vault, self.engine)  # type: ignore[arg-type]
        self.library.prompts = self.prompts  # type: ignore[attr-defined]
        self.datasets = Datasets(vault)
        self.drafting = Drafting(vault, self.models, self.library, self.library, self.library)  # type: ignore[arg-type]
        self.evals = Evals(vault, self.models, self.documents, self.prompts, self.datasets, self.library)  # type: ignore[arg-type]

        self.evidence = Evidence(vault, self.evals)
        self.rebuilding = SimpleNamespace(pending=lambda collection: None)
        self.watched = SimpleNamespace(following=lambda collection: Following(), look=lambda job: ())
        self.screening = Screening(vault, self.library)  # type: ignore[arg-type]

    def close(self) -> None:
        self.vault.close()

    def with_prompts(self) -> "Bench":
        """Two versions of the example's prompt, the second with a label."""
        for number in (1, 2):
            self.prompts.save(read_prompt(EXAMPLE / "prompts" / f"cite-answers-v{number}.yaml", "cite-answers"))
        self.prompts.label("cite-answers@2", "candidate")
        return self

    def with_dataset(self) -> "Bench":
        """The example's questions, of which the library then knows the quotes."""
        saved = self.datasets.add(
            AddDataset(name="merrowdale-questions", path=str(EXAMPLE / "questions.jsonl")), Job("Read")
        )
        self.library.samples = saved.dataset.samples
        return self

    def with_spec(self) -> "Bench":
        """The example's evaluation."""
        self.evals.save(read_spec(EXAMPLE / "evaluation.yaml"))
        return self
