"""Keys as words: every key comes back, and what people get wrong is noticed and named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.trust.words import LETTERS, WORDS, from_words, to_words

KEYS = st.binary(min_size=32, max_size=32)
PLACES = st.integers(0, WORDS - 1)
LETTER = st.integers(0, LETTERS - 1)


def test_golden() -> None:
    """The form is on people's paper: it never changes."""
    assert to_words(bytes(32))[:3] == ("bababuha", "bababozi", "bababuva")
    words = "babadugi bamagabo bibajoza bimalago bobaniti bomaruma bubatuno bumazoki "
    words += "dabidisi damiguma dibijizi dimilika dobinafa domirija dubitosa dumizani"
    assert " ".join(to_words(bytes(range(32)))) == words
    assert from_words(words) == bytes(range(32))


@given(KEYS)
def test_every_key_comes_back_however_it_is_written(key: bytes) -> None:
    words = to_words(key)
    assert len(words) == WORDS
    assert all(len(word) == LETTERS and word.isalpha() for word in words)
    assert from_words(" ".join(words)) == key
    assert from_words("\n".join(word.upper() for word in words) + "\n") == key
    assert from_words(", ".join(f"{word[:4]}-{word[4:]}" for word in words)) == key


@given(KEYS, PLACES, LETTER, st.sampled_from("abcdefghijklmnopqrstuvwxyzé1"))
def test_one_wrong_letter_is_always_named(key: bytes, place: int, letter: int, other: str) -> None:
    words = list(to_words(key))
    if words[place][letter] == other:
        return
    words[place] = words[place][:letter] + other + words[place][letter + 1 :]
    with pytest.raises(BadInput, match=rf"word {place + 1} is mistyped"):
        from_words(" ".join(words))


@given(KEYS, PLACES, st.integers(0, 3), st.integers(0, 3), st.sampled_from([(0,), (1,), (0, 1)]))
def test_exchanged_letters_and_syllables_are_always_named(
    key: bytes, place: int, one: int, two: int, parts: tuple[int, ...]
) -> None:
    words = list(to_words(key))
    letters = list(words[place])
    for part in parts:
        letters[2 * one + part], letters[2 * two + part] = letters[2 * two + part], letters[2 * one + part]
    if "".join(letters) == words[place]:
        return
    words[place] = "".join(letters)
    with pytest.raises(BadInput, match=rf"word {place + 1} is"):
        from_words(" ".join(words))


@given(KEYS, PLACES, PLACES)
def test_words_in_another_order_are_named(key: bytes, one: int, two: int) -> None:
    words = list(to_words(key))
    if one == two or words[one] == words[two]:
        return
    words[one], words[two] = words[two], words[one]
    first, last = sorted((one + 1, two + 1))
    with pytest.raises(BadInput, match=rf"words {first} and {last} are mistyped, or not in the right place"):
        from_words(" ".join(words))


@given(st.text(max_size=200))
def test_any_text_is_refused_with_a_sentence_that_repeats_none_of_it(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        from_words(text)
    assert str(refused.value).startswith("Recovery key: it has 16 words; these are ")


def test_several_mistyped_words_are_all_named() -> None:
    words = list(to_words(bytes(range(32))))
    for place in (2, 6, 15):
        words[place] = "qqqqqqqq"
    with pytest.raises(BadInput, match=r"words 3, 7 and 16 are mistyped") as refused:
        from_words(" ".join(words))
    assert "qqqq" not in str(refused.value)
