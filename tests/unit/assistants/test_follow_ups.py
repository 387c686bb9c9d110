"""When a question stands on the one before it."""

import pytest

from core.assistants.follow_ups import standalone

FIRST = "How long are the records of unit 7 kept?"


@pytest.mark.parametrize("text", ["Who keeps them?", "And in unit 8?", "Why?", "What about drums?", "Wer prüft sie?"])
def test_a_question_that_refers_back_is_put_together_with_what_it_refers_to(text: str) -> None:
    assert standalone(text, (FIRST,)) == f"{FIRST} {text}"
    assert standalone(text, ()) == text


def test_a_question_that_stands_alone_stays_as_it_is() -> None:
    asked = "Which article requires providers to keep logs?"
    assert standalone(asked, (FIRST, "Who keeps them?")) == asked


def test_a_chain_of_follow_ups_reaches_the_question_that_stands_alone_and_no_further() -> None:
    earlier = ("Which solvents burn easily?", FIRST, "Who keeps them?")
    assert standalone("Why?", earlier) == f"{FIRST} Who keeps them? Why?"
    assert len(standalone("Why?", ("Why?",) * 100)) < 30
