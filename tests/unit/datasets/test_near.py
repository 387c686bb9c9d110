"""Which texts can be nearly the same as any other, told before they are compared."""

from hypothesis import given
from hypothesis import strategies as st

from core.datasets.texts import _may_be_near, near_pairs

some = st.lists(st.frozensets(st.integers(0, 30) | st.integers(0, 2**32 - 1), max_size=12), max_size=12)


@given(some, st.sampled_from([0.05, 0.5, 0.8, 1.0]))
def test_no_pair_is_lost_by_what_is_passed_over(sets: list[frozenset[int]], least: float) -> None:
    kept = _may_be_near(sets, least)
    assert kept == sorted(set(kept))
    for place, one in enumerate(sets):
        for other in (*sets[:place], *sets[place + 1 :]):
            if one and len(one & other) / len(one | other) >= least:
                assert place in kept


def test_texts_without_anything_in_common_are_passed_over() -> None:
    assert _may_be_near([frozenset(range(10 * n, 10 * n + 10)) for n in range(5)], 0.8) == []
    assert list(near_pairs([frozenset(), frozenset()], 0, 0.8)) == []
    assert list(near_pairs([], 0, 0.8)) == []
