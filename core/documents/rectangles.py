"""Rectangles on pages as the tables keep them: four 32-bit numbers each."""

from collections.abc import Sequence

import numpy as np

from core.documents.records import Rect
from core.documents.vectors import FLOAT


def packed(rects: Sequence[Rect]) -> bytes:
    """As bytes; none for no rectangle."""
    edges = [edge for rect in rects for edge in (rect.x0, rect.y0, rect.x1, rect.y1)]
    return np.array(edges, dtype=FLOAT).tobytes()


def unpacked(data: bytes) -> tuple[Rect, ...]:
    """From what `packed` gave, to hundredths of a point."""
    rows = np.frombuffer(data, dtype=FLOAT).reshape(-1, 4).round(2).tolist()
    return tuple(Rect(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in rows)
