"""What a prompt version promises of its answers, and whether a mark points at the right one of the sample's own passages."""

import re
from typing import Final

from core.evals.scoring.base import Case, Scored, Scorer, normalised, yes_no

_MARK: Final = re.compile(r"\[(\d+)\]")


def _promised(case: Case) -> bool:
    return case.answer.contract != ""


def _kept(case: Case, _: object) -> Scored:
    return yes_no(case.answer.contract == "kept", "kept", case.answer.broken)


def _holding(case: Case) -> list[int]:
    quote = normalised(case.sample.quote)
    return [number for number, text in enumerate(case.sample.passages, 1) if quote and quote in normalised(text)]


def _marked(case: Case, _: object) -> Scored:
    marks = {int(mark) for mark in _MARK.findall(case.answer.answer)}
    right = marks & set(_holding(case))
    return yes_no(bool(right), f"marks {sorted(right)}", f"marks {sorted(marks)}" if marks else "no mark")


SCORERS = (
    Scorer(
        "contract",
        "The answer has the form that its prompt version promises: JSON that follows the schema, or one of the choices. 0 or 1, over prompts that "
        "promise one.",
        "Says that the form is right, not that the content is. The engine's grammar keeps most answers to it, so that what is left are answers "
        "that were cut off and rules that no grammar knows, such as bounds of numbers.",
        "wilson",
        _promised,
        _kept,
    ),
    Scorer(
        "mark_right",
        "A mark [n] in the answer points at one of the sample's own passages that holds its quote. 0 or 1, over samples that have both.",
        "Marks that point at other passages beside it don't count against it. Over documents, use the scorers of citations.",
        "wilson",
        lambda case: not case.sample.unanswerable and bool(_holding(case)),
        _marked,
    ),
)
