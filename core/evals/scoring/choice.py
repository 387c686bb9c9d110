"""Multiple choice: which one the answer takes, or which one the model finds likeliest.

Choices are named by letters in the sample's order. Log-likelihoods are those of the choices' texts after the prompt that the variant asks,
each after one space unless `separator` says otherwise. Quotes have no model whose likelihoods could be weighed, and are left out.
"""

import math
import re
import string
from collections.abc import Sequence
from typing import Final

from core.evals.scoring.base import Case, Scored, Scorer, graded, normalised, unmarked, yes_no
from core.inference.records import Weight
from core.records import Record

LETTERS: Final = string.ascii_uppercase
_LEADING: Final = re.compile(r"^\s*[\(\[\*]*([A-Za-z])(?:[\)\].:,*]|\s*$|\s*\n)")
_SAID: Final = re.compile(
    r"(?i:\b(?:answer|choice|option)\b\s*(?:is|:)?)\s*[:\(\[\*\"“]*\s*([A-Z])(?=[\)\].:,*\s\"”]|$)"
)


class Likelihood(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    separator: str = " "
    """What stands between the prompt and a choice."""
    letters: bool = False
    """Weigh the letters A, B, C … in place of the choices' texts, where the prompt lists them."""


class Mass(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    separator: str = " "
    at_least: float = 0.5


def chosen_letter(text: str, choices: Sequence[str]) -> int | None:
    """The position of the choice that an answer takes, None when it takes none or several.

    In this order: the answer is a choice word for word; it begins with a letter; it says "the answer is B"; it holds exactly one choice's text that
    is no part of another that it holds.
    """
    plain = normalised(text)
    exact = [index for index, choice in enumerate(choices) if normalised(choice) == plain]
    if len(exact) == 1:
        return exact[0]
    said = {letter.upper() for letter in _SAID.findall(text)}
    leading = _LEADING.match(text)
    if leading is not None:
        letters = {leading.group(1).upper()}
    else:
        letters = said
    known = {LETTERS.index(letter) for letter in letters if LETTERS.index(letter) < len(choices)}
    if known:
        return known.pop() if len(known) == 1 else None
    held = [
        index
        for index, choice in enumerate(choices)
        if normalised(choice) and re.search(r"(?<!\w)" + re.escape(normalised(choice)) + r"(?!\w)", plain)
    ]
    outer = [
        index
        for index in held
        if not any(other != index and normalised(choices[index]) in normalised(choices[other]) for other in held)
    ]
    return outer[0] if len(outer) == 1 else None


def _choosable(case: Case) -> bool:
    return not case.sample.unanswerable and case.sample.target in case.sample.choices


def _applies(case: Case) -> bool:
    return _choosable(case) and len(case.sample.choices) <= len(LETTERS)


def _weighable(case: Case) -> bool:
    return _choosable(case) and case.asked is not None


def _named(index: int) -> str:
    return LETTERS[index] if index < len(LETTERS) else f"choice {index + 1}"


def _generated(case: Case, _: object) -> Scored:
    sample = case.sample
    index = chosen_letter(unmarked(case.answer.answer), sample.choices)
    if index is None:
        return yes_no(False, "", "takes none of the choices, or several")
    right = sample.choices[index] == sample.target or sample.choices[index] in sample.targets
    said = f"takes {LETTERS[index]}"
    return yes_no(right, said, f"{said}, right is {LETTERS[sample.choices.index(str(sample.target))]}")


def _weights(case: Case, separator: str, letters: bool = False) -> tuple[Weight, ...]:
    assert case.asked is not None
    texts = tuple(map(_named, range(len(case.sample.choices)))) if letters else case.sample.choices
    return case.tools.weigh(case.asked, tuple(f"{separator}{text}" for text in texts)).weights


def _best(case: Case, values: Sequence[float]) -> Scored:
    """Whether the target's value is above every wrong choice's; choices that are as right are left out."""
    sample = case.sample
    target = sample.choices.index(str(sample.target))
    wrong = [
        (value, index)
        for index, value in enumerate(values)
        if index != target and sample.choices[index] not in sample.targets
    ]
    best, index = max(wrong, default=(-math.inf, target))
    right = values[target] > best
    margin = "" if best == -math.inf else f" by {abs(values[target] - best):.3f}"
    return yes_no(
        right, f"finds the target likeliest{margin}", f"finds {_named(index)} likelier than the target{margin}"
    )


def _likelihood(case: Case, settings: Likelihood) -> Scored:
    return _best(case, [w.log_likelihood for w in _weights(case, settings.separator, settings.letters)])


def _normalised(case: Case, settings: Likelihood) -> Scored:
    weights = _weights(case, settings.separator, settings.letters)
    lengths = [1 if settings.letters else max(1, len(choice)) for choice in case.sample.choices]
    return _best(case, [w.log_likelihood / length for w, length in zip(weights, lengths, strict=True)])


def _mass(case: Case, settings: Mass) -> Scored:
    sample = case.sample
    values = [weight.log_likelihood for weight in _weights(case, settings.separator)]
    highest = max(values)
    shares = [math.exp(value - highest) for value in values]
    right = math.fsum(
        share
        for share, choice in zip(shares, sample.choices, strict=True)
        if choice == sample.target or choice in sample.targets
    )
    share = right / math.fsum(shares)
    return graded(share, settings.at_least, f"{share:.3f} of the probability lies on right choices")


_FORM = (
    "Depends on the prompt's form and on how the choices are worded. Leaves out the mode quotes, which has no model."
)

SCORERS = (
    Scorer(
        "choice",
        "The answer takes the right one of the sample's choices, by letter or word for word. 0 or 1, over samples with choices.",
        "An answer in a form that isn't recognised counts as wrong.",
        "wilson",
        _applies,
        _generated,
        source="As MMLU is asked of models that only write (Hendrycks et al. 2021).",
    ),
    Scorer(
        "choice_likelihood",
        "The model finds the target likelier than every wrong choice, by the sum of its tokens' log-probabilities. 0 or 1.",
        f"Longer choices are less likely. {_FORM}",
        "wilson",
        _weighable,
        _likelihood,
        source="Accuracy in lm-evaluation-harness; MC1 of TruthfulQA (Lin et al. 2022).",
        settings=Likelihood,
    ),
    Scorer(
        "choice_likelihood_by_length",
        "The same, with each log-likelihood divided by its choice's number of characters. 0 or 1.",
        _FORM,
        "wilson",
        _weighable,
        _normalised,
        source="As normalised accuracy in lm-evaluation-harness, by characters.",
        settings=Likelihood,
    ),
    Scorer(
        "choice_mass",
        "The share of the choices' whole probability that lies on right ones.",
        f"More right choices share more. {_FORM}",
        "bootstrap",
        _weighable,
        _mass,
        "0 to 1",
        "MC2 of TruthfulQA (Lin et al. 2022).",
        Mass,
    ),
)
