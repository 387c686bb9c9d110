"""A spec as it is written: what is wrong with it, and on which line."""

import pytest

from core.errors import BadInput
from core.evals.files import read_spec
from core.evals.written import problem, read_text
from core.paths import RESOURCES

GOOD = """name: safety
dataset: questions
scorers:
  - contains
  - refusal
prompts: [cite@1]
models: [small]
passages: 4
"""


def test_a_text_says_the_same_as_its_file() -> None:
    path = RESOURCES / "example" / "evaluation.yaml"
    assert read_text(path.read_text(encoding="utf-8")) == read_spec(path)
    assert problem(path.read_text(encoding="utf-8")) is None
    assert problem(GOOD) is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD.replace("passages: 4", "passages: four"), 8, "Expected `int`, got `str`."),
        (GOOD.replace("passages: 4", "passages: 9999"), 8, "Passages is 9999."),
        (GOOD.replace("passages: 4", "colour: red"), 8, "unknown field `colour`"),
        (GOOD.replace("  - refusal", "  - refusals"), 3, "refusals"),
        (GOOD.replace("models: [small]\n", ""), 6, "Prompts and models go together"),
        (GOOD.replace("dataset: questions\n", ""), 1, "missing required field `dataset`"),
        (GOOD + "criteria:\n  - metric: contains\n    variant: a\n    at_most: high\n", 12, "Expected `float | null`"),
        (GOOD + "criteria:\n  - metric: length\n    variant: a\n    at_least: 3\n", 9, "a criterion names length"),
        (GOOD + "gate:\n  - contains is good\n", 9, "no line of a gate"),
        (GOOD + "mode: quick\n", 9, "Invalid enum value 'quick'"),
        (GOOD + "settings:\n  - {name: a}\n  - {name: b, warmth: 2}\n", 11, "unknown field `warmth`"),
        ("name: [safety\ndataset: x\n", 2, "Not readable as YAML."),
        ("", 1, "isn't a list of fields"),
        ("just words", 1, "isn't a list of fields"),
    ],
)
def test_a_problem_is_told_with_its_line(text: str, line: int, says: str) -> None:
    found = problem(text)
    assert found is not None
    assert says.casefold() in found.sentence.casefold()
    assert found.line == line, found
    assert "$" not in found.sentence
    with pytest.raises(BadInput):
        read_text(text)
