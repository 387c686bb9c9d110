"""A question, what comes back while it is answered, and the trace that is kept."""

from typing import Any, Literal

from msgspec import field

from core.guards.records import Guarded
from core.inference.records import AdapterUse
from core.records import Digest, Record
from core.retrieval.records import Finding, Passage, Settings

QUOTES = "quotes"
"""The mode that needs no generative model: the passages' most relevant sentences, verbatim."""


class Question(Record, frozen=True, kw_only=True):
    """What is asked of which collection, and who answers: `quotes`, or a model with a prompt version."""

    collection: str
    """Empty to ask a model alone, without documents."""
    text: str
    model: str = QUOTES
    prompt: str | None = None
    passages: int = 6
    """How many passages are found and shown to the model."""
    max_tokens: int = 256
    seed: int = 0
    mode: str = "reproducible"
    trim: Literal["refuse", "passages"] = "refuse"
    """What happens when the prompt doesn't fit: an error with the numbers, or the least relevant passages are left out, one by one."""
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repeat_penalty: float = 1.0
    adapters: tuple[AdapterUse, ...] = ()
    finding: Finding = Finding()
    """Further collections, filters, and in what order passages are shown."""
    earlier: tuple[str, ...] = ()
    """What was asked before in the conversation, oldest first; a question that refers to it is searched for together with it."""
    without_support: Literal["mark", "decline"] = "mark"
    """What becomes of a model's answer of which no sentence has support: it is marked, or the answer is that the documents don't say."""
    fallback: str = ""
    """What is answered where the documents don't say; the usual sentence, or the model's own, where it is empty."""
    assistant: str = ""
    """The saved assistant that is asked, as `name@number`; the rest of the question is what it says."""
    pictures: tuple[Digest, ...] = ()
    """Pictures that the model sees before the question, by the SHA-256 of their files; the vault keeps them with the trace."""
    values: dict[str, Any] = field(default_factory=dict)
    """What a person fills the prompt's variables with, by their names."""
    texts: tuple[str, ...] = ()
    """What is asked about, in place of a collection's passages. The trace has them as its passages."""
    sampling: Literal["prompt", "question"] = "prompt"
    """Whose settings hold: the prompt version's, those that it has, or the question's own."""
    stop: tuple[str, ...] = ()


class Citation(Record, frozen=True, kw_only=True):
    """The sentence of a document that a part of the answer rests on."""

    number: int
    """The passage's number in the answer, from 1."""
    document: Digest
    name: str
    page: int
    quote: str
    score: float
    """How well the quote supports the answer: 1.0 for verbatim, else the cosine of the two sentences."""
    supported: bool
    start: int
    """Where in the answer the supported sentence starts and ends, in characters."""
    end: int
    place: str = ""
    """Where the quote begins, in words, as of `Passage.place`."""


class Support(Record, frozen=True, kw_only=True):
    """What one sentence of an answer rests on."""

    start: int
    end: int
    passage: int
    """The passage that says most nearly the same, from 1; 0 where there is none."""
    score: float
    supported: bool
    misquoted: bool = False
    """It holds words in quotation marks that stand in no passage."""


class Answer(Record, frozen=True, kw_only=True, tag="answer"):
    """One question with its answer, everything that it rests on, and how it was made. Stored as the trace."""

    question: Question
    answer: str
    abstained: bool
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    sentences: int
    """How many sentences the answer has; 0 when it abstains."""
    unsupported: tuple[tuple[int, int], ...]
    """Those of them, by character, for which no support was found in any passage."""
    best_score: float
    needed_score: float
    """In quotes mode, the score of the best sentence and the score that an answer needs; else 0."""
    model: str
    model_digest: str
    prompt_digest: str
    rendered: str
    """The prompt exactly as the model saw it; empty in quotes mode."""
    finish: str
    tokens: int
    prompt_tokens: int
    first_token_seconds: float
    seconds: float
    backend: str
    found_with: Settings | None = None
    """What the passages were found with; None in answers that were given before that was kept, and without documents."""
    searched: str = ""
    """What was searched for, where that isn't the question as it was asked."""
    support: tuple[Support, ...] = ()
    """Of each sentence of a model's answer from documents; empty in evaluations, and in older answers that only have what is unsupported."""
    withdrawn: str = ""
    """What the model wrote, where it had no support and the answer is that the documents don't say."""
    declined: str = ""
    """How the model said that the documents don't say, where the question's own fallback stands in place of it."""
    assistant_digest: str = ""
    """Of the saved assistant's version that was asked."""
    contract: Literal["", "kept", "broken"] = ""
    """Whether the answer has the form that its prompt version promises; empty where that promises none."""
    broken: str = ""
    """How it breaks that form."""
    left_out: int = 0
    """Passages that were found and not shown to the model, because the prompt didn't fit with them."""
    guarded: tuple[Guarded, ...] = ()
    """What guards found in question, passages and answer, and what became of it."""


class Found(Record, frozen=True, kw_only=True, tag="found"):
    """The passages, before the first word of the answer."""

    passages: tuple[Passage, ...]


class Delta(Record, frozen=True, kw_only=True, tag="delta"):
    """The next piece of the answer's text."""

    text: str
    misquoted: bool = False
    """It is a quotation whose words stand in no passage."""


class Answered(Record, frozen=True, kw_only=True, tag="answered"):
    """The whole answer, last; `trace` is its digest in the vault, empty while it isn't stored."""

    answer: Answer
    trace: str = ""


AnswerPart = Found | Delta | Answered
