"""Greedy answers of the model that is being trained, for samples at checkpoints and for what it remembers. Chance is left as it was."""

from collections.abc import Sequence
from typing import Any, Final

from core.training.worker.encoding import ASKED, Encoding
from core.training.worker.recall import Shown

LONGEST: Final = 64
"""Tokens of an answer at a checkpoint."""


def parts(one: Encoding) -> tuple[list[int], list[int]]:
    """(what is given, the rest): the prompt and its answer; of a text its two halves."""
    cut = one.start or max(1, len(one.ids) // 2)
    return list(one.ids[:cut]), list(one.ids[cut:])


def answered(model: Any, given: Sequence[int], most: int, words: Any, device: str) -> list[int]:
    """At most `most` tokens behind `given`, without the one that ends the answer."""
    import torch

    model.eval()
    held = None
    ids = torch.tensor([list(given)], device=device)
    found: list[int] = []
    with torch.no_grad():
        for _ in range(most):
            out = model(input_ids=ids, past_key_values=held, use_cache=True)
            held = out.past_key_values
            token = int(out.logits[0, -1].argmax())
            if words.ends(token):
                break
            found.append(token)
            ids = torch.tensor([[token]], device=device)
    return found


def shown(model: Any, held: Sequence[Encoding], words: Any, device: str) -> tuple[Shown, ...]:
    """What the model answers to these inputs."""
    found = []
    for one in held:
        given, rest = parts(one)
        most = min(LONGEST, max(len(rest) + 8, 16))
        answer = answered(model, given, most, words, device)
        found.append(
            Shown(
                asked=one.asked or text(words, given)[-ASKED:],
                answer=text(words, answer),
                wanted=text(words, rest[: LONGEST + 1]),
            )
        )
    return tuple(found)


def text(words: Any, ids: Sequence[int]) -> str:
    """Tokens as text, special ones left out."""
    return b"".join(words.piece(token) for token in ids).decode("utf-8", "replace")
