"""Answering one question: find passages, answer from them, and say for each sentence what it rests on. Pure: the service persists.

Rules: passages are shown before the first word; with a model, the prompt version is rendered in the inference worker; a sentence's citation
mark `[n]` is resolved to the nearest sentence of passage n; a sentence whose support is under `SUPPORT` in every passage is marked; an answer
that says it is not in the documents is recognised and cites nothing; where the question wants it, an answer of which no sentence has support is
withdrawn for that. A question that refers to earlier ones is searched for together with them.
"""

import re
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
from core.documents.sentences import split_sentences
from core.errors import ContextExceeded, NotFound
from core.inference.records import Finished, Generate, Token
from core.jobs import Job
from core.prompts.contracts import asked_for, kept
from core.prompts.filling import fill
from core.prompts.records import Given, PromptVersion
from core.records import Digest, Json
from core.retrieval.records import Passage, Search, Settings

SUPPORT = 0.75
"""Cosine from which two sentences count as saying the same; under it a sentence is marked as without support."""
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
QUOTED_WORDS = 3
"""Fewer words in quotation marks are a term, not a quotation."""
_MARK = re.compile(r"\[(\d+)\]")
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]+)[\"”“»]")


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
    for part in parts:
        if isinstance(part, Finished):
            finished = part
            continue
        first, pieces = first or time.monotonic() - started, pieces + 1
        text += part.text
        yield Delta(text=part.text)
    assert finished is not None
    if pieces == 1:  # the first token was there before the one piece came
        first = max(0.0, first - max(0.0, finished.seconds - finished.first_token_seconds))
    text = text.strip()
    promised = context.prompt.promised
    contract, broken = kept(promised, text, finished.broken)
    writes = promised.form == "text" and bool(text)
    abstained = writes and declines(text)
    rests = writes and not abstained and (bool(question.collection) or not passages)
    citations, sentences, unsupported = support(text, passages, context.embed) if rests else ((), 0, ())
    each: tuple[Support, ...] = ()
    withdrawn = ""
    if question.without_support == "decline" and question.collection and sentences:
        each = supports(text, passages, context.embed)
        unsupported = tuple((one.start, one.end) for one in each if not one.supported)
        if len(unsupported) == len(each):
            withdrawn, text, abstained = text, question.fallback or DECLINED, True
            citations, sentences, unsupported, each = (), 0, (), ()
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
            sentences=sentences,
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
            support=each,
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


def support(
    text: str, passages: tuple[Passage, ...], embed: quotes.Embed
) -> tuple[tuple[Citation, ...], int, tuple[tuple[int, int], ...]]:
    """For an answer's sentences: (citations by their marks, number of sentences, spans without support in any passage)."""
    spans = _sentence_spans(text)
    sources = [
        (index, sentence) for index, passage in enumerate(passages) for sentence in split_sentences(passage.text)
    ]
    if not spans or not sources:
        return (), len(spans), tuple((start, end) for start, end, _ in spans)
    bare = [_MARK.sub("", text[start:end]).strip() for start, end, _ in spans]
    vectors = embed([*bare, *(sentence for _, sentence in sources)])
    cosines = vectors[: len(bare)] @ vectors[len(bare) :].T
    citations: list[Citation] = []
    unsupported: list[tuple[int, int]] = []
    for row, (start, end, marks) in enumerate(spans):
        scores = [
            1.0 if bare[row] and _folded(bare[row]) in _folded(sentence) else round(float(cosines[row, column]), 6)
            for column, (_, sentence) in enumerate(sources)
        ]
        if max(scores) < SUPPORT:
            unsupported.append((start, end))
        for mark in marks:
            own = [(score, column) for column, score in enumerate(scores) if sources[column][0] == mark - 1]
            if not own:
                continue
            score, column = max(own)
            passage = passages[mark - 1]
            citations.append(
                Citation(
                    number=mark,
                    document=passage.document,
                    name=passage.name,
                    page=passage.page,
                    quote=sources[column][1],
                    score=score,
                    supported=score >= SUPPORT,
                    start=start,
                    end=end,
                )
            )
    return tuple(citations), len(spans), tuple(unsupported)


def supports(text: str, passages: tuple[Passage, ...], embed: quotes.Embed) -> tuple[Support, ...]:
    """What each sentence of an answer rests on. One with words in quotation marks that stand in no passage has no support."""
    spans = _sentence_spans(text)
    sources = [(index, one) for index, passage in enumerate(passages) for one in split_sentences(passage.text)]
    if not spans or not sources:
        return tuple(Support(start=start, end=end, passage=0, score=0.0, supported=False) for start, end, _ in spans)
    bare = [_MARK.sub("", text[start:end]).strip() for start, end, _ in spans]
    vectors = embed([*bare, *(sentence for _, sentence in sources)])
    cosines = vectors[: len(bare)] @ vectors[len(bare) :].T
    found = []
    for row, (start, end, _) in enumerate(spans):
        scores = [
            1.0 if bare[row] and _folded(bare[row]) in _folded(sentence) else round(float(cosines[row, column]), 6)
            for column, (_, sentence) in enumerate(sources)
        ]
        best = scores.index(max(scores))
        wrong = misquotes(bare[row], passages)
        found.append(
            Support(
                start=start,
                end=end,
                passage=sources[best][0] + 1,
                score=scores[best],
                supported=scores[best] >= SUPPORT and not wrong,
                misquoted=wrong,
            )
        )
    return tuple(found)


def misquotes(sentence: str, passages: tuple[Passage, ...]) -> bool:
    """Whether a sentence has several words in quotation marks that stand in no passage; case, white space and a last stop don't count."""
    quoted = [found for found in _QUOTED.findall(sentence) if len(found.split()) >= QUOTED_WORDS]
    texts = [_folded(passage.text) for passage in passages]
    return any(not any(_folded(words).rstrip(",;:") in text for text in texts) for words in quoted)


def _searched(question: Question) -> str:
    asked = standalone(question.text, question.earlier)
    return asked if asked != question.text else ""


def _sentence_spans(text: str) -> list[tuple[int, int, tuple[int, ...]]]:
    """(start, end, citation marks) of each sentence; marks after the full stop belong to the sentence before them."""
    spans: list[tuple[int, int, tuple[int, ...]]] = []
    at = 0
    for sentence in split_sentences(text):
        start = text.index(sentence, at)
        end = at = start + len(sentence)
        marks = tuple(int(mark) for mark in _MARK.findall(sentence))
        leading = _MARK.match(sentence)
        if not _MARK.sub("", sentence).strip(" .") and spans:
            before = spans.pop()
            spans.append((before[0], end, (*before[2], *marks)))
        elif leading and spans and not spans[-1][2]:
            before = spans.pop()
            spans.append((before[0], start + leading.end(), (int(leading.group(1)),)))
            spans.append((start + leading.end(), end, marks[1:]))
        else:
            spans.append((start, end, marks))
    return spans


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .")
