"""How the next token is chosen: llama.cpp's samplers in a chain, as a request asks for them."""

from types import ModuleType
from typing import Any, Final

from core.inference.records import Generate

REPEAT_WINDOW: Final = 64


def chain(library: ModuleType, size: int, request: Generate) -> Any:
    """A sampler for a vocabulary of `size` tokens; whoever gets it frees it."""
    made = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
    parts = []
    if request.repeat_penalty != 1.0:
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
        library.llama_sampler_chain_add(made, part)
    return made
