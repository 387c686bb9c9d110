"""Old GGML files at work, through `ctransformers`, in a worker of its own.

What the library can't do is refused: these files have no chat template, so a prompt is one text that goes on; there is no grammar, no adapter, no
embedding; requests are computed one after the other and from the beginning, whatever the mode. Only its C functions are called: its Python layer
counts characters where the C side writes a token per byte. A token is chosen here, from the model's logits, by the rules of the other backends.
"""

import ctypes
import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.errors import ContextExceeded, Damaged, Unsupported
from core.inference.planning import ContextNeeds, Measure, Needs
from core.inference.records import (
    TEXT,
    Choice,
    Complete,
    Count,
    Counted,
    Finished,
    Generate,
    Likely,
    Load,
    PromptToken,
    PromptTokens,
    Ready,
    ShowTokens,
    Token,
    Weigh,
    WeighText,
)
from core.inference.worker.sampling import REPEAT_WINDOW
from core.inference.worker.streaming import Emitter
from core.inference.worker.watching import WATCH
from core.inference.worker.whole import whole
from core.models.worker.legacy import walk
from core.records import Record
from core.workers.serving import Call, Handler

BACKEND: Final = "ctransformers 0.2.27"
BATCH: Final = 64
FLOAT: Final = 4
PROCESS: Final = 80 * 2**20
BUFFERS: Final = 300 * 2**20
"""The library takes 256 MiB for intermediate results, whatever the model."""
Floats = npt.NDArray[np.float64]

_held: list["Model"] = []


class _Config(ctypes.Structure):
    _fields_ = (
        ("context_length", ctypes.c_int),
        ("gpu_layers", ctypes.c_int),
        ("mmap", ctypes.c_bool),
        ("mlock", ctypes.c_bool),
    )


class Model:
    """A loaded file."""

    def __init__(self, path: str, name: str, threads: int) -> None:
        """Raises `Damaged`, `Unsupported`."""
        found = walk(Path(path))
        self.name = name
        self.window = found.numbers["context"]
        self._threads = threads or len(os.sched_getaffinity(0))
        self._library = _library()
        config = _Config(-1, 0, True, False)
        with WATCH.step():
            self._handle = self._library.ctransformers_llm_create(path.encode(), found.family.encode(), config)
        if not self._handle:
            raise Damaged(source=name, problem="ctransformers can't load it. Take a GGUF of the model.")
        self.size: int = self._library.ctransformers_llm_vocab_size(self._handle)

    def tokens(self, text: str) -> list[int]:
        data = text.encode("utf-8", "replace").replace(b"\0", b"")
        room = (ctypes.c_int * (len(data) + 8))()
        with WATCH.step():
            count = self._library.ctransformers_llm_tokenize(self._handle, data, False, room)
        return list(room[: max(count, 0)])

    def piece(self, token: int) -> bytes:
        found: bytes | None = self._library.ctransformers_llm_detokenize(self._handle, token)
        return found or b""

    def ends(self, token: int) -> bool:
        return bool(self._library.ctransformers_llm_is_eos_token(self._handle, token))

    def logits(self, tokens: list[int], past: int) -> Floats:
        """Of the token after these, which follow `past` computed ones. Raises `Damaged`."""
        array = (ctypes.c_int * len(tokens))(*tokens)
        if past == 0:
            self._library.ctransformers_llm_reset(self._handle)
        with WATCH.step():
            computed = self._library.ctransformers_llm_batch_eval(
                self._handle, array, len(tokens), past, BATCH, self._threads
            )
        if not computed:
            raise Damaged(source=self.name, problem="ctransformers can't compute with it.")
        count = self._library.ctransformers_llm_logits_size(self._handle)
        if count < self.size:
            raise Damaged(source=self.name, problem="ctransformers gave no result.")
        found = np.ctypeslib.as_array(self._library.ctransformers_llm_logits_data(self._handle), (count,))
        return found[-self.size :].astype(np.float64)


def measure(request: Measure, call: Call) -> Needs:
    """What the file would take: its weights as they are, keys and values of all tokens, and the library's fixed buffers. Raises `Damaged`."""
    path = Path(request.path)
    found = walk(path)
    window = found.numbers["context"]
    cache = 2 * found.numbers["layers"] * window * found.numbers["width"] * FLOAT
    return Needs(
        window=window,
        process=PROCESS,
        weights=path.stat().st_size,
        contexts=(ContextNeeds(window=window, cache=cache, buffers=BUFFERS),) * 2,
        layers=found.numbers["layers"],
    )


def load(request: Load, call: Call) -> Ready:
    """Load the file. Raises `Damaged`, `Unsupported`."""
    if not _held:
        _held.append(Model(request.path, request.name, request.threads))
    return Ready(context=_held[0].window, dimensions=0, backend=BACKEND)


def generate(request: Generate, call: Call) -> Iterator[Token | Finished]:
    """The text that goes on from the prompt, then `Finished`. Raises `Unsupported`, `ContextExceeded`, `Damaged`."""
    model, began = _held[0], time.monotonic()
    prompt = _prompt(model, request)
    ids = model.tokens(prompt)
    if len(ids) + request.max_tokens > model.window:
        raise ContextExceeded(prompt=len(ids), answer=request.max_tokens, window=model.window)
    if not ids:
        raise Unsupported(source=model.name, reason="it can't begin with nothing. Give it some text.")
    emitter, chance = Emitter(request.stop), np.random.default_rng(request.seed)
    first, written, reason, past, waiting = 0.0, 0, "length", 0, ids
    for _ in range(request.max_tokens):
        call.check()
        logits = model.logits(waiting, past)
        past += len(waiting)
        token = choose(logits, request, ids, chance)
        first = first or time.monotonic() - began
        if model.ends(token):
            reason = "stop"
            break
        written += 1
        ids.append(token)
        waiting = [token]
        choices = (_choice(model, logits, token, request.log_probabilities),) if request.log_probabilities >= 0 else ()
        if (text := emitter.feed(model.piece(token))) or choices:
            yield Token(text=text, choices=choices)
        if emitter.stopped:
            reason = "stop"
            break
    if text := emitter.finish():
        yield Token(text=text)
    yield Finished(
        reason=reason,
        prompt=prompt,
        prompt_tokens=past - max(written - 1, 0),
        tokens=written,
        first_token_seconds=first,
        seconds=time.monotonic() - began,
        backend=BACKEND,
        mode=request.mode,
    )


def show_tokens(request: ShowTokens, call: Call) -> PromptTokens:
    """The prompt token by token. Raises `Unsupported`."""
    model = _held[0]
    prompt = _prompt(model, request.request)
    found = (
        PromptToken(id=token, text=model.piece(token).decode("utf-8", "replace"), special=model.ends(token), message=0)
        for token in model.tokens(prompt)
    )
    return PromptTokens(prompt=prompt, tokens=tuple(found), window=model.window)


def weigh(request: Weigh | WeighText, call: Call) -> Record:
    """Raises `Unsupported`."""
    raise Unsupported(source=_held[0].name, reason="an old GGML file doesn't weigh texts. Take a GGUF of the model.")


def count(request: Count, call: Call) -> Counted:
    """Tokens of each text."""
    return Counted(tokens=tuple(len(_held[0].tokens(text)) for text in request.texts))


def choose(logits: Floats, request: Generate, before: list[int], chance: np.random.Generator) -> int:
    """The next token: likely repetitions are made less so; then the greatest, or by chance among the likeliest."""
    logits = logits.copy()
    if request.repeat_penalty != 1.0:
        seen = np.unique(before[-REPEAT_WINDOW:])
        logits[seen] = np.where(
            logits[seen] > 0, logits[seen] / request.repeat_penalty, logits[seen] * request.repeat_penalty
        )
    if request.temperature == 0.0:
        return int(logits.argmax())
    order = np.argsort(-logits, kind="stable")
    if request.top_k > 0:
        order = order[: request.top_k]
    likely = np.exp(log_softmax(logits[order]))
    if request.top_p < 1.0:
        kept = int(np.searchsorted(np.cumsum(likely), request.top_p)) + 1
        order = order[:kept]
    likely = np.exp(log_softmax(logits[order] / request.temperature))
    return int(chance.choice(order, p=likely / likely.sum()))


def log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max()
    found: Floats = shifted - np.log(np.exp(shifted).sum())
    return found


def _choice(model: Model, logits: Floats, token: int, most: int) -> Choice:
    likely = log_softmax(logits)
    best = np.argsort(-likely, kind="stable")[:most]

    def named(n: int) -> Likely:
        return Likely(data=model.piece(n), log_probability=float(likely[n]))

    return Choice(chosen=named(token), top=tuple(named(int(n)) for n in best))


def _prompt(model: Model, request: Generate) -> str:
    if request.grammar or request.schema is not None or request.tools or request.adapters:
        raise Unsupported(
            source=model.name,
            reason="an old GGML file follows no grammar, tools or adapters. Take a GGUF of the model.",
        )
    if [message.role for message in request.messages] != [TEXT] or request.variables is not None:
        raise Unsupported(
            source=model.name,
            reason="an old GGML file has no chat template: it goes on from a text, and answers no messages.",
        )
    return request.messages[0].content


def _library() -> Any:
    """The package's own library for this processor, without its search for the processor's features, which starts programs."""
    package = importlib.util.find_spec("ctransformers")
    if package is None or package.origin is None:
        raise Unsupported(source="ctransformers", reason="it isn't installed, so old GGML files can't be run.")
    if sys.platform != "linux":
        raise Unsupported(
            source="ctransformers", reason="old GGML files run on Linux alone here. Take a GGUF of the model."
        )
    try:
        flags = Path("/proc/cpuinfo").read_text("ascii", "replace").partition("flags")[2].partition("\n")[0].split()
    except OSError:
        flags = []
    kind = "avx2" if "avx2" in flags else "avx" if "avx" in flags and "f16c" in flags else "basic"
    library = ctypes.CDLL(str(Path(package.origin).parent / "lib" / kind / "libctransformers.so"))
    handle, numbers = ctypes.c_void_p, ctypes.POINTER(ctypes.c_int)
    for name, result, *arguments in (
        ("create", handle, ctypes.c_char_p, ctypes.c_char_p, _Config),
        ("tokenize", ctypes.c_int, handle, ctypes.c_char_p, ctypes.c_bool, numbers),
        ("detokenize", ctypes.c_char_p, handle, ctypes.c_int),
        ("is_eos_token", ctypes.c_bool, handle, ctypes.c_int),
        ("vocab_size", ctypes.c_int, handle),
        ("batch_eval", ctypes.c_bool, handle, numbers, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int),
        ("logits_data", ctypes.POINTER(ctypes.c_float), handle),
        ("logits_size", ctypes.c_int, handle),
        ("reset", None, handle),
    ):
        function = getattr(library, f"ctransformers_llm_{name}")
        function.restype, function.argtypes = result, arguments
    return library


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {
        Measure: measure,
        Load: load,
        Generate: generate,
        Complete: whole(generate),
        Count: count,
        ShowTokens: show_tokens,
        Weigh: weigh,
        WeighText: weigh,
    }
