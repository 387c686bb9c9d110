"""Text from a chat model, one conversation at a time.

Rules: a conversation goes through the file's own chat template or through none, and a file without one is an error; a prompt that
doesn't fit together with its answer is an error, nothing is cut; in reproducible mode nothing remains from earlier requests, and the number of
threads and the cut into batches are always the same, so that equal requests give equal answers; cancelling takes effect between tokens
and inside a long prompt.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any, Final

import numpy as np

from core.errors import BadInput, ContextExceeded, Damaged, Unsupported
from core.inference.records import TEXT, Finished, Generate, Message, Token
from core.inference.worker import templates
from core.inference.worker.streaming import Emitter
from core.inference.worker.vocabulary import Vocabulary, free_mark
from core.workers.serving import Call

BATCH: Final = 512
"""Tokens of a prompt that are computed at once."""
REPEAT_WINDOW: Final = 64
_ABORTED: Final = 2


class Chat:
    """A loaded chat model with its one context."""

    def __init__(self, library: ModuleType, model: Any, name: str, window: int, threads: int, backend: str) -> None:
        self.name = name
        self.window = window
        self._library = library
        self._backend = backend
        self._vocabulary = Vocabulary(library, model)
        template: bytes | None = library.llama_model_chat_template(model, None)
        self._template = (template or b"").decode("utf-8", "replace")
        settings = library.llama_context_default_params()
        settings.n_ctx = window
        settings.n_batch = settings.n_ubatch = min(BATCH, window)
        settings.n_threads = settings.n_threads_batch = threads
        settings.flash_attn_type = library.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = library.llama_init_from_model(model, settings)
        if not self._context:
            raise Damaged(
                source=name, problem="llama.cpp can't run it. Take another copy of the file, or another model."
            )
        self._memory = library.llama_get_memory(self._context)
        self._batch = library.llama_batch_init(BATCH, 0, 1)
        self._call: Call | None = None
        self._abort = library.ggml_abort_callback(lambda data: self._call is not None and self._call.cancelled)
        self._no_abort = library.ggml_abort_callback()
        self._computed: list[int] = []

    def count(self, texts: Sequence[str], call: Call) -> tuple[int, ...]:
        """Tokens of each text, with the special ones that the model adds."""
        numbers = []
        for text in texts:
            call.check()
            numbers.append(self._vocabulary.count(text))
        return tuple(numbers)

    def generate(self, request: Generate, call: Call) -> Iterator[Token | Finished]:
        """The answer in pieces, then `Finished`. Raises `Unsupported`, `TemplateError`, `ContextExceeded`, `BadInput`, `Damaged`."""
        began = time.monotonic()
        prompt, ids = self._prompt(request)
        if len(ids) + request.max_tokens > self.window:
            raise ContextExceeded(prompt=len(ids), answer=request.max_tokens, window=self.window)
        self._call = call
        try:
            self._read(ids, request.mode, call)
            first = time.monotonic() - began
            emitter = Emitter(request.stop)
            tokens = 0
            reason = "length"
            for token in self._sampled(request, call):
                if self._vocabulary.ends(token):
                    reason = "stop"
                    break
                tokens += 1
                if text := emitter.feed(self._vocabulary.piece(token)):
                    yield Token(text=text)
                if emitter.stopped:
                    reason = "stop"
                    break
            if text := emitter.finish():
                yield Token(text=text)
        finally:
            self._call = None
        yield Finished(
            reason=reason,
            prompt=prompt,
            prompt_tokens=len(ids),
            tokens=tokens,
            first_token_seconds=first,
            seconds=time.monotonic() - began,
            backend=self._backend,
        )

    def _prompt(self, request: Generate) -> tuple[str, list[int]]:
        messages = request.messages
        if request.variables is not None:
            messages = templates.render_messages(messages, request.variables)
        mark = free_mark(message.content for message in messages)
        guarded = tuple(
            Message(role=message.role, content=self._vocabulary.guard(message.content, mark)) for message in messages
        )
        text = guarded[0].content if guarded[0].role == TEXT else self._chat(guarded, request.mode)
        ids = self._vocabulary.tokens(text, mark)
        if not ids:
            raise BadInput(source="The prompt", problem="it is empty. Write something.")
        return text.replace(mark, ""), ids

    def _chat(self, messages: Sequence[Message], mode: str) -> str:
        if not self._template:
            raise Unsupported(
                source=self.name,
                reason="the file brings no chat template, and none is guessed. Choose a chat model, or send one message as text.",
            )
        return templates.render_chat(
            f"The chat template of {self.name}",
            self._template,
            messages,
            self._vocabulary.text(self._vocabulary.first),
            self._vocabulary.text(self._vocabulary.last),
            templates.FIXED_DATE if mode == "reproducible" else datetime.now(),
        )

    def _read(self, ids: list[int], mode: str, call: Call) -> None:
        """Compute the prompt; afterwards the logits of the next token are there."""
        library = self._library
        known = _common(ids, self._computed) if mode == "fast" else 0
        if known == 0 or not library.llama_memory_seq_rm(self._memory, 0, known, -1):
            library.llama_memory_clear(self._memory, True)
            known = 0
        self._computed = ids[:known]
        library.llama_set_abort_callback(self._context, self._abort, None)
        try:
            for start in range(known, len(ids), BATCH):
                call.check()
                self._decode(ids[start : start + BATCH], call)
        finally:
            library.llama_set_abort_callback(self._context, self._no_abort, None)
        logits = np.ctypeslib.as_array(library.llama_get_logits_ith(self._context, -1), (self._vocabulary.size,))
        if not np.isfinite(logits).all():
            raise Damaged(source=self.name, problem="it computes no usable numbers. Take another copy of the file.")

    def _decode(self, ids: Sequence[int], call: Call) -> None:
        batch, start = self._batch, len(self._computed)
        for number, token in enumerate(ids):
            batch.token[number] = token
            batch.pos[number] = start + number
            batch.n_seq_id[number] = 1
            batch.seq_id[number][0] = 0
            batch.logits[number] = number == len(ids) - 1
        batch.n_tokens = len(ids)
        code = self._library.llama_decode(self._context, batch)
        if code != 0:
            self._computed = []
            if code == _ABORTED:
                call.check()
            raise Damaged(
                source=self.name, problem=f"llama.cpp can't compute it (code {code}). Take another copy of the file."
            )
        self._computed.extend(ids)

    def _sampled(self, request: Generate, call: Call) -> Iterator[int]:
        """At most `max_tokens` tokens; each is computed into the context once the next one is asked for."""
        library = self._library
        sampler = self._sampler(request)
        try:
            for left in range(request.max_tokens, 0, -1):
                call.check()
                token = int(library.llama_sampler_sample(sampler, self._context, -1))
                yield token
                if left > 1:
                    self._decode([token], call)
        finally:
            library.llama_sampler_free(sampler)

    def _sampler(self, request: Generate) -> Any:
        library = self._library
        chain = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
        parts = []
        if request.repeat_penalty != 1.0:
            size = self._vocabulary.size
            parts.append(library.llama_sampler_init_penalties(size, REPEAT_WINDOW, request.repeat_penalty, 0.0, 0.0))
        if request.temperature == 0.0:
            parts.append(library.llama_sampler_init_greedy())
        else:
            if request.top_k > 0:
                parts.append(library.llama_sampler_init_top_k(request.top_k))
            if request.top_p < 1.0:
                parts.append(library.llama_sampler_init_top_p(request.top_p, 1))
            parts.append(library.llama_sampler_init_temp(request.temperature))
            parts.append(library.llama_sampler_init_dist(request.seed))
        for part in parts:
            library.llama_sampler_chain_add(chain, part)
        return chain


def _common(wanted: Sequence[int], computed: Sequence[int]) -> int:
    """How many tokens of the prompt are computed already; the last one is always computed anew, for its logits."""
    limit = min(len(wanted) - 1, len(computed))
    return next((index for index in range(limit) if wanted[index] != computed[index]), limit)
