"""What `transformers` makes of pairs with the small cross-encoder of `tests.unit.inference.rerankers`.

`python -m tests.golden.reranker` computes `reranker.json` anew: for a model that is told the two texts apart and for one that is not, the digest
of its weights, and of each text with `QUERY` the tokens and the score."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.inference import rerankers

STORED = Path(__file__).with_suffix(".json")
QUERY = "what is 7?"
TEXTS = ("seven", "7 is a number", "été: 15 €", "a1 b2 c3 d4 e5 f6", "what is 7?", "zzz 999 zzz")


def digest(weights: dict[str, np.ndarray]) -> str:
    """Of all weights."""
    return hashlib.sha256(b"".join(weights[name].tobytes() for name in sorted(weights))).hexdigest()


def by_transformers(weights: dict[str, np.ndarray]) -> list[tuple[list[int], float]]:
    """Tokens and score of each text with the query."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    config = BertConfig(
        vocab_size=len(rerankers.WORDS),
        hidden_size=rerankers.WIDTH,
        num_hidden_layers=rerankers.BLOCKS,
        num_attention_heads=rerankers.HEADS,
        intermediate_size=rerankers.WIDE,
        max_position_embeddings=rerankers.LONGEST,
        layer_norm_eps=rerankers.EPSILON,
        num_labels=1,
    )
    model = BertForSequenceClassification(config).eval()
    state: dict[str, Any] = {theirs: torch.from_numpy(weights[ours]) for ours, theirs in rerankers.names().items()}
    missing = model.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    assert not [k for k in missing.missing_keys if "position_ids" not in k]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(rerankers.WORDS)})
    found = []
    for text in TEXTS:
        given = tokenizer(QUERY, text, return_tensors="pt")
        with torch.no_grad():
            score = model(**given).logits[0, 0]
        found.append((given["input_ids"][0].tolist(), float(score)))
    return found


def main() -> None:
    stored = {}
    for name, told_apart in (("told apart", True), ("alike", False)):
        weights = rerankers.weights(told_apart)
        stored[name] = {"weights": digest(weights), "pairs": by_transformers(weights)}
    STORED.write_text(json.dumps(stored) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
