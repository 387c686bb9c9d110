"""Reading the messages of a chat: text only; what no model here could see is refused."""

import json
from typing import Any, Final

from core.inference.records import Message
from core.server.forms import refuse

MOST: Final = 2048
_ROLES: Final = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
_EMPTY: Final = ("refusal", "annotations", "audio", "function_call", "name")
"""Parts of a message that may be there with nothing in them, as in an answer that is sent back."""


def messages(given: Any) -> tuple[Message, ...]:
    """Raises `BadInput`."""
    if not isinstance(given, list) or not given or len(given) > MOST:
        refuse("messages", f"give a list of 1 to {MOST} messages.")
    return tuple(_message(number, one) for number, one in enumerate(given, 1))


def _message(number: int, given: Any) -> Message:
    if not isinstance(given, dict) or given.get("role") not in _ROLES:
        refuse("messages", f"message {number} has no role; use {', '.join(_ROLES)}.")
    left = {name: value for name, value in given.items() if value is not None}
    role = left.pop("role")
    content = _text(number, left.pop("content", None))
    calls = left.pop("tool_calls", None) if role == "assistant" else None
    if role == "tool":
        left.pop("tool_call_id", None)
    for name in _EMPTY:
        if name in left and not left[name]:
            del left[name]
    for name in left:
        refuse("messages", f"message {number} has {name[:80]}, which the models here can't be shown. Leave it out.")
    if calls:
        content = "\n".join(part for part in (content, *(_call(number, call) for call in calls)) if part)
    elif content is None:
        refuse("messages", f"message {number} has no content.")
    return Message(role=_ROLES[role], content=content or "")


def _text(number: int, content: Any) -> str | None:
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        refuse("messages", f"the content of message {number} is neither a text nor a list of parts.")
    texts = []
    for part in content:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            refuse("messages", f"message {number} has a part that isn't text; the models here read text only.")
        texts.append(part["text"])
    return "".join(texts)


def _call(number: int, call: Any) -> str:
    """An earlier call, as the models that know tools write it."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        refuse("messages", f"message {number} has a tool call without a function.")
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except (ValueError, TypeError, RecursionError):
        refuse("messages", f"message {number} has a tool call whose arguments aren't JSON.")
    return f"<tool_call>\n{json.dumps({'name': function['name'], 'arguments': arguments}, ensure_ascii=False)}\n</tool_call>"
