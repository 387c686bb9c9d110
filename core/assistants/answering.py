"""Answering one question: find passages, answer from them, and say for each sentence what it rests on. Pure: the service persists.

Rules: passages are shown before the first word; with a model, the prompt version is rendered in the inference worker; what its sentences rest on is
found as `supporting` says; an answer that says it is not in the documents is recognised and cites nothing; where the question wants it, an answer
of which no sentence has support is withdrawn for that. A question that refers to earlier ones is searched for together with them.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import chain

from msgspec.structs import replace

from core.assistants import quotes
from core.assistants.follow_ups import standalone
from core.assistants.guarding import Guards
from core.assistants.prompting import given, settled, texts_as_passages
from core.assistants.records import QUOTES, Answer, Answered, AnswerPart, Citation, Delta, Found, Question, Support
from core.assistants.supporting import Checked, Quotations
from core.errors import ContextExceeded, NotFound
from core.inference.records import Finished, Generate, Token
from core.jobs import Job
from core.prompts.contracts import asked_for, kept
from core.prompts.filling import fill
from core.prompts.records import Given, PromptVersion
from core.records import Digest, Json
from core.retrieval.records import Passage, Search, Settings

DECLINED = "The documents don’t say."
REFUSALS = (
    "the documents don't say",
    "the documents do not say",
    "not stated in the documents",
    "the documents do not state",
    "the documents don't state",
    "no answer in the documents",
)
"""How answers begin that decline, in lower case with plain apostrophes; the starter model's own wording is among them."""


def plain_values(prompt: PromptVersion, values: Given) -> dict[str, Json]:
    """Of a prompt without examples."""
    return fill(prompt, values, _no_examples)


def _no_examples(reference: str) -> tuple[str, tuple[dict[str, Json], ...]]:
    raise NotFound(kind="dataset", name=reference, step="Its examples can't be shown here.")


@dataclass(frozen=True)
class Context:
    """What an answer is made with: finding, embedding, and for a model its prompt version and digest."""

    search: Callable[[Search, Job], tuple[Passage, ...]]
    embed: quotes.Embed
    generate: Callable[[Generate, Job], Iterator[Token | Finished]]
    prompt: PromptVersion | None = None
    prompt_digest: str = ""
    model_digest: str = ""
    found_with: Settings | None = None
    pictures: tuple[bytes, ...] = ()
    """The files of the question's pictures."""
    values: Callable[[PromptVersion, Given], dict[str, Json]] = plain_values
    """What the prompt is filled with."""
    fields: Mapping[str, Json] = dataclass_field(default_factory=dict)
    """What a sample knows beside its question, for the prompt; not kept with the answer."""
    guards: Guards | None = None
    """Look at question, passages and answer; none where it is None."""
    each: bool = False
    """Whether answers carry the support of each sentence also where the question only wants what has none marked."""


def answer(question: Question, context: Context, job: Job) -> Iterator[AnswerPart]:
    """The parts of an answer in order: `Found`, any number of `Delta`, one `Answered`."""
    if context.guards is not None:
        yield from context.guards.answer(question, context, job, answer)
        return
    started = time.monotonic()
    passages: tuple[Passage, ...] = ()
    if question.collection:
        search = Search(
            collection=question.collection,
            query=standalone(question.text, question.earlier),
            limit=question.passages,
            finding=question.finding,
        )
        passages = context.search(search, job)
    elif question.texts:
        passages = texts_as_passages(question.texts)
        question = replace(question, texts=())
    yield Found(passages=passages)
    job.check()
    if question.model == QUOTES:
        yield from _by_quotes(question, passages, context, started)
    else:
        yield from _by_model(question, passages, context, job, started)


def _by_quotes(
    question: Question, passages: tuple[Passage, ...], context: Context, started: float
) -> Iterator[AnswerPart]:
    ranked = quotes.rank(standalone(question.text, question.earlier), passages, context.embed)
    chosen = quotes.choose(ranked)
    numbers: dict[int, int] = {}
    text, citations = "", []
    for quote in chosen:
        number = numbers.setdefault(quote.passage, len(numbers) + 1)
        start = len(text) + (1 if text else 0)
        text += f"{' ' if text else ''}{quote.text}"
        passage = passages[quote.passage]
        citations.append(
            Citation(
                number=number,
                document=passage.document,
                name=passage.name,
                page=passage.page,
                quote=quote.text,
                score=quote.score,
                supported=True,
                start=start,
                end=len(text),
            )
        )
    if not chosen:
        text = question.fallback or DECLINED
    yield Delta(text=text)
    taken = time.monotonic() - started
    yield Answered(
        answer=Answer(
            question=question,
            answer=text,
            abstained=not chosen,
            citations=tuple(citations),
            passages=passages,
            found_with=context.found_with,
            searched=_searched(question),
            sentences=len(chosen),
            unsupported=(),
            best_score=ranked[0].score if ranked else 0.0,
            needed_score=quotes.NEEDED,
            model=QUOTES,
            model_digest="",
            prompt_digest="",
            rendered="",
            finish="stop",
            tokens=0,
            prompt_tokens=0,
            first_token_seconds=round(taken, 6),
            seconds=round(taken, 6),
            backend=QUOTES,
        )
    )


def _by_model(
    question: Question, passages: tuple[Passage, ...], context: Context, job: Job, started: float
) -> Iterator[AnswerPart]:
    assert context.prompt is not None
    found = len(passages)
    question = settled(question, context.prompt)
    passages, parts = _fitting(question, passages, context, job)
    text, finished, first, pieces = "", None, 0.0, 0
    promised = context.prompt.promised
    quoting = Quotations(passages if question.collection and promised.form == "text" else ())
    for part in parts:
        if isinstance(part, Finished):
            finished = part
            continue
        first, pieces = first or time.monotonic() - started, pieces + 1
        text += part.text
        yield from quoting.take(part.text)
    yield from quoting.rest()
    assert finished is not None
    if pieces == 1:  # the first token was there before the one piece came
        first = max(0.0, first - max(0.0, finished.seconds - finished.first_token_seconds))
    text = text.strip()
    contract, broken = kept(promised, text, finished.broken)
    writes = promised.form == "text" and bool(text)
    abstained = writes and declines(text)
    rests = writes and not abstained and (bool(question.collection) or not passages)
    checked = Checked(text, passages, context.embed) if rests else None
    citations = checked.citations() if checked else ()
    each: tuple[Support, ...] = checked.each() if checked else ()
    unsupported = tuple((one.start, one.end) for one in each if not one.supported)
    withdrawn = ""
    declining = question.without_support == "decline" and bool(question.collection)
    if declining and each and len(unsupported) == len(each):
        withdrawn, text, abstained = text, question.fallback or DECLINED, True
        citations, unsupported, each = (), (), ()
    declined = ""
    if question.fallback and abstained and not withdrawn:
        declined, text = text, question.fallback
    yield Answered(
        answer=Answer(
            question=question,
            answer=text,
            abstained=abstained,
            citations=citations,
            passages=passages,
            found_with=context.found_with,
            searched=_searched(question),
            sentences=len(each),
            unsupported=unsupported,
            best_score=0.0,
            needed_score=0.0,
            model=question.model,
            model_digest=context.model_digest,
            prompt_digest=context.prompt_digest,
            rendered=finished.prompt,
            finish=finished.reason,
            tokens=finished.tokens,
            prompt_tokens=finished.prompt_tokens,
            first_token_seconds=round(first, 6),
            seconds=round(time.monotonic() - started, 6),
            backend=finished.backend,
            left_out=found - len(passages),
            support=each if declining or (context.each and question.collection) else (),
            withdrawn=withdrawn,
            declined=declined,
            contract=contract,
            broken=broken,
        )
    )


def _fitting(
    question: Question, passages: tuple[Passage, ...], context: Context, job: Job
) -> tuple[tuple[Passage, ...], Iterator[Token | Finished]]:
    """The passages that are shown, and the model's answer to them, begun. Raises `ContextExceeded` when the question's rule leaves none out."""
    assert context.prompt is not None
    while True:
        request = Generate(
            model=Digest(context.model_digest),
            messages=context.prompt.messages,
            variables=context.values(
                context.prompt, given(question, standalone(question.text, question.earlier), passages, context.fields)
            ),
            max_tokens=question.max_tokens,
            seed=question.seed,
            mode=question.mode,
            temperature=question.temperature,
            top_p=question.top_p,
            top_k=question.top_k,
            repeat_penalty=question.repeat_penalty,
            adapters=question.adapters,
            images=context.pictures,
            stop=question.stop,
            **asked_for(context.prompt.promised),
        )
        parts = iter(context.generate(request, job))
        try:
            first = next(parts)
        except ContextExceeded:
            if question.trim == "refuse" or len(passages) <= 1:
                raise
            passages = passages[:-1]
            continue
        return passages, chain([first], parts)


def declines(text: str) -> bool:
    """Whether an answer says that the documents don't hold it."""
    plain = text.casefold().replace("’", "'").lstrip(" .\"'")
    return plain.startswith(REFUSALS)


def _searched(question: Question) -> str:
    asked = standalone(question.text, question.earlier)
    return asked if asked != question.text else ""
