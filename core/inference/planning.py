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
    kept: int = 0
    """Keys and values that are kept beside the context, always in the machine's own memory."""


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
    """Blocks of the model."""
    sizes: tuple[int, ...] = ()
    """Bytes of weights that each layer takes along to a graphics card, the output layer first, then the blocks from the last to the first; empty
    for a model that goes to none."""

    def moving(self, cache: int) -> list[int]:
        """Bytes of each layer in that order, with its part of so many bytes of contexts' keys and values."""
        return [size + (cache // max(1, self.layers) if number else 0) for number, size in enumerate(self.sizes)]


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
    """All that a graphics card could take: the model's blocks and its output layer."""
    gpu_layers: int = 0
    """Those that one takes. What they need is not counted above, but here."""
    device: str = ""
    """What they lie on; empty where the processor computes all."""
    device_weights: int = 0
    device_cache: int = 0
    device_buffers: int = 0
    device_total: int = 0
    device_free: int = 0
    """What models may take of the card's memory."""
    without_card: str = ""
    """Why no graphics card takes a layer, where that was looked into."""


class Held(NamedTuple):
    """A model in memory, as the choice of who leaves sees it."""

    memory: int
    used: int
    """When it was last used; a larger number is later."""
    busy: bool


def plan(
    needs: Needs,
    context: int,
    budget: int,
    modes: Collection[str],
    gpu_layers: int = 0,
    device: str = "",
    device_free: int = 0,
) -> MemoryPlan:
    """The memory, bytes, for a context of so many tokens (at most the model's own) in each of `modes`, and whether it fits into `budget`. Where it
    doesn't, `suggestion` is the longest context that would, or 0. So many `gpu_layers` lie on `device` (`core.inference.offloading`)."""
    needs = replace(needs, contexts=tuple(one for one in needs.contexts if one.mode == ALWAYS or one.mode in modes))
    context = min(context, needs.window)
    own = _own(needs, context, gpu_layers)
    fits = own.total <= budget
    moved_cache, device_buffers = contexts_at(needs, context) if gpu_layers else (0, 0)
    on_device = sum(needs.sizes[:gpu_layers])
    moved_cache = sum(needs.moving(moved_cache)[:gpu_layers]) - on_device
    return MemoryPlan(
        context=context,
        weights=own.weights,
        cache=own.cache,
        buffers=own.buffers,
        process=needs.process,
        total=own.total,
        budget=budget,
        fits=fits,
        suggestion=context if fits else _longest(needs, context, budget, gpu_layers),
        layers=needs.layers + 1 if needs.sizes else needs.layers,
        gpu_layers=gpu_layers,
        device=device if gpu_layers else "",
        device_weights=on_device,
        device_cache=moved_cache,
        device_buffers=device_buffers,
        device_total=on_device + moved_cache + device_buffers,
        device_free=device_free if gpu_layers else 0,
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


def contexts_at(needs: Needs, context: int) -> tuple[int, int]:
    """Cache and buffers of all the model's contexts together, bytes."""
    pairs = _pairs(needs)
    cache = sum(_at(context, short.window, short.cache, long.window, long.cache) for short, long in pairs)
    buffers = sum(_at(context, short.window, short.buffers, long.window, long.buffers) for short, long in pairs)
    return cache, buffers


class _Own(NamedTuple):
    """What a model takes of the machine's own memory, bytes."""

    weights: int
    cache: int
    buffers: int
    total: int


def _own(needs: Needs, context: int, gpu_layers: int) -> _Own:
    cache, buffers = contexts_at(needs, context)
    moved = sum(needs.sizes[:gpu_layers])
    cache -= sum(needs.moving(cache)[:gpu_layers]) - moved
    kept = sum(_at(context, short.window, short.kept, long.window, long.kept) for short, long in _pairs(needs))
    weights = needs.weights - moved
    return _Own(weights, cache + kept, buffers, needs.process + weights + cache + kept + buffers)


def _pairs(needs: Needs) -> list[tuple[ContextNeeds, ContextNeeds]]:
    return [(needs.contexts[n], needs.contexts[n + 1]) for n in range(0, len(needs.contexts), 2)]


def _at(x: int, x0: int, y0: int, x1: int, y1: int) -> int:
    if x1 == x0:
        return y1
    return max(0, round(y0 + (y1 - y0) * (x - x0) / (x1 - x0)))


def _longest(needs: Needs, context: int, budget: int, gpu_layers: int) -> int:
    for shorter in range((context - 1) // STEP * STEP, SHORTEST - 1, -STEP):
        if _own(needs, shorter, gpu_layers).total <= budget:
            return shorter
    return 0
