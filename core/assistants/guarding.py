"""Guards around an answer: on what is asked, on what is found, on what is written. Pure, as answering is; what they did stands in the answer.

Rules: marking changes nothing but the trace. What is withheld of the passages is shown to nobody, model and person alike; of the answer, the
words that were found are replaced by their marks. A refusal is an answer that says so and holds nothing else. Where the answer may be changed by
a guard, none of it is shown before its end. The trace says where something was found and what became of it, never the words. Pictures are not
looked at.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.assistants.records import QUOTES, Answer, Answered, AnswerPart, Citation, Delta, Found, Question, Support
from core.guards import guarding
from core.guards.classifiers import Classifier
from core.guards.cutting import cut, moves
from core.guards.records import Guarded, GuardPolicy
from core.jobs import Job
from core.retrieval.records import Passage, Search

if TYPE_CHECKING:
    from core.assistants.answering import Context

REFUSED = {
    "input": "This question was not answered: it holds what this collection’s guards refuse.",
    "passage": "This question was not answered: a passage that was found holds what this collection’s guards refuse.",
    "output": "The answer was withheld: it holds what this collection’s guards refuse.",
}

Answering = Callable[[Question, "Context", Job], Iterator[AnswerPart]]


class _RefusedPassage(Exception):
    pass


@dataclass
class Guards:
    """One answer's guards."""

    policy: GuardPolicy
    classifier: Classifier | None = None
    noted: list[Guarded] = field(default_factory=list)

    def answer(self, question: Question, context: "Context", job: Job, answering: Answering) -> Iterator[AnswerPart]:
        """The parts that `answering` gives, as the policy lets them through."""
        started = time.monotonic()
        self.noted = []
        if self._refuses_input(question, job):
            yield from self._refusal("input", question, context, started)
            return

        def search(request: Search, inner: Job) -> tuple[Passage, ...]:
            return self._passages(context.search(request, inner), inner)

        whole = self.policy.output in ("withhold", "refuse")
        try:
            if question.texts:
                question = replace(question, texts=self._texts(question.texts, job))
            for part in answering(question, changed(context, search=search, guards=None), job):
                if isinstance(part, Answered):
                    answer = self._output(part.answer)
                    if whole:
                        yield Delta(text=answer.answer)
                    yield Answered(answer=replace(answer, guarded=tuple(self.noted)))
                elif not (whole and isinstance(part, Delta)):
                    yield part
        except _RefusedPassage:
            yield from self._refusal("passage", question, context, started)

    def _refuses_input(self, question: Question, job: Job) -> bool:
        if self.policy.input == "off":
            return False
        texts = [
            question.text,
            *question.earlier,
            *(value for value in question.values.values() if isinstance(value, str)),
        ]
        spans = [span for some in guarding.judged(texts, self.policy, self.classifier, job) for span in some]
        self.noted += guarding.noted(spans, "input", self.policy.input)
        return bool(spans) and self.policy.input in ("withhold", "refuse")

    def _passages(self, passages: tuple[Passage, ...], job: Job) -> tuple[Passage, ...]:
        good = self._good([f"{passage.heading}\n{passage.text}" for passage in passages], job)
        return tuple(passage for passage, is_good in zip(passages, good, strict=True) if is_good)

    def _texts(self, texts: tuple[str, ...], job: Job) -> tuple[str, ...]:
        return tuple(text for text, is_good in zip(texts, self._good(list(texts), job), strict=True) if is_good)

    def _good(self, texts: list[str], job: Job) -> list[bool]:
        """Which texts may be shown. Raises `_RefusedPassage`."""
        reaction = self.policy.passages
        if reaction == "off":
            return [True] * len(texts)
        found = guarding.judged(texts, self.policy, self.classifier, job)
        for number, spans in enumerate(found, start=1):
            self.noted += guarding.noted(spans, "passage", reaction, number)
        if reaction == "refuse" and any(found):
            raise _RefusedPassage
        return [reaction == "mark" or not spans for spans in found]

    def _output(self, answer: Answer) -> Answer:
        reaction = self.policy.output
        spans = [] if reaction == "off" else guarding.found(answer.answer, self.policy.kinds)
        if not spans:
            return answer if reaction in ("off", "mark") else self._unsaid(answer)
        self.noted += guarding.noted(spans, "output", reaction)
        if reaction == "refuse":
            return replace(
                self._unsaid(answer),
                answer=REFUSED["output"],
                abstained=True,
                citations=(),
                sentences=0,
                unsupported=(),
                support=(),
            )
        if reaction == "mark":
            return answer
        gone = guarding.stretches(spans)
        start, end = moves(gone)

        def citation(one: Citation) -> Citation:
            return replace(one, start=start(one.start), end=end(one.end), quote=self._clean(one.quote))

        def support(one: Support) -> Support:
            return replace(one, start=start(one.start), end=end(one.end))

        return replace(
            self._unsaid(answer),
            answer=cut(answer.answer, gone),
            citations=tuple(map(citation, answer.citations)),
            unsupported=tuple((start(first), end(last)) for first, last in answer.unsupported),
            support=tuple(map(support, answer.support)),
        )

    def _unsaid(self, answer: Answer) -> Answer:
        """Without the model's own words where they were withdrawn and hold something too."""
        return replace(answer, withdrawn=self._clean(answer.withdrawn), declined=self._clean(answer.declined))

    def _clean(self, text: str) -> str:
        return cut(text, guarding.stretches(guarding.found(text, self.policy.kinds)))

    def _refusal(self, where: str, question: Question, context: "Context", started: float) -> Iterator[AnswerPart]:
        taken = round(time.monotonic() - started, 6)
        said = REFUSED[where]
        yield Found(passages=())
        yield Delta(text=said)
        yield Answered(
            answer=Answer(
                question=question,
                answer=said,
                abstained=True,
                citations=(),
                passages=(),
                found_with=context.found_with,
                sentences=0,
                unsupported=(),
                best_score=0.0,
                needed_score=0.0,
                model=question.model,
                model_digest=context.model_digest,
                prompt_digest=context.prompt_digest,
                rendered="",
                finish="refused",
                tokens=0,
                prompt_tokens=0,
                first_token_seconds=taken,
                seconds=taken,
                backend=QUOTES if question.model == QUOTES else "",
                guarded=tuple(self.noted),
            )
        )
