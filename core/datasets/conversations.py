"""Conversations as others write them: OpenAI chat, ShareGPT and Alpaca, row by row. Pure; training and datasets read them here.

A row is `messages` of role and content (chat), `conversations` of from and value (ShareGPT), or `instruction`, `input`, `output`, `history` and
`system` (Alpaca). Calls of functions and what they gave back are turns too, for who asks for them. A row that isn't of its form is `Wrong`,
with a sentence that holds none of its content.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from core.datasets.records import Turn

ROLES: Final = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
}
WITH_CALLS: Final = {
    **ROLES,
    "developer": "system",
    "tool": "tool",
    "observation": "tool",
    "function": "tool",
    "function_call": "call",
    "call": "call",
}
UNUSED: Final = ("images", "audios", "videos")
PREFERENCES: Final = ("chosen", "rejected", "label")


class Wrong(Exception):
    """Why a row can't be used, without its content."""


def form_of(keys: Mapping[str, Any]) -> str:
    """ "chat", "sharegpt" or "alpaca" by a row's keys; "" for another form."""
    for form, key in (("chat", "messages"), ("sharegpt", "conversations"), ("alpaca", "instruction")):
        if key in keys:
            return form
    return ""


def turns_of(form: str, row: Mapping[str, Any], roles: Mapping[str, str] = ROLES) -> list[Turn]:
    """The turns of a row of that form, the assistant's last answer among them where there is one. Raises `Wrong`."""
    for unused in UNUSED:
        if row.get(unused):
            raise Wrong(f"it has {unused}, which aren't learned here.")
    if form == "chat":
        return _system(row, _turns(row, "messages", "role", "content", roles))
    if form == "sharegpt":
        return _system(row, _turns(row, "conversations", "from", "value", roles))
    return _alpaca(row)


def message(value: Any) -> str:
    """The text of one answer: a text, or an object with `content` or `value`. Raises `Wrong`."""
    if isinstance(value, dict):
        value = value.get("content", value.get("value"))
    if isinstance(value, list) and value:
        value = message(value[-1])
    if not isinstance(value, str) or not value.strip():
        raise Wrong("one of its answers is no text.")
    return value


def _system(row: Mapping[str, Any], turns: list[Turn]) -> list[Turn]:
    system = row.get("system")
    if isinstance(system, str) and system.strip() and turns[0].role != "system":
        return [Turn(role="system", content=system), *turns]
    return turns


def _turns(row: Mapping[str, Any], key: str, role: str, content: str, roles: Mapping[str, str]) -> list[Turn]:
    turns = row.get(key)
    if not isinstance(turns, list) or not turns:
        raise Wrong(f"it has no {key}.")
    return [_turn(number, turn, role, content, roles) for number, turn in enumerate(turns, 1)]


def _turn(number: int, turn: Any, role: str, content: str, roles: Mapping[str, str]) -> Turn:
    if not isinstance(turn, dict):
        raise Wrong(f"turn {number} is no object.")
    said = turn.get(role)
    known = roles.get(said) if isinstance(said, str) else None
    if known is None:
        raise Wrong(f"turn {number} is by {str(said)[:30]}, which isn't one of {', '.join(roles)}.")
    text = turn.get(content)
    if turn.get("tool_calls") and "call" in roles.values():
        return Turn(role="call", content=msgspec.json.encode(turn["tool_calls"], order="sorted").decode())
    if isinstance(text, list):
        text = _parts(number, text)
    if not isinstance(text, str) or not text.strip():
        raise Wrong(f"turn {number} is empty.")
    return Turn(role=known, content=text)


def _parts(number: int, parts: list[Any]) -> str:
    """The text of a message that is given in parts."""
    if not all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts):
        raise Wrong(f"turn {number} has parts that are no text.")
    return "".join(part["text"] for part in parts)


def _alpaca(row: Mapping[str, Any]) -> list[Turn]:
    found = {key: row.get(key) or "" for key in ("instruction", "input", "output", "system")}
    if not all(isinstance(value, str) for value in found.values()):
        raise Wrong("one of its fields is no text.")
    preferred = any(key in row for key in ("chosen", "rejected"))
    if not found["output"].strip() and not preferred:
        raise Wrong("its output is empty.")
    asked = "\n".join(part for part in (found["instruction"], found["input"]) if part.strip())
    if not asked:
        raise Wrong("its instruction is empty.")
    turns = [Turn(role="system", content=found["system"])] if found["system"].strip() else []
    for number, pair in enumerate(row.get("history") or (), 1):
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(one, str) and one.strip() for one in pair)
        ):
            raise Wrong(f"part {number} of its history is no pair of texts.")
        turns += [Turn(role="user", content=pair[0]), Turn(role="assistant", content=pair[1])]
    turns.append(Turn(role="user", content=asked))
    return [*turns, Turn(role="assistant", content=found["output"])] if found["output"].strip() else turns
