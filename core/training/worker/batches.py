"""Which examples are computed together, in which order: a function of the settings and the seed alone, so that a resumed run goes on with the
batch that would have come next.

Packed rows hold several examples one behind the other; each example counts its own places from 0, by which the model's attention keeps them
apart.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.training.settings import Settings
from core.training.worker.encoding import Encoding

IGNORED = -100
"""The label of what isn't learned."""
Row = tuple[Encoding, ...]


@dataclass(frozen=True)
class Batch:
    """Tensors [rows, places]; `learned`: tokens that count for the loss, `tokens`: all but the padding."""

    inputs: dict[str, Any]
    learned: int
    tokens: int


def split(examples: Sequence[Encoding], settings: Settings) -> tuple[list[Encoding], list[Encoding]]:
    """(learned from, held out): at least one of each where anything is held out and there are two."""
    order = list(range(len(examples)))
    random.Random(f"split {settings.seed}").shuffle(order)  # noqa: S311 (an order, no secret)
    count = round(len(order) * settings.held_out)
    if settings.held_out and len(order) > 1:
        count = min(max(count, 1), len(order) - 1)
    held = set(order[:count])
    return (
        [one for place, one in enumerate(examples) if place not in held],
        [one for place, one in enumerate(examples) if place in held],
    )


def epoch(examples: Sequence[Encoding], settings: Settings, number: int, window: int) -> list[list[Row]]:
    """The batches of one epoch, as rows of examples."""
    order = list(examples)
    random.Random(f"order {settings.seed} {number}").shuffle(order)  # noqa: S311 (an order, no secret)
    rows: list[Row] = _packed(order, window) if settings.packing else [(one,) for one in order]
    return [rows[start : start + settings.batch] for start in range(0, len(rows), settings.batch)]


def widest(examples: Sequence[Encoding], settings: Settings, window: int) -> list[Row]:
    """The batch that takes the most memory, of all that may come: rows of one length, that of the longest."""
    if settings.packing:
        rows = epoch(examples, settings, 0, window)
        return max(rows, key=lambda batch: max(sum(one.size for one in row) for row in batch) * len(batch))
    return [(one,) for one in sorted(examples, key=lambda one: -one.size)[: settings.batch]]


def steps(examples: Sequence[Encoding], settings: Settings, window: int) -> Iterator[list[list[Row]]]:
    """For each step its batches, whose gradients are added up."""
    taken = 0
    number = 0
    while settings.steps or number < settings.epochs:
        waiting = epoch(examples, settings, number, window)
        for start in range(0, len(waiting), settings.accumulation):
            yield waiting[start : start + settings.accumulation]
            taken += 1
            if settings.steps and taken == settings.steps:
                return
        number += 1


def count_steps(examples: Sequence[Encoding], settings: Settings, window: int) -> int:
    """How many steps the whole run has."""
    if settings.steps:
        return settings.steps
    each = settings.accumulation
    return sum(-(-len(epoch(examples, settings, number, window)) // each) for number in range(settings.epochs))


def learned(batch: Sequence[Row]) -> int:
    """Tokens of a batch that count for the loss."""
    return sum(len(one.ids) - max(one.start, 1) for row in batch for one in row)


def tensors(batch: Sequence[Row], packing: bool, device: str) -> Batch:
    """A batch as the model takes it."""
    import torch

    longest = max(sum(len(one.ids) for one in row) for row in batch)
    ids, labels, places, mask = [], [], [], []
    for row in batch:
        row_ids = [token for one in row for token in one.ids]
        row_labels = [
            token if place >= max(one.start, 1) else IGNORED for one in row for place, token in enumerate(one.ids)
        ]
        empty = longest - len(row_ids)
        ids.append(row_ids + [0] * empty)
        labels.append(row_labels + [IGNORED] * empty)
        places.append([place for one in row for place in range(len(one.ids))] + list(range(empty)))
        mask.append([1] * len(row_ids) + [0] * empty)
    inputs = {"input_ids": torch.tensor(ids, device=device), "labels": torch.tensor(labels, device=device)}
    if packing:
        inputs["position_ids"] = torch.tensor(places, device=device)
    else:
        inputs["attention_mask"] = torch.tensor(mask, device=device)
    return Batch(inputs, learned(batch), sum(map(sum, mask)))


def _packed(order: Sequence[Encoding], window: int) -> list[Row]:
    """Rows of at most `window` tokens, filled in order."""
    rows: list[Row] = []
    row: list[Encoding] = []
    filled = 0
    for one in order:
        if row and filled + len(one.ids) > window:
            rows.append(tuple(row))
            row, filled = [], 0
        row.append(one)
        filled += len(one.ids)
    if row:
        rows.append(tuple(row))
    return rows
