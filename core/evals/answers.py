"""The answers of a run, before they are scored.

Rules: an answer is asked for as a whole, for nobody reads along; what a variant is asked with is put together once, from what stands in the vault
when the run begins with it. An error on one sample is that sample's outcome; cancelling ends all. In fast mode several answers are under way
at once, which the engine computes together; they are given in the tasks' order all the same.
"""

import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

from msgspec.structs import replace

from core.assistants.answering import Context, answer
from core.assistants.records import Answered, Question
from core.assistants.service import Assistants
from core.datasets.records import Sample
from core.errors import AssayError, Cancelled
from core.evals.cache import Cache, Generating
from core.evals.filling import fields_of
from core.evals.records import Outcome, Spec
from core.evals.tasks import Task, question_of
from core.inference.records import Complete, Finished, Token
from core.jobs import Job
from core.records import Digest

AT_ONCE = 16
"""Samples that are under way together in fast mode."""


class Answers:
    """Safe from several threads. Without a cache everything is asked anew."""

    def __init__(self, spec: Spec, run: Digest, assistants: Assistants, job: Job, cache: Cache | None = None) -> None:
        self._spec = spec
        self._run = run
        self._assistants = assistants
        self._job = job
        self._cache = cache
        self._contexts: dict[str, Context] = {}
        self._lock = threading.Lock()

    def each(self, tasks: Sequence[Task]) -> Generator[tuple[Sample, Outcome]]:
        """Every task's outcome, in order. Raises `Cancelled`."""
        if self._spec.mode == "reproducible":
            for task in tasks:
                yield task.sample, self.one(task)
            return
        waiting: deque[tuple[Sample, Future[Outcome]]] = deque()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="samples") as pool:
            try:
                for task in tasks:
                    waiting.append((task.sample, pool.submit(self.one, task)))
                    while waiting and (waiting[0][1].done() or len(waiting) > 2 * AT_ONCE):
                        sample, first = waiting.popleft()
                        yield sample, first.result()
                while waiting:
                    sample, first = waiting.popleft()
                    yield sample, first.result()
            finally:
                for _, future in waiting:
                    future.cancel()

    def one(self, task: Task) -> Outcome:
        """A task's outcome without scores. Raises `Cancelled`."""
        outcome = Outcome(
            run=self._run,
            sample=task.sample.id,
            variant=task.variant.name,
            answer=None,
            scores=(),
            repetition=task.repetition,
        )
        question = question_of(self._spec, task)
        try:
            context = self._context(task, question)
            generate = _whole(context.generate)
            asking = self._cache.asking(generate) if self._cache is not None else None
            context = dataclasses.replace(context, generate=asking or generate, fields=fields_of(task.sample))
            for part in answer(question, context, self._job):
                if isinstance(part, Answered):
                    made = replace(outcome, answer=part.answer)
                    return asking.marked(made) if asking is not None else made
        except Cancelled:
            raise
        except AssayError as error:
            return replace(outcome, error=str(error))
        raise AssertionError("an answer ends with Answered")

    def _context(self, task: Task, question: Question) -> Context:
        """All questions of a variant are asked in one way."""
        with self._lock:
            if task.variant.name not in self._contexts:
                self._contexts[task.variant.name] = self._assistants.context(question, self._job)
            return self._contexts[task.variant.name]


def _whole(generate: Generating) -> Generating:
    """The same answers in one piece each; an engine takes both kinds of request."""
    asked = cast(Callable[[Complete, Job], Iterator[Token | Finished]], generate)
    return lambda request, job: asked(Complete(request=request), job)
