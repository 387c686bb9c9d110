"""What the worker's own code does, without a process around it: sampling limits, and cancelling inside a long prompt."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from core.errors import Cancelled
from core.inference.records import Finished, Generate, Message, Token
from core.inference.worker.generation import Chat
from core.inference.worker.single import BATCH
from core.models.worker.library import open_library

T = TypeVar("T")


class Asked:
    """A call that is cancelled after so many looks."""

    def __init__(self, looks: int = 10**9) -> None:
        self.looks = looks

    @property
    def cancelled(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled(what="The request")

    def on_main_thread(self, work: Callable[[], T]) -> T:
        return work()


@pytest.fixture(scope="module")
def chat(stories_file: Path) -> Chat:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(stories_file), library.llama_model_default_params())
    return Chat(library, model, "stories", 2048, 1, "test")


def story(chat: Chat, call: Asked, text: str = "Once upon a time", **settings: object) -> str:
    request = Generate(
        model="stories", messages=(Message(role="text", content=text),), **({"max_tokens": 24} | settings)
    )
    *parts, last = chat.generate(request, call)
    assert isinstance(last, Finished)
    return "".join(part.text for part in parts if isinstance(part, Token))


@pytest.mark.parametrize("settings", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-4}])
def test_sampling_among_one_token_is_greedy(chat: Chat, settings: dict[str, object]) -> None:
    assert story(chat, Asked(), **({"temperature": 1.0, "seed": 3} | settings)) == story(chat, Asked())


def test_a_repeat_penalty_changes_the_story(chat: Chat) -> None:
    assert story(chat, Asked(), max_tokens=60, repeat_penalty=1.5) != story(chat, Asked(), max_tokens=60)


def test_cancelling_takes_effect_inside_a_batch_of_the_prompt(chat: Chat) -> None:
    long = "Lily " * (BATCH - 20)
    began = time.process_time()
    story(chat, Asked(), long)
    whole = time.process_time() - began
    call = Asked(looks=20)
    began = time.process_time()
    with pytest.raises(Cancelled):
        story(chat, call, long)
    assert -20 < call.looks < 0
    assert time.process_time() - began < max(whole, 0.2)
    assert story(chat, Asked(), mode="fast") == story(chat, Asked())
