"""`/v1/rerank` with a real small reranker: the engine's scores, best first."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from core.models.records import AddModel
from core.workbench import Workbench
from tests.unit.inference import rerankers

Post = Callable[..., httpx.Response]
TEXTS = ["text 1", "7 is", "text 22 and 3", "is text"]


@pytest.fixture(scope="module")
def reranker(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = rerankers.written(tmp_path_factory.mktemp("reranker") / "small.gguf", rerankers.weights(True))
    return bench.models.add(AddModel(path=str(path), name="small-reranker")).name


def test_texts_come_in_the_order_of_the_engines_scores(post: Post, bench: Workbench, reranker: str) -> None:
    scores = bench.engine.rerank("is 7 text", TEXTS, reranker)
    found = post("/v1/rerank", model=reranker, query="is 7 text", documents=TEXTS, top_n=3).json()
    best = sorted(range(len(TEXTS)), key=lambda index: -scores[index])[:3]
    assert [one["index"] for one in found["results"]] == best
    assert [one["relevance_score"] for one in found["results"]] == pytest.approx([scores[index] for index in best])
    assert found["usage"]["total_tokens"] > len(TEXTS)
    assert bench.api_calls.list(1)[0][0] == found["assay"]["trace"]
    whole = post(
        "/v1/rerank", model=reranker, query="is 7 text", documents=[{"text": "7 is"}], return_documents=True
    ).json()
    assert whole["results"][0]["document"] == {"text": "7 is"}


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"documents": []}, "documents"),
        ({"documents": ["a", 1]}, "documents"),
        ({"documents": [{"text": "a", "id": 1}]}, "documents"),
        ({"top_n": 0}, "top_n"),
        ({"query": 5}, "query"),
        ({"max_chunks_per_doc": 2}, "max_chunks_per_doc"),
    ],
)
def test_what_can_not_be_followed_is_refused(post: Post, reranker: str, wrong: dict[str, object], param: str) -> None:
    answer = post("/v1/rerank", **({"model": reranker, "query": "a", "documents": ["b"]} | wrong))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_model_that_scores_nothing_says_so(post: Post) -> None:
    answer = post("/v1/rerank", model="fake", query="a", documents=["b"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported")
