"""Judges: what they are shown and asked, how their verdicts count; with a real small model, that what it writes is a verdict."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.datasets.records import AddDataset, Sample
from core.errors import BadInput, NotFound
from core.evals.records import RunSpec, Spec
from core.evals.scoring.base import Decision, Tools
from core.inference.records import TEXT, Message
from core.jobs import Job
from core.models.records import AddModel
from core.prompts.records import SavePrompt
from core.vault.vault import Vault
from tests.unit.evals.scoring.answers import answered, score
from tests.unit.evals.scoring.studies import study

SAMPLE = Sample(id="1", input="How many?", target="12", passages=("Twelve is the limit.",))
RUBRIC = {"rubric": "judge@1", "model": "m", "repeat": 3}
PAIRS = {"rubric": "judge@1", "model": "m", "repeat": 2}


class Judge:
    """Gives its verdicts in turn, or by what it is shown."""

    def __init__(self, *verdicts: Any) -> None:
        self.asked: list[Decision] = []
        self._verdicts: Iterator[Any] = iter(verdicts)

    def __call__(self, decision: Decision) -> dict[str, Any]:
        self.asked.append(decision)
        return {"reason": f"reason {len(self.asked)}", "verdict": next(self._verdicts)}


def test_a_mark_is_the_mean_of_repetitions() -> None:
    judge = Judge(5, 4, 2)
    given = score("rubric", SAMPLE, "Twelve. [1]", RUBRIC, Tools(decide=judge))
    assert given is not None
    assert given.value == pytest.approx((11 / 3 - 1) / 4, abs=1e-6)
    assert given.reason == "3.67 of 5 (5, 4, 2): reason 2"
    assert [decision.time for decision in judge.asked] == [0, 1, 2]
    shown = judge.asked[0].variables
    assert shown == {
        "question": "How many?",
        "reference": "12",
        "passages": ["Twelve is the limit."],
        "answer": "Twelve.",
    }
    assert judge.asked[0].schema["properties"]["verdict"]["enum"] == [1, 2, 3, 4, 5]
    assert list(judge.asked[0].schema["properties"]) == ["reason", "verdict"]


@pytest.mark.parametrize("verdict", [0, 6, "5", True, None])
def test_a_verdict_outside_of_the_scale_is_an_error(verdict: Any) -> None:
    with pytest.raises(BadInput, match="verdict"):
        score("rubric", SAMPLE, "x", RUBRIC, Tools(decide=Judge(verdict)))


@pytest.mark.parametrize(
    ("verdicts", "value", "said"),
    [
        (("first", "second", "first", "second"), 1.0, "1.00"),
        (("second", "first", "second", "first"), 0.0, "0.00"),
        (("first", "first", "second", "second"), 0.5, "2 of 2 verdicts followed the place"),
        (("first", "second", "tie", "tie"), 0.75, "0.75"),
        (("first", "tie", "tie", "first"), 0.5, "0.50"),
    ],
)
def test_two_answers_are_shown_in_both_orders(verdicts: tuple[str, ...], value: float, said: str) -> None:
    judge = Judge(*verdicts)
    given = score("pairwise", SAMPLE, "mine", PAIRS, Tools(decide=judge), baseline=answered("theirs"))
    assert given is not None
    assert given.value == value
    assert said in given.reason
    assert [(one.variables["first"], one.variables["second"]) for one in judge.asked] == [
        ("mine", "theirs"),
        ("theirs", "mine"),
    ] * 2


def test_the_first_variant_is_compared_with_nothing() -> None:
    assert score("pairwise", SAMPLE, "mine", PAIRS, Tools(decide=Judge())) is None


def test_a_local_model_judges_a_run(vault_factory: Callable[..., Vault], shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text('{"id": "a", "input": "Why?", "target": "x"}\n')
    copy = tmp_path / "stories.gguf"
    copy.write_bytes((shared_data / "models" / "stories260K" / "stories260K.gguf").read_bytes())
    spec = Spec(
        name="judged",
        dataset="set",
        prompts=("ask@1", "ask@2"),
        models=("fake",),
        scorers=("rubric", "pairwise", "length"),
        scoring={
            "rubric": {"rubric": "judge@1", "model": "stories", "repeat": 2},
            "pairwise": {"rubric": "pairs@1", "model": "stories"},
        },
        max_tokens=8,
    )
    with study(vault_factory) as made:
        made.models.add(AddModel(path=str(copy), name="stories"))
        made.datasets.add(AddDataset(name="set", path=str(tmp_path / "set.jsonl")), Job("Add"))
        for text in ("{{ question }}", "Say: {{ question }}"):
            made.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content=text),)))
        with pytest.raises(NotFound):
            made.evals.save(spec)
        for name, text in (("judge", "{{ question }} {{ answer }}"), ("pairs", "{{ first }} or {{ second }}")):
            made.prompts.save(SavePrompt(name=name, messages=(Message(role=TEXT, content=text),)))
        made.evals.save(spec)
        view = made.evals.run(RunSpec(reference="judged"), Job("Run"))
        outcomes = [outcome for _, outcome in made.evals.outcomes("run-1")]
        assert [outcome.error for outcome in outcomes] == ["", ""]
        assert [[one.scorer for one in outcome.scores] for outcome in outcomes] == [
            ["rubric", "length"],
            ["rubric", "pairwise", "length"],
        ]
        assert all(0 <= one.value <= 1 and one.reason for o in outcomes for one in o.scores if one.scorer != "length")
        kinds = [(one.scorer, one.kind, one.name) for one in view.run.instruments]
        assert kinds == [
            ("rubric", "rubric", "judge@1"),
            ("rubric", "judge", "stories"),
            ("pairwise", "rubric", "pairs@1"),
            ("pairwise", "judge", "stories"),
        ]
        assert view.run.instruments[0].digest == made.prompts.show("judge@1").digest
