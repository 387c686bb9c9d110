"""One sequence alone in a context of its own: the reproducible mode.

Nothing remains from earlier requests, and the number of threads and the cut into batches are always the same, so that equal requests give
equal tokens. Cancelling takes effect between tokens and inside a long prompt.
"""

from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, Final

import numpy as np

from core.errors import Damaged
from core.inference.records import Weight
from core.inference.worker.adapters import NONE, AdapterSet
from core.inference.worker.computing import PACE, Computer
from core.inference.worker.library import context
from core.inference.worker.sampling import Chosen, Sampler, chosen_from, log_probabilities
from core.workers.serving import Call

BATCH: Final = 512
"""Tokens of a prompt that are computed at once."""
STEP: Final = 128
"""Of these, so many in one go inside llama.cpp. Plain attention compares each with the whole window: with 512 the room for that was 112 MiB of a
150 M model's 400, mostly unused, with 128 it is a quarter. The numbers are the same, and so is the speed."""
PIECE: Final = 32
"""Tokens of a continuation: for each one the numbers of the whole vocabulary are kept."""
LANE: Final = "alone"
_ABORTED: Final = 2


def make(library: ModuleType, model: Any, name: str, window: int, threads: int) -> Any:
    """The context for a window of so many tokens. Raises `Damaged`."""
    step = min(STEP, window)
    return context(library, model, name, window, min(BATCH, window), threads, n_outputs_max=PIECE, n_ubatch=step)


class Single:
    """A context for one sequence at a time, on a lane of `computer`. Safe from any thread: others wait. Answers come in lots, never empty."""

    def __init__(
        self, library: ModuleType, model: Any, name: str, window: int, threads: int, computer: Computer
    ) -> None:
        self.name = name
        self._library = library
        self._computer = computer
        self._context = make(library, model, name, window, threads)
        self._memory = library.llama_get_memory(self._context)
        self._batch = library.llama_batch_init(BATCH, 0, 1)
        self._size = library.llama_vocab_n_tokens(library.llama_model_get_vocab(model))
        self._call: Call | None = None
        self._abort = library.ggml_abort_callback(lambda data: self._call is not None and self._call.cancelled)
        self._no_abort = library.ggml_abort_callback()
        self._computed = 0

    def tokens(
        self,
        ids: Sequence[int],
        most: int,
        sampler: Sampler,
        ends: Callable[[int], bool],
        call: Call,
        pace: float = PACE,
    ) -> Iterator[list[Chosen]]:
        """At most `most` tokens, the one that ends the answer included. Frees `sampler`. Raises `Damaged`, `Cancelled`."""
        return self._computer.lots(LANE, self._write(ids, most, sampler, ends, call), call, sampler.free, pace)

    def weigh(
        self, ids: Sequence[int], continuations: Sequence[Sequence[int]], call: Call, adapters: AdapterSet = NONE
    ) -> Iterator[list[Weight]]:
        """How likely each continuation is after the prompt; each begins from the prompt alone. Raises `Damaged`, `Cancelled`."""
        return self._computer.lots(LANE, self._weigh(ids, continuations, call, adapters), call)

    def weigh_text(self, ids: Sequence[int], likeliest: int, call: Call) -> Iterator[list[Chosen]]:
        """Each token but the first, as likely as it is after those before it; last, the likeliest one after them all.

        Raises `Damaged`, `Cancelled`."""
        return self._computer.lots(LANE, self._weigh_text(ids, likeliest, call), call)

    def _write(
        self, ids: Sequence[int], most: int, sampler: Sampler, ends: Callable[[int], bool], call: Call
    ) -> Iterator[Chosen | None]:
        yield from self._read(ids, call, sampler.adapters)
        for left in range(most, 0, -1):
            call.check()
            chosen = sampler.choose(self._context, -1)
            yield chosen
            if left == 1 or ends(chosen.token):
                return
            self._decode([chosen.token], call)

    def _weigh(
        self, ids: Sequence[int], continuations: Sequence[Sequence[int]], call: Call, adapters: AdapterSet
    ) -> Iterator[Weight | None]:
        library = self._library
        yield from self._read(ids, call, adapters)
        first = log_probabilities(library, self._context, -1, self._size)
        for continuation in continuations:
            likely, total, greedy = first, 0.0, True
            for start in range(0, len(continuation), PIECE):
                call.check()
                piece = continuation[start : start + PIECE]
                self._decode(piece, call, every=True)
                for number, token in enumerate(piece):
                    total += float(likely[token])
                    greedy = greedy and int(likely.argmax()) == token
                    likely = log_probabilities(library, self._context, number, self._size)
            yield Weight(log_likelihood=total, tokens=len(continuation), greedy=greedy)
            library.llama_memory_seq_rm(self._memory, 0, len(ids), -1)
            self._computed = len(ids)

    def _weigh_text(self, ids: Sequence[int], likeliest: int, call: Call) -> Iterator[Chosen | None]:
        library = self._library
        yield from self._read(ids[:1], call)
        likely = log_probabilities(library, self._context, -1, self._size)
        for start in range(1, len(ids), PIECE):
            call.check()
            piece = ids[start : start + PIECE]
            self._decode(piece, call, every=True)
            for number, token in enumerate(piece):
                yield chosen_from(likely, token, likeliest)
                likely = log_probabilities(library, self._context, number, self._size)
        yield chosen_from(likely, int(likely.argmax()), likeliest)

    def _read(self, ids: Sequence[int], call: Call, adapters: AdapterSet = NONE) -> Iterator[None]:
        """Compute the prompt; afterwards the logits of the next token are there."""
        library = self._library
        library.llama_memory_clear(self._memory, True)
        adapters.attach(library, self._context)
        self._computed = 0
        self._call = call
        for start in range(0, len(ids), BATCH):
            if start:
                yield
            call.check()
            library.llama_set_abort_callback(self._context, self._abort, None)
            try:
                self._decode(ids[start : start + BATCH], call)
            finally:
                library.llama_set_abort_callback(self._context, self._no_abort, None)
        logits = np.ctypeslib.as_array(library.llama_get_logits_ith(self._context, -1), (self._size,))
        if not np.isfinite(logits).all():
            raise Damaged(source=self.name, problem="it computes no usable numbers. Take another copy of the file.")

    def _decode(self, ids: Sequence[int], call: Call, every: bool = False) -> None:
        batch, start = self._batch, self._computed
        for number, token in enumerate(ids):
            batch.token[number] = token
            batch.pos[number] = start + number
            batch.n_seq_id[number] = 1
            batch.seq_id[number][0] = 0
            batch.logits[number] = every or number == len(ids) - 1
        batch.n_tokens = len(ids)
        code = self._library.llama_decode(self._context, batch)
        if code != 0:
            if code == _ABORTED:
                call.check()
            raise Damaged(
                source=self.name, problem=f"llama.cpp can't compute it (code {code}). Take another copy of the file."
            )
        self._computed += len(ids)
