"""What the tests of answering stand on: made-up passages, and an embedding that knows words only."""

import numpy as np

from core.records import Digest
from core.retrieval.records import Passage

DOCUMENT = Digest("0" * 64)


def passage(text: str, score: float = 0.7, heading: str = "") -> Passage:
    return Passage(
        chunk=1, document=DOCUMENT, name="sop.pdf", page=1, text=text, heading=heading, score=score, rects=()
    )


def bag_of_words(texts: list[str]) -> np.ndarray:
    """An embedding that knows words only: each word is a direction."""
    words = sorted({word for text in texts for word in text.lower().replace("?", "").replace(".", "").split()})
    vectors = np.array([[float(word in text.lower().replace(".", "").split()) for word in words] for text in texts])
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(norms, 1e-9)).astype(np.float32)
