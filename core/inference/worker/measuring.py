"""What a model file would need in memory, as llama.cpp counts it, without taking it.

llama.cpp can lay out weights and contexts without allocating them, and then says their sizes only in its log; so its log is read, for as long
as that takes, and nothing but sizes is kept of it.
"""

import ctypes
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from core.errors import Cancelled, Damaged, NotFound
from core.inference.planning import ALWAYS, FAST, REPRODUCIBLE, ContextNeeds, Measure, Needs
from core.inference.worker import bert, devices, scheduling, single
from core.inference.worker import library as loading
from core.inference.worker.watching import WATCH, goes_on
from core.models.worker.gguf import read
from core.models.worker.library import silence
from core.workers.serving import Call

GRAPHS: Final = 2.0
"""ONNX Runtime keeps a graph's weights beside the graph."""
RUNTIME: Final = 30 * 2**20
"""Bytes of ONNX Runtime itself, once it has a model."""
SERVING: Final = 8 * 2**20
"""Bytes that a chat model's worker takes once it answers: templates, threads, rows of numbers."""
LEFT_OUT: Final = 0.01
"""Of the weights, how much may lie in no tensor that the file's beginning lists; more, and the file is one of several."""
_CACHE: Final = re.compile(r"(?:kv_cache\w*|memory_recurrent|memory_\w+): +size = +([\d.]+) MiB")
_BUFFER: Final = re.compile(r"(?:output|compute) buffer size = +([\d.]+) MiB")
_BLOCK: Final = re.compile(r"blk\.(\d{1,6})\.")
_MIB: Final = 2**20


def measure(library: ModuleType, request: Measure, call: Call) -> Needs:
    """Raises `NotFound`, `Damaged` (llama.cpp refuses the file), `Cancelled`."""
    if not Path(request.path).is_file():
        raise NotFound(kind="file", name=request.path, step="Put it back, or register the model again.")
    with _log(library) as lines, WATCH.step() as step:
        watch = library.llama_progress_callback(lambda done, data: goes_on(step, call))
        settings = library.llama_model_default_params()
        settings.progress_callback = watch
        none = devices.handles(library, ())
        settings.n_gpu_layers, settings.devices = 0, ctypes.addressof(none)
        settings.no_alloc = True
        settings.load_mode = library.LLAMA_LOAD_MODE_NONE  # a mapped file can't be left out
        model = library.llama_model_load_from_file(os.fsencode(request.path), settings)
        if not model:
            if call.cancelled:
                raise Cancelled(what=f"Measuring {request.name}")
            problem = "llama.cpp can't load this file: damaged, or of a kind that it doesn't know. Take another copy."
            raise Damaged(source=request.name, problem=problem)
        try:
            process = _resident()
            window = min(request.window, int(library.llama_model_n_ctx_train(model)))
            weights = int(library.llama_model_size(model))
            layers = int(library.llama_model_n_layer(model))
            sizes = _layers(request, layers, weights) if request.purpose == "chat" else ()
            contexts: list[ContextNeeds] = []
            if onnx := _graph(request):
                process, weights = process + RUNTIME, round(GRAPHS * onnx)
                contexts = [_onnx(request, size) for size in (max(1, window // 2), window)]
            else:
                process += SERVING if request.purpose == "chat" else 0
                for kind in _kinds(library, model, request):
                    for size in (max(1, window // 2), window):
                        call.check()
                        step.goes_on()
                        contexts.append(_context(library, lines, kind, size))
        finally:
            library.llama_model_free(model)
    return Needs(window=window, process=process, weights=weights, contexts=tuple(contexts), layers=layers, sizes=sizes)


def _graph(request: Measure) -> int:
    """The size of the graph that ONNX Runtime would compute; 0 where llama.cpp computes. That of an embedder is kept for `Load`, which follows."""
    if request.purpose == "embed":
        return len(bert.measured_graph(Path(request.path)) or b"")
    if request.purpose == "rerank":
        return len(bert.scoring_graph(Path(request.path)) or b"")
    return 0


def _onnx(request: Measure, size: int) -> ContextNeeds:
    """What texts of so many tokens take in ONNX Runtime, one on each lane: all pairs of each head, and the widest row."""
    path = Path(request.path)
    wanted = ("bert.attention.head_count", "bert.feed_forward_length")
    with path.open("rb") as file:
        about = read(file, path.stat().st_size, request.name, wanted).values
    heads, wide = (int(about.get(name) or 0) for name in wanted)
    lanes = request.threads or loading.cores()
    return ContextNeeds(window=size, cache=0, buffers=4 * lanes * size * (heads * size + wide))


def _layers(request: Measure, blocks: int, weights: int) -> tuple[int, ...]:
    """Bytes of each layer as `Needs.sizes` has them. Of a file of several, which lists its own tensors only, all are taken to be alike."""
    path = Path(request.path)
    with path.open("rb") as file:
        tensors = read(file, path.stat().st_size, request.name, ()).tensors
    if abs(sum(tensor.size for tensor in tensors) - weights) > LEFT_OUT * weights:
        return (weights // (blocks + 1),) * (blocks + 1)
    sizes = [0] * (blocks + 1)
    words = ends = 0
    for tensor in tensors:
        found = _BLOCK.match(tensor.name)
        if found and int(found[1]) < blocks:
            sizes[blocks - int(found[1])] += tensor.size
        elif tensor.name == "token_embd.weight":
            words = tensor.size
        else:
            sizes[0] += tensor.size
            ends += tensor.name == "output.weight"
    sizes[0] += (
        0 if ends else words
    )  # a model without an output matrix uses its table of words for it, of which the card gets a copy
    return tuple(sizes)


class _Kind(NamedTuple):
    """One of a model's contexts."""

    mode: str
    """The mode that needs it."""
    make: Callable[[int], Any]
    """How it is made for so many tokens."""
    times: int = 1
    """How many there are of it."""
    outputs: int = 0
    """Bytes of results that each token adds, once so many are computed together. llama.cpp takes this room with the first text that needs it, so
    that nothing of it is in the log of a context that was just made."""


def _kinds(library: ModuleType, model: Any, request: Measure) -> list[_Kind]:
    """All of them."""
    name = request.name
    if request.purpose in ("embed", "rerank"):

        def lane(size: int) -> Any:
            return loading.context(library, model, name, size, size, 1, embeddings=True)

        # each token gets a vector and, though nobody asks for them, the numbers of the whole vocabulary: of 30,000 words, 60 MB for 512 tokens
        words = int(library.llama_vocab_n_tokens(library.llama_model_get_vocab(model)))
        outputs = 4 * (words + int(library.llama_model_n_embd(model)))
        return [_Kind(ALWAYS, lane, request.threads or loading.cores(), outputs)]

    def alone(size: int) -> Any:
        return single.make(library, model, name, size, 1)

    def together(size: int) -> Any:
        return scheduling.make(library, model, name, size, 1)

    return [_Kind(REPRODUCIBLE, alone), _Kind(FAST, together)]


def _context(library: ModuleType, lines: list[str], kind: _Kind, size: int) -> ContextNeeds:
    lines.clear()
    library.llama_free(kind.make(size))
    text = "".join(lines)
    cache = sum(float(found) for found in _CACHE.findall(text))
    buffers = sum(float(found) for found in _BUFFER.findall(text))
    cache *= kind.times * _MIB
    buffers = kind.times * (buffers * _MIB + kind.outputs * size)
    kept = scheduling.PARKED * cache if kind.mode == FAST else 0
    return ContextNeeds(window=size, cache=round(cache), buffers=round(buffers), mode=kind.mode, kept=round(kept))


@contextmanager
def _log(library: ModuleType) -> Iterator[list[str]]:
    lines: list[str] = []
    keep = library.llama_log_callback(lambda level, text, data: lines.append(text.decode("utf-8", "replace")))
    library.llama_log_set(keep, ctypes.c_void_p(0))
    try:
        yield lines
    finally:
        silence(library)


def _resident() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
