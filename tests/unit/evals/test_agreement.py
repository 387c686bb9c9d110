"""Agreement of two who judged the same answers: checked against published values, and where there is nothing to tell."""

from collections.abc import Sequence

import pytest

from core.evals.agreement import Figure, Pair, agreement


def pairs(first: Sequence[int], second: Sequence[int]) -> list[Pair]:
    """Each answer of a sample of its own."""
    return [Pair(f"s{place}", a, b) for place, (a, b) in enumerate(zip(first, second, strict=True))]


def told(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


def test_kappa_of_a_table_in_the_literature() -> None:
    """Artstein and Poesio (2008), table 1 of section 2.4: 20, 20, 10 and 50 of 100 give 0.348; the share is 0.7."""
    found = agreement("a", "b", pairs([0] * 40 + [1] * 60, [0] * 20 + [1] * 20 + [0] * 10 + [1] * 50), seed=3)
    assert found.share.value == 0.7
    assert told(found.kappa).value == pytest.approx(0.348, abs=5e-4)
    assert told(found.weighted).value == told(found.kappa).value, "with two marks all disagreement weighs the same"
    assert found.table == ((20, 20), (10, 50))
    assert (found.share.low, found.share.high) == pytest.approx((0.6042, 0.7811), abs=5e-4), "Wilson, of 70 in 100"
    # The asymptotic standard error of this kappa is 0.0921 (Fleiss, Cohen and Everitt 1969), so the interval is about 0.17 to 0.53.
    assert told(found.kappa).low == pytest.approx(0.17, abs=0.04)
    assert told(found.kappa).high == pytest.approx(0.53, abs=0.04)


def test_quadratic_weights_as_scikit_learn_computes_them() -> None:
    """The values in scikit-learn's own tests of `cohen_kappa_score`."""
    found = agreement("a", "b", pairs([0] * 46 + [1] * 44 + [2] * 10, [0] * 50 + [1] * 40 + [2] * 10), seed=0)
    assert told(found.kappa).value == pytest.approx(0.9315, abs=5e-5)
    assert told(found.weighted).value == pytest.approx(0.9541, abs=5e-5)
    assert told(found.kappa).low <= told(found.kappa).value <= told(found.kappa).high


def test_weights_go_by_the_marks_and_not_by_their_order() -> None:
    """A mark that nobody gave still lies between its neighbours: 1 and 5 are four apart."""
    near = agreement("a", "b", pairs([1, 2, 1, 2, 5], [1, 2, 2, 2, 5]), seed=0)
    far = agreement("a", "b", pairs([1, 2, 1, 2, 5], [1, 2, 5, 2, 5]), seed=0)
    assert near.marks == far.marks == (1, 2, 5)
    assert near.share.value == far.share.value == 0.8
    assert told(near.weighted).value > told(near.kappa).value > told(far.weighted).value


def test_where_there_is_no_kappa() -> None:
    same = agreement("a", "b", pairs([4, 4, 4], [4, 4, 4]), seed=0)
    assert same.share.value == 1
    assert same.kappa is same.weighted is None, "all marks are one and the same, so nothing is expected by chance"
    nothing = agreement("a", "b", [], seed=0)
    assert (nothing.n, nothing.share.low, nothing.share.high, nothing.kappa) == (0, 0, 1, None)
    assert nothing.table == ()


def test_answers_of_one_sample_are_drawn_together() -> None:
    """Ten copies of each answer say no more than one: the interval stays as wide as that over the samples."""
    first, second = [0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 1, 1, 0, 0]
    once = agreement("a", "b", pairs(first, second), seed=1)
    often = agreement("a", "b", pairs(first, second) * 10, seed=1)
    assert (often.n, often.samples) == (80, 8)
    assert (told(often.kappa).low, told(often.kappa).high) == (told(once.kappa).low, told(once.kappa).high)


def test_a_sample_that_is_judged_often_counts_once_for_how_sure_the_share_is() -> None:
    once = [Pair(str(n), 1, 1 + (n < 3)) for n in range(10)]
    often = [pair for pair in once for _ in range(30)]
    few, many = (agreement("a", "b", pairs, 1).share for pairs in (once, often))
    assert few.value == many.value == 0.7
    assert (many.low, many.high) == (few.low, few.high)
    alike = agreement("a", "b", [Pair(str(n % 4), 1, 1) for n in range(80)], 1).share
    assert (alike.low, alike.high) == pytest.approx((0.5101, 1.0), abs=5e-4), "Wilson, of 4 in 4"
