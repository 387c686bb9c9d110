"""Whether a run gives the same again, byte for byte. Pure.

What is compared of each outcome is what the model saw and said, and what was found: not the times. A difference is told with what differs
between the two environments, since that may be why: another build, processor, number of threads.
"""

from collections.abc import Iterable, Sequence

import msgspec

from core.evals.records import Environment, Outcome
from core.records import Record


class Differs(Record, frozen=True, kw_only=True):
    """One outcome that came out otherwise, and in what."""

    sample: str
    variant: str
    repetition: int
    fields: tuple[str, ...]


class Replay(Record, frozen=True, kw_only=True):
    """`same` of `compared` outcomes are equal byte for byte; `reasons` may explain the others."""

    run: str
    compared: int
    same: int
    different: tuple[Differs, ...]
    reasons: tuple[str, ...]


_SAID = ("answer", "rendered", "abstained", "citations", "passages", "finish", "tokens", "prompt_tokens")


def compare(run: str, pairs: Iterable[tuple[Outcome, Outcome]], before: Environment, now: Environment) -> Replay:
    """Each recorded outcome beside the same one made again."""
    different, compared = [], 0
    reasons = dict.fromkeys(_environment(before, now))
    for recorded, made in pairs:
        compared += 1
        fields = _differs(recorded, made)
        if fields:
            different.append(
                Differs(
                    sample=recorded.sample,
                    variant=recorded.variant,
                    repetition=recorded.repetition,
                    fields=tuple(fields),
                )
            )
        if recorded.answer is not None and made.answer is not None and recorded.answer.backend != made.answer.backend:
            reasons[f"it was computed by {recorded.answer.backend}, and is now by {made.answer.backend}"] = None
    if different and not reasons:
        reasons["nothing that is recorded of the two environments differs"] = None
    return Replay(
        run=run,
        compared=compared,
        same=compared - len(different),
        different=tuple(different),
        reasons=tuple(reasons) if different else (),
    )


def _differs(recorded: Outcome, made: Outcome) -> Sequence[str]:
    if recorded.answer is None or made.answer is None:
        return [] if recorded.error == made.error and recorded.answer is made.answer else ["error"]
    return [
        field
        for field in _SAID
        if msgspec.json.encode(getattr(recorded.answer, field)) != msgspec.json.encode(getattr(made.answer, field))
    ]


def _environment(before: Environment, now: Environment) -> list[str]:
    found = []
    for field in ("assay", "python", "system", "processor"):
        one, two = getattr(before, field), getattr(now, field)
        if one != two:
            found.append(f"{field} was {one}, and is now {two}")
    for name in sorted({*before.packages, *now.packages}):
        one, two = before.packages.get(name, "missing"), now.packages.get(name, "missing")
        if one != two:
            found.append(f"{name} was {one}, and is now {two}")
    return found
