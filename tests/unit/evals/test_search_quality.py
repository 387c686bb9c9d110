"""A search measured by judged queries: every way over the same queries, what was missed, and which way is better."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import BadInput, NotFound
from core.evals.search_quality import compare, measure, quality
from core.jobs import Job
from core.retrieval.records import Finding
from core.retrieval.service import Retrieval
from tests.unit.documents.workspace import Workspace


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "notes"
    (folder / "a").mkdir(parents=True)
    for name, text in {
        "a/one.txt": "The red valve.",
        "a/two.txt": "The green pump.",
        "three.md": "A blue drum.",
    }.items():
        (folder / name).write_text(text)
    with Workspace(tmp_path) as made:
        made.add(folder)
        yield made


@pytest.fixture
def retrieval(made: Workspace) -> Iterator[Retrieval]:
    found = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
    yield found
    found.close()


def test_a_collection_is_measured_by_names_with_and_without_folders(made: Workspace, retrieval: Retrieval) -> None:
    queries = {"1": "red valve", "2": "green pump", "3": "drum", "4": "nothing is judged for this one"}
    graded = {"1": {"a/one.txt": 1}, "2": {"two": 2}, "3": {"three": 1, "gone": 1}, "9": {"x": 1}}
    measured = measure(retrieval, "manuals", made.names(), queries, graded, Finding(), Job("Measure"))
    assert [way.way for way in measured.ways] == ["meaning", "words", "fused"]
    words = measured.ways[1]
    assert (words.queries, measured.unjudged, measured.absent) == (3, 1, ("gone",))
    assert words.measures["mrr"].value == 1.0
    assert words.measures["recall@10"].value == pytest.approx((1 + 1 + 0.5) / 3)
    assert [each.missed for each in words.each] == [(), (), ("gone",)]
    assert [(found.way, found.other) for found in measured.comparisons] == [("fused", "meaning"), ("fused", "words")]


def test_what_can_not_be_measured_is_said(made: Workspace, retrieval: Retrieval) -> None:
    with pytest.raises(BadInput, match="nothing to measure"):
        measure(retrieval, "manuals", made.names(), {"1": "red"}, {"1": {"one": 0}}, Finding(), Job("Measure"))
    with pytest.raises(NotFound, match="collection towns"):
        measure(retrieval, "towns", [], {"1": "red"}, {"1": {"one": 1}}, Finding(), Job("Measure"))


def test_two_ways_are_compared_query_by_query() -> None:
    graded = {str(number): {"good": 1} for number in range(40)}
    right = quality("right", {query: ["good"] for query in graded}, graded)
    late = quality("late", {query: ["bad", "good"] for query in graded}, graded)
    assert (right.measures["ndcg@10"].value, late.measures["mrr"].value) == (1.0, 0.5)
    found = compare(right, late)
    assert (found.verdict, compare(late, right).verdict) == ("better", "worse")
    assert found.p < 0.01
    assert compare(right, right).verdict == "no difference shown"
    with pytest.raises(BadInput, match="different queries"):
        compare(right, quality("other", {}, {"x": {"good": 1}}))
