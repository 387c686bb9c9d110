"""How much memory a model takes, before it is loaded, and who leaves for it.

What llama.cpp needs is measured by llama.cpp itself, in the worker, without taking it (`core.inference.worker.measuring`): at two lengths of
the context, between which all of it grows in a straight line. Rules: a mode's context is counted when it is first used, for it is made then;
nothing is loaded beyond the budget; of the models that nobody uses the least recently used leave first; a model in use stays.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from core.records import Record

SHORTEST: Final = 512
"""Tokens; a shorter context is not suggested."""
STEP: Final = 256
"""Contexts are suggested in multiples of it; llama.cpp rounds up to it too."""
ALWAYS: Final = ""
FAST: Final = "fast"
REPRODUCIBLE: Final = "reproducible"
SPARED: Final = 0.9
"""Of the memory that is free, how much models may take by themselves."""


class Measure(Record, frozen=True, kw_only=True, tag="measure"):
    """To a worker that holds no model yet: what would this file need? As for `Load`, nothing of it is taken."""

    path: str
    name: str
    purpose: str
    """As the model file's."""
    window: int
    """Tokens of the longest context that is asked about."""
    threads: int = 0


class ContextNeeds(Record, frozen=True, kw_only=True):
    """Bytes of one context of so many tokens. `mode`: the mode of answering that first needs it, or `ALWAYS`."""

    window: int
    cache: int
    buffers: int
    mode: str = ALWAYS


class Needs(Record, frozen=True, kw_only=True, tag="needs"):
    """What llama.cpp would take for a model, bytes."""

    window: int
    """Tokens of the longest context that was looked at; never more than the model was made for."""
    process: int
    """The worker itself, with the model's vocabulary."""
    weights: int
    contexts: tuple[ContextNeeds, ...]
    """Each context in two lengths, the shorter first."""
    layers: int
    gpu_layers: int = 0
    """Layers that a graphics card would take; 0 without one."""


class MemoryPlan(Record, frozen=True, kw_only=True):
    """The memory that a model takes, bytes, and whether it fits."""

    context: int
    """Tokens."""
    weights: int
    cache: int
    """Keys and values of tokens: of those in the contexts, and of beginnings that are kept beside them."""
    buffers: int
    """Intermediate results."""
    process: int
    """The worker itself, with the model's vocabulary."""
    total: int
    budget: int
    """What all models together may take now."""
    fits: bool
    suggestion: int
    """The longest context, tokens, that fits; 0 where none does."""
    layers: int = 0
    gpu_layers: int = 0


class Held(NamedTuple):
    """A model in memory, as the choice of who leaves sees it."""

    memory: int
    used: int
    """When it was last used; a larger number is later."""
    busy: bool


def plan(needs: Needs, context: int, budget: int, modes: Collection[str]) -> MemoryPlan:
    """The memory, bytes, for a context of so many tokens (at most the model's own) in each of `modes`, and whether it fits into `budget`. Where it
    doesn't, `suggestion` is the longest context that would, or 0."""
    needs = replace(needs, contexts=tuple(one for one in needs.contexts if one.mode == ALWAYS or one.mode in modes))
    context = min(context, needs.window)
    cache, buffers = _contexts(needs, context)
    total = needs.process + needs.weights + cache + buffers
    fits = total <= budget
    return MemoryPlan(
        context=context,
        weights=needs.weights,
        cache=cache,
        buffers=buffers,
        process=needs.process,
        total=total,
        budget=budget,
        fits=fits,
        suggestion=context if fits else _longest(needs, context, budget),
        gpu_layers=needs.gpu_layers,
        layers=needs.layers,
    )


def leaving(need: int, budget: int, held: Sequence[Held]) -> list[int] | None:
    """Which of the models held (their places in the row) leave so that `need` bytes more stay within `budget`; None when those in use leave
    too little."""
    room = budget - sum(one.memory for one in held)
    gone: list[int] = []
    for place in sorted((n for n, one in enumerate(held) if not one.busy), key=lambda n: held[n].used):
        if room >= need:
            break
        room += held[place].memory
        gone.append(place)
    return gone if room >= need else None


def available() -> int:
    """Bytes of memory that can be had without pressing others out, or all there is where the system doesn't tell; 0 where it tells nothing."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return 0


def _contexts(needs: Needs, context: int) -> tuple[int, int]:
    """Cache and buffers of all the model's contexts together."""
    pairs = [(needs.contexts[n], needs.contexts[n + 1]) for n in range(0, len(needs.contexts), 2)]
    cache = sum(_at(context, short.window, short.cache, long.window, long.cache) for short, long in pairs)
    buffers = sum(_at(context, short.window, short.buffers, long.window, long.buffers) for short, long in pairs)
    return cache, buffers


def _at(x: int, x0: int, y0: int, x1: int, y1: int) -> int:
    if x1 == x0:
        return y1
    return max(0, round(y0 + (y1 - y0) * (x - x0) / (x1 - x0)))


def _longest(needs: Needs, context: int, budget: int) -> int:
    for shorter in range((context - 1) // STEP * STEP, SHORTEST - 1, -STEP):
        if needs.process + needs.weights + sum(_contexts(needs, shorter)) <= budget:
            return shorter
    return 0
