"""Beginnings that wait outside the model's memory: what comes back is what was there, and the room is kept to."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest

from core.inference.records import Finished, Generate, Message, Token
from core.inference.worker.adapters import NONE, AdapterSet
from core.inference.worker.generation import Chat
from core.inference.worker.parking import Shelf
from core.models.worker.library import open_library
from tests.unit.inference.near import same

T = TypeVar("T")


class Asked:
    cancelled = False

    def check(self) -> None: ...

    def on_main_thread(self, work: Callable[[], T]) -> T:
        return work()


@pytest.fixture
def chat(stories_file: Path) -> Chat:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(stories_file), library.llama_model_default_params())
    return Chat(library, model, "stories", 2048, 1, "test")


def ask(chat: Chat, text: str, mode: str = "fast") -> tuple[list[Token], Finished]:
    request = Generate(
        model="stories",
        messages=(Message(role="text", content=text),),
        max_tokens=16,
        mode=mode,
        log_probabilities=2 if mode == "reproducible" else -1,
    )
    *parts, last = chat.generate(request, Asked())  # type: ignore[arg-type]
    assert isinstance(last, Finished)
    return [part for part in parts if isinstance(part, Token)], last


def said(parts: list[Token]) -> str:
    return "".join(part.text for part in parts)


def test_conversations_that_alternate_go_on_from_where_they_were_with_the_same_words(chat: Chat) -> None:
    texts = {
        n: f"Once upon a time there were {n} friends who lived in a small house. " * 6 for n in ("two", "six", "ten")
    }
    for _ in range(3):
        for name, text in texts.items():
            alone, _ = ask(chat, text, "reproducible")
            found, end = ask(chat, text)
            assert same(said(found), alone)
            texts[name] = text + said(found) + " Then they went home."
            if text.count("went home"):
                assert end.shared_tokens > 0.8 * end.prompt_tokens


def test_while_one_writes_the_memory_holds_nothing_else(chat: Chat) -> None:
    for animal in ("dog", "cat", "bird"):
        ask(chat, f"One day a little {animal} found a shiny stone near the old tree by the river. " * 8)
    scheduler = chat._scheduler
    assert scheduler is not None
    stream: Any = chat.generate(
        Generate(model="stories", messages=(Message(role="text", content="Lily"),), max_tokens=400, mode="fast"),
        Asked(),  # type: ignore[arg-type]
    )
    next(stream)
    assert scheduler._sequences.taken < 500
    assert scheduler._shelf.taken > 300
    stream.close()


class Memory:
    """Stands for llama.cpp's: a state is the sequence's number, four bytes a token."""

    def __init__(self, lengths: dict[int, int], refuses: bool = False) -> None:
        self.lengths = lengths
        self.refuses = refuses
        self.copied: list[int] = []

    def llama_state_seq_get_size(self, context: object, number: int) -> int:
        return 4 * self.lengths[number]

    def llama_state_seq_get_data(self, context: object, to: Any, size: int, number: int) -> int:
        ctypes.memset(to, number, size)
        self.copied.append(number)
        return size

    def llama_state_seq_set_data(self, context: object, of: Any, size: int, number: int) -> int:
        return 0 if self.refuses or ctypes.string_at(of, 1)[0] not in self.lengths else size


def row(*tokens: int) -> npt.NDArray[np.int32]:
    return np.array(tokens, dtype=np.int32)


def shelf(room: int, lengths: dict[int, int], refuses: bool = False) -> tuple[Shelf, Memory]:
    memory = Memory(lengths, refuses)
    return Shelf(memory, None, room), memory  # type: ignore[arg-type]


def test_the_room_is_kept_to_and_the_least_recently_used_goes_first() -> None:
    made, _ = shelf(10, {1: 4, 2: 4, 3: 4, 4: 11})
    made.put(row(1, 1, 1, 1), 1)
    made.put(row(2, 2, 2, 2), 2)
    first, shared = made.best(row(1, 1, 1, 9))
    assert first is not None
    assert shared == 3
    assert made.fetch(first, 7)
    made.put(row(3, 3, 3, 3), 3)
    assert made.contains(row(1, 1))
    assert made.contains(row(3, 3, 3, 3))
    assert not made.contains(row(2))
    made.put(np.arange(11, dtype=np.int32), 4)
    assert made.taken == 8
    made.clear()
    assert made.best(row(1, 1)) == (None, 0)


def test_what_another_begins_with_is_not_kept_twice() -> None:
    made, memory = shelf(100, {1: 2, 2: 4, 3: 3})
    made.put(row(5, 6), 1)
    made.put(row(5, 6, 7, 8), 2)
    made.put(row(5, 6, 7), 3)
    assert made.taken == 4
    assert memory.copied == [1, 2]


def test_what_other_adapters_computed_stays_and_is_never_found() -> None:
    made, _ = shelf(10, {1: 4, 2: 4, 3: 4})
    one = AdapterSet((("one", 1.0),))
    made.put(row(1, 2, 3, 4), 1)
    made.adapters = one
    assert made.best(row(1, 2, 3, 4)) == (None, 0)
    assert not made.contains(row(1, 2))
    made.put(row(1, 2, 3, 4), 2)  # as long, and not what it begins with
    assert made.taken == 8
    made.adapters = AdapterSet((("one", 0.5),))
    assert made.best(row(1, 2, 3, 4)) == (None, 0)
    made.put(row(7, 8, 9, 9), 3)  # the room is for all sets together
    made.adapters = NONE
    assert made.best(row(1, 2, 3, 4)) == (None, 0)
    made.adapters = one
    found, shared = made.best(row(1, 2, 3, 5))
    assert found is not None
    assert shared == 3
    assert found.state[0] == 2


def test_a_state_that_llama_refuses_is_forgotten() -> None:
    made, _ = shelf(100, {1: 2}, refuses=True)
    made.put(row(5, 6), 1)
    found, _ = made.best(row(5, 6, 7))
    assert found is not None
    assert not made.fetch(found, 3)
    assert made.taken == 0
