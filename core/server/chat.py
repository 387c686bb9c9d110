"""`/v1/chat/completions`: a conversation's next message, whole or in pieces.

A streamed answer that may turn out to be calls of tools comes in one piece, since it isn't known before its end which it is.
"""

from collections.abc import Generator, Iterator
from typing import Any, Final, NamedTuple

from core.inference.records import Choice, Finished, Likely, Message, Token
from core.inference.service import MOST_LIKELY
from core.records import Json
from core.server import asking, catalogue, conversation, sampling
from core.server.forms import Parameters, refuse
from core.server.running import Running
from core.server.tools import Tools, calls_in, tools

WHOLE: Final = "chat.completion"
PIECE: Final = "chat.completion.chunk"
Streamed = Generator[dict[str, Json], None, list[dict[str, Json]]]
"""Pieces as they come; returns those that end the stream, once the trace is stored."""


class Asked(NamedTuple):
    """One request, understood."""

    sampling: sampling.Sampling
    model: str
    messages: tuple[Message, ...]
    tools: Tools
    more: dict[str, Any]
    usage: bool


def chat(running: Running, body: dict[str, Any]) -> dict[str, Json] | Streamed:
    """Answer a request. Raises `BadInput`, `NotFound`, and what generating raises."""
    parameters = Parameters(body)
    running.model = parameters.text("model")
    found = catalogue.target(running.bench, running.model)
    if found.model is not None:
        running.model_digest = found.model.digest
    given = parameters.take("messages")
    messages, pictures = conversation.messages(given), conversation.pictures(given)
    stream = parameters.flag("stream")
    usage = _usage(parameters, stream)
    if found.collection or found.assistant is not None:
        if pictures:
            refuse("messages", "documents are asked in words. Leave the picture out, or ask a model.")
        return asking.ask(running, parameters, found, messages, stream, usage)
    model = catalogue.chat_model(running.bench, found)
    asked = _read(parameters, model.digest, messages, usage)
    asked.more["adapters"] = found.adapters
    asked.more["images"] = pictures
    asked.more["turns"] = conversation.turns(given)
    return _streamed(running, asked) if stream else _whole(running, asked)


def _read(parameters: Parameters, model: str, messages: tuple[Message, ...], usage: bool) -> Asked:
    parameters.only("modalities", ["text"], why="the models here write text only.")
    for name in (
        "audio",
        "prediction",
        "reasoning_effort",
        "verbosity",
        "web_search_options",
        "functions",
        "function_call",
    ):
        parameters.only(name, why="the models here know nothing of it.")
    asked = sampling.sampling(parameters, ("max_completion_tokens", "max_tokens"))
    offered = tools(parameters)
    more: dict[str, Any] = {"log_probabilities": _likeliest(parameters)}
    schema = _form(parameters.take("response_format"))
    parameters.finish()
    if offered.choice == "required":
        if schema is not None:
            refuse("response_format", "an answer that must be a call has no other form. Leave one of them out.")
        schema, messages = offered.schema(), offered.told(messages)
    elif offered.choice == "auto":
        if schema is not None:
            refuse("response_format", "a model that may call tools can't be held to a form. Leave one of them out.")
        more["tools"] = offered.offered
    return Asked(asked, model, messages, offered, more | {"schema": schema}, usage)


def _usage(parameters: Parameters, stream: bool) -> bool:
    """`stream_options`: whether the stream ends with a piece that counts the tokens."""
    options = parameters.take("stream_options")
    if options is None:
        return False
    if not stream:
        refuse("stream_options", "it is for streams. Leave it out, or set stream.")
    if not isinstance(options, dict):
        refuse("stream_options", "give an object.")
    inner = Parameters(options)
    wanted = inner.flag("include_usage")
    inner.only("include_obfuscation", False, why="nobody listens on the way from this machine to itself.")
    inner.finish()
    return wanted


def _likeliest(parameters: Parameters) -> int:
    wanted = parameters.flag("logprobs")
    most = parameters.whole("top_logprobs", 0, MOST_LIKELY, -1)
    if most >= 0 and not wanted:
        refuse("top_logprobs", "it needs logprobs. Set that too.")
    return max(most, 0) if wanted else -1


def _form(given: Any) -> dict[str, Any] | None:
    """The JSON schema of `response_format`; None for text."""
    if given is None:
        return None
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    form = given.get("json_schema") if isinstance(given, dict) else None
    if kind != "json_schema" or not isinstance(form, dict):
        refuse("response_format", "its type is text, json_object or json_schema; the last one comes with json_schema.")
    schema = form.get("schema")
    if not isinstance(schema, dict):
        refuse("response_format", "json_schema holds no schema.")
    return schema


def _answers(running: Running, asked: Asked, number: int) -> Iterator[Token | Finished]:
    return sampling.written(running, asked.sampling, asked.model, asked.messages, number, **asked.more)


def _message(running: Running, asked: Asked, number: int, text: str) -> tuple[dict[str, Json], str]:
    """The message that an answer's text is, and why it ended."""
    reason = running.finish[number]
    calls: list[Json] = []
    if asked.tools.choice in ("auto", "required"):
        offered = asked.tools.forced or asked.tools.offered
        text, calls = calls_in(text, offered)
    message: dict[str, Json] = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
    if calls:
        message["tool_calls"] = calls
        reason = running.finish[number] = "tool_calls"
    return message, reason


def _whole(running: Running, asked: Asked) -> dict[str, Json]:
    choices: list[Json] = []
    for number in range(asked.sampling.answers):
        likely: list[Json] = []
        for part in _answers(running, asked, number):
            if isinstance(part, Token):
                likely += map(_told, part.choices)
        message, reason = _message(running, asked, number, "".join(running.texts[number]))
        told: Json = {"content": likely, "refusal": None} if asked.more["log_probabilities"] >= 0 else None
        choices.append({"index": number, "message": message, "logprobs": told, "finish_reason": reason})
    head = running.head(WHOLE, "chatcmpl")
    return {
        **head,
        "choices": choices,
        "usage": running.usage(),
        "system_fingerprint": sampling.fingerprint(running),
    }


def _streamed(running: Running, asked: Asked) -> Streamed:
    head = running.head(PIECE, "chatcmpl")
    if asked.usage:
        head["usage"] = None
    telling = asked.more["log_probabilities"] >= 0
    at_once = asked.tools.choice in ("auto", "required")
    last: list[dict[str, Json]] = []
    for number in range(asked.sampling.answers):
        begun = False
        likely: list[Json] = []
        for part in _answers(running, asked, number):
            if not begun:  # not before there is an answer: what goes wrong earlier has a status of its own
                begun = True
                yield _piece(head, number, {"role": "assistant", "content": "", "refusal": None})
            if isinstance(part, Finished):
                continue
            likely += map(_told, part.choices)
            if not at_once:
                yield _piece(head, number, {"content": part.text}, likely if telling else None)
                likely = []
        if at_once:
            message, _ = _message(running, asked, number, "".join(running.texts[number]))
            calls = message.get("tool_calls")
            delta: dict[str, Json] = {"content": message["content"]}
            if isinstance(calls, list):
                delta["tool_calls"] = [{"index": at, **call} for at, call in enumerate(calls) if isinstance(call, dict)]
            yield _piece(head, number, delta, likely if telling else None)
        end = _piece(head, number, {}, reason=running.finish[number])
        if number + 1 < asked.sampling.answers:
            yield end
        else:
            last.append(end)
    if asked.usage:
        last.append({**head, "choices": [], "usage": running.usage()})
    return last


def _piece(
    head: dict[str, Json],
    number: int,
    delta: dict[str, Json],
    likely: list[Json] | None = None,
    reason: str | None = None,
) -> dict[str, Json]:
    told: Json = {"content": likely, "refusal": None} if likely is not None else None
    return {**head, "choices": [{"index": number, "delta": delta, "logprobs": told, "finish_reason": reason}]}


def _told(choice: Choice) -> dict[str, Json]:
    return {**_likely(choice.chosen), "top_logprobs": [_likely(one) for one in choice.top]}


def _likely(likely: Likely) -> dict[str, Json]:
    return {
        "token": likely.data.decode("utf-8", "replace"),
        "logprob": likely.log_probability,
        "bytes": list(likely.data),
    }
