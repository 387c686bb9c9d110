"""Scorers that compare words: exact, contains, a regular expression."""

import re
from typing import Final

from core.evals.scoring.base import (
    Case,
    Scored,
    Scorer,
    always,
    comparable,
    normalised,
    referenced,
    references,
    unmarked,
    yes_no,
)
from core.evals.scoring.records import Measure
from core.records import Record

LONGEST_PATTERN: Final = 2_000


class Pattern(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pattern: str
    """As Python's `re` reads it."""
    whole: bool = False
    """The whole answer, not a part of it."""
    ignore_case: bool = False
    absent: bool = False
    """Pass when it is not found."""

    def __post_init__(self) -> None:
        if len(self.pattern) > LONGEST_PATTERN:
            raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
        try:
            re.compile(self.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"the pattern is no regular expression ({error})") from error


def _exact(case: Case, _: object) -> Scored:
    wanted = {comparable(text) for text in references(case.sample)}
    return yes_no(comparable(case.answer.answer) in wanted, "equal to the target", "differs from the target")


def _targets(case: Case) -> list[str]:
    return [text for text in (case.sample.target or "", *case.sample.targets) if text.strip()]


def _contains(case: Case, _: object) -> Scored:
    answer = normalised(case.answer.answer)
    for target in _targets(case):
        words = normalised(target)
        if not words:  # nothing but punctuation
            if target.strip() in case.answer.answer:
                return yes_no(True, "holds the target", "")
        elif re.search(r"(?<!\w)" + re.escape(words) + r"(?!\w)", answer) is not None:
            return yes_no(True, "holds the target", "")
    return yes_no(False, "", f"doesn't hold “{_targets(case)[0]}”")


def _regex(case: Case, settings: Pattern) -> Scored:
    found = case.tools.measure(
        Measure(
            measure="regex",
            text=unmarked(case.answer.answer),
            settings={"pattern": settings.pattern, "whole": settings.whole, "ignore_case": settings.ignore_case},
        )
    )
    matches = found.value > 0
    said = f"matches: {found.reason}" if matches else "nothing matches"
    return yes_no(matches != settings.absent, said, said)


SCORERS = (
    Scorer(
        "exact",
        "The answer is the target or the reference answer, word for word. 0 or 1, over answerable samples that have one.",
        "A right answer in other words counts as wrong.",
        "wilson",
        referenced,
        _exact,
        source="As exact match in SQuAD (Rajpurkar et al. 2016), with articles kept.",
    ),
    Scorer(
        "contains",
        "The answer holds the target value, word for word. 0 or 1, over answerable samples that have one.",
        "An answer that holds the value and contradicts it elsewhere counts as right.",
        "wilson",
        lambda case: not case.sample.unanswerable and bool(_targets(case)),
        _contains,
    ),
    Scorer(
        "regex",
        "A regular expression is found in the answer, or fits all of it, or is absent. 0 or 1, over all samples.",
        "Says what the text looks like, not whether it is true. A pattern that takes too long ends in an error.",
        "wilson",
        always,
        _regex,
        source="Python's re.",
        settings=Pattern,
    ),
)
