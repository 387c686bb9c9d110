"""Sentences: where they end, and that they are verbatim."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents.sentences import sentence_spans, split_sentences


@given(st.text(alphabet="abcAB .!?\n()•1,;|„“。", max_size=300))
def test_sentences_are_verbatim_in_order_and_hold_everything(text: str) -> None:
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("See e.g. Art. 6 and Fig. 2. It holds.", ["See e.g. Art. 6 and Fig. 2.", "It holds."]),
        ("Pay 3.50 by 5.11. Then go.", ["Pay 3.50 by 5.11.", "Then go."]),
        ("J. Smith met Dr. Who. They left.", ["J. Smith met Dr. Who.", "They left."]),
        ("Article 12. Record-keeping is due. Now.", ["Article 12. Record-keeping is due.", "Now."]),
        ("1.   Logs are kept. 2.   They last.", ["1.   Logs are kept.", "2.   They last."]),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
        ("Systems:\n(a) one;\n(b) two.", ["Systems:", "(a) one;", "(b) two."]),
        ("A line\nthat goes on.", ["A line\nthat goes on."]),
        ("Title\n\nText here.", ["Title", "Text here."]),
        ("Field | Rule\nR1 | Date", ["Field | Rule", "R1 | Date"]),
        ("記録です。次です。", ["記録です。", "次です。"]),
        ("Wait... what? Yes… no.", ["Wait... what?", "Yes… no."]),
        ("", []),
    ],
)
def test_where_a_sentence_ends(text: str, sentences: list[str]) -> None:
    assert list(split_sentences(text)) == sentences
