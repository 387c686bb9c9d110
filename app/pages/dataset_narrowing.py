"""Which samples of a dataset are listed: those of a kind, in whose text is what was looked for."""

from collections.abc import Sequence

from app.pages.dataset_checks import Flags
from core.datasets.records import Sample

ALL, SYNTHETIC, EDITED, PART, FLAG = "all", "synthetic", "edited", "part:", "flag:"
"""Kinds of samples; a part's name or a flag's follows the last two."""


def folded(samples: Sequence[Sample]) -> list[str]:
    """What is looked through of each sample, without regard to capitals."""
    return [
        f"{one.id} {one.input} {one.target} {one.answer} {one.document} {' '.join(one.tags)}".casefold()
        for one in samples
    ]


def having(samples: Sequence[Sample], texts: Sequence[str], wanted: str) -> Sequence[Sample]:
    """Those in whose folded text is what is wanted; all where nothing is."""
    return [one for one, text in zip(samples, texts, strict=True) if wanted in text] if wanted else samples


def of_kind(samples: Sequence[Sample], kind: str, flags: Flags, before: Sequence[Sample]) -> tuple[Sample, ...]:
    """Those of a kind; `before` holds the samples as they were before they were edited, empty where none was."""
    if kind == SYNTHETIC:
        return tuple(one for one in samples if one.synthetic)
    if kind == EDITED:
        was = {one.id: one for one in before}
        return tuple(one for one in samples if was and was.get(one.id) != one)
    if kind.startswith(FLAG):
        return tuple(one for one in samples if flags.has(one.id, kind.removeprefix(FLAG)))
    if kind.startswith(PART):
        return tuple(one for one in samples if one.split == kind.removeprefix(PART))
    return tuple(samples)
