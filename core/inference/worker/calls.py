"""Earlier calls of functions, as a model's own chat template is shown them.

Templates expect what `transformers` gives them: `tool_calls` with a function's name and arguments, and `tool_call_id` at a result. Rules: arguments
are an object to templates that look into them and their JSON to those that write them behind a text, since families differ in it; an id has nine
letters and digits, which Mistral's templates insist on, and is the same at a call and at its result; no text in them is ever read as a special token.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from core.inference.records import CallTurn


class Arguments(dict[str, Any]):
    """An object that is its JSON where a template writes it as it is."""

    def __str__(self) -> str:
        return json.dumps(self, ensure_ascii=False)

    def __add__(self, other: object) -> str:
        return f"{self}{other}"

    def __radd__(self, other: object) -> str:
        return f"{other}{self}"


def shown(turns: Sequence[CallTurn], guard: Callable[[Any], Any]) -> dict[int, dict[str, Any]]:
    """For each turn, by its message's place from the end, what the template finds beside role and content. `guard` takes any JSON value."""
    names = {call["id"]: call["name"] for turn in turns for call in turn.calls}
    found: dict[int, dict[str, Any]] = {}
    for turn in turns:
        if turn.calls:
            found[turn.back] = {"tool_calls": [_call(call, guard) for call in turn.calls]}
        elif turn.answers:
            found[turn.back] = {"tool_call_id": short(turn.answers)}
            if turn.answers in names:
                found[turn.back]["name"] = guard(names[turn.answers])
    return found


def short(given: str) -> str:
    """An id of nine letters and digits, the same for the same."""
    return (
        given
        if len(given) == 9 and given.isascii() and given.isalnum()
        else hashlib.sha256(given.encode()).hexdigest()[:9]
    )


def _call(call: dict[str, Any], guard: Callable[[Any], Any]) -> dict[str, Any]:
    arguments = Arguments(guard(call["arguments"]))
    function = {"name": guard(call["name"]), "arguments": arguments}
    return {"id": short(call["id"]), "type": "function", "function": function}
