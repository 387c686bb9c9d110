"""A prompt's variables: what a declaration must be, and which value each of them gets for one question.

Rules: a prompt that declares variables reads those alone, and `BUILT_IN`; each declared one is read by a message. A value comes from the person
who gives it, else from its source in the sample, else from what the question brings under its name, else from its default; a variable
that has none of these is an error that names it and the first line that reads it. Errors never show a value.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from core.errors import BadInput, TemplateError
from core.inference.records import Message
from core.prompts.records import Given, PromptVersion, SavePrompt, Variable
from core.records import Json

BUILT_IN = ("question", "input", "passages", "choices", "metadata")
"""What every question brings, by name, without being declared."""
SOURCES = ("question", "input", "choices", "passages")
MOST_EXAMPLES = 50
MOST_VARIABLES = 50
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_WORDS = ("true", "false", "none", "loop", "range", "dict", "namespace", "joiner", "cycler", "self")

Examples = Callable[[str], tuple[str, tuple[dict[str, Json], ...]]]
"""A dataset's version by a reference: how it is named, and its samples as templates see them."""
Lines = Mapping[str, tuple[int, int]]
"""For each variable that is read: the number of the first message that reads it, and the line, both from 1."""


def check_variables(request: SavePrompt, read: Lines) -> None:
    """Raise `BadInput` for a declaration that can't be, and `TemplateError` with the line for a name that is read and not declared."""
    names = [variable.name for variable in request.variables]
    if len(names) > MOST_VARIABLES:
        raise BadInput(source=request.name, problem=f"it has over {MOST_VARIABLES} variables. Use fewer.")
    for variable in request.variables:
        problem = _declaration(variable, names)
        if problem:
            raise BadInput(source=f"{request.name}, variable {variable.name or '?'}", problem=problem)
        if variable.name not in read:
            raise BadInput(
                source=f"{request.name}, variable {variable.name}",
                problem="it is declared, and no message reads it. Use it, or take it out.",
            )
    if not names:
        return
    for name, (number, line) in sorted(read.items(), key=lambda entry: entry[1]):
        if name not in names and name not in BUILT_IN:
            role = request.messages[number - 1].role
            raise TemplateError(
                source=f"{request.name}, {role}, variable {name}",
                line=line,
                problem=f"it isn't declared. There are {', '.join((*names, *BUILT_IN))}.",
            )


def fill(prompt: PromptVersion, given: Given, examples: Examples) -> dict[str, Json]:
    """What the prompt's templates are rendered with. Raises `BadInput` naming the variable, and what `examples` raises."""
    base: dict[str, Json] = dict(given.base)
    if not prompt.declared:
        return {**base, **given.values}
    known = [variable.name for variable in prompt.declared]
    for name in given.values:
        if name not in known and name not in BUILT_IN:
            raise BadInput(
                source=f"{prompt.reference}, variable {name}",
                problem=f"there is no such variable. There are {', '.join(known)}.",
            )
    found = {name: base[name] for name in BUILT_IN if name in base} | given.values
    for variable in prompt.declared:
        if variable.kind == "examples":
            found[variable.name] = _shown(variable, base, examples)
            continue
        value = _value(variable, given)
        if value is None:
            raise _wrong(prompt, variable, "it has no value. Give one.")
        found[variable.name] = _typed(prompt, variable, value)
    return found


def askable(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """Those whose value a person gives: texts, numbers and choices that no question brings by itself."""
    return tuple(
        variable
        for variable in variables
        if variable.kind not in ("examples", "passages")
        and variable.name not in BUILT_IN
        and variable.source not in SOURCES
    )


def value_problem(variable: Variable, value: Any) -> str:
    """Why a value doesn't fit a variable, as the end of a sentence; "" where it does."""
    return _problem(variable, value)


def example_values(variables: Iterable[Variable]) -> dict[str, Json]:
    """A stand-in for each variable, for looking at a prompt before there is a question."""
    found: dict[str, Json] = {}
    for variable in askable(variables):
        if variable.default is not None:
            found[variable.name] = variable.default
        elif variable.kind == "choice":
            found[variable.name] = variable.choices[0] if variable.choices else ""
        elif variable.kind == "number":
            found[variable.name] = variable.least if variable.least is not None else variable.most or 1
        else:
            found[variable.name] = f"({variable.description or variable.name})"
    return found


def first_line(messages: Sequence[Message], name: str) -> tuple[int, int]:
    """The message and the line, from 1, that read a name first; (1, 1) where none is found."""
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    for number, message in enumerate(messages, 1):
        for at, text in enumerate(message.content.split("\n"), 1):
            if any(word.search(part) for part in re.findall(r"\{[{%].*?(?:[%}]\}|$)", text)):
                return number, at
    return 1, 1


def _declaration(variable: Variable, names: Sequence[str]) -> str:
    """What is wrong with a declaration; "" for nothing."""
    kind, default = variable.kind, variable.default
    if not _NAME.fullmatch(variable.name) or variable.name in _WORDS:
        return "a variable's name has letters, digits and underscores, begins with a letter, and isn't a word of Jinja."
    if names.count(variable.name) > 1:
        return "it is declared twice."
    if variable.source and variable.source not in SOURCES and not variable.source.startswith("metadata."):
        return f"its source is one of {', '.join(SOURCES)}, or metadata.NAME."
    if kind == "choice" and (not variable.choices or len(set(variable.choices)) < len(variable.choices)):
        return "a choice needs its choices, each once."
    if kind != "choice" and variable.choices:
        return f"only a choice has choices; this is of the kind {kind}."
    if kind == "number":
        bounds = (variable.least, variable.most)
        if None not in bounds and variable.least > variable.most:  # type: ignore[operator]
            return "its least value is above its most."
    elif variable.least is not None or variable.most is not None:
        return f"only a number has bounds; this is of the kind {kind}."
    if kind == "examples":
        if not variable.dataset:
            return "examples need the dataset that they are from."
        if not 1 <= variable.count <= MOST_EXAMPLES:
            return f"show 1 to {MOST_EXAMPLES} examples."
    elif variable.dataset:
        return f"only examples come from a dataset; this is of the kind {kind}."
    if default is not None:
        if kind in ("passages", "examples"):
            return f"{kind} have no default."
        return _problem(variable, default)
    return ""


def _value(variable: Variable, given: Given) -> Any:
    if variable.name in given.values:
        return given.values[variable.name]
    metadata = given.base.get("metadata") or {}
    if variable.source.startswith("metadata."):
        found = metadata.get(variable.source.removeprefix("metadata."))
    elif variable.source:
        found = given.base.get(variable.source)
    else:
        found = given.base.get(variable.name, metadata.get(variable.name))
    if found is None and variable.kind == "passages":
        found = given.base.get("passages")
    return variable.default if found is None else found


def _typed(prompt: PromptVersion, variable: Variable, value: Any) -> Json:
    if variable.kind == "passages":
        return _passages(prompt, variable, value)
    problem = _problem(variable, value)
    if problem:
        raise _wrong(prompt, variable, problem)
    if variable.kind == "number":
        return _number(value)
    if isinstance(value, list | tuple):
        return "\n".join(str(part) for part in value)
    return str(value)


def _problem(variable: Variable, value: Any) -> str:
    """Why a value doesn't fit; "" where it does."""
    if variable.kind == "number":
        number = _number(value)
        if number is None:
            return "it isn't a number."
        if variable.least is not None and number < variable.least:
            return f"it is under {variable.least}."
        if variable.most is not None and number > variable.most:
            return f"it is over {variable.most}."
        return ""
    if variable.kind == "choice":
        return "" if str(value) in variable.choices else f"it is none of {', '.join(variable.choices)}."
    return "it isn't a text." if isinstance(value, dict) else ""


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = int(value) if not isinstance(value, float) else value
    except ValueError:
        try:
            found = float(value)
        except ValueError:
            return None
    return found if math.isfinite(found) else None


def _passages(prompt: PromptVersion, variable: Variable, value: Any) -> list[Json]:
    """Passages as they come, and texts as passages, numbered from 1."""
    found = [value] if isinstance(value, str) else list(value)
    made: list[Json] = []
    for number, part in enumerate(found, 1):
        if isinstance(part, dict):
            made.append(part)
        elif isinstance(part, str):
            made.append({"number": number, "text": part, "sentences": [], "document": "", "page": 1, "heading": ""})
        else:
            raise _wrong(prompt, variable, "passages are texts.")
    return made


def _shown(variable: Variable, base: Mapping[str, Json], examples: Examples) -> list[Json]:
    """The first examples, without one that asks what is asked: it would tell the answer."""
    _, samples = examples(variable.dataset)
    asked = str(base.get("question", "")).strip()
    fitting = [sample for sample in samples if str(sample.get("input", "")).strip() != asked]
    return list(fitting[: variable.count])


def _wrong(prompt: PromptVersion, variable: Variable, problem: str) -> BadInput:
    number, line = first_line(prompt.messages, variable.name)
    role = prompt.messages[number - 1].role
    return BadInput(
        source=f"{prompt.reference}, variable {variable.name} (message {number}, {role}, line {line})", problem=problem
    )
