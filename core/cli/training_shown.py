"""What `assay train show` says of a run beside its curve: what the model remembers of its data, and its answers at the checkpoints."""

from collections.abc import Sequence

from core.cli.output import table
from core.training.canaries import WARNING
from core.training.worker.recall import Memorised, Sampled

SHOWN = 100
"""Characters of a text."""


def memorised(found: Memorised) -> list[str]:
    """What was remembered, with how it was measured."""
    lines = []
    if found.canaries:
        lines.append(
            f"  Exposure of {len(found.canaries)} planted sentences, each {found.repeats} times among the examples of an epoch"
            f" (estimated: {found.method}, {found.candidates} each; at most {top(found):.1f} bits):"
        )
        rows = [
            (one.name, f"{one.base:.1f}", f"{one.adapter:.1f}", f"{one.rank} of {found.candidates + 1}")
            for one in found.canaries
        ]
        lines += [f"    {line}" for line in table(("sentence", "base", "adapter", "rank"), rows)]
        lines.append(f"  {WARNING}")
    if found.verbatim:
        lines.append(
            f"  Word for word ({found.tokens} tokens or {found.characters} characters of what comes next), greedy answers:"
        )
        rows = [
            (
                one.of,
                one.model,
                f"{one.copied} of {one.n}",
                f"{one.longest_tokens} tokens, {one.longest_characters} characters",
            )
            for one in found.verbatim
        ]
        lines += [f"    {line}" for line in table(("texts", "model", "copied", "longest"), rows)]
    return lines


def top(found: Memorised) -> float:
    """The largest exposure that such a sample can show, in bits."""
    return float((found.candidates + 1).bit_length() - 1)


def sampled(found: Sequence[Sampled]) -> list[str]:
    """The answers to the same inputs, checkpoint by checkpoint."""
    lines = [f"  Held-out inputs answered at {len(found)} checkpoints:"] if found else []
    for number, first in enumerate(found[0].shown if found else ()):
        lines.append(f"    {_short(first.asked)}")
        lines.append(f"      wanted: {_short(first.wanted)}")
        lines += [
            f"      step {one.step}: {_short(one.shown[number].answer)}" for one in found if number < len(one.shown)
        ]
    return lines


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]} …"
