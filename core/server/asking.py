"""A chat with a collection or a saved assistant: the last message is the question, and the answer comes with what it rests on.

A collection is asked one question. An assistant may be sent a conversation: what the person asked before counts as in the window, to find
passages for a question that refers to it; earlier answers count for nothing. How it answers is said by what was saved.
The same service answers as everywhere, and leaves its own trace, which the call's trace names.
"""

from collections.abc import Generator
from typing import Final

from core.assistants.prompting import with_values
from core.assistants.records import QUOTES, Answer, Answered, Delta, Question
from core.inference.records import MODES, Message
from core.inference.service import LARGEST_SEED
from core.records import Json
from core.server.catalogue import Target
from core.server.forms import Parameters, refuse
from core.server.running import Running

LONGEST: Final = 256
"""Tokens of an answer where nobody says otherwise, as in the window."""
ALONE: Final = "a collection answers one question at a time, and sees nothing of what was said before. Send one message of the user's."
SAVED: Final = (
    "an assistant is sent what a person asks, and its own answers; the last one is the question. Leave the others out."
)
SAID: Final = (
    "temperature",
    "top_p",
    "top_k",
    "repeat_penalty",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "mode",
    "stop",
    "tools",
    "tool_choice",
    "response_format",
)
"""What no request says of an assistant."""


def ask(
    running: Running,
    parameters: Parameters,
    found: Target,
    messages: tuple[Message, ...],
    stream: bool,
    usage: bool,
) -> dict[str, Json] | Generator[dict[str, Json], None, list[dict[str, Json]]]:
    """Answer from a collection, or as an assistant. Raises `BadInput` and what `Assistants.ask` raises."""
    if found.collection:
        question = _of_collection(parameters, found, messages)
    else:
        question = _of_assistant(running, parameters, found, messages)
    running.mode, running.seeds = question.mode, [question.seed]
    return _streamed(running, question, usage) if stream else _whole(running, question)


def _of_assistant(running: Running, parameters: Parameters, found: Target, messages: tuple[Message, ...]) -> Question:
    assert found.assistant is not None
    if messages[-1].role != "user" or any(message.role not in ("user", "assistant") for message in messages):
        refuse("messages", SAVED)
    if parameters.take("n", 1) != 1:
        refuse("n", "an assistant gives one answer. Leave it out.")
    values = parameters.take("values", {})
    if not isinstance(values, dict) or not all(isinstance(value, str | int | float) for value in values.values()):
        refuse("values", "it is an object with a text or a number for each variable of the assistant's prompt.")
    for name in SAID:
        parameters.only(name, why="the saved assistant says that.")
    parameters.finish()
    texts = [message.content for message in messages if message.role == "user"]
    question = running.bench.assistants.question(found.assistant.assistant.reference, texts[-1], texts[:-1])
    return with_values(question, values)


def _of_collection(parameters: Parameters, found: Target, messages: tuple[Message, ...]) -> Question:
    if len(messages) != 1 or messages[0].role != "user":
        refuse("messages", ALONE)
    most = [parameters.whole(name, 1, 2**31 - 1, 0) for name in ("max_completion_tokens", "max_tokens")]
    seed = parameters.whole("seed", 0, LARGEST_SEED, 0)
    parameters.only("temperature", 0, why="a collection's answers are the likeliest ones, as everywhere in Assay.")
    parameters.only("n", 1, why="a collection gives one answer.")
    mode = parameters.one_of("mode", MODES, "reproducible")
    parameters.finish()
    return Question(
        collection=found.collection,
        text=messages[0].content,
        model=found.model.name if found.model is not None else QUOTES,
        max_tokens=max(most) or LONGEST,
        seed=seed,
        mode=mode,
        without_support="decline",
    )


def _whole(running: Running, question: Question) -> dict[str, Json]:
    for part in running.bench.assistants.ask(question, running.job):
        if isinstance(part, Answered):
            _note(running, part)
            answer = part.answer
    message: Json = {"role": "assistant", "content": answer.answer, "refusal": None}
    return {
        **running.head("chat.completion", "chatcmpl"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(answer)}],
        "usage": running.usage(),
        "assay": _rests_on(running, answer),
    }


def _streamed(
    running: Running, question: Question, usage: bool
) -> Generator[dict[str, Json], None, list[dict[str, Json]]]:
    head = running.head("chat.completion.chunk", "chatcmpl")
    if usage:
        head["usage"] = None
    begun = False
    # where an answer may be replaced by another sentence, it comes in one piece, at its end
    at_once = bool(question.fallback) or question.without_support == "decline"
    for part in running.bench.assistants.ask(question, running.job):
        if isinstance(part, Delta):
            if not begun:
                begun = True
                yield {**head, "choices": [_choice({"role": "assistant", "content": ""})]}
            if not at_once:
                yield {**head, "choices": [_choice({"content": part.text})]}
        elif isinstance(part, Answered):
            _note(running, part)
            answer = part.answer
    if at_once:
        yield {**head, "choices": [_choice({"content": answer.answer})]}
    last: list[dict[str, Json]] = [
        {**head, "choices": [_choice({}, _reason(answer))], "assay": _rests_on(running, answer)}
    ]
    if usage:
        last.append({**head, "choices": [], "usage": running.usage()})
    return last


def _choice(delta: Json, reason: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _reason(answer: Answer) -> str:
    return "length" if answer.finish == "length" else "stop"


def _note(running: Running, answered: Answered) -> None:
    answer = answered.answer
    running.answer = answered.trace
    running.finish = [_reason(answer)]
    running.prompt_tokens, running.tokens = answer.prompt_tokens, answer.tokens
    running.first_token_seconds, running.backend = answer.first_token_seconds, answer.backend


def _rests_on(running: Running, answer: Answer) -> dict[str, Json]:
    citations: list[Json] = [
        {
            "number": one.number,
            "document": one.name,
            "page": one.page,
            "quote": one.quote,
            "score": one.score,
            "supported": one.supported,
            "start": one.start,
            "end": one.end,
        }
        for one in answer.citations
    ]
    contract: dict[str, Json] = {"contract": answer.contract, "broken": answer.broken} if answer.contract else {}
    return {"answer": running.answer, "abstained": answer.abstained, "citations": citations, **contract}
