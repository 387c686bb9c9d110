"""Each token of a text with its probability: the same numbers as by another way, and as many as the tokens that were given."""

import os
from pathlib import Path

import pytest

from core.errors import BadInput, ContextExceeded, Unsupported
from core.inference.records import Generate, Message, Weigh, WeighText
from core.inference.service import Engine
from core.inference.worker.generation import Chat
from core.models.records import FAKE
from core.models.service import Models
from core.models.worker.library import open_library
from tests.unit.inference.test_forms import Asked

TEXT = "Once upon a time, there was a little girl named Lily."
MORE = " She loved to play outside in the park, and one day she saw a big red ball under an old tree."


@pytest.fixture(scope="module")
def chat(stories_file: Path) -> Chat:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(stories_file), library.llama_model_default_params())
    return Chat(library, model, "stories", 512, 1, "test")


def test_the_numbers_are_those_of_weighed_continuations(chat: Chat) -> None:
    found = chat.weigh_text(WeighText(model="stories", text=TEXT + MORE, likeliest=3), Asked())
    asked = Weigh(model="stories", messages=(Message(role="text", content=TEXT),), continuations=(MORE,))
    (weight,) = chat.weigh(asked, Asked()).weights
    total = sum(choice.chosen.log_probability for choice in found.choices[-weight.tokens :])
    assert total == pytest.approx(weight.log_likelihood, abs=1e-3)
    assert weight.tokens > 32 or len(found.choices) > 32, "more than one piece is computed"
    assert b"".join(choice.chosen.data for choice in found.choices).decode().strip() == TEXT + MORE
    for choice in found.choices:
        assert [one.log_probability for one in choice.top] == sorted(
            (one.log_probability for one in choice.top), reverse=True
        )
        assert choice.chosen.log_probability <= choice.top[0].log_probability


def test_the_following_token_is_the_one_that_would_be_written(chat: Chat) -> None:
    found = chat.weigh_text(WeighText(model="stories", text=TEXT), Asked())
    messages = (Message(role="text", content=TEXT),)
    first, *_ = chat.generate(Generate(model="stories", messages=messages, max_tokens=1, log_probabilities=0), Asked())
    (written,) = first.choices
    assert found.following.chosen.data == written.chosen.data
    assert found.following.chosen.log_probability == pytest.approx(written.chosen.log_probability, abs=1e-4)


def test_tokens_are_taken_as_they_are_and_as_many_come_back(chat: Chat) -> None:
    vocabulary = chat._vocabulary
    ids = tuple(vocabulary.tokens(TEXT, "\ufdd0"))
    assert ids[0] == vocabulary.first
    by_text = chat.weigh_text(WeighText(model="stories", text=TEXT), Asked())
    whole = chat.weigh_text(WeighText(model="stories", ids=ids), Asked())
    bare = chat.weigh_text(WeighText(model="stories", ids=ids[1:]), Asked())
    assert bare.choices == by_text.choices
    assert len(whole.choices) == len(ids)
    assert whole.choices[1:] == by_text.choices
    assert whole.text.strip() == TEXT


@pytest.mark.parametrize("ids", [(), (-1,), (1, 10**6)])
def test_tokens_that_the_model_does_not_have_are_refused(chat: Chat, ids: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="numbers from 0 to 511"):
        chat.weigh_text(WeighText(model="stories", ids=ids), Asked())


def test_a_text_that_does_not_fit_is_refused(chat: Chat) -> None:
    with pytest.raises(ContextExceeded):
        chat.weigh_text(WeighText(model="stories", text=MORE * 30), Asked())


def test_the_engine_gives_it_from_the_worker(warm: Engine, stories: str, models: Models) -> None:
    found = warm.weigh_text(WeighText(model=stories, text=TEXT, likeliest=1))
    assert len(found.choices) > 10
    with pytest.raises(BadInput, match="0 to 20"):
        warm.weigh_text(WeighText(model=stories, text=TEXT, likeliest=21))
    with pytest.raises(Unsupported):
        warm.weigh_text(WeighText(model=FAKE, text=TEXT))
