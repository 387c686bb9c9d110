"""Functions that a program lets the model call.

`tool_choice` "auto" leaves it to the model, which must know tools by its own chat template; what it writes is read in the forms that such
models write: <tool_call>{…}</tool_call> (Qwen, Hermes), <function=NAME>{…}</function> (Llama 3.1, Functionary), or JSON objects with a name
and arguments, one or a list, alone, in a fence or behind a marker (Llama 3, Mistral, Command R, Firefunction). "required" or a named function
needs nothing of the model: the answer is held to a JSON schema of one call, and a system message that we add, and that the trace shows, says
what the functions are. A call that isn't one of a function that was offered is text.
"""

import json
import re
import secrets
from typing import Any, Final, NamedTuple

from core.inference.records import Message
from core.records import Json
from core.server.forms import Parameters, refuse

MOST: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TAGGED: Final = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_NAMED: Final = re.compile(r"<function=([A-Za-z0-9_-]{1,64})>\s*(.*?)\s*(?:</function>|\Z)", re.DOTALL)
_MARKED: Final = re.compile(r"(?:\[TOOL_CALLS\]|<\|python_tag\|>|functools|Action:)\s*")
_FENCED: Final = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


class Tools(NamedTuple):
    """What was offered, and how the model shall choose: "none", "auto" or "required". `forced` are those that it must choose among."""

    offered: tuple[dict[str, Any], ...] = ()
    choice: str = "none"
    forced: tuple[dict[str, Any], ...] = ()

    def schema(self) -> dict[str, Any]:
        """What a call of one of the forced functions looks like."""
        calls = []
        for tool in self.forced:
            function = tool["function"]
            calls.append(
                {
                    "type": "object",
                    "properties": {
                        "name": {"const": function["name"]},
                        "arguments": function.get("parameters") or {"type": "object"},
                    },
                    "required": ["name", "arguments"],
                    "additionalProperties": False,
                }
            )
        return calls[0] if len(calls) == 1 else {"anyOf": calls}

    def told(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The messages, with one that says which functions there are."""
        lines = [json.dumps(tool["function"], ensure_ascii=False) for tool in self.forced]
        text = "\n".join(("Call one of these functions. Answer with JSON: its name and its arguments.", *lines))
        if messages[0].role == "system":
            first = Message(role="system", content=f"{messages[0].content}\n\n{text}")
            return (first, *messages[1:])
        return (Message(role="system", content=text), *messages)


def tools(parameters: Parameters) -> Tools:
    """Read `tools`, `tool_choice` and `parallel_tool_calls`. Raises `BadInput`."""
    offered = parameters.take("tools", [])
    choice = parameters.take("tool_choice", "auto" if offered else "none")
    parallel = parameters.flag("parallel_tool_calls", True)
    if not isinstance(offered, list) or len(offered) > MOST:
        refuse("tools", f"give a list of up to {MOST} functions.")
    for tool in offered:
        _check(tool)
    names = [tool["function"]["name"] for tool in offered]
    if len(set(names)) < len(names):
        refuse("tools", "two functions have the same name.")
    known = tuple(offered)
    if isinstance(choice, dict):
        function = choice.get("function")
        name = function.get("name") if choice.get("type") == "function" and isinstance(function, dict) else None
        chosen = tuple(tool for tool in known if tool["function"]["name"] == name)
        if not chosen:
            refuse("tool_choice", "it names no function of tools.")
        return Tools(known, "required", chosen)
    if choice not in ("none", "auto", "required"):
        refuse("tool_choice", "use none, auto, required, or name a function.")
    if choice != "none" and not known:
        refuse("tool_choice", "there are no tools to choose from. Give tools.")
    if choice == "auto" and not parallel:
        refuse(
            "parallel_tool_calls",
            "a model that chooses by itself can't be kept from several calls; use tool_choice required.",
        )
    return Tools(known, choice, known if choice == "required" else ())


def calls_in(text: str, offered: tuple[dict[str, Any], ...]) -> tuple[str, list[Json]]:
    """What a model wrote: the text beside its calls, and the calls in OpenAI's form. Without calls, the text as it is."""
    names = {tool["function"]["name"] for tool in offered}
    found = [call for part in _TAGGED.findall(text) for call in _calls(part, names)]
    if found:
        return _TAGGED.sub("", text).strip(), found
    found = [call for name, given in _NAMED.findall(text) for call in _named(name, given, names)]
    if found:
        return _NAMED.sub("", text).strip(), found
    bare = text.strip()
    if marked := _MARKED.match(bare):
        bare = bare[marked.end() :]
    if fenced := _FENCED.fullmatch(bare):
        bare = fenced[1]
    found = _calls(bare, names)
    return ("", found) if found else (text, [])


def one_call(name: str, arguments: Any) -> dict[str, Json]:
    """A call in OpenAI's form."""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {
        "id": f"call_{secrets.token_hex(12)}",
        "type": "function",
        "function": {"name": name, "arguments": written},
    }


def _calls(text: str, names: set[str]) -> list[Json]:
    """The calls that a text of JSON holds; none where it holds anything else."""
    value = _json(text)
    found: list[Json] = []
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            return []
        name, arguments = one.get("name", one.get("tool_name")), one.get("arguments", one.get("parameters"))
        if isinstance(arguments, str):  # written as OpenAI's API has them
            arguments = _json(arguments)
        if not isinstance(arguments, dict) or not isinstance(name, str) or name not in names:
            return []
        found.append(one_call(name, arguments))
    return found


def _named(name: str, text: str, names: set[str]) -> list[Json]:
    """The call of a function that is named outside its arguments."""
    arguments = _json(text)
    return [one_call(name, arguments)] if name in names and isinstance(arguments, dict) else []


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _check(tool: Any) -> None:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        refuse("tools", 'each is {"type": "function", "function": {…}}; there are no other kinds here.')
    if not isinstance(function.get("name"), str) or not _NAME.fullmatch(function["name"]):
        refuse("tools", "a function's name has up to 64 letters, digits, dashes and underscores.")
    if not isinstance(function.get("parameters", {}), dict):
        refuse("tools", "a function's parameters are a JSON schema.")
    unknown = set(function) - {"name", "description", "parameters", "strict"}
    if unknown:
        refuse("tools", f"a function has no {min(unknown)[:80]}. Leave it out.")
