"""Answers of a given form, and how likely they are: grammars, schemas, log-probabilities, continuations."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from core.errors import BadInput, Cancelled, InvalidAnswer
from core.inference.records import Finished, Generate, Message, Token, Weigh
from core.inference.service import Engine
from core.inference.worker.generation import Chat
from core.models.worker.library import open_library

T = TypeVar("T")
MODES = ("reproducible", "fast")
PERSON = {
    "type": "object",
    "properties": {"name": {"enum": ["Tom", "Lily"]}, "happy": {"type": "boolean"}},
    "required": ["name", "happy"],
    "additionalProperties": False,
}


class Asked:
    cancelled = False

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled(what="The request")

    def report(self, done: int, total: int, unit: str) -> None:
        assert done <= total

    def on_main_thread(self, work: Callable[[], T]) -> T:
        return work()


@pytest.fixture(scope="module")
def chat(stories_file: Path) -> Chat:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(stories_file), library.llama_model_default_params())
    return Chat(library, model, "stories", 2048, 1, "test")


def asked(**settings: object) -> Generate:
    return Generate(
        model="stories",
        messages=(Message(role="text", content="Once upon a time"),),
        **({"max_tokens": 40} | settings),
    )


def told(chat: Chat, **settings: object) -> tuple[str, list[Token]]:
    *parts, last = chat.generate(asked(**settings), Asked())
    assert isinstance(last, Finished)
    tokens = [part for part in parts if isinstance(part, Token)]
    return "".join(token.text for token in tokens), tokens


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_an_answer_keeps_to_a_schema(chat: Chat, mode: str, seed: int) -> None:
    text, _ = told(chat, mode=mode, schema=PERSON, temperature=2.0, seed=seed)
    value = json.loads(text)
    assert value["name"] in ("Tom", "Lily")
    assert isinstance(value["happy"], bool)


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_keeps_to_a_grammar(chat: Chat, mode: str) -> None:
    text, _ = told(chat, mode=mode, grammar='root ::= ("yes" | "no") "!"')
    assert text in ("yes!", "no!")


@pytest.mark.parametrize("mode", MODES)
def test_a_bound_that_the_grammar_does_not_know_is_checked_in_the_end(chat: Chat, mode: str) -> None:
    bound = {"type": "integer", "minimum": 10**14}
    with pytest.raises(InvalidAnswer, match="minimum"):
        told(chat, mode=mode, schema=bound, grammar="", max_tokens=60, temperature=3.0, top_k=3)


@pytest.mark.parametrize("settings", [{"schema": PERSON}, {"grammar": 'root ::= "a" [a-z]{500}'}])
def test_an_answer_cut_by_its_budget_is_an_error_that_says_so(chat: Chat, settings: dict[str, object]) -> None:
    with pytest.raises(InvalidAnswer, match="after 4 tokens"):
        told(chat, max_tokens=4, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grammar": "root ::= ("}, "can't read it"),
        ({"grammar": 'other ::= "a"'}, "can't read it"),
        ({"grammar": "x" * 70_000}, "shorter"),
        ({"schema": {"type": "object", "properties": 3}}, "isn't a JSON schema"),
        ({"schema": {"$ref": "http://example.com/schema.json"}}, "leads out of it"),
        ({"schema": {"$ref": "#"}}, "no grammar"),
        ({"schema": {"enum": ["x" * 70_000]}}, "smaller"),
    ],
)
def test_a_form_that_can_not_be_used(chat: Chat, settings: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        told(chat, **settings)
    assert told(chat)[0]


@pytest.mark.parametrize("mode", MODES)
def test_log_probabilities_come_with_the_tokens(chat: Chat, mode: str) -> None:
    text, tokens = told(chat, mode=mode, log_probabilities=3, max_tokens=12)
    choices = [choice for token in tokens for choice in token.choices]
    assert len(choices) == 12
    assert b"".join(choice.chosen.data for choice in choices).decode() == text
    for choice in choices:
        assert choice.top[0] == choice.chosen  # greedy
        values = [likely.log_probability for likely in choice.top]
        assert values == sorted(values, reverse=True)
        assert sum(map(math.exp, values)) <= 1.000001
        assert values[0] < 0


def test_log_probabilities_are_those_before_the_temperature(chat: Chat) -> None:
    _, greedy = told(chat, log_probabilities=5, max_tokens=1)
    _, warm = told(chat, log_probabilities=5, max_tokens=1, temperature=1.7, seed=4)
    assert [c.top for t in greedy for c in t.choices] == [c.top for t in warm for c in t.choices]


def test_a_continuation_weighs_what_its_tokens_do(chat: Chat) -> None:
    text, tokens = told(chat, log_probabilities=0, max_tokens=8)
    expected = sum(choice.chosen.log_probability for token in tokens for choice in token.choices)
    request = Weigh(
        model="stories",
        messages=asked().messages,
        continuations=(text, " zebra zebra", text, ", there was"),
    )
    found = chat.weigh(request, Asked())
    assert found.weights[0].greedy
    assert found.weights[0].tokens == 8
    assert found.weights[0].log_likelihood == pytest.approx(expected, abs=1e-3)
    assert found.weights[2].log_likelihood == pytest.approx(found.weights[0].log_likelihood, abs=1e-4)
    assert not found.weights[1].greedy
    assert found.weights[1].log_likelihood < found.weights[3].log_likelihood


def test_forms_go_through_the_worker(warm: Engine, stories: str) -> None:
    request = Generate(
        model=stories, messages=asked().messages, schema=PERSON, max_tokens=40, log_probabilities=1, mode="fast"
    )
    parts = list(warm.generate(request))
    assert json.loads("".join(part.text for part in parts if isinstance(part, Token)))["name"] in ("Tom", "Lily")
    with pytest.raises(BadInput, match="not both"):
        next(iter(warm.generate(asked(schema=PERSON, grammar='root ::= "a"'))))
    found = warm.weigh(Weigh(model=stories, messages=asked().messages, continuations=(" there", " zebra")))
    assert found.weights[0].log_likelihood > found.weights[1].log_likelihood
    with pytest.raises(BadInput, match="continuations"):
        warm.weigh(Weigh(model=stories, messages=asked().messages, continuations=()))
