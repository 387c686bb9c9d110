"""Fusing rankings and making word queries."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from core.retrieval.fusion import fuse, word_query

RANKING = st.lists(st.integers(0, 30), unique=True, max_size=15)


@given(RANKING, RANKING)
def test_the_fusion_holds_what_either_holds_once_and_knows_no_order_of_arguments(
    one: list[int], other: list[int]
) -> None:
    fused = fuse([(1.0, one), (0.5, other)])
    assert sorted(fused) == sorted(set(one) | set(other))
    assert fused == fuse([(0.5, other), (1.0, one)])
    assert fuse([(1.0, one), (0.5, [])]) == one


def test_what_both_rank_high_comes_first() -> None:
    assert fuse([(1.0, [1, 2, 3]), (1.0, [2, 4, 1])])[:2] == [2, 1]


@given(st.text(max_size=200))
def test_any_question_is_a_valid_word_query(question: str) -> None:
    query = word_query(question)
    if not query:
        return
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    db.execute("INSERT INTO words VALUES (?)", (question,))
    db.execute("SELECT rowid FROM words WHERE words MATCH ?", (query,)).fetchall()
    db.close()


def test_stop_words_are_dropped_unless_there_is_nothing_else() -> None:
    assert word_query("Which article requires the logs?") == '"article" OR "requires" OR "logs"'
    assert word_query("Who is it?") == '"who" OR "is" OR "it"'
    assert word_query('NEAR("a b") NOT *') == '"near" OR "b"'
    assert word_query("?!") == ""
