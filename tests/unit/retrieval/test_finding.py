"""Narrowed, spread, put in order again, and over several collections."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.documents.filtering import Filters
from core.errors import BadInput, NotFound, Unsupported
from core.jobs import Job
from core.models.records import AddModel
from core.retrieval.fusion import diverse
from core.retrieval.records import Finding, Passage, Search
from core.retrieval.service import Retrieval
from tests.unit.documents.workspace import Workspace
from tests.unit.inference import rerankers

FILES = {
    "plant/valve.txt": "The red valve stands in hall 7.",
    "plant/drum.md": "The red drum stands in hall 8.",
    "office/valve.txt": "The red valve of the office is on the wall.",
    "plants.txt": "The red flower stands on the sill.",
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    for name, text in FILES.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with Workspace(tmp_path) as made:
        made.add(tmp_path / "notes")
        yield made


@pytest.fixture
def retrieval(made: Workspace) -> Iterator[Retrieval]:
    found = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
    yield found
    found.close()


def find(retrieval: Retrieval, finding: Finding, limit: int = 8, query: str = "red valve") -> tuple[Passage, ...]:
    return retrieval.search(Search(collection="manuals", query=query, limit=limit, finding=finding), Job("Search"))


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (Filters(files=("plants.txt",)), {"plants.txt"}),
        (Filters(folders=("plant",)), {"plant/valve.txt", "plant/drum.md"}),
        (Filters(folders=("plant/", "office")), {"plant/valve.txt", "plant/drum.md", "office/valve.txt"}),
        (Filters(folders=("plant",), types=(".MD",)), {"plant/drum.md"}),
        (Filters(types=("pdf",)), set()),
        (Filters(since="2020-01-01", until="2120-01-01"), set(FILES)),
        (Filters(until="2020-01-01"), set()),
    ],
)
@pytest.mark.parametrize("indexed", [False, True])
def test_a_narrowed_search_finds_what_is_within_and_nothing_else(
    retrieval: Retrieval, filters: Filters, names: set[str], indexed: bool
) -> None:
    if indexed:
        retrieval.prepare("manuals", Job("Index"))
    assert {passage.name for passage in find(retrieval, Finding(filters=filters))} == names


def test_what_a_filter_can_not_mean_is_said(retrieval: Retrieval) -> None:
    with pytest.raises(NotFound, match="no folder attic"):
        find(retrieval, Finding(filters=Filters(folders=("attic",))))
    with pytest.raises(NotFound, match=r"document x\.txt"):
        find(retrieval, Finding(filters=Filters(files=("x.txt",))))
    with pytest.raises(BadInput, match="Write it as 2026-03-31"):
        find(retrieval, Finding(filters=Filters(since="yesterday")))


def test_an_earlier_version_is_not_found_by_a_narrowed_search(
    made: Workspace, retrieval: Retrieval, tmp_path: Path
) -> None:
    (tmp_path / "notes" / "plants.txt").write_text("The yellow flower.")
    made.add(tmp_path / "notes")
    assert [p.text for p in find(retrieval, Finding(filters=Filters(files=("plants.txt",))))] == ["The yellow flower."]


def test_marginal_relevance_prefers_what_is_different() -> None:
    vectors = np.array([[1, 0], [1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    relevance = [1.0, 0.99, 0.7, 0.0]
    assert diverse(relevance, vectors, 1.0, 4) == [0, 1, 2, 3]
    assert diverse(relevance, vectors, 0.5, 2) == [0, 2]
    assert diverse(relevance, vectors, 0.0, 2) == [0, 3]
    assert diverse([], vectors[:0], 0.5, 2) == []


def test_a_spread_search_leaves_out_the_repetition(made: Workspace, retrieval: Retrieval, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / "notes" / f"copy{number}.txt").write_text("The red valve stands in hall 7." + " " * number)
    made.add(tmp_path / "notes")
    plain = [passage.text for passage in find(retrieval, Finding(), limit=3)]
    spread = [passage.text for passage in find(retrieval, Finding(mmr=0.3), limit=3)]
    assert len(set(plain)) < len(set(spread)) == 3
    assert find(retrieval, Finding(mmr=1.0), limit=3) == find(retrieval, Finding(), limit=3)
    with pytest.raises(BadInput, match="from 0 to 1"):
        find(retrieval, Finding(mmr=1.5))


def test_several_collections_are_searched_as_one(made: Workspace, retrieval: Retrieval, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("The red valve is in the second collection.")
    made.add(other, collection="second")
    found = find(retrieval, Finding(also=("second", "manuals")))
    assert {(passage.collection, passage.name) for passage in found} == {
        ("second", "other.txt"),
        *(("manuals", name) for name in FILES),
    }
    assert all(passage.collection == "" for passage in find(retrieval, Finding()))
    with pytest.raises(NotFound, match="collection third"):
        find(retrieval, Finding(also=("third",)))
    settings = retrieval.settings(Search(collection="manuals", query="q", finding=Finding(also=("second",))))
    assert settings.collections == ("manuals", "second")


def test_a_model_that_reranks_nothing_is_refused(made: Workspace, retrieval: Retrieval) -> None:
    with pytest.raises(Unsupported, match="Choose a reranker"):
        find(retrieval, Finding(reranker="fake"))


def test_a_reranker_puts_the_best_in_its_own_order(made: Workspace, retrieval: Retrieval, tmp_path: Path) -> None:
    path = rerankers.written(tmp_path / "small.gguf", rerankers.weights(True))
    name = made.models.add(AddModel(path=str(path), name="small")).name
    plain, ordered = find(retrieval, Finding()), find(retrieval, Finding(reranker=name))
    scores = made.engine.rerank("red valve", [passage.text for passage in ordered], name)
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1
    assert {passage.chunk for passage in plain} == {passage.chunk for passage in ordered}
    best = retrieval.rank(Search(collection="manuals", query="red valve", finding=Finding(reranker=name)), Job("Rank"))
    assert best.reranked == tuple(passage.name for passage in ordered)
    request = Search(collection="manuals", query="red valve", finding=Finding(reranker=name))
    assert retrieval.settings(request).reranker == made.models.show(name).digest
