"""Nothing goes on twice at the same time, whoever asks for it, and what goes on can be found by what it is."""

import pytest

from core.errors import BadInput
from core.evals.resuming import working
from core.records import Digest
from core.training.alone import alone
from core.vault.under_way import under_way

ONE, OTHER = Digest("11" * 32), Digest("22" * 32)


def test_the_same_is_refused_with_its_own_words_and_another_is_not() -> None:
    asked: list[str] = []
    with alone(ONE, "training-1", lambda: asked.append("stop")), working(OTHER, "run-1"):
        with pytest.raises(BadInput, match="training-1: it is under way already"), alone(ONE, "training-1", list):
            pass
        with pytest.raises(BadInput, match="run-1: it is at work"), working(OTHER, "run-1"):
            pass
        going, other = under_way(ONE), under_way(OTHER)
        assert going is not None
        assert going.stop is not None
        assert other is not None
        assert other.stop is None
        going.stop()
        assert not going.over.is_set()
    assert asked == ["stop"]
    assert going.over.is_set()
    assert under_way(ONE) is under_way(OTHER) is None


def test_what_failed_is_over() -> None:
    with pytest.raises(ZeroDivisionError), working(ONE, "run-1"):
        raise ZeroDivisionError
    with working(ONE, "run-1"):
        assert under_way(ONE) is not None
