import random
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.datasets.records import Sample, Splitting
from core.datasets.splitting import counts, leaks, split
from core.errors import BadInput

SHARES = {"train": 0.7, "test": 0.3}
STEADY = settings(max_examples=40, deadline=None, suppress_health_check=tuple(HealthCheck))


def some(draw: random.Random) -> tuple[Sample, ...]:
    """A hundred samples of a few documents and groups, some of which ask the same."""
    return tuple(
        Sample(
            id=f"{n}",
            input=f"Question {draw.randrange(60)}?",
            target="x",
            document=f"d{draw.randrange(12)}.pdf",
            group=f"g{draw.randrange(30)}",
        )
        for n in range(100)
    )


many = st.integers(0, 10_000).map(lambda seed: some(random.Random(seed)))


@pytest.mark.parametrize("by", ["document", "group"])
@STEADY
@given(kept=many, seed=st.integers(0, 9))
def test_no_group_and_no_question_stands_on_both_sides(
    by: Literal["document", "group"], kept: tuple[Sample, ...], seed: int
) -> None:
    kept = tuple(Sample(id=s.id, input=f"{by} {s.id}", target="x", **{by: getattr(s, by)}) for s in kept)
    done = split(kept, Splitting(shares=SHARES, by=by, seed=seed))
    assert leaks(done) == ()
    for part in SHARES:
        own = {getattr(sample, by) for sample in done if sample.split == part}
        assert own
        assert own.isdisjoint({getattr(sample, by) for sample in done if sample.split != part})
    assert [sample.id for sample in done] == [sample.id for sample in kept]


@STEADY
@given(kept=many)
def test_what_asks_the_same_stays_together_whatever_is_asked_for(kept: tuple[Sample, ...]) -> None:
    try:
        done = split(kept, Splitting(shares=SHARES))
    except BadInput:
        return
    assert [leak for leak in leaks(done) if leak[0] == "question"] == []


def test_groups_that_are_linked_through_a_third_stay_together() -> None:
    kept = tuple(
        Sample(id=str(n), input=text, target="x", document=document)
        for n, (text, document) in enumerate(
            [("a", "one"), ("A ", "two"), ("b", "two"), ("c", "three"), ("d", "four"), ("e", "five")]
        )
    )
    for seed in range(20):
        done = split(kept, Splitting(shares={"train": 0.5, "test": 0.5}, by="document", seed=seed))
        assert len({sample.split for sample in done if sample.document in ("one", "two")}) == 1


def test_the_seed_decides_and_the_order_does_not() -> None:
    kept = tuple(Sample(id=f"{n:03}", input=f"Question {n}?", target="x") for n in range(200))
    one = split(kept, Splitting(shares=SHARES, seed=3))
    assert one == split(kept, Splitting(shares=SHARES, seed=3))
    turned = split(kept[::-1], Splitting(shares=SHARES, seed=3))
    assert {sample.id: sample.split for sample in turned} == {sample.id: sample.split for sample in one}
    assert one != split(kept, Splitting(shares=SHARES, seed=4))
    assert counts(one) == {"test": 60, "train": 140}
    assert any(a.split != b.split for a, b in pairwise(one))


@pytest.mark.parametrize(
    "shares", [{"train": 1.0}, {"train": 0.5, "test": 0.4}, {"train": 1.5, "test": -0.5}, {"a b": 0.5, "c": 0.5}, {}]
)
def test_shares_that_make_no_sense_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="parts"):
        split((Sample(id="1", input="a", target="b"),), Splitting(shares=shares))


def test_one_document_cant_be_parted() -> None:
    kept = tuple(Sample(id=str(n), input=f"{n}", target="x", document="one") for n in range(9))
    with pytest.raises(BadInput, match="1 groups that stay together"):
        split(kept, Splitting(shares=SHARES, by="document"))
