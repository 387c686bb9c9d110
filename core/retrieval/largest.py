"""Which numbers are the largest, without putting a hundred thousand of them in order."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

ROWS: Final = 64
"""The numbers are laid out in so many rows; the largest of each column is looked at first."""

Places = npt.NDArray[np.int64]


def places(values: npt.NDArray[np.floating[Any]], limit: int, above: float = -np.inf) -> Places:
    """The places of the `limit` largest of the values over `above`, ascending, and of those that equal the least of them; all of them where there
    are no more. `limit` is 1 or more."""
    columns = len(values) // ROWS
    bound = above
    if columns > limit:  # as many columns hold a value of `bound` or more, so the least that is sought isn't under it
        tops = values[: ROWS * columns].reshape(ROWS, columns).max(axis=0)
        bound = float(np.partition(tops, columns - limit)[columns - limit])
    found = np.flatnonzero(values >= bound) if bound > above else np.flatnonzero(values > above)
    if len(found) > limit:
        some = values[found]
        found = found[some >= np.partition(some, len(some) - limit)[len(some) - limit]]
    return found
