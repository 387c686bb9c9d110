"""`/v1/completions`: texts that go on, whole or in pieces; with `echo` and `logprobs`, how likely each token of a given text is.

A prompt is a text, tokens of the model's own vocabulary, or a list of either. Tokens, which programs send that weigh texts, are taken with `echo` and
at most one token of answer: text that goes on is asked for by text.
"""

from collections.abc import Generator
from typing import Any, Final

from msgspec.structs import replace

from core.inference.records import TEXT, Choice, Likely, Message, Token, WeighText
from core.inference.service import MOST_LIKELY
from core.records import Json
from core.server import catalogue, sampling
from core.server.forms import Parameters, refuse
from core.server.running import Running
from core.server.sampling import Sampling, written

OBJECT: Final = "text_completion"
MOST_PROMPTS: Final = 256
UNASKED: Final = 16
"""Tokens of an answer where nobody says otherwise, as in OpenAI's API."""
Prompt = str | tuple[int, ...]


def completions(
    running: Running, body: dict[str, Any]
) -> dict[str, Json] | Generator[dict[str, Json], None, list[dict[str, Json]]]:
    """Answer a request. Raises `BadInput`, `NotFound`, and what generating raises."""
    parameters = Parameters(body)
    running.model = parameters.text("model")
    found = catalogue.target(running.bench, running.model)
    model = catalogue.chat_model(running.bench, found)
    running.model_digest = model.digest
    prompts = _prompts(parameters.take("prompt"))
    parameters.only("suffix", "", why="the models here write on from a text, not between two.")
    parameters.only("best_of", 1, why="every answer that is computed is given; use n.")
    stream = parameters.flag("stream")
    echo = parameters.flag("echo")
    likeliest = parameters.whole("logprobs", 0, MOST_LIKELY, -1)
    options = parameters.take("stream_options")
    usage = isinstance(options, dict) and options.get("include_usage") is True
    if options is not None and (not stream or not isinstance(options, dict) or set(options) - {"include_usage"}):
        refuse("stream_options", "it is for streams, and holds include_usage only.")
    none = body.get("max_tokens") == 0 and parameters.take("max_tokens") == 0
    asked = sampling.sampling(parameters, ("max_tokens",), UNASKED)
    asked = asked._replace(request=replace(asked.request, adapters=found.adapters))
    parameters.finish()
    if none and not echo:
        refuse("max_tokens", "nothing would be written. Use 1 or more, or echo.")
    weighing = echo and (none or likeliest >= 0 or any(isinstance(prompt, tuple) for prompt in prompts))
    if stream and echo:
        refuse("stream", "a text that is echoed comes whole. Leave stream or echo out.")
    if weighing and (asked.answers != 1 or (not none and (asked.most > 1 or asked.request.temperature != 0))):
        refuse("echo", "with logprobs or tokens, ask for one answer, temperature 0 and max_tokens 0 or 1.")
    if not weighing and any(isinstance(prompt, tuple) for prompt in prompts):
        refuse("prompt", "tokens are taken with echo, max_tokens 0 or 1 and temperature 0. Send text.")
    if weighing and found.adapters:
        refuse("echo", "a text is weighed by a model without adapters. Name the model alone.")
    if weighing:
        return _weighed(running, model.digest, prompts, max(likeliest, 0), likeliest >= 0, none)
    texts = [prompt for prompt in prompts if isinstance(prompt, str)]
    if stream:
        return _streamed(running, model.digest, texts, asked, likeliest, usage)
    return _whole(running, model.digest, texts, asked, likeliest, echo)


def _prompts(given: Any) -> list[Prompt]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and given and _are_tokens(given):
        return [tuple(given)]
    fine = isinstance(given, list) and 0 < len(given) <= MOST_PROMPTS
    if not fine or not all(isinstance(one, str) or (isinstance(one, list) and _are_tokens(one)) for one in given):
        refuse("prompt", f"give a text, tokens, or a list of up to {MOST_PROMPTS} of them.")
    return [one if isinstance(one, str) else tuple(one) for one in given]


def _are_tokens(given: list[Any]) -> bool:
    return bool(given) and all(isinstance(token, int) and not isinstance(token, bool) for token in given)


def _weighed(
    running: Running, model: str, prompts: list[Prompt], likeliest: int, telling: bool, none: bool
) -> dict[str, Json]:
    choices: list[Json] = []
    running.mode = "reproducible"
    for index, prompt in enumerate(prompts):
        request = WeighText(
            model=model,
            text=prompt if isinstance(prompt, str) else "",
            ids=prompt if isinstance(prompt, tuple) else None,
            likeliest=likeliest,
        )
        found = running.bench.engine.weigh_text(request, running.job)
        running.backend = found.backend
        running.prompt_tokens += len(found.choices)
        running.rendered += found.text if not running.rendered else f"\n\x1e\n{found.text}"
        all_of = list(found.choices)
        text, reason = found.text, "length"
        if not none:
            running.tokens += 1
            reason = "stop" if found.ends else "length"
            if not found.ends or telling:
                all_of.append(found.following)
            text += "" if found.ends else found.following.chosen.data.decode("utf-8", "replace")
        running.texts.append([text[len(found.text) :]])
        running.finish.append(reason)
        joined = b"".join(choice.chosen.data for choice in found.choices)
        start = (
            -1 if joined.startswith(b" ") and not found.text.startswith(" ") else 0
        )  # a space that the vocabulary adds
        told: Json = _told(all_of, likeliest, start, first=True) if telling else None
        choices.append({"index": index, "text": text, "logprobs": told, "finish_reason": reason})
    return _answer(running, choices)


def _whole(
    running: Running, model: str, prompts: list[str], asked: Sampling, likeliest: int, echo: bool
) -> dict[str, Json]:
    choices: list[Json] = []
    for index, (prompt, number) in enumerate((prompt, number) for prompt in prompts for number in range(asked.answers)):
        found: list[Choice] = []
        for part in _pieces(running, model, prompt, asked, number, likeliest):
            if isinstance(part, Token):
                found += part.choices
        text = (prompt if echo else "") + "".join(running.texts[index])
        told: Json = _told(found, likeliest) if likeliest >= 0 else None
        choices.append({"index": index, "text": text, "logprobs": told, "finish_reason": running.finish[index]})
    return _answer(running, choices)


def _streamed(
    running: Running, model: str, prompts: list[str], asked: Sampling, likeliest: int, usage: bool
) -> Generator[dict[str, Json], None, list[dict[str, Json]]]:
    head = running.head(OBJECT, "cmpl")
    if usage:
        head["usage"] = None
    last: list[dict[str, Json]] = []
    for index, (prompt, number) in enumerate((prompt, number) for prompt in prompts for number in range(asked.answers)):
        written_so_far = 0
        for part in _pieces(running, model, prompt, asked, number, likeliest):
            if isinstance(part, Token):
                told: Json = _told(part.choices, likeliest, written_so_far) if likeliest >= 0 else None
                written_so_far += len(part.text)
                yield {
                    **head,
                    "choices": [{"index": index, "text": part.text, "logprobs": told, "finish_reason": None}],
                }
        yield from last
        last = [
            {
                **head,
                "choices": [{"index": index, "text": "", "logprobs": None, "finish_reason": running.finish[index]}],
            }
        ]
    if usage:
        last.append({**head, "choices": [], "usage": running.usage()})
    return last


def _pieces(running: Running, model: str, prompt: str, asked: Sampling, number: int, likeliest: int) -> Any:
    messages = (Message(role=TEXT, content=prompt),)
    return written(running, asked, model, messages, number, log_probabilities=likeliest)


def _answer(running: Running, choices: list[Json]) -> dict[str, Json]:
    return {
        **running.head(OBJECT, "cmpl"),
        "choices": choices,
        "usage": running.usage(),
        "system_fingerprint": sampling.fingerprint(running),
    }


def _told(
    choices: list[Choice] | tuple[Choice, ...], likeliest: int, start: int = 0, first: bool = False
) -> dict[str, Json]:
    """Log-probabilities in this endpoint's form. `first`: the first token has none, since nothing is before it."""
    offsets: list[Json] = []
    values: list[Json] = []
    tops: list[Json] = []
    for choice in choices:
        offsets.append(max(start, 0))
        start += len(choice.chosen.data.decode("utf-8", "ignore"))
        values.append(choice.chosen.log_probability)
        tops.append({_name(one): one.log_probability for one in choice.top})
    if first and values:
        values[0] = tops[0] = None
    return {
        "tokens": [_name(choice.chosen) for choice in choices],
        "token_logprobs": values,
        "top_logprobs": list(tops) if likeliest else None,
        "text_offset": offsets,
    }


def _name(likely: Likely) -> str:
    """A token as text; one that isn't a whole character by its bytes, as in OpenAI's API."""
    try:
        return likely.data.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in likely.data)
