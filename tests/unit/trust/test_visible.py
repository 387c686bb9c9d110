"""What a person signs is what they see."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.trust.visible import Piece, found, hidden, pieces, visible

TRICKY = st.text(st.sampled_from("ab [U+]202Eе\u202e\u200b\u00a0\r\n\t\ufe0f\U000e0041é\u0301"), max_size=12)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Say {{ question }}\n\tnow", "Say {{ question }}\n\tnow"),
        ("pay\u202e 100", "pay[U+202E right-to-left override] 100"),
        ("ig\u200bnore", "ig[U+200B zero width space]nore"),
        ("a\u00a0b", "a[U+00A0 no-break space]b"),
        ("one\r\ntwo", "one[U+000D control character]\ntwo"),
        ("end \nmore", "end[U+0020 space]\nmore"),
        ("\x1b[2Jgone", "[U+001B control character][2Jgone"),
        ("p\u0430y", "p\u0430[U+0430 cyrillic small letter a]y"),
        ("\u043f\u0430\u0440\u043e\u043b\u044c", "\u043f\u0430\u0440\u043e\u043b\u044c"),
        ("Nováková façade", "Nováková façade"),
        ("[U+202E right-to-left override]", "[U+005B left square bracket]U+202E right-to-left override]"),
        ("ok\ufe0f\U000e0041\u3164", "ok[U+FE0F variation selector-16][U+E0041 tag latin capital letter a][U+3164 hangul filler]"),
        ("\ud800", "[U+D800 control character]"),
    ],
)  # fmt: skip
def test_what_a_screen_hides_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.one_of(st.text(max_size=40), TRICKY), st.one_of(st.text(max_size=40), TRICKY))
def test_texts_that_differ_look_different(one: str, other: str) -> None:
    assert (visible(one) == visible(other)) == (one == other)


@given(st.text(max_size=60))
def test_nothing_hidden_is_left_and_nothing_plain_is_lost(text: str) -> None:
    shown = visible(text)
    assert not any(hidden(character) for character in shown)
    assert not any(unicodedata.bidirectional(character) in ("RLO", "LRO", "RLE", "LRE", "RLI") for character in shown)
    assert visible(shown) == shown or "[U+" in text or found(text)


def test_pieces_are_for_a_window_to_box() -> None:
    assert list(pieces("a\u200bb")) == [Piece("a", False), Piece("U+200B zero width space", True), Piece("b", False)]
    assert list(pieces("")) == []
    assert found("a\u200bb \u200b") == 2
