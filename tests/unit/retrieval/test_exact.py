"""Exact search: what comparing everything at once would find, without holding everything at once."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents import store, vectors
from core.documents.records import Chunking
from core.retrieval import exact

COLLECTION = store.Kept(1, "manuals", "0" * 64, "fake", 4, Chunking(), 1)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.integers(-3, 3)] * 4), max_size=40),
    query=st.tuples(*[st.integers(-3, 3)] * 4),
    limit=st.integers(1, 12),
    portion=st.integers(1, 9),
)
def test_portions_make_no_difference(
    rows: list[tuple[int, ...]], query: tuple[int, ...], limit: int, portion: int
) -> None:
    """Small whole numbers, so that there are many ties and every sum is exact."""
    matrix = np.array(rows, np.float32).reshape(len(rows), 4)
    vector = np.array(query, np.float32)
    ids = [3 * number + 1 for number in range(len(rows))]

    def portions(_reader: object, collection: int, dimensions: int, size: int) -> Iterator[tuple[list[int], object]]:
        assert (collection, dimensions) == (1, 4)
        for start in range(0, len(ids), size):
            yield ids[start : start + size], matrix[start : start + size]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "portions", portions)
        patch.setattr(exact, "PORTION", portion)
        found = exact.nearest(None, COLLECTION, vector, limit)  # type: ignore[arg-type]
    products = (matrix @ vector).tolist()
    expected = sorted(zip(ids, products, strict=True), key=lambda pair: (-pair[1], pair[0]))[:limit]
    assert found == [number for number, _ in expected]
