"""A number in the answer against the target's."""

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from core.evals.scoring.base import Case, Scored, Scorer, references, unmarked, yes_no
from core.records import Record

_NUMBER: Final = re.compile(r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
LONGEST: Final = 40
"""Characters of a number that is read; a longer row of digits is no number that anybody meant."""


class Tolerance(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tolerance: float = 0.0
    """How far off it may be, in its own unit."""
    relative: float = 0.0
    """Or as a share of the target; the larger of both counts."""
    which: Literal["last", "first", "any"] = "any"
    """Which of the answer's numbers is the one meant."""

    def __post_init__(self) -> None:
        if not (0 <= self.tolerance < math.inf and 0 <= self.relative < math.inf):
            raise ValueError("tolerance and relative are numbers from 0 on")


def numbers(text: str) -> list[Decimal]:
    """The numbers in a text, in order: with a point for decimals and commas between thousands."""
    found = []
    for match in _NUMBER.finditer(text):
        written = match.group().replace(",", "").replace("−", "-")
        if len(written) <= LONGEST:
            try:
                found.append(Decimal(written))
            except InvalidOperation:
                continue
    return found


def _wanted(case: Case) -> list[Decimal]:
    return [found[-1] for text in references(case.sample) if (found := numbers(text))][:1]


def _applies(case: Case) -> bool:
    return not case.sample.unanswerable and bool(_wanted(case))


def _numeric(case: Case, settings: Tolerance) -> Scored:
    (target,) = _wanted(case)
    found = numbers(unmarked(case.answer.answer))
    if not found:
        return yes_no(False, "", f"no number; the target is {target}")
    meant = {"last": found[-1:], "first": found[:1], "any": found}[settings.which]
    room = max(Decimal(repr(settings.tolerance)), Decimal(repr(settings.relative)) * abs(target))
    nearest = min(meant, key=lambda number: abs(number - target))
    off = abs(nearest - target)
    said = f"{nearest}, the target is {target}"
    return yes_no(off <= room, said, f"{said}: off by {off}")


SCORERS = (
    Scorer(
        "numeric",
        "A number of the answer is the target's, within a tolerance. 0 or 1, over samples whose target is a number.",
        "Reads 1,234.5 and not 1.234,5; units and percent signs are left out of it. With `any`, a number named in passing can pass.",
        "wilson",
        _applies,
        _numeric,
        source="GSM8K's answers (Cobbe et al. 2021) are read so, with `which: last`.",
        settings=Tolerance,
    ),
)
