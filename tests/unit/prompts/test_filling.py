from collections.abc import Sequence
from typing import Any

import pytest

from core.errors import BadInput, TemplateError
from core.inference.records import Message
from core.prompts.filling import check_variables, fill, first_line
from core.prompts.records import Given, PromptVersion, SavePrompt, Variable
from core.prompts.service import drafted
from core.records import Json

SAMPLES: tuple[dict[str, Json], ...] = tuple(
    {"input": f"case {number}", "target": f"label {number}"} for number in range(1, 9)
)


def examples(reference: str) -> tuple[str, tuple[dict[str, Json], ...]]:
    return f"{reference.partition('@')[0]}@3", SAMPLES


def prompt(content: str, *variables: Variable) -> PromptVersion:
    request = SavePrompt(name="p", messages=(Message(role="user", content=content),), variables=variables)
    return drafted(request, 2, None, "ines", "")


def filled(variable: Variable, given: Given) -> Json:
    return fill(prompt(f"line one\n{{{{ {variable.name} }}}}", variable), given, examples)[variable.name]


@pytest.mark.parametrize(
    ("variable", "given", "value"),
    [
        (Variable(name="tone"), Given(values={"tone": "calm"}), "calm"),
        (Variable(name="tone", default="calm"), Given(), "calm"),
        (Variable(name="text", source="input"), Given(base={"input": "A report."}), "A report."),
        (Variable(name="text", source="metadata.unit"), Given(base={"metadata": {"unit": "mg"}}), "mg"),
        (Variable(name="unit"), Given(base={"metadata": {"unit": "mg"}}), "mg"),
        (Variable(name="words", kind="number", least=1, most=90), Given(values={"words": "40"}), 40),
        (Variable(name="words", kind="number"), Given(values={"words": "0.5"}), 0.5),
        (Variable(name="tone", kind="choice", choices=("calm", "warm")), Given(values={"tone": "warm"}), "warm"),
        (Variable(name="options", source="choices"), Given(base={"choices": ["yes", "no"]}), "yes\nno"),
    ],
)
def test_a_value_comes_from_where_it_is_declared(variable: Variable, given: Given, value: Json) -> None:
    assert filled(variable, given) == value


@pytest.mark.parametrize(
    ("variable", "values", "said"),
    [
        (Variable(name="tone"), {}, "it has no value"),
        (Variable(name="words", kind="number"), {"words": "many"}, "isn't a number"),
        (Variable(name="words", kind="number"), {"words": True}, "isn't a number"),
        (Variable(name="words", kind="number"), {"words": "nan"}, "isn't a number"),
        (Variable(name="words", kind="number", least=5), {"words": 4}, "under 5"),
        (Variable(name="words", kind="number", most=5), {"words": 6}, "over 5"),
        (Variable(name="tone", kind="choice", choices=("calm",)), {"tone": "loud"}, "none of calm"),
        (Variable(name="tone"), {"tone": {"a": 1}}, "isn't a text"),
    ],
)
def test_a_value_that_does_not_fit_names_its_variable_and_line(
    variable: Variable, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        filled(variable, Given(values=values))
    assert f"p@2, variable {variable.name} (message 1, user, line 2)" in str(caught.value)
    assert said in str(caught.value)
    assert all(str(value) not in str(caught.value) for value in values.values() if value == "many")


def test_a_value_for_no_variable_is_refused() -> None:
    with pytest.raises(BadInput, match=r"variable tine: there is no such variable\. There are tone"):
        filled(Variable(name="tone", default="calm"), Given(values={"tine": "x"}))


def test_a_prompt_without_declarations_takes_what_comes() -> None:
    assert fill(prompt("{{ a }}"), Given(values={"a": 1}, base={"question": "q"}), examples) == {
        "a": 1,
        "question": "q",
    }


def test_texts_become_numbered_passages() -> None:
    found = filled(Variable(name="sources", kind="passages"), Given(values={"sources": ["one", "two"]}))
    assert isinstance(found, list)
    assert [(part["number"], part["text"]) for part in found if isinstance(part, dict)] == [(1, "one"), (2, "two")]


def test_an_example_never_tells_the_answer_to_what_is_asked() -> None:
    shots = Variable(name="shots", kind="examples", dataset="notes@3", count=3)
    shown = filled(shots, Given(base={"question": "case 2 "}))
    assert [part["input"] for part in shown if isinstance(part, dict)] == ["case 1", "case 3", "case 4"]  # type: ignore[union-attr]


def declared(content: str, variables: Sequence[Variable], read: dict[str, tuple[int, int]]) -> None:
    check_variables(
        SavePrompt(name="p", messages=(Message(role="user", content=content),), variables=tuple(variables)), read
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ([Variable(name="2nd")], "letters, digits and underscores"),
        ([Variable(name="loop")], "isn't a word of Jinja"),
        ([Variable(name="a"), Variable(name="a")], "declared twice"),
        ([Variable(name="a", kind="choice")], "needs its choices"),
        ([Variable(name="a", choices=("x",))], "only a choice has choices"),
        ([Variable(name="a", least=1)], "only a number has bounds"),
        ([Variable(name="a", kind="number", least=2, most=1)], "above its most"),
        ([Variable(name="a", kind="number", default="x")], "isn't a number"),
        ([Variable(name="a", kind="choice", choices=("x",), default="y")], "none of x"),
        ([Variable(name="a", kind="examples")], "need the dataset"),
        ([Variable(name="a", kind="examples", dataset="d", count=0)], "1 to 50"),
        ([Variable(name="a", kind="passages", default="x")], "have no default"),
        ([Variable(name="a", source="target")], "its source is one of"),
        ([Variable(name="unread")], "no message reads it"),
    ],
)
def test_a_declaration_that_can_not_be_is_named(variables: list[Variable], said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        declared("{{ a }}", variables, {"a": (1, 1), "2nd": (1, 1), "loop": (1, 1)})
    assert f"variable {variables[0].name}" in str(caught.value)


def test_a_name_that_is_read_and_not_declared_is_named_with_its_line() -> None:
    with pytest.raises(TemplateError) as caught:
        declared("", [Variable(name="a")], {"a": (1, 1), "b": (1, 4), "question": (1, 2)})
    assert "p, user, variable b, line 4: it isn't declared. There are a" in str(caught.value)


def test_the_first_line_that_reads_a_name() -> None:
    messages = (
        Message(role="system", content="a name"),
        Message(role="user", content="x\n{% if y.name %}\n{{ name }}"),
    )
    assert first_line(messages, "name") == (2, 3)
    assert first_line(messages, "other") == (1, 1)
