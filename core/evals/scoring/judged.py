"""Judges: a local model reads an answer by a rubric, or two answers side by side.

Rules: a rubric is a version of a prompt, signed like any other, and the run is locked to its digest; the judge writes JSON by a schema,
the reason before the verdict; it is asked `repeat` times with another seed each; two answers are shown in both orders each time, and a
verdict that follows the place counts as a tie. The judge's turn comes when the answers are there.

A rubric's template can use `question`, `reference`, `passages` (texts), and `answer`, or `first` and `second` for two answers.
"""

import re
from typing import Any, Final

from core.errors import BadInput
from core.evals.scoring.base import Case, Decision, Scored, Scorer, always, graded, references, unmarked
from core.records import Json, Record

MOST_TIMES: Final = 20
LONGEST_REASON: Final = 600
"""Characters that a judge may give as its reason."""


class Rubric(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rubric: str
    """A version of a prompt, as `judge@2`."""
    model: str
    """The judge: a chat model's name."""
    lowest: int = 1
    highest: int = 5
    repeat: int = 1
    at_least: float = 0.5

    def __post_init__(self) -> None:
        if not self.lowest < self.highest <= self.lowest + 100:
            raise ValueError("highest is above lowest, by up to 100")
        _check(self.rubric, self.repeat)


class Pairwise(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rubric: str
    model: str
    repeat: int = 1
    at_least: float = 0.5
    """From which share of wins a sample passes; a tie is half a win."""

    def __post_init__(self) -> None:
        _check(self.rubric, self.repeat)


def _check(rubric: str, repeat: int) -> None:
    if not rubric.rpartition("@")[2].isdigit():
        raise ValueError("rubric names a version of a prompt, as judge@2")
    if not 1 <= repeat <= MOST_TIMES:
        raise ValueError(f"repeat is 1 to {MOST_TIMES}")


def verdict_schema(verdicts: dict[str, Any]) -> dict[str, Any]:
    """What the judge writes: its reason, then its verdict."""
    return {
        "type": "object",
        "properties": {"reason": {"type": "string", "maxLength": LONGEST_REASON}, "verdict": verdicts},
        "required": ["reason", "verdict"],
        "additionalProperties": False,
    }


def _shown(case: Case) -> dict[str, Json]:
    return {
        "question": case.sample.input,
        "reference": next(iter(references(case.sample)), ""),
        "passages": [*case.sample.passages, *(passage.text for passage in case.answer.passages)],
    }


def _verdict(found: dict[str, Any], allowed: tuple[Any, ...]) -> tuple[Any, str]:
    verdict, reason = found.get("verdict"), found.get("reason")
    if verdict not in allowed or isinstance(verdict, bool) or not isinstance(reason, str):
        raise BadInput(source="The judge", problem="its verdict is not of the form that was asked for.")
    return verdict, " ".join(reason.split())[:LONGEST_REASON]


def _rubric(case: Case, settings: Rubric) -> Scored:
    marks = tuple(range(settings.lowest, settings.highest + 1))
    schema = verdict_schema({"type": "integer", "enum": list(marks)})
    variables = {**_shown(case), "answer": unmarked(case.answer.answer)}
    given = [
        _verdict(case.tools.decide(Decision(settings.model, settings.rubric, variables, schema, time)), marks)
        for time in range(settings.repeat)
    ]
    mean = sum(mark for mark, _ in given) / len(given)
    value = (mean - settings.lowest) / (settings.highest - settings.lowest)
    reason = min(given, key=lambda one: abs(one[0] - mean))[1]
    said = f"{round(mean, 2):g} of {settings.highest}"
    if len({mark for mark, _ in given}) > 1:
        said += f" ({', '.join(str(mark) for mark, _ in given)})"
    return graded(value, settings.at_least, f"{said}: {reason}")


_PLACES: Final = ("first", "second", "tie")


def _pairwise(case: Case, settings: Pairwise) -> Scored:
    assert case.baseline is not None
    own, other = unmarked(case.answer.answer), unmarked(case.baseline.answer)
    schema = verdict_schema({"enum": list(_PLACES)})
    points, by_place, reason = 0.0, 0, ""
    better: set[int] = set()
    for time in range(settings.repeat):
        ahead = 0
        for place, (first, second) in (("first", (own, other)), ("second", (other, own))):
            variables = {**_shown(case), "first": first, "second": second}
            found = case.tools.decide(Decision(settings.model, settings.rubric, variables, schema, time))
            verdict, why = _verdict(found, _PLACES)
            better.add(sign := 0 if verdict == "tie" else 1 if verdict == place else -1)
            ahead += sign
            by_place += place == "second" and verdict != "tie" and ahead == 0
            reason = reason or why
        points += 1.0 if ahead > 0 else 0.0 if ahead < 0 else 0.5
    value = points / settings.repeat
    said = f"{value:.2f} of the wins against the first variant"
    if by_place:
        said += f"; {by_place} of {settings.repeat} verdicts followed the place"
    elif len(better) > 1:
        said += "; its verdicts differed"
    return graded(value, settings.at_least, f"{said}: {reason}")


_DIFFERED: Final = re.compile(
    r"-?\d+(?:\.\d+)? of -?\d+ \(-?\d+(?:, -?\d+)+\): |\d\.\d\d of the wins against the first variant; "
    r"(?:\d+ of \d+ verdicts followed the place|its verdicts differed): "
)
"""How a reason begins where a judge didn't say the same each time."""


def differed(reason: str) -> bool:
    """Whether a judge that was asked more than once gave an answer other marks, or didn't prefer the same answer, or neither, each time."""
    return _DIFFERED.match(reason) is not None


_JUDGE = (
    "A judge favours long and confident answers and those of its own kind, and small models judge badly. Its agreement with people is not known "
    "until people have marked the same answers."
)

SCORERS = (
    Scorer(
        "rubric",
        "The mark that a local model gives an answer by a rubric, from the lowest (0) to the highest (1), over all answers.",
        _JUDGE,
        "bootstrap",
        always,
        _rubric,
        "0 to 1",
        "After Zheng et al. 2023 (MT-bench) and Liu et al. 2023 (G-Eval).",
        Rubric,
        "after",
    ),
    Scorer(
        "pairwise",
        "How often a local model prefers an answer to the first variant's, over samples that both answered. A tie is a half.",
        _JUDGE,
        "bootstrap",
        lambda case: case.baseline is not None,
        _pairwise,
        "0 to 1",
        "After Zheng et al. 2023, with both orders asked.",
        Pairwise,
        "after",
    ),
)
