"""Parting samples so that no part gives away another. Pure.

Rules: samples that must stay together (of one document, of one group, or linked by both: the same text too) are in one part; the same samples and
the same seed give the same parts, in whatever order they stand; shares are met as nearly as what stays together allows.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from core.datasets.records import Sample, Splitting
from core.datasets.texts import folded
from core.errors import BadInput

MOST_PARTS: Final = 10


def check(splitting: Splitting) -> None:
    """Raise `BadInput` unless there are two parts or more with names and shares that sum to 1."""
    shares = splitting.shares
    if not 2 <= len(shares) <= MOST_PARTS or not all(
        name and name.isascii() and name.replace("-", "").replace("_", "").isalnum() for name in shares
    ):
        raise BadInput(
            source="The parts",
            problem=f"give 2 to {MOST_PARTS} parts by names of letters and digits: train=0.8, test=0.2.",
        )
    if any(not 0 < share < 1 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        raise BadInput(source="The parts", problem="their shares lie above 0 and sum to 1. Say train=0.8, test=0.2.")


def split(samples: Sequence[Sample], splitting: Splitting) -> tuple[Sample, ...]:
    """The samples in their order, each with its part. Raises `BadInput` where there is less to part than there are parts."""
    check(splitting)
    together = _together(samples, splitting)
    if len(together) < len(splitting.shares):
        problem = f"there are {len(together)} groups that stay together, too few for {len(splitting.shares)} parts."
        raise BadInput(source=f"Splitting by {splitting.by}", problem=problem)
    order = sorted(together, key=lambda places: _draw(splitting.seed, min(_key(samples[place]) for place in places)))
    part_of: dict[int, str] = {}
    room = {name: share * len(samples) for name, share in splitting.shares.items()}
    empty = set(room)
    left = len(order)
    for places in order:
        among = empty if left <= len(empty) else set(room)
        part = max((name for name in room if name in among), key=lambda name: room[name])
        room[part] -= len(places)
        empty.discard(part)
        left -= 1
        part_of |= dict.fromkeys(places, part)
    return tuple(msgspec.structs.replace(sample, split=part_of[place]) for place, sample in enumerate(samples))


def counts(samples: Sequence[Sample]) -> dict[str, int]:
    """How many samples each part has, by name; without a part under ""."""
    found: dict[str, int] = {}
    for sample in samples:
        found[sample.split] = found.get(sample.split, 0) + 1
    return dict(sorted(found.items()))


def leaks(samples: Sequence[Sample]) -> tuple[tuple[str, str], ...]:
    """What stands on several sides of a split, as (what, its name): documents, groups, and questions that are the same."""
    found: list[tuple[str, str]] = []
    ways: Mapping[str, Callable[[Sample], str]] = {
        "document": lambda sample: sample.document,
        "group": lambda sample: sample.group,
        "question": lambda sample: folded(sample.input),
    }
    for what, of in ways.items():
        sides: dict[str, set[str]] = {}
        for sample in samples:
            if sample.split and of(sample):
                sides.setdefault(of(sample), set()).add(sample.split)
        found += [(what, name) for name, parts in sides.items() if len(parts) > 1]
    return tuple(found)


def _together(samples: Sequence[Sample], splitting: Splitting) -> list[list[int]]:
    """Places of samples that stay together: linked by their document or group, and by the same question and conversation."""
    parents = list(range(len(samples)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, sample in enumerate(samples):
        links = [("text", folded(sample.input))]
        if splitting.by == "document" and sample.document:
            links.append(("document", sample.document))
        if splitting.by == "group" and sample.group:
            links.append(("group", sample.group))
        for link in links:
            parents[root(place)] = root(first.setdefault(link, place))
    found: dict[int, list[int]] = {}
    for place in range(len(samples)):
        found.setdefault(root(place), []).append(place)
    return list(found.values())


def _key(sample: Sample) -> str:
    return f"{sample.id}\n{sample.input}"


def _draw(seed: int, key: str) -> bytes:
    """A number that seed and key decide alone."""
    return hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogatepass")).digest()
