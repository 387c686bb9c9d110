"""Scores from a reranker: how well a text answers a query, by a model that reads both together.

A pair is put together as the model's tokenizer does it: the query with what the model adds around a text, then the text the same way, without
its first token. A file with a rerank template of its own (`tokenizer.chat_template.rerank`) says itself how. Each pair is computed alone, on
one thread, as many at once as there are cores: a score depends on nothing but its pair. As with vectors there are two routes. A BERT that was
made to be told which text a token belongs to is computed by ONNX Runtime only; llama.cpp gives such a model another score, without an error.
"""

import math
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from core.errors import BadInput, Damaged, Unsupported
from core.inference.worker import bert
from core.inference.worker.embedding import LLAMA_CPP, ONNX
from core.inference.worker.lanes import spread
from core.inference.worker.library import context
from core.inference.worker.vocabulary import Vocabulary, free_mark
from core.inference.worker.watching import WATCH
from core.workers.serving import Call

TEMPLATE: Final = b"rerank"
QUERY: Final = "{query}"
DOCUMENT: Final = "{document}"
_PLACE: Final = re.compile(f"{re.escape(QUERY)}|{re.escape(DOCUMENT)}")

Pair = tuple[list[int], int]
"""Tokens, and how many of them are the query's."""


class Reranker:
    """A loaded reranking model, computing on as many threads."""

    def __init__(self, library: ModuleType, model: Any, path: Path, name: str, window: int, threads: int) -> None:
        """Raises `Unsupported` for a model that gives no one score for a pair."""
        self.name = name
        self.window = window
        self._vocabulary = Vocabulary(library, model)
        self._pairs = _Pairs(library, model, name, self._vocabulary)
        graph = bert.scoring_graph(path)
        self._lanes: Sequence[_Lane | _OnnxLane]
        if graph is not None:
            lane = _OnnxLane(name, graph)
            self._lanes, self.route, self.backend = [lane] * threads, ONNX, lane.backend
        elif bert.tells_texts_apart(path):
            raise Unsupported(
                source=name,
                reason="it must be told which of two texts a token belongs to, which is done for files of BERT up to 1 GB with a pooler and "
                "a classifier of one score. Choose another reranker.",
            )
        else:
            self._lanes = [_Lane(library, model, name, window, self._pairs.templated) for _ in range(threads)]
            self.route, self.backend = LLAMA_CPP, ""
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="rerank")

    def count(self, texts: Sequence[str], call: Call) -> tuple[int, ...]:
        """Tokens of each text, with the special ones."""
        numbers = []
        for text in texts:
            call.check()
            with WATCH.step():
                numbers.append(self._vocabulary.count(text))
        return tuple(numbers)

    def scores(self, query: str, texts: Sequence[str], call: Call) -> tuple[float, ...]:
        """The model's own numbers, in the texts' order. Raises `BadInput` for a pair that is longer than the window."""
        with WATCH.step():
            pairs = [self._pair(number, query, text) for number, text in enumerate(texts, 1)]
        out = [0.0] * len(texts)

        def score(lane: _Lane | _OnnxLane, place: int) -> None:
            out[place] = lane.score(pairs[place])

        spread(self._pool, self._lanes, [len(pair[0]) for pair in pairs], score, call)
        return tuple(out)

    def _pair(self, number: int, query: str, text: str) -> Pair:
        pair = self._pairs.tokens(query, text)
        if len(pair[0]) > self.window:
            raise BadInput(
                source=f"Text {number}",
                problem=f"{len(pair[0])} tokens with the query, but the window of {self.name} holds {self.window}. Split the text.",
            )
        return pair


class _Pairs:
    """How this model wants a query and a text put together."""

    def __init__(self, library: ModuleType, model: Any, name: str, vocabulary: Vocabulary) -> None:
        found: bytes | None = library.llama_model_chat_template(model, TEMPLATE)
        self._template = (found or b"").decode("utf-8", "replace")
        self.templated = bool(self._template)
        if self.templated and not (self._template.count(QUERY) == self._template.count(DOCUMENT) == 1):
            raise Unsupported(
                source=name,
                reason=f"its rerank template doesn't name {QUERY} and {DOCUMENT} once each. Choose another.",
            )
        self._vocabulary = vocabulary
        handle = vocabulary.handle
        separator = library.llama_vocab_sep(handle)
        word_pieces = library.llama_vocab_type(handle) == library.LLAMA_VOCAB_TYPE_WPM
        twice = library.llama_vocab_get_add_sep(handle) and not word_pieces and separator >= 0
        self._between = [separator] if twice else []  # RoBERTa ends the query, and separates it from the text

    def tokens(self, query: str, text: str) -> Pair:
        vocabulary = self._vocabulary
        if self.templated:
            mark = free_mark((query, text))
            given = {QUERY: vocabulary.guard(query, mark), DOCUMENT: vocabulary.guard(text, mark)}
            ids = vocabulary.tokens(_PLACE.sub(lambda found: given[found[0]], self._template), mark)
            return ids, len(ids)
        begun = vocabulary.plain(query) + self._between
        end = vocabulary.plain(text)
        starts = vocabulary.starts and end[:1] == [vocabulary.first]
        return begun + end[starts:], len(begun)


class _OnnxLane:
    """A session of ONNX Runtime. Safe from several threads; each pair is computed on the thread that asks."""

    def __init__(self, name: str, graph: bytes) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 4
        self._name = name
        self._session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
        self.backend = f"onnxruntime {onnxruntime.__version__}"

    def score(self, pair: Pair) -> float:
        """Raises `Damaged` when the model gives no number."""
        ids, query = pair
        texts = [[0] * query + [1] * (len(ids) - query)]
        given = {"ids": np.array([ids], dtype=np.int64), "texts": np.array(texts, dtype=np.int64)}
        (found,) = self._session.run(None, given)
        return _usable(float(found[0, 0]), self._name)


class _Lane:
    """One context of llama.cpp, used by one thread at a time."""

    def __init__(self, library: ModuleType, model: Any, name: str, window: int, templated: bool) -> None:
        outputs = library.llama_model_n_cls_out(model)
        self._context = context(library, model, name, window, window, 1, embeddings=True)
        ranks = library.llama_pooling_type(self._context) == library.LLAMA_POOLING_TYPE_RANK
        if not ranks or (outputs != 1 and not templated):
            raise Unsupported(source=name, reason="it gives no one score for a pair of texts. Choose another reranker.")
        self._library = library
        self._name = name
        self._memory = library.llama_get_memory(self._context)
        self._batch = library.llama_batch_init(window, 0, 1)

    def score(self, pair: Pair) -> float:
        """Raises `Damaged` when the model gives no number."""
        library, batch = self._library, self._batch
        for position, token in enumerate(pair[0]):
            batch.token[position] = token
            batch.pos[position] = position
            batch.n_seq_id[position] = 1
            batch.seq_id[position][0] = 0
            batch.logits[position] = 1
        batch.n_tokens = len(pair[0])
        if self._memory:
            library.llama_memory_clear(self._memory, True)
            code = library.llama_decode(self._context, batch)
        else:
            code = library.llama_encode(self._context, batch)
        found = library.llama_get_embeddings_seq(self._context, 0) if code == 0 else None
        return _usable(float(found[0]) if found else math.nan, self._name)


def _usable(score: float, name: str) -> float:
    if not math.isfinite(score):
        raise Damaged(source=name, problem="it gives no usable scores. Take another copy of the file.")
    return score
