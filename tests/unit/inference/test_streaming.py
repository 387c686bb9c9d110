"""Text that is shown is whole characters, and never a part of a stop text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inference.worker.streaming import Emitter


def fed(data: bytes, cuts: list[int], stop: tuple[str, ...] = ()) -> tuple[list[str], bool]:
    emitter = Emitter(stop)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    parts = [emitter.feed(data[start:end]) for start, end in pairwise(places)]
    return [*parts, emitter.finish()], emitter.stopped


@given(st.text(max_size=60), st.lists(st.integers(0, 1000), max_size=12))
def test_text_comes_out_as_it_went_in_however_it_is_cut(text: str, cuts: list[int]) -> None:
    parts, _ = fed(text.encode("utf-8", "replace"), cuts)
    assert "".join(parts) == text.encode("utf-8", "replace").decode()
    assert "\ufffd" not in "".join(parts) or "\ufffd" in text


@given(
    st.text("abcé", max_size=40),
    st.lists(st.text("abcé", min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(0, 1000), max_size=12),
)
def test_everything_before_the_stop_text_and_nothing_of_it(text: str, stop: list[str], cuts: list[int]) -> None:
    parts, stopped = fed(text.encode(), cuts, tuple(stop))
    out = "".join(parts)
    assert text.startswith(out)
    assert stopped == any(one in text for one in stop)
    assert not any(one in out for one in stop)
    if not stopped:
        assert out == text


@pytest.mark.parametrize(("data", "text"), [(b"ab\xff", "ab\ufffd"), (b"ab\xe2\x82", "ab\ufffd"), ("€".encode(), "€")])
def test_bytes_that_are_no_text(data: bytes, text: str) -> None:
    parts, _ = fed(data, list(range(len(data))))
    assert "".join(parts) == text


def test_a_character_is_held_back_until_it_is_whole() -> None:
    emitter = Emitter()
    assert [emitter.feed(bytes([byte])) for byte in "é".encode()] == ["", "é"]


def test_the_beginning_of_a_stop_text_is_held_back() -> None:
    emitter = Emitter(("###",))
    assert emitter.feed(b"one #") == "one "
    assert emitter.feed(b"#") == ""
    assert emitter.feed(b" two") == "## two"
    assert not emitter.stopped
    assert emitter.feed(b"###three") == ""
    assert emitter.stopped
    assert emitter.finish() == ""
