"""Writes a model file anew with smaller numbers, through llama.cpp, and measures what that costs.

llama.cpp quantizes in one call that can't be stopped and says nothing on its way: it runs on a thread of its own, progress is the size of what
is written, and who cancels ends the process. Which numbers matter is learnt from a text before (`importance`). Perplexity and divergence are taken
as llama.cpp's own tool takes them: over windows of `WINDOW` tokens, each begun anew, and of each only the second half counts, where a token has at
least half a window before it.
"""

import ctypes
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.errors import BadInput, Damaged, Unsupported
from core.models.making_records import Compared, CompareModels, Quantized, QuantizeFile
from core.models.worker import importance
from core.models.worker.library import open_library
from core.records import Record
from core.workers.serving import Call, Handler

WINDOW: Final = 512
LOOK: Final = 0.2
"""Seconds between two looks at how far it is."""
Floats = npt.NDArray[np.float64]


def quantize(request: QuantizeFile, call: Call) -> Quantized:
    """Write the file. Raises `Unsupported` when llama.cpp refuses, `Cancelled`; what was written so far is the caller's to remove."""
    library = open_library()
    settings = library.llama_model_quantize_default_params()
    settings.ftype = _number(library, request.quantization)
    settings.nthread = request.threads
    settings.allow_requantize = request.again
    settings.pure = request.pure
    kept: list[object] = []
    learnt = 0
    if request.importance:
        found, learnt = importance.collect(library, request.path, request.name, request.importance, call)
        settings.imatrix, kept = importance.as_parameter(library, found)
        settings.kv_overrides = importance.noted(library, request.importance, learnt, len(found))
    done: list[int] = []

    def work() -> None:
        done.append(library.llama_model_quantize(request.path.encode(), request.out.encode(), ctypes.byref(settings)))

    thread = threading.Thread(target=work, name="quantizing", daemon=True)
    thread.start()
    out = Path(request.out)
    while thread.is_alive():
        thread.join(LOOK)
        call.report(min(out.stat().st_size if out.exists() else 0, request.expected), request.expected, "bytes")
    if done != [0]:
        raise Unsupported(source=request.name, reason=_why(request))
    kept.clear()
    return Quantized(size=out.stat().st_size, learnt=learnt)


def compare(request: CompareModels, call: Call) -> Compared:
    """Measure both models on a text. Raises `BadInput` when it is too short, `Damaged`, `Unsupported` for other vocabularies."""
    library = open_library()
    first, second = _Scored(library, request.first), None
    try:
        second = _Scored(library, request.second)
        ids = first.tokens(request.text)
        if second.tokens(request.text) != ids:
            raise Unsupported(
                source="The two models", reason="they don't read the same tokens, so they can't be compared."
            )
        windows = [ids[start : start + WINDOW] for start in range(0, len(ids), WINDOW)]
        windows = [window for window in windows if len(window) == WINDOW] or windows[:1]
        if len(windows[0]) < 16:
            raise BadInput(source="The text", problem="it has fewer than 16 tokens. Give a longer one.")
        return _compared(windows, first, second, call)
    finally:
        first.close()
        if second is not None:
            second.close()


def _compared(windows: list[list[int]], first: "_Scored", second: "_Scored", call: Call) -> Compared:
    losses: list[Floats] = []
    others: list[Floats] = []
    divergences: list[Floats] = []
    agreed: list[npt.NDArray[np.bool_]] = []
    for number, window in enumerate(windows):
        call.report(number, len(windows), "windows")
        for one, two, wanted in zip(
            first.halves(window), second.halves(window), window[len(window) // 2 + 1 :], strict=True
        ):
            losses.append(-one[wanted : wanted + 1])
            others.append(-two[wanted : wanted + 1])
            divergences.append(np.array([float(np.sum(np.exp(one) * (one - two)))]))
            agreed.append(np.array([one.argmax() == two.argmax()]))
    divergence = np.concatenate(divergences)
    return Compared(
        tokens=len(divergence),
        first_perplexity=math.exp(float(np.concatenate(losses).mean())),
        second_perplexity=math.exp(float(np.concatenate(others).mean())),
        divergence=max(0.0, float(divergence.mean())),
        divergence_99=max(0.0, float(np.quantile(divergence, 0.99))),
        same_top=float(np.concatenate(agreed).mean()),
    )


class _Scored:
    """A model loaded to look at the distribution of each next token."""

    def __init__(self, library: Any, path: str) -> None:
        self._library = library
        self._model = library.llama_model_load_from_file(path.encode(), library.llama_model_default_params())
        if not self._model:
            raise Damaged(source=Path(path).name, problem="llama.cpp can't load it. Take another copy of the file.")
        settings = library.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = WINDOW
        self._context = library.llama_init_from_model(self._model, settings)
        self._vocabulary = library.llama_model_get_vocab(self._model)
        self._size: int = library.llama_vocab_n_tokens(self._vocabulary)
        if not self._context:
            library.llama_model_free(self._model)
            raise Unsupported(source=Path(path).name, reason="it doesn't write text, so it has no perplexity.")

    def tokens(self, text: str) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = (ctypes.c_int32 * (len(data) + 8))()
        count = self._library.llama_tokenize(self._vocabulary, data, len(data), room, len(room), True, False)
        return list(room[: max(count, 0)])

    def halves(self, window: list[int]) -> Iterator[Floats]:
        """Log-probabilities (vocabulary,) after each token of the window's second half but the last."""
        library, half = self._library, len(window) // 2
        library.llama_memory_clear(library.llama_get_memory(self._context), True)
        batch = library.llama_batch_init(len(window), 0, 1)
        try:
            batch.n_tokens = len(window)
            for place, token in enumerate(window):
                batch.token[place], batch.pos[place] = token, place
                batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
                batch.logits[place] = half <= place < len(window) - 1
            if library.llama_decode(self._context, batch) != 0:
                raise Damaged(source="The model", problem="llama.cpp can't compute with it.")
        finally:
            library.llama_batch_free(batch)
        for place in range(half, len(window) - 1):
            row = np.ctypeslib.as_array(library.llama_get_logits_ith(self._context, place), (self._size,)).astype(
                np.float64
            )
            row -= row.max()
            yield row - math.log(np.exp(row).sum())

    def close(self) -> None:
        self._library.llama_free(self._context)
        self._library.llama_model_free(self._model)


def _number(library: Any, name: str) -> int:
    number = getattr(library, f"LLAMA_FTYPE_MOSTLY_{name}", getattr(library, f"LLAMA_FTYPE_ALL_{name}", None))
    if not isinstance(number, int):
        raise Unsupported(source=name, reason="this build of llama.cpp doesn't offer it.")
    return number


def _why(request: QuantizeFile) -> str:
    if request.importance:
        return f"llama.cpp can't write it as {request.quantization}. Choose another type."
    return f"llama.cpp can't write it as {request.quantization}. Types of one or two bits need a text from which it learns which numbers matter."


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {QuantizeFile: quantize, CompareModels: compare}
