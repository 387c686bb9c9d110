"""A workbench in memory for the playground: typed prompts, models that answer with what they were given, datasets that keep samples."""

import time
from collections.abc import Iterator
from pathlib import Path

from core.assistants.prompting import settled
from core.assistants.records import Answer, Answered, Delta, Found, Question
from core.datasets.records import Dataset, SavedDataset, SaveSamples
from core.errors import Unavailable
from core.inference.records import Message
from core.jobs import Job
from core.prompts.contracts import kept
from core.prompts.records import Contract, PromptState, PromptVersion, Sampling, SavePrompt, Variable
from core.prompts.service import drafted
from core.retrieval.records import Passage
from core.vault.roles import Act
from tests.unit.app.standin import PAGE_TEXT, WHEN, StandIn, digest, model

TEXT = Message(role="user", content="In a {{ tone }} tone, at most {{ words }} words: {{ text }}")
VARIABLES = (
    Variable(name="text", source="input"),
    Variable(name="tone", kind="choice", choices=("calm", "warm"), description="How it sounds"),
    Variable(name="words", kind="number", default=40, least=5, most=90),
)
SORT = SavePrompt(
    name="classify",
    messages=(Message(role="user", content="What is it? {{ question }}"),),
    contract=Contract(form="choice", choices=("complaint", "question")),
    settings=Sampling(max_tokens=24),
)
TYPED = SavePrompt(name="summarise", messages=(TEXT,), variables=VARIABLES)


class Prompts:
    def __init__(self) -> None:
        self.held = [
            drafted(TYPED, 2, None, "ines", WHEN),
            drafted(
                SavePrompt(name="summarise", messages=(Message(role="user", content="{{ question }}"),)),
                1,
                None,
                "ines",
                WHEN,
            ),
            drafted(SORT, 1, None, "ines", WHEN),
        ]

    def list(self) -> tuple[PromptState, ...]:
        return tuple(self._state(one) for one in (self.held[0], self.held[2]))

    def versions(self, name: str) -> tuple[PromptState, ...]:
        return tuple(self._state(one) for one in self.held if one.name == name)

    def _state(self, prompt: PromptVersion) -> PromptState:
        labels = ("production",) if prompt.reference == "summarise@2" else ()
        return PromptState(digest=digest(prompt.reference), prompt=prompt, labels=labels, signed=())


class Assistants:
    """Each answers with its prompt, its model and its values; `hold` keeps all of them streaming; a model named broken fails."""

    def __init__(self, bench: "PlayBench") -> None:
        self._bench = bench
        self.hold = False
        self.asked: list[Question] = []
        self.under_way = 0

    def ask(self, question: Question, job: Job) -> Iterator[Found | Delta | Answered]:
        self.asked.append(question)
        if question.model == "broken-7b":
            raise Unavailable(what="broken-7b needs 9.0 GiB and 2.1 are free", step="Choose a smaller model.")
        (prompt,) = (one for one in self._bench.prompts.held if one.reference == question.prompt)
        passages = (
            (Passage(chunk=1, document=digest("d"), name="SOP.pdf", page=2, text=PAGE_TEXT, heading="", score=0.9),)
            if question.collection
            else ()
        )
        yield Found(passages=passages)
        self.under_way += 1
        while self.hold:
            job.check()
            time.sleep(0.005)
        values = ", ".join(f"{name} {value}" for name, value in question.values.items())
        text = f"{question.model} with {question.prompt}: {question.text} {values}".strip()
        for word in text.split(" "):
            yield Delta(text=f"{word} ")
        contract, broken = kept(prompt.promised, text, "")
        whole = Answer(
            question=settled(question, prompt),
            answer=text,
            abstained=False,
            citations=(),
            passages=passages,
            sentences=1,
            unsupported=(),
            best_score=0.0,
            needed_score=0.0,
            model=question.model,
            model_digest=digest(question.model),
            prompt_digest=digest(question.prompt or ""),
            rendered=f"<|user|>{prompt.messages[0].content}<|assistant|>",
            finish="stop",
            tokens=len(text.split()),
            prompt_tokens=84,
            first_token_seconds=0.1,
            seconds=0.8,
            backend="stand-in",
            contract=contract,
            broken=broken,
        )
        yield Answered(answer=whole, trace=digest(f"trace {len(self.asked)}"))


class Datasets:
    def __init__(self, bench: "PlayBench") -> None:
        self._bench = bench
        self.held: dict[str, Dataset] = {}

    def list(self) -> tuple[Dataset, ...]:
        return tuple(self.held.values())

    def save(self, request: SaveSamples) -> SavedDataset:
        before = self.held.get(request.name)
        assert request.based_on == (before.reference if before else "")
        made = Dataset(
            name=request.name,
            number=before.number + 1 if before else 1,
            samples=request.samples,
            source="",
            parent=None,
            author="ines",
            saved=WHEN,
        )
        self.held[request.name] = made
        self._bench.vault.happened(Act.ADD_DATASET, request.name)
        return SavedDataset(digest=digest(made.reference), dataset=made, created=True)


class PlayBench(StandIn):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.prompts = Prompts()  # type: ignore[assignment]
        self.assistants = Assistants(self)  # type: ignore[assignment]
        self.datasets = Datasets(self)  # type: ignore[assignment]
        self.models.held = [model(name, "chat") for name in ("starter-chat", "corvid-1.5b", "broken-7b")]
