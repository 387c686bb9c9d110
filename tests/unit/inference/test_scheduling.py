"""Several answers at once: the same words as alone, prefixes computed once, nobody disturbed by another's end."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from core.errors import Cancelled
from core.inference.records import Finished, Generate, Message, Token
from core.inference.worker.generation import Chat
from core.inference.worker.scheduling import SLOTS
from core.inference.worker.sequences import Sequences, common
from core.models.worker.library import open_library
from tests.unit.inference.near import same

T = TypeVar("T")


class Asked:
    """A call that can be cancelled."""

    def __init__(self) -> None:
        self.cancelled = False

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled(what="The request")

    def on_main_thread(self, work: Callable[[], T]) -> T:
        return work()


@pytest.fixture
def chat(stories_file: Path) -> Chat:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(stories_file), library.llama_model_default_params())
    return Chat(library, model, "stories", 2048, 1, "test")


def story(chat: Chat, text: str, most: int = 24, mode: str = "fast", call: Asked | None = None) -> tuple[str, Finished]:
    request = Generate(model="stories", messages=(Message(role="text", content=text),), max_tokens=most, mode=mode)
    *parts, last = chat.generate(request, call or Asked())
    assert isinstance(last, Finished)
    return "".join(part.text for part in parts if isinstance(part, Token)), last


def tokens(chat: Chat, text: str, most: int) -> list[Token]:
    """The answer of a request computed alone, with its log-probabilities."""
    messages = (Message(role="text", content=text),)
    request = Generate(model="stories", messages=messages, max_tokens=most, log_probabilities=2)
    return [part for part in chat.generate(request, Asked()) if isinstance(part, Token)]


BEGINNINGS = [
    f"Once upon a time there was a {size} {animal} who liked to"
    for size in ("small", "big", "red", "happy", "sad", "tiny")
    for animal in ("dog", "cat", "bird", "fish", "bear")
]


def test_many_answers_at_once_are_those_of_each_alone(chat: Chat) -> None:
    alone = [tokens(chat, text, 24) for text in BEGINNINGS]
    with ThreadPoolExecutor(len(BEGINNINGS)) as pool:
        together = list(pool.map(lambda text: story(chat, text)[0], BEGINNINGS))
    assert all(same(said, found) for said, found in zip(together, alone, strict=True))
    assert not same(together[0], alone[1])


def test_a_prefix_is_computed_once_also_by_those_who_come_together(chat: Chat) -> None:
    shared = "Lily and Tom went to the park to play with the ball. " * 20
    _, first = story(chat, shared + "Then a dog came.")
    assert first.shared_tokens == 0
    _, second = story(chat, shared + "Mum said it was late.")
    assert second.shared_tokens > 0.9 * first.prompt_tokens
    other = "One day a little boy found a shiny stone near the old tree. " * 20
    with ThreadPoolExecutor(SLOTS) as pool:
        found = list(pool.map(lambda n: story(chat, f"{other}He had {n} of them.")[1], range(SLOTS)))
    computed = sum(end.prompt_tokens - end.shared_tokens for end in found)
    assert computed < 1.6 * found[0].prompt_tokens
    assert story(chat, shared + "Then a cat came.")[1].shared_tokens > 0.9 * first.prompt_tokens


def test_a_conversation_goes_on_where_it_was(chat: Chat) -> None:
    text = "Once upon a time there was a big tree in the middle of the wood."
    said, first = story(chat, text, most=40)
    _, second = story(chat, text + said + " The end came.")
    assert second.shared_tokens > first.prompt_tokens + 10


def test_giving_up_one_leaves_the_others_alone(chat: Chat) -> None:
    expected = {text: tokens(chat, text, 120) for text in BEGINNINGS[:6]}
    calls = {text: Asked() for text in expected}

    def ask(text: str) -> str | None:
        try:
            return story(chat, text, most=120, call=calls[text])[0]
        except Cancelled:
            return None

    given_up = BEGINNINGS[1:6:2]
    with ThreadPoolExecutor(6) as pool:
        waiting = {text: pool.submit(ask, text) for text in expected}
        for text in given_up:
            calls[text].cancelled = True
        found = {text: done.result(timeout=300) for text, done in waiting.items()}
    for text, said in found.items():
        assert (said is None and text in given_up) or (said is not None and same(said, expected[text]))
    assert same(story(chat, BEGINNINGS[0], most=120)[0], expected[BEGINNINGS[0]])


def test_closing_the_stream_frees_the_slot(chat: Chat) -> None:
    request = Generate(model="stories", messages=(Message(role="text", content="Once"),), max_tokens=1500, mode="fast")
    for _ in range(2 * SLOTS):
        stream = chat.generate(request, Asked())
        next(stream)
        stream.close()
    began = time.process_time()
    assert story(chat, BEGINNINGS[0])[0]
    assert time.process_time() - began < 5


def test_more_requests_than_slots_and_room_are_all_answered(chat: Chat) -> None:
    texts = [f"{word} " * 150 for word in "sun moon tree bird stone river cloud grass".split()] * 4
    with ThreadPoolExecutor(len(texts)) as pool:
        ends = list(pool.map(lambda text: story(chat, text, most=8)[1], texts))
    assert all(end.tokens for end in ends)


def test_both_modes_at_once(chat: Chat) -> None:
    alone = story(chat, BEGINNINGS[0], most=60, mode="reproducible")[0]
    stop = threading.Event()

    def noise() -> None:
        while not stop.is_set():
            story(chat, BEGINNINGS[3], most=30)

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(noise) for _ in range(3)]
        try:
            assert [story(chat, BEGINNINGS[0], most=60, mode="reproducible")[0] for _ in range(4)] == [alone] * 4
        finally:
            stop.set()
        for other in others:
            other.result()


# Sequences


def row(*tokens: int) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.array(tokens, dtype=np.int32)


def test_common_beginnings() -> None:
    assert common(row(1, 2, 3), row(1, 2, 4, 5)) == 2
    assert common(row(), row(1)) == 0
    assert common(row(1, 2), row(1, 2)) == 2


def test_cells_are_shared_and_freed_with_their_last_holder() -> None:
    kept = Sequences(count=3, cells=20)
    made = kept.claim(None, 0, 10)
    assert made is not None
    first, gone = made
    assert gone == []
    kept.extend(first, range(8))
    kept.rest(first)
    source, shared = kept.best(row(0, 1, 2, 3, 99))
    assert (source, shared) == (first, 4)
    made = kept.claim(source, 4, 6)
    assert made is not None
    second, _ = made
    kept.extend(second, [99, 98])
    assert kept.taken == 10
    kept.drop(first)
    assert kept.taken == 6
    assert second.tokens.tolist() == [0, 1, 2, 3, 99, 98]


def test_unused_rows_make_room_the_oldest_first_and_busy_ones_never() -> None:
    kept = Sequences(count=4, cells=30)
    rows = []
    for number in range(3):
        made = kept.claim(None, 0, 10)
        assert made is not None
        kept.extend(made[0], range(100 * number, 100 * number + 10))
        rows.append(made[0])
    assert kept.claim(None, 0, 1) is None
    kept.rest(rows[1])
    kept.rest(rows[0])
    made = kept.claim(None, 0, 5)
    assert made is not None
    assert made[1] == [rows[1]]
    assert kept.claim(None, 0, 16) is None  # what had to stay is still there
    assert rows[0] in kept.rows()
    made = kept.claim(rows[0], 10, 5)
    assert made is not None
    assert made[0].tokens.tolist() == list(range(10))
