"""Several answers from one model at once: continuous batching over llama.cpp's low-level interface.

Each step puts the newest token of every running sequence and a piece of the waiting prompts into one batch. A
prompt that begins like a sequence that is there (running, or kept from earlier) is computed from where they part; one that begins like a prompt
which is just being computed waits until that is past the common part. Rules: first come, first served; whoever is admitted has room until its last
token; sequences with other adapters are never computed together, and share nothing; giving up one sequence disturbs no other; while
sequences write, prompts come in pieces, so that nobody's text stalls. Flash attention is on: on a CPU it passes over cells of other
sequences, which plain attention computes. While something runs, the memory holds only what runs: finished sequences wait outside (`parking`).
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, Final

import numpy as np

from core.errors import Damaged
from core.inference.worker.adapters import NONE, AdapterSet
from core.inference.worker.computing import PACE, SLOWEST, Computer, Handed
from core.inference.worker.library import context
from core.inference.worker.parking import Parked, Shelf
from core.inference.worker.sampling import Chosen, Sampler
from core.inference.worker.sequences import Kept, Row, Sequences, common
from core.workers.serving import Call

SLOTS: Final = 16
"""Sequences that run at once."""
ROWS: Final = 64
"""Sequences that run or are kept."""
BATCH: Final = 512
PIECE: Final = 256
"""Tokens of prompts in a step in which others write."""
SHORTEST_SHARED: Final = 16
"""Tokens in common that are worth waiting for or copying."""
PARKED: Final = 0.5
"""Tokens that finished sequences keep outside the memory, for each of its cells."""
CELLS: Final = 4096
"""Cells of the memory, where the window isn't larger. Each token is compared with every cell in use, also with those of other sequences."""
ABORTED_FROM: Final = 32
"""Tokens of prompts in a step that can be broken off inside: llama.cpp then asks Python after each of its several hundred operations, which
for a step of single tokens (10 ms) took 2 ms."""
LANE: Final = "together"
_ABORTED: Final = 2


class Answer:
    """One answer on its way."""

    def __init__(
        self,
        ids: Sequence[int],
        most: int,
        sampler: Sampler,
        ends: Callable[[int], bool],
        call: Call,
        pace: Callable[[], float],
    ) -> None:
        self.ids: Row = np.asarray(ids, dtype=np.int32)
        self.most = most
        self.sampler = sampler
        self.ends = ends
        self.call = call
        self.out: Handed[Chosen] = Handed(pace)
        self.row: Kept | None = None
        self.read = 0
        """Tokens of the prompt that are computed."""
        self.shared = 0
        """Of these, the ones that were there already."""
        self.branched = False
        """Whether the sequence that it began with goes on otherwise: one of many with a common beginning, not a conversation that goes on."""
        self.written = 0
        self.last = -1
        """The newest token, not computed yet."""

    @property
    def over(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.out.over or self.call.cancelled

    @property
    def reading(self) -> bool:
        return self.read < len(self.ids)


class Scheduler:
    """The steps, on a lane of `computer`, their context and the waiting line."""

    def __init__(
        self, library: ModuleType, model: Any, name: str, window: int, threads: int, computer: Computer
    ) -> None:
        self.name = name
        self._library = library
        self._computer = computer
        self._most = min(BATCH, window)
        self._context = make(library, model, name, window, threads)
        self._memory = library.llama_get_memory(self._context)
        self._batch = library.llama_batch_init(self._most, 0, 1)
        self._size = library.llama_vocab_n_tokens(library.llama_model_get_vocab(model))
        self._shares = not (library.llama_model_is_recurrent(model) or library.llama_model_is_hybrid(model))
        self._sequences = Sequences(ROWS, int(library.llama_n_ctx(self._context)))
        self._shelf = Shelf(library, self._context, int(PARKED * self._sequences.cells))
        self._adapters = NONE
        self._running: list[Answer] = []
        self._waiting: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._stepping = False
        self._abort = library.ggml_abort_callback(lambda data: all(s.call.cancelled for s in self._running))
        self._no_abort = library.ggml_abort_callback()
        self._aborts = False

    def start(
        self,
        ids: Sequence[int],
        most: int,
        sampler: Sampler,
        ends: Callable[[int], bool],
        call: Call,
        pace: float = PACE,
    ) -> Answer:
        """Put a prompt in line for at most `most` tokens of answer. Frees `sampler` at the end. `pace`: seconds that a lot of tokens may gather
        while nothing else runs."""
        answer = Answer(ids, most, sampler, ends, call, lambda: max(pace, min(pace * len(self._running), SLOWEST)))
        with self._lock:
            self._waiting.append(answer)
            idle, self._stepping = not self._stepping, True
        if idle:
            self._computer.add(LANE, self._steps())
        return answer

    def tokens(self, answer: Answer) -> Iterator[list[Chosen]]:
        """The answer's tokens in lots as they come, the one that ends it included. Raises `Damaged`, `Cancelled`."""
        yield from answer.out.lots()
        answer.call.check()

    def _steps(self) -> Iterator[None]:
        while True:
            with self._lock:
                if not self._waiting and not self._running:
                    self._stepping = False
                    return
            try:
                self._step()
            except Exception as error:  # noqa: BLE001 (whoever runs is told; the others go on)
                self._give_up(error)
            yield

    def _step(self) -> None:
        self._leave()
        self._admit()
        if self._running:
            self._tidy()
            self._compute()

    def _leave(self) -> None:
        for sequence in [s for s in self._running if s.over]:
            self._finish(sequence)
        with self._lock:
            gone = [s for s in self._waiting if s.over]
            for sequence in gone:
                self._waiting.remove(sequence)
        for sequence in gone:
            self._end(sequence)

    def _admit(self) -> None:
        while self._waiting and len(self._running) < SLOTS:
            sequence = self._waiting[0]
            if sequence.sampler.adapters != self._adapters:
                if self._running:
                    return
                self._change_adapters(sequence.sampler.adapters)
            if not self._begin(sequence):
                return
            with self._lock:
                self._waiting.popleft()
            self._running.append(sequence)

    def _begin(self, sequence: Answer) -> bool:
        """Give it a row with what is there of its prompt; False when it has to wait."""
        most = len(sequence.ids) - 1  # the last token is computed for its logits
        source, shared = self._sequences.best(sequence.ids) if self._shares else (None, 0)
        parked, more = self._shelf.best(sequence.ids)
        shared, more = min(shared, most), min(more, most)
        if shared < SHORTEST_SHARED:
            source, shared = None, 0
        if parked is not None and more >= shared + SHORTEST_SHARED:
            source, shared = None, more
        else:
            parked = None
        if self._worth_waiting(sequence, shared):
            return False
        need = most + sequence.most
        claimed = self._sequences.claim(
            source, shared, need - shared if parked is None else max(need, len(parked.tokens))
        )
        if claimed is None:
            return False
        row, gone = claimed
        branched = (source is not None and shared < len(source)) or (parked is not None and shared < len(parked.tokens))
        self._place(row, gone, source, shared)
        if parked is not None and not self._fetch(row, parked, shared, need):
            shared, branched = 0, False
        sequence.row, sequence.read, sequence.shared, sequence.branched = row, shared, shared, branched
        return True

    def _change_adapters(self, adapters: AdapterSet) -> None:
        """What was computed with others waits outside the memory until they come again. Nothing runs now."""
        for row in self._sequences.rows():
            self._sequences.drop(row)
            self._park(row)
        adapters.attach(self._library, self._context)
        self._adapters = self._shelf.adapters = adapters

    def _worth_waiting(self, sequence: Answer, shared: int) -> bool:
        """Whether a prompt that is being computed will soon share more with this one than is there now."""
        if not self._shares:
            return False
        coming = max((common(s.ids, sequence.ids) for s in self._running if s.reading), default=0)
        return min(coming, len(sequence.ids) - 1) >= shared + SHORTEST_SHARED

    def _place(self, row: Kept, gone: Sequence[Kept], source: Kept | None, shared: int) -> None:
        for other in gone:
            if other is not source:
                self._park(other)
        if source is None:
            return
        if source.number == row.number:
            self._shelf.put(source.tokens, source.number)
            self._library.llama_memory_seq_rm(self._memory, row.number, shared, -1)
            return
        self._library.llama_memory_seq_cp(self._memory, source.number, row.number, 0, shared)
        if source in gone:
            self._park(source)

    def _fetch(self, row: Kept, parked: Parked, shared: int, need: int) -> bool:
        """Copy the first tokens back into the memory, as an empty row's."""
        if found := self._shelf.fetch(parked, row.number):
            self._library.llama_memory_seq_rm(self._memory, row.number, shared, -1)
            row.promised = need
            self._sequences.extend(row, parked.tokens[:shared])
            if shared == len(parked.tokens):
                self._shelf.drop(parked)
        return found

    def _tidy(self) -> None:
        """Unused rows that hold cells for themselves move out of the memory."""
        for row in self._sequences.unused():
            self._sequences.drop(row)
            self._park(row)

    def _park(self, row: Kept) -> None:
        """Copy a row that is given up, and free its cells."""
        self._shelf.put(row.tokens, row.number)
        self._library.llama_memory_seq_rm(self._memory, row.number, -1, -1)

    def _compute(self) -> None:
        batch, filled = self._batch, 0
        outputs: list[tuple[int, Answer]] = []
        parts: list[tuple[Answer, Sequence[int] | Row]] = []
        writing = [s for s in self._running if not s.reading]
        for sequence in writing:
            assert sequence.row is not None
            _put(batch, filled, sequence.last, len(sequence.row), sequence.row.number, True)
            outputs.append((filled, sequence))
            parts.append((sequence, (sequence.last,)))
            filled += 1
        room = min(self._most, filled + PIECE) if writing else self._most
        for sequence in self._running:
            if sequence.reading and filled < room:
                assert sequence.row is not None
                piece = sequence.ids[sequence.read : sequence.read + room - filled]
                start, last = len(sequence.row), sequence.read + len(piece) == len(sequence.ids)
                for number, token in enumerate(piece.tolist()):
                    _put(batch, filled + number, token, start + number, sequence.row.number, False)
                filled += len(piece)
                if last:
                    batch.logits[filled - 1] = 1
                    outputs.append((filled - 1, sequence))
                parts.append((sequence, piece))
        batch.n_tokens = filled
        self._break_off(filled - len(writing) >= ABORTED_FROM)
        code = self._library.llama_decode(self._context, batch)
        if code == _ABORTED:
            self._forget_all()
            return
        if code != 0:
            raise Damaged(
                source=self.name,
                problem=f"llama.cpp can't compute it (code {code}). Take another copy of the file.",
            )
        for sequence, tokens in parts:
            assert sequence.row is not None
            self._sequences.extend(sequence.row, tokens)
            if sequence.reading:
                sequence.read += len(tokens)
        for index, sequence in outputs:
            self._sample(index, sequence)

    def _break_off(self, aborts: bool) -> None:
        """Whether the coming step ends early once nobody wants it."""
        if aborts != self._aborts:
            self._aborts = aborts
            self._library.llama_set_abort_callback(self._context, self._abort if aborts else self._no_abort, None)

    def _sample(self, index: int, sequence: Answer) -> None:
        if sequence.written == 0 and not self._usable(index):
            self._finish(
                sequence,
                Damaged(source=self.name, problem="it computes no usable numbers. Take another copy of the file."),
            )
            return
        chosen = sequence.sampler.choose(self._context, index)
        token = chosen.token
        sequence.last = token
        sequence.written += 1
        sequence.out.put(chosen)
        if sequence.written == sequence.most or sequence.ends(token):
            self._finish(sequence)

    def _usable(self, index: int) -> bool:
        logits = np.ctypeslib.as_array(self._library.llama_get_logits_ith(self._context, index), (self._size,))
        return bool(np.isfinite(logits).all())

    def _finish(self, sequence: Answer, error: Exception | None = None) -> None:
        self._running.remove(sequence)
        if sequence.row is not None:
            self._keep(sequence, sequence.row)
        self._end(sequence, error)

    def _keep(self, sequence: Answer, row: Kept) -> None:
        """What stays of a finished answer: all of it, or of one of many with a common beginning only that."""
        self._sequences.rest(row)
        kept = sequence.shared if sequence.branched else len(row)
        if not self._shares or self._sequences.contains(row.tokens[:kept], but=row):
            self._sequences.drop(row)
            self._library.llama_memory_seq_rm(self._memory, row.number, -1, -1)
        elif kept < len(row):
            self._sequences.cut(row, kept)
            self._library.llama_memory_seq_rm(self._memory, row.number, kept, -1)

    def _end(self, sequence: Answer, error: Exception | None = None) -> None:
        sequence.sampler.free()
        sequence.out.end(error)

    def _forget_all(self) -> None:
        """After a step that broke off nothing in the memory is sure: what runs begins anew."""
        self._library.llama_memory_clear(self._memory, True)
        for row in self._sequences.rows():
            self._sequences.drop(row)
            row.cut(0)

    def _give_up(self, error: Exception) -> None:
        self._forget_all()
        while self._running:
            self._end(self._running.pop(), error)


def make(library: ModuleType, model: Any, name: str, window: int, threads: int) -> Any:
    """The context for a window of so many tokens. Raises `Damaged`."""
    return context(
        library,
        model,
        name,
        cells(library, model, window),
        min(BATCH, window),
        threads,
        flash=True,
        n_seq_max=ROWS,
        n_outputs_max=ROWS,
        kv_unified=True,
    )


def cells(library: ModuleType, model: Any, window: int) -> int:
    """Cells of the memory for a window of so many tokens: `CELLS` at least, unless the window was cut to save memory."""
    cut = window < min(CELLS, int(library.llama_model_n_ctx_train(model)))
    return window if cut else max(window, CELLS)


def _put(batch: Any, index: int, token: int, position: int, sequence: int, output: bool) -> None:
    batch.token[index] = token
    batch.pos[index] = position
    batch.n_seq_id[index] = 1
    batch.seq_id[index][0] = sequence
    batch.logits[index] = output
