"""Reading the messages of a chat: text, and pictures in the last message of a person; what no model here could see is refused."""

import base64
import json
from typing import Any, Final

from core.inference.records import CallTurn, Message
from core.server.forms import refuse

MOST: Final = 2048
_ROLES: Final = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
_EMPTY: Final = ("refusal", "annotations", "audio", "function_call", "name")
"""Parts of a message that may be there with nothing in them, as in an answer that is sent back."""


def messages(given: Any) -> tuple[Message, ...]:
    """Raises `BadInput`."""
    if not isinstance(given, list) or not given or len(given) > MOST:
        refuse("messages", f"give a list of 1 to {MOST} messages.")
    last = _last_person(given)
    return tuple(_message(number, one, number == last) for number, one in enumerate(given, 1))


def turns(given: Any) -> tuple[CallTurn, ...]:
    """The earlier calls among messages that `messages` has read, and the results that name theirs."""
    found = []
    for back, one in enumerate(reversed(given), 1):
        if one["role"] == "assistant" and one.get("tool_calls"):
            calls = tuple(map(_read_call, one["tool_calls"]))
            found.append(CallTurn(back=back, calls=calls, text=_text(0, one.get("content"), False) or ""))
        elif one["role"] == "tool" and isinstance(one.get("tool_call_id"), str):
            found.append(CallTurn(back=back, answers=one["tool_call_id"]))
    return tuple(found)


def _read_call(call: dict[str, Any]) -> dict[str, Any]:
    """One that `messages` has read."""
    function = call["function"]
    given = call.get("id")
    arguments = json.loads(function.get("arguments") or "{}")
    return {"id": given if isinstance(given, str) else "", "name": function["name"], "arguments": arguments}


def pictures(given: Any) -> tuple[bytes, ...]:
    """The pictures of messages that `messages` has read, in order. Raises `BadInput`."""
    last = _last_person(given)
    content = given[last - 1].get("content") if last else None
    return tuple(_picture(last, part) for part in content if _shows(part)) if isinstance(content, list) else ()


def _last_person(given: list[Any]) -> int:
    """The number of the last message by a person, from 1; 0 where there is none."""
    people = [n for n, one in enumerate(given, 1) if isinstance(one, dict) and one.get("role") == "user"]
    return people[-1] if people else 0


def _shows(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"


def _picture(number: int, part: dict[str, Any]) -> bytes:
    given = part.get("image_url")
    address = given.get("url") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(address, str):
        refuse("messages", f"message {number} has a picture without a url.")
    if given.get("detail", "auto") != "auto":
        refuse("messages", f"message {number} asks for a detail of its picture; models here see it in their own way.")
    kind, comma, data = address.partition(",")
    if not comma or not kind.startswith("data:image/") or not kind.endswith(";base64"):
        refuse(
            "messages",
            f"message {number} has a picture elsewhere; nothing is fetched here. Give it as data:image/…;base64,…",
        )
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        refuse("messages", f"the picture of message {number} isn't base64.")


def _message(number: int, given: Any, sees: bool) -> Message:
    if not isinstance(given, dict) or given.get("role") not in _ROLES:
        refuse("messages", f"message {number} has no role; use {', '.join(_ROLES)}.")
    left = {name: value for name, value in given.items() if value is not None}
    role = left.pop("role")
    content = _text(number, left.pop("content", None), sees)
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


def _text(number: int, content: Any, sees: bool) -> str | None:
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        refuse("messages", f"the content of message {number} is neither a text nor a list of parts.")
    texts = []
    for part in content:
        if sees and _shows(part):
            continue
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            refuse(
                "messages",
                f"message {number} has a part that isn't text; pictures stand in a person's last message alone.",
            )
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
    if not isinstance(arguments, dict):
        refuse("messages", f"message {number} has a tool call whose arguments aren't an object.")
    return f"<tool_call>\n{json.dumps({'name': function['name'], 'arguments': arguments}, ensure_ascii=False)}\n</tool_call>"
