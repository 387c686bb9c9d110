"""The calibration of the quotes mode is kept as data, and what is shown of it agrees with other people's intervals."""

import pytest
from scipy.stats import binomtest

from core.assistants import calibration, quotes
from core.assistants.calibration import CurvePoint, at_needed, in_range, share


def point(score: float, answerable: bool = True, right: bool = True) -> CurvePoint:
    return CurvePoint(score=score, answerable=answerable, right=right)


@pytest.mark.parametrize(("number", "of"), [(0, 7), (3, 7), (7, 7), (31, 40), (1, 1)])
def test_intervals_are_wilsons(number: int, of: int) -> None:
    expected = binomtest(number, of).proportion_ci(method="wilson")
    found = share(number, of)
    assert (found.low, found.high) == (pytest.approx(expected.low, abs=1e-6), pytest.approx(expected.high, abs=1e-6))


def test_the_curve_counts_what_would_be_answered() -> None:
    points = (point(0.9), point(0.8, right=False), point(0.6, answerable=False, right=False), point(0.3))
    at = at_needed(points, 0.6)
    assert (at.answered[:2], at.right[:2], at.unanswerable[:2]) == ((3, 4), (1, 3), (1, 1))
    assert at_needed(points, 0.95).right.value is None
    found = in_range(points, 0.8, 1.0)
    assert (found.said, found.right[:2]) == (pytest.approx(0.85), (1, 2))
    assert in_range(points, 0.0, 0.2).said is None
    assert in_range((point(1.0),), 0.8, 1.0).right[:2] == (1, 1)


def test_the_kept_data_are_of_the_weights_in_use() -> None:
    found = calibration.curve()
    assert found.weights == quotes.CALIBRATION
    assert len(found.points) == 90
    assert sum(one.answerable for one in found.points) == 56
    assert not any(one.right and not one.answerable for one in found.points)
    at = at_needed(found.points, quotes.NEEDED)
    assert at.right.value is not None
    assert at.right.value > 0.6
    assert at.unanswerable.value is not None
    assert at.unanswerable.value < 0.2
