import pytest

from core.datasets.records import Sample
from core.evals.filling import fields_of
from core.evals.scorers import chosen, score_answer
from tests.unit.evals.scoring.answers import answered

USES = chosen(("contract", "mark_right"))


@pytest.mark.parametrize(
    ("contract", "broken", "scores"),
    [("", "", []), ("kept", "", [("contract", 1.0, "kept")]), ("broken", "cut off", [("contract", 0.0, "cut off")])],
)
def test_a_contract_counts_where_one_was_promised(contract: str, broken: str, scores: list[object]) -> None:
    found = score_answer(USES, Sample(id="1", input="?"), answered("x", contract=contract, broken=broken))
    assert [(score.scorer, score.value, score.reason) for score in found] == scores


@pytest.mark.parametrize(("text", "passed"), [("It is nine [2].", True), ("Nine [1].", False), ("Nine.", False)])
def test_a_mark_points_at_the_passage_with_the_quote(text: str, passed: bool) -> None:
    sample = Sample(
        id="1", input="?", target="nine", quote="It has nine floors.", passages=("No.", "So: it has  nine floors.")
    )
    (found,) = score_answer(USES, sample, answered(text))
    assert (found.scorer, found.passed) == ("mark_right", passed)


def test_a_sample_never_brings_its_target() -> None:
    sample = Sample(id="1", input="?", target="secret", answer="secret", choices=("a",), metadata={"unit": "mg"})
    assert fields_of(sample) == {"choices": ["a"], "metadata": {"unit": "mg"}}
