import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.assistants import quotes
from core.assistants.quotes import Quote, Signals
from tests.unit.assistants.stand_ins import bag_of_words, passage


def test_the_sentence_that_holds_the_words_comes_first() -> None:
    passages = [passage("The gate closes at eight. The tower has nine floors."), passage("Visitors sign a book.")]
    ranked = quotes.rank("How many floors has the tower?", passages, bag_of_words)
    assert ranked[0].text == "The tower has nine floors."
    assert ranked[0].passage == 0
    assert [quote.score for quote in ranked] == sorted((quote.score for quote in ranked), reverse=True)


def test_every_quote_is_verbatim_and_taken_once() -> None:
    passages = [passage("The gate closes at eight."), passage("The gate closes at eight. It opens at six.")]
    ranked = quotes.rank("When does the gate close?", passages, bag_of_words)
    assert sorted(quote.text for quote in ranked) == ["It opens at six.", "The gate closes at eight."]
    assert all(quote.text in passages[quote.passage].text for quote in ranked)


def test_no_passages_no_quotes() -> None:
    assert quotes.rank("When?", [], bag_of_words) == ()
    assert quotes.choose(()) == ()


def test_it_declines_when_the_best_is_too_weak() -> None:
    weak = Quote(passage=0, text="x", score=quotes.NEEDED - 0.01)
    assert quotes.choose((weak,)) == ()


def test_further_sentences_must_be_nearly_as_good() -> None:
    ranked = [Quote(passage=0, text=str(score), score=score) for score in (0.95, 0.93, 0.6, 0.55)]
    assert [quote.score for quote in quotes.choose(ranked)] == [0.95, 0.93]


@pytest.mark.parametrize("signal", ["sentence_cosine", "words"])
@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_stronger_signal_never_lowers_the_chance(signal: str, low: float, high: float) -> None:
    low, high = sorted((low, high))
    values = {"sentence_cosine": 0.5, "passage_cosine": 0.5, "words": 0.5, "short": False, "rank": 1.0}
    weaker = Signals(passage=0, text="x", **{**values, signal: low})
    stronger = Signals(passage=0, text="x", **{**values, signal: high})
    assert quotes.chance(weaker) <= quotes.chance(stronger)
