"""The largest of many numbers, beside sorting them all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.retrieval import largest


def plainly(values: np.ndarray, limit: int, above: float) -> list[int]:
    over = sorted((value for value in values.tolist() if value > above), reverse=True)
    if not over:
        return []
    least = over[min(limit, len(over)) - 1]
    return [place for place, value in enumerate(values.tolist()) if value > above and value >= least]


@given(
    st.integers(0, 2**32),
    st.integers(0, 6000),
    st.integers(1, 70),
    st.integers(1, 400),
    st.sampled_from([-np.inf, 0.0, 3.0]),
)
def test_they_are_those_that_sorting_finds(seed: int, size: int, limit: int, spread: int, above: float) -> None:
    chance = np.random.default_rng(seed)
    few = chance.integers(-spread, spread, size) * (chance.random(size) < chance.random())  # with many that are equal
    for values in (few.astype(np.float32), chance.standard_normal(size) * 4):
        assert largest.places(values, limit, above).tolist() == plainly(values, limit, above)


@pytest.mark.parametrize("size", [0, 1, 64, 65, 6400, 6401, 6463, 6464])
def test_all_of_them_where_they_are_equal(size: int) -> None:
    assert largest.places(np.ones(size, np.float32), 100).tolist() == list(range(size))
    assert largest.places(np.zeros(size), 100, above=0.0).tolist() == []
