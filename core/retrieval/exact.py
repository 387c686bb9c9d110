"""Exact search: the vectors of a collection, compared one portion after the other. It serves wherever there is no index, and says in the tests
what an index should have found. Memory doesn't grow with the collection.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from core.documents import store, vectors
from core.vault.unit import Reader

PORTION: Final = 8_192
"""Vectors that are held at once: 12 MiB of 384 dimensions."""
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


def nearest(
    reader: Reader, collection: store.Kept, vector: Vector, limit: int, among: Sequence[int] | None = None
) -> list[int]:
    """The chunks whose vectors have the largest product with `vector`, nearest first, at most `limit`; ties by number. With `among`, only these."""
    best: list[int] = []
    products: Vector = np.empty(0, np.float32)
    for ids, matrix in _portions(reader, collection, among):
        best += ids
        products = np.concatenate((products, matrix @ vector))
        order = ranked(best, products)[:limit]
        best, products = [best[at] for at in order], products[order]
    return best


def _portions(
    reader: Reader, collection: store.Kept, among: Sequence[int] | None
) -> Iterator[tuple[list[int], vectors.Matrix]]:
    if among is None:
        yield from vectors.portions(reader, collection.id, collection.dimensions, PORTION)
        return
    for start in range(0, len(among), PORTION):
        ids = list(among[start : start + PORTION])
        yield ids, vectors.of(reader, ids, collection.dimensions)


def ordered(ids: list[int], products: Vector) -> list[int]:
    """The ids, those of the largest products first; ties by number, so that the order is always the same."""
    return [ids[at] for at in ranked(ids, products)]


def ranked(ids: list[int], products: Vector) -> list[int]:
    """Places in `ids`, in the order of `ordered`."""
    places: list[int] = np.lexsort((np.array(ids, dtype=np.int64), -products)).tolist()
    return places
