"""Queries and judgements from TREC's forms and from JSON lines."""

from pathlib import Path

import pytest

from core.errors import BadInput
from core.retrieval import judged


def test_the_topics_and_judgements_of_a_test_collection(shared_data: Path) -> None:
    folder = shared_data / "evals" / "vaswani" / "vaswani_npl"
    queries = judged.queries("topics", (folder / "query-text.trec").read_text())
    assert len(queries) == 93
    assert queries["1"] == "MEASUREMENT OF DIELECTRIC CONSTANT OF LIQUIDS BY THE USE OF MICROWAVE TECHNIQUES"
    graded = judged.judgements("qrels", (folder / "qrels").read_text())
    assert (len(graded), sum(map(len, graded.values())), graded["1"]["1239"]) == (93, 2083, 1)


def test_json_lines_say_the_same_as_trec() -> None:
    topics = "<top>\n<num> Number: 7 </num>\n<title> Topic: the  valve\n<desc> Description: more\n</top>"
    assert (
        judged.queries("a", topics) == judged.queries("b", '{"_id": "7", "text": "the valve"}\n') == {"7": "the valve"}
    )
    lines = '{"query": 7, "document": "a b.txt", "grade": 2}\n\n{"query-id": "7", "corpus-id": "c"}\n'
    assert judged.judgements("a", "7 0 a b.txt 2\n7\t0\tc\t1\n") == judged.judgements("b", lines)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no queries"),
        ("the valve", "line 1: no JSON object"),
        ('{"id": "1"}', "line 1: no text"),
        ('{"id": "1", "text": " "}', "the query 1 is empty"),
        ('{"id": "1", "text": "a"}\n{"id": "1", "text": "b"}', "line 2: the query 1 is there twice"),
        ("<top><title>a</top>", "topic 1 has no <num>"),
    ],
)
def test_queries_that_are_none(content: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        judged.queries("queries", content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no judgements"),
        ("1 0 a", "line 1: not"),
        ("1 0 a x", "the grade x is no whole number"),
        ("1 0 a 1\n1 0 a 0", "line 2: a was judged twice"),
        ('{"query": true, "document": "a"}', "line 1: no query"),
    ],
)
def test_judgements_that_are_none(content: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        judged.judgements("judgements", content)
