"""The parameters that all requests for text have in common, and writing by them.

Defaults are OpenAI's: temperature 1, a seed that nobody chose. With a seed, a request is computed alone and gives the same answer again
(`mode` "reproducible"); without one, beside others ("fast"); `mode` says otherwise. The seed that was taken is in the trace.
"""

import secrets
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from core.errors import ContextExceeded
from core.inference.records import MODES, Finished, Generate, Message, Token
from core.inference.service import LARGEST_SEED, LONGEST_STOP
from core.server.forms import Parameters, refuse
from core.server.running import Running

MOST_ANSWERS: Final = 16
UNASKED: Final = 1024
"""Tokens that an answer may have where nobody says, or fewer, where the window holds fewer."""
LARGEST_ANSWER: Final = 2**31 - 1


class Sampling(NamedTuple):
    """How to write: a request without messages and model, the number of answers, and the most tokens of each (0 for `UNASKED`)."""

    request: Generate
    answers: int
    most: int


def sampling(parameters: Parameters, most_names: tuple[str, ...], unasked: int = 0) -> Sampling:
    """Read the common parameters. Raises `BadInput`."""
    whys = {
        "frequency_penalty": ((0,), "the engine has no such penalty; repeat_penalty is its own."),
        "presence_penalty": ((0,), "the engine has no such penalty; repeat_penalty is its own."),
        "logit_bias": (({},), "the engine has no biases of single tokens."),
        "service_tier": (("auto", "default"), "there are no tiers here."),
        "store": ((False,), "every call is kept as a trace in the vault, and in no other place."),
    }
    for name, (fine, why) in whys.items():
        parameters.only(name, *fine, why=why)
    given = [parameters.whole(name, 1, LARGEST_ANSWER, 0) for name in most_names]
    if len(given) > 1 and all(given) and len(set(given)) > 1:
        refuse(most_names[0], f"it says something else than {most_names[1]}. Give one of them.")
    seed = parameters.whole("seed", 0, LARGEST_SEED, -1)
    mode = parameters.one_of("mode", MODES, "fast" if seed < 0 else "reproducible")
    request = Generate(
        model="",
        messages=(),
        temperature=parameters.number("temperature", 0, 2, 1.0),
        top_p=parameters.number("top_p", 0, 1, 1.0),
        top_k=parameters.whole("top_k", 0, 2**31 - 1, 0),
        repeat_penalty=parameters.number("repeat_penalty", 0.01, 10, 1.0),
        seed=seed if seed >= 0 else secrets.randbelow(LARGEST_SEED + 1),
        stop=tuple(text for text in parameters.texts("stop", LONGEST_STOP) if text),
        mode=mode,
    )
    return Sampling(request, parameters.whole("n", 1, MOST_ANSWERS, 1), max(given) or unasked)


def written(
    running: Running, asked: Sampling, model: str, messages: tuple[Message, ...], number: int, **more: Any
) -> Iterator[Token | Finished]:
    """The pieces of answer `number` to these messages, noted for the trace. Raises what `Engine.generate` raises."""
    seed = (asked.request.seed + number) % (LARGEST_SEED + 1)
    request = replace(asked.request, model=model, messages=messages, seed=seed, **more)
    pieces: list[str] = []
    running.texts.append(pieces)
    running.seeds.append(seed)
    running.mode = request.mode
    for part in _to_the_end(running, request, asked.most):
        if isinstance(part, Token):
            pieces.append(part.text)
        else:
            running.ended(part, new_prompt=number == 0)
        yield part


def _to_the_end(running: Running, request: Generate, most: int) -> Iterator[Token | Finished]:
    """With `most` tokens of answer, or as many up to `UNASKED` as the window still holds."""
    engine, job = running.bench.engine, running.job
    if most:
        yield from engine.generate(replace(request, max_tokens=most), job)
        return
    try:
        yield from engine.generate(replace(request, max_tokens=UNASKED), job)
    except ContextExceeded as error:  # before the first piece
        room = int(error.fields["window"]) - int(error.fields["prompt"])
        if room < 1:
            raise
        yield from engine.generate(replace(request, max_tokens=room), job)


def fingerprint(running: Running) -> str:
    """Changes when the model's file, its adapters or what computes it do."""
    import hashlib

    told = " ".join((running.model_digest, *running.adapters, running.backend))
    return "fp_" + hashlib.sha256(told.encode()).hexdigest()[:10]
