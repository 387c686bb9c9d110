"""BERTScore by its definition, computed in another way, and on the real embedder's two routes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets.records import Sample
from core.errors import BadInput, Unavailable, WorkerFailed
from core.evals.scorers import SCORERS
from core.evals.scoring.base import Decision, Tools
from core.evals.scoring.bertscore import match
from core.inference.records import TokensEmbedded
from core.inference.service import token_vectors
from core.inference.worker import bert
from core.inference.worker.embedding import LLAMA_CPP, ONNX, Embedder
from core.models.records import ModelFile
from core.models.starter import EMBEDDER, STARTERS
from core.models.worker.library import open_library
from tests.unit.evals.scoring.answers import answered, score

SAMPLE = Sample(id="1", input="How many floors?", target="nine", targets=("9",))


class Asked:
    cancelled = False

    def check(self) -> None: ...


def unit(rng: np.random.Generator, count: int) -> np.ndarray:
    values = rng.normal(size=(count, 8)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def by_definition(one: Any, other: Any) -> tuple[float, float, float]:
    """Word by word, as the paper writes it."""

    def side(mine: Any, theirs: Any) -> float:
        best = [
            max(sum(float(a) * float(b) for a, b in zip(x, y, strict=True)) for y in theirs[0])
            for x, is_word in zip(mine[0], mine[1], strict=True)
            if is_word
        ]
        return sum(best) / len(best)

    precision, recall = side(one, other), side(other, one)
    return precision, recall, 2 * precision * recall / (precision + recall)


def test_the_greedy_match_is_the_papers() -> None:
    rng = np.random.default_rng(3)
    for sizes in ((3, 5), (7, 3), (12, 12)):
        one, other = ((unit(rng, size), np.array([False, *[True] * (size - 2), False])) for size in sizes)
        assert match(one, other) == pytest.approx(by_definition(one, other), abs=1e-6)
        assert match(one, one) == pytest.approx((1, 1, 1), abs=1e-6)
        assert match(one, other)[:2] == match(other, one)[1::-1]
    assert match(one, (other[0], np.zeros(12, dtype=bool))) == (0, 0, 0)


def test_the_nearest_reference_counts() -> None:
    vectors = {"nine": ((1.0, 0.0),), "9": ((0.0, 1.0),), "about nine": ((0.6, 0.8), (1.0, 0.0))}

    def embed_tokens(texts: list[str], embedder: str) -> Any:
        return [(np.array(vectors[text]), np.ones(len(vectors[text]), dtype=bool)) for text in texts]

    tools = Tools(embed_tokens=embed_tokens)
    found = {
        name: score(name, SAMPLE, "about nine [1]", {"at_least": 0.85}, tools)
        for name in SCORERS
        if "bertscore" in name
    }
    assert {name: round(one.value, 4) for name, one in found.items()} == {
        "bertscore": round(2 * 0.8 / 1.8, 4),
        "bertscore_precision": 0.8,
        "bertscore_recall": 1.0,
    }
    assert [one.passed for one in found.values()] == [True, False, True]
    with pytest.raises(Unavailable, match="an embedder"):
        score("bertscore", SAMPLE, "about nine", None, Tools())


@pytest.mark.parametrize("route", [ONNX, LLAMA_CPP])
def test_token_vectors_pool_to_the_texts_own(route: str) -> None:
    """The real embedder's mean is over the vectors that are given here, before each is made of length 1."""
    path = STARTERS[EMBEDDER]
    if not path.is_file():
        pytest.skip("the starter embedder isn't built")
    library = open_library()
    settings = library.llama_model_default_params()
    model = library.llama_model_load_from_file(str(path).encode(), settings)
    try:
        embedder = Embedder(library, model, "starter", 256, 1, bert.graph(path) if route == ONNX else None)
        assert embedder.route == route
        texts = ["The tower has nine floors.", "Nine."]
        counts = embedder.count(texts, Asked())
        found, words = embedder.embed_tokens(texts, Asked())
        assert tuple(map(len, found)) == counts
        assert words == [flag for count in counts for flag in (False, *[True] * (count - 2), False)]
        ids = embedder._tokens(1, texts[0])
        raw = embedder._lanes[0].token_vectors(ids)
        pooled = raw.mean(axis=0) / np.linalg.norm(raw.mean(axis=0))
        assert float(pooled @ embedder.embed(texts, Asked())[0]) > 0.99999
        assert np.allclose(np.linalg.norm(found[0], axis=1), 1, atol=1e-5)
        split = np.cumsum(counts)[0]
        pair = [(found[0], np.array(words[:split])), (found[1], np.array(words[split:]))]
        assert 0.2 < match(*pair).f1 < match(pair[0], pair[0]).f1 == pytest.approx(1, abs=1e-5)
    finally:
        library.llama_model_free(model)


def test_a_worker_is_not_trusted_with_shapes(tmp_path: Path) -> None:
    class Model:
        name, dimensions = "m", 2

    model: ModelFile = Model()  # type: ignore[assignment]
    good = TokensEmbedded(counts=(1, 2), dimensions=2, words=b"\x01\x00\x01", vectors=bytes(24))
    (_, first), (vectors, second) = token_vectors(good, 2, model)
    assert (first.tolist(), second.tolist(), vectors.shape) == ([True], [False, True], (2, 2))
    for counts, dimensions, words, vectors in (
        ((3,), 2, b"\x01\x00\x01", bytes(24)),
        ((1, 2), 3, b"\x01\x00\x01", bytes(24)),
        ((1, 2), 2, b"\x01", bytes(24)),
        ((1, 2), 2, b"\x01\x00\x01", bytes(23)),
        ((0, 3), 2, b"\x01\x00\x01", bytes(24)),
        ((4, -1), 2, b"\x01\x00\x01", bytes(24)),
    ):
        with pytest.raises(WorkerFailed):
            token_vectors(TokensEmbedded(counts=counts, dimensions=dimensions, words=words, vectors=vectors), 2, model)


def test_questions_written_from_the_answer_are_compared_with_the_one_asked() -> None:
    asked: list[Decision] = []
    vectors = {"How many floors?": (1.0, 0.0), "How many storeys?": (0.8, 0.6), "Who?": (0.0, 1.0)}

    def decide(decision: Decision) -> dict[str, Any]:
        asked.append(decision)
        return {"question": ("How many\n storeys?", "Who?")[decision.time % 2]}

    def embed(texts: list[str], embedder: str) -> Any:
        return np.array([vectors[text] for text in texts])

    tools = Tools(decide=decide, embed=embed)
    found = score(
        "answer_relevance_asked_back", SAMPLE, "Nine. [1]", {"model": "m", "questions": 2, "at_least": 0.5}, tools
    )
    assert found is not None
    assert (round(found.value, 6), found.passed) == (0.4, False)
    assert "How many storeys?" in found.reason
    assert [(one.variables, one.time) for one in asked] == [({"answer": "Nine."}, 0), ({"answer": "Nine."}, 1)]
    assert "Nine" not in str(asked[0].rubric), "the answer goes in as a variable, never as a template"
    declined = answered("Not stated.", abstained=True)
    assert score("answer_relevance_asked_back", SAMPLE, declined, {"model": "m"}, tools) is None
    with pytest.raises(BadInput, match="wrote no question"):
        score("answer_relevance_asked_back", SAMPLE, "Nine.", {"model": "m"}, Tools(decide=lambda one: {}, embed=embed))
    blank = Tools(decide=lambda one: {"question": (" \n", "Who?")[one.time % 2]}, embed=embed)
    found = score("answer_relevance_asked_back", SAMPLE, "Nine.", {"model": "m", "questions": 2}, blank)
    assert found is not None
    assert (found.value, "(1 of 2 were blank)" in found.reason) == (0.0, True), "what is blank is no question"
    with pytest.raises(BadInput, match="wrote no question"):
        score("answer_relevance_asked_back", SAMPLE, "Nine.", {"model": "m", "questions": 1}, blank)
    with pytest.raises(BadInput, match="questions is 1 to 10"):
        score("answer_relevance_asked_back", SAMPLE, "Nine.", {"model": "m", "questions": 11}, tools)
