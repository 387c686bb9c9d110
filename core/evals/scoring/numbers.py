"""A number in the answer against the target's."""

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from core.errors import BadInput
from core.evals.scoring.base import Case, Scored, Scorer, references, unmarked, yes_no
from core.records import Record

Decimals = Literal["point", "comma"]
_WRITTEN: Final = re.compile(r"(?<![\w.])(?<!\d,)([-+−]?)(\d+(?:[.,]\d+)*)([eE][-+]?\d{1,3})?")
"""Whatever may be a number: digits, with points and commas between them."""
_WHOLE: Final[dict[Decimals, re.Pattern[str]]] = {
    "point": re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?"),
    "comma": re.compile(r"(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?"),
}
LONGEST: Final = 40
"""Characters of a number that is read; a longer row of digits is no number that anybody meant."""


class Tolerance(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tolerance: float = 0.0
    """How far off it may be, in its own unit."""
    relative: float = 0.0
    """Or as a share of the target; the larger of both counts."""
    which: Literal["last", "first", "any"] = "any"
    """Which of the answer's numbers is the one meant."""
    decimals: Decimals = "point"
    """`point`: 1,234.5 is read; `comma`: 1.234,5 is. What is written in another way is no number, as a date isn't."""

    def __post_init__(self) -> None:
        if not (0 <= self.tolerance < math.inf and 0 <= self.relative < math.inf):
            raise ValueError("tolerance and relative are numbers from 0 on")


def numbers(text: str, decimals: Decimals = "point") -> list[Decimal]:
    """The numbers in a text, in order: with a point for decimals and commas between thousands, or the other way round. Digits that are joined by
    points and commas in no such way are left out: what 3,5 or 1.2.2026 mean isn't guessed."""
    found = []
    for match in _WRITTEN.finditer(text):
        whole = _WHOLE[decimals].fullmatch(match[2])
        if whole is None:
            continue
        digits = re.sub("[.,]", "", whole[1])
        written = f"{match[1].replace('−', '-')}{digits}{'.' + whole[2] if whole[2] else ''}{match[3] or ''}"
        if len(written) <= LONGEST:
            try:
                found.append(Decimal(written))
            except InvalidOperation:
                continue
    return found


def _wanted(case: Case, decimals: Decimals) -> list[Decimal]:
    return [found[-1] for text in references(case.sample) if (found := numbers(text, decimals))][:1]


def _applies(case: Case) -> bool:
    return not case.sample.unanswerable and any(_wanted(case, decimals) for decimals in _WHOLE)


def _numeric(case: Case, settings: Tolerance) -> Scored:
    wanted = _wanted(case, settings.decimals)
    if not wanted:
        other = "comma" if settings.decimals == "point" else "point"
        problem = (
            f"the target of {case.sample.id} is written with decimals after a {other}. Say so with `decimals: {other}`."
        )
        raise BadInput(source="numeric", problem=problem)
    (target,) = wanted
    found = numbers(unmarked(case.answer.answer), settings.decimals)
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
        "Reads 1,234.5, or with `decimals: comma` 1.234,5; a target in the other way of writing is an error. Units and percent signs "
        "are left out of it. With `any`, a number named in passing can pass.",
        "wilson",
        _applies,
        _numeric,
        source="GSM8K's answers (Cobbe et al. 2021) are read so, with `which: last`.",
        settings=Tolerance,
    ),
)
