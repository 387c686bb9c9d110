"""How the next token is chosen: llama.cpp's samplers in a chain, as a request asks for them.

A grammar comes first, so that whatever is chosen keeps to it. Log-probabilities are the model's own, before temperature and other controls.
"""

from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.inference.records import Generate
from core.inference.worker.adapters import NONE, AdapterSet
from core.inference.worker.vocabulary import Vocabulary

REPEAT_WINDOW: Final = 64


class Chosen(NamedTuple):
    """A token, and where they were asked for its log-probability and the likeliest (token, log-probability)s."""

    token: int
    log_probability: float = 0.0
    top: tuple[tuple[int, float], ...] = ()


class Sampler:
    """One answer's chain of samplers. Whoever makes it frees it."""

    def __init__(
        self, library: ModuleType, vocabulary: Vocabulary, request: Generate, grammar: str, adapters: AdapterSet = NONE
    ) -> None:
        """`grammar` is GBNF, or empty; `adapters`: what the tokens are computed with. Raises `BadInput` for a grammar that llama.cpp can't read."""
        self.adapters = adapters
        self._library = library
        self._vocabulary = vocabulary
        self._most = request.log_probabilities
        self._chain = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
        try:
            for part in self._parts(request, grammar):
                library.llama_sampler_chain_add(self._chain, part)
        except BadInput:
            self.free()
            raise

    def choose(self, context: Any, index: int) -> Chosen:
        """The token that follows output `index` of the last batch."""
        token = int(self._library.llama_sampler_sample(self._chain, context, index))
        if self._most < 0:
            return Chosen(token)
        return chosen_from(log_probabilities(self._library, context, index, self._vocabulary.size), token, self._most)

    def free(self) -> None:
        """Once."""
        self._library.llama_sampler_free(self._chain)

    def _parts(self, request: Generate, grammar: str) -> list[Any]:
        library = self._library
        parts = []
        if grammar:
            made = library.llama_sampler_init_grammar(self._vocabulary.handle, grammar.encode(), b"root")
            if not made:
                raise BadInput(
                    source="The grammar",
                    problem="llama.cpp can't read it. Check its rules, and that one is called root.",
                )
            parts.append(made)
        if request.repeat_penalty != 1.0:
            size = self._vocabulary.size
            parts.append(library.llama_sampler_init_penalties(size, REPEAT_WINDOW, request.repeat_penalty, 0.0, 0.0))
        if request.temperature == 0.0:
            return [*parts, library.llama_sampler_init_greedy()]
        if request.top_k > 0:
            parts.append(library.llama_sampler_init_top_k(request.top_k))
        if request.top_p < 1.0:
            parts.append(library.llama_sampler_init_top_p(request.top_p, 1))
        parts.append(library.llama_sampler_init_temp(request.temperature))
        return [*parts, library.llama_sampler_init_dist(request.seed)]


def chosen_from(likely: npt.NDArray[np.float64], token: int, likeliest: int) -> Chosen:
    """A token with its log-probability, and so many of the likeliest ones."""
    count = min(likeliest, len(likely))
    best = np.argpartition(-likely, count - 1)[:count] if count else np.zeros(0, dtype=np.int64)
    best = best[np.argsort(-likely[best], kind="stable")]
    return Chosen(token, float(likely[token]), tuple((int(n), float(likely[n])) for n in best))


def log_probabilities(library: ModuleType, context: Any, index: int, size: int) -> npt.NDArray[np.float64]:
    """Of every token of the vocabulary at output `index`: the natural log of the softmax of the logits."""
    logits = np.ctypeslib.as_array(library.llama_get_logits_ith(context, index), (size,)).astype(np.float64)
    top = logits.max()
    out: npt.NDArray[np.float64] = logits - (top + np.log(np.exp(logits - top).sum()))
    return out
