"""The built-in model: the same answer to the same request, through a real worker."""

import numpy as np
import pytest

from core.errors import BadInput, ContextExceeded
from core.inference.records import Finished, Generate, Message, Token
from core.inference.service import Engine
from core.inference.worker.fake import UNKNOWN, answer
from core.models.records import FAKE

PASSAGES = """Use the passages only.

[1] A case is valid with four elements. They are listed
in section 3.
[2] Serious cases are reported within 15 days. Others take 90 days.
[3] The archive is kept for ten years.

Question: When are serious cases reported?"""


def asked(text: str, **settings: object) -> Generate:
    return Generate(model=FAKE, messages=(Message(role="user", content=text),), **settings)


def told(engine: Engine, request: Generate) -> tuple[str, Finished]:
    *tokens, last = engine.generate(request)
    assert isinstance(last, Finished)
    return "".join(token.text for token in tokens if isinstance(token, Token)), last


def test_it_quotes_the_passage_that_shares_most_words_with_the_question(warm: Engine) -> None:
    text, finished = told(warm, asked(PASSAGES))
    assert text == "Serious cases are reported within 15 days. [2]"
    assert (finished.reason, finished.backend) == ("stop", "fake 1")
    assert PASSAGES in finished.prompt


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What elements has a valid case?", "A case is valid with four elements. [1]"),
        ("How long is the archive kept?", "The archive is kept for ten years. [3]"),
        ("Who is the queen of Denmark?", UNKNOWN),
    ],
)
def test_other_questions(question: str, expected: str) -> None:
    text = PASSAGES.rsplit("Question:", 1)[0] + question
    assert answer((Message(role="user", content=text),), 0) == expected


def test_passages_may_stand_in_the_system_message() -> None:
    passages, question = PASSAGES.rsplit("Question: ", 1)
    messages = (Message(role="system", content=passages), Message(role="user", content=question))
    assert answer(messages, 0) == "Serious cases are reported within 15 days. [2]"


def test_without_passages_it_writes_the_same_words_each_time(warm: Engine) -> None:
    first, _ = told(warm, asked("Hello"))
    assert told(warm, asked("Hello"))[0] == first
    assert told(warm, asked("Hello!"))[0] != first
    assert told(warm, asked("Hello", seed=1))[0] == first
    assert told(warm, asked("Hello", seed=1, temperature=1.0))[0] != first


def test_length_and_stop(warm: Engine) -> None:
    text, finished = told(warm, asked(PASSAGES, max_tokens=2))
    assert (text, finished.reason, finished.tokens) == ("Serious cases", "length", 2)
    text, finished = told(warm, asked(PASSAGES, stop=("within",)))
    assert (text, finished.reason) == ("Serious cases are reported ", "stop")


def test_a_prompt_that_does_not_fit(warm: Engine) -> None:
    with pytest.raises(ContextExceeded):
        told(warm, asked("word " * 5000))


def test_vectors(warm: Engine) -> None:
    vectors = warm.embed(["serious cases", "Serious cases!", "the archive"], FAKE)
    assert vectors.shape == (3, warm.dimensions(FAKE))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert np.array_equal(vectors[0], vectors[1])
    assert float(vectors[0] @ vectors[2]) < 0.9
    with pytest.raises(BadInput, match="Text 1"):
        warm.embed([" "], FAKE)
    assert warm.count_tokens(["one two.", ""], FAKE) == [3, 0]
