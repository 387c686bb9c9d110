"""Text from a chat model.

Rules: a prompt that doesn't fit together with its answer is an error, nothing is cut. In reproducible mode a request is computed alone, in a
context that nothing else touches; in fast mode it runs beside others, and what its prompt has in common with theirs is computed once. Each
mode's context is made when it is first needed. A template is rendered while nothing is computed, on the process's main thread, where its
time and its memory can be limited.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from core.errors import ContextExceeded
from core.inference.records import (
    TEXT,
    Choice,
    Complete,
    Completed,
    Finished,
    Generate,
    Likely,
    Message,
    PromptToken,
    PromptTokens,
    Token,
    Weigh,
    Weighed,
    WeighedText,
    Weight,
    WeighText,
)
from core.inference.worker import forms
from core.inference.worker.adapters import HeldAdapters
from core.inference.worker.computing import PACE, UNREAD, Computer
from core.inference.worker.prompting import Prompter
from core.inference.worker.sampling import Chosen, Sampler
from core.inference.worker.scheduling import Scheduler
from core.inference.worker.single import Single
from core.inference.worker.streaming import Emitter
from core.inference.worker.turns import Turns
from core.inference.worker.vocabulary import Vocabulary
from core.inference.worker.watching import WATCH
from core.inference.worker.whole import joined
from core.workers.serving import Call


class Chat:
    """A loaded chat model. Safe from any thread."""

    def __init__(self, library: ModuleType, model: Any, name: str, window: int, threads: int, backend: str) -> None:
        self.name = name
        self.window = window
        self._library = library
        self._model = model
        self._threads = threads
        self._backend = backend
        self._vocabulary = Vocabulary(library, model)
        self._prompter = Prompter(library, model, name, self._vocabulary)
        self.adapters = HeldAdapters(library, model, name)
        self._turns = Turns()
        self._computer = Computer(self._turns.computing)
        self._making = threading.Lock()
        self._single: Single | None = None
        self._scheduler: Scheduler | None = None

    def count(self, texts: Sequence[str], call: Call) -> tuple[int, ...]:
        """Tokens of each text, with the special ones that the model adds."""
        numbers = []
        for text in texts:
            call.check()
            with WATCH.step():
                numbers.append(self._vocabulary.count(text))
        return tuple(numbers)

    def complete(self, request: Complete, call: Call) -> Completed:
        """The whole answer. Raises as `generate`."""
        asked = request.request
        return joined(self.generate(asked, call, PACE if asked.stop else UNREAD))  # a stop text is met by who reads

    def generate(self, request: Generate, call: Call, pace: float = PACE) -> Iterator[Token | Finished]:
        """The answer in pieces, each of what came in `pace` seconds or somewhat more, then `Finished`.

        Raises `Unsupported`, `TemplateError`, `ContextExceeded`, `BadInput`, `Damaged`, and `InvalidAnswer` after the last piece."""
        began = time.monotonic()
        prompt, ids = self._read(request, call)
        grammar = forms.grammar(request)
        if len(ids) + request.max_tokens > self.window:
            raise ContextExceeded(prompt=len(ids), answer=request.max_tokens, window=self.window)
        emitter = Emitter(request.stop)
        first, written, reason = 0.0, 0, "length"
        tokens, shared = self._tokens(request, grammar, ids, call, pace)
        whole: list[str] = []
        choices: list[Choice] = []
        try:
            for lot in tokens:
                first = first or time.monotonic() - began
                text = ""
                for chosen in lot:
                    if self._vocabulary.ends(chosen.token):
                        reason = "stop"
                        break
                    written += 1
                    if request.log_probabilities >= 0:
                        choices.append(self._choice(chosen))
                    text += emitter.feed(self._vocabulary.piece(chosen.token))
                    if emitter.stopped:
                        reason = "stop"
                        break
                if text:
                    whole.append(text)
                    yield Token(text=text, choices=tuple(choices))
                    choices.clear()
                if reason == "stop":
                    break
        finally:
            tokens.close()
        if (text := emitter.finish()) or choices:
            whole.append(text)
            yield Token(text=text, choices=tuple(choices))
        broken = forms.check(request, self.name, "".join(whole), reason)
        yield Finished(
            reason=reason,
            prompt=prompt,
            prompt_tokens=len(ids),
            tokens=written,
            first_token_seconds=first,
            seconds=time.monotonic() - began,
            backend=self._backend,
            shared_tokens=shared(),
            mode=request.mode,
            adapters=request.adapters,
            broken=broken,
        )

    def tokens(self, request: Generate, call: Call) -> PromptTokens:
        """The prompt as the model sees it; one that doesn't fit is shown too. Raises `Unsupported`, `TemplateError`."""

        def shown() -> tuple[str, tuple[PromptToken, ...]]:
            with self._turns, WATCH.step():
                return self._prompter.tokens(request)

        with self._turns.announced():
            prompt, found = call.on_main_thread(shown)
        return PromptTokens(prompt=prompt, tokens=found, window=self.window)

    def weigh(self, request: Weigh, call: Call) -> Weighed:
        """Log-likelihoods of continuations. Raises as `generate`."""
        asked = Generate(model=request.model, messages=request.messages, variables=request.variables)
        _, ids = self._read(asked, call)
        continuations = [self._vocabulary.bare(text) for text in request.continuations]
        longest = max(map(len, continuations), default=0)
        if len(ids) + longest > self.window:
            raise ContextExceeded(prompt=len(ids), answer=longest, window=self.window)
        weights: list[Weight] = []
        for lot in self._one().weigh(ids, continuations, call, self.adapters.chosen(request.adapters)):
            weights += lot
            call.report(len(weights), len(continuations), "continuations")
        return Weighed(weights=tuple(weights), prompt_tokens=len(ids), backend=self._backend)

    def weigh_text(self, request: WeighText, call: Call) -> WeighedText:
        """Each token of a text with its log-probability. Raises `BadInput`, `ContextExceeded`, `Damaged`."""
        vocabulary = self._vocabulary
        if request.ids is None:
            plain = Message(role=TEXT, content=request.text)
            text, ids = self._read(Generate(model=request.model, messages=(plain,)), call)
            added = vocabulary.starts and ids[0] == vocabulary.first
        else:
            text, ids = vocabulary.written(request.ids), vocabulary.begun(request.ids)
            added = len(ids) > len(request.ids)
        if len(ids) > self.window:
            raise ContextExceeded(prompt=len(ids), answer=0, window=self.window)
        found = [chosen for lot in self._one().weigh_text(ids, request.likeliest, call) for chosen in lot]
        last = found.pop()
        if not added:
            found.insert(0, Chosen(ids[0]))
        return WeighedText(
            text=text,
            choices=tuple(map(self._choice, found)),
            following=self._choice(last),
            ends=vocabulary.ends(last.token),
            backend=self._backend,
        )

    def _choice(self, chosen: Chosen) -> Choice:
        piece = self._vocabulary.piece
        return Choice(
            chosen=Likely(data=piece(chosen.token), log_probability=chosen.log_probability),
            top=tuple(Likely(data=piece(token), log_probability=value) for token, value in chosen.top),
        )

    def _read(self, request: Generate, call: Call) -> tuple[str, list[int]]:
        with self._turns.announced():
            return call.on_main_thread(lambda: self._prompt(request))

    def _prompt(self, request: Generate) -> tuple[str, list[int]]:
        with self._turns, WATCH.step():
            return self._prompter.prompt(request)

    def _tokens(self, request: Generate, grammar: str, ids: list[int], call: Call, pace: float) -> Any:
        sampler = Sampler(self._library, self._vocabulary, request, grammar, self.adapters.chosen(request.adapters))
        if request.mode == "reproducible":
            return self._one().tokens(ids, request.max_tokens, sampler, self._vocabulary.ends, call, pace), lambda: 0
        scheduler = self._many()
        answer = scheduler.start(ids, request.max_tokens, sampler, self._vocabulary.ends, call, pace)
        return scheduler.tokens(answer), lambda: answer.shared

    def _one(self) -> Single:
        with self._making:
            if self._single is None:
                self._single = Single(self._library, self._model, self.name, self.window, self._threads, self._computer)
            return self._single

    def _many(self) -> Scheduler:
        with self._making:
            if self._scheduler is None:
                self._scheduler = Scheduler(
                    self._library, self._model, self.name, self.window, self._threads, self._computer
                )
            return self._scheduler
