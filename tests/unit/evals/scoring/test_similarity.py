"""Nearness by an embedder: worked with vectors that are given, and asked of a real run over documents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets.records import AddDataset, Sample
from core.documents.records import AddDocuments
from core.errors import Unavailable
from core.evals.records import RunSpec, Spec
from core.evals.scoring.base import Tools
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from core.vault.vault import Vault
from tests.unit.evals.scoring.answers import answered, score
from tests.unit.evals.scoring.studies import study

VECTORS = {
    "question?": (1.0, 0.0),
    "Near.": (0.6, 0.8),
    "Far.": (-1.0, 0.0),
    "target": (0.0, 1.0),
    "other": (-0.8, 0.6),
}
SAMPLE = Sample(id="1", input="question?", target="target", targets=("other",))


def embed(texts: list[str], embedder: str) -> Any:
    return np.array([VECTORS[text] for text in texts], dtype=np.float32)


def test_cosines_by_hand() -> None:
    tools = Tools(embed=embed)
    nearest = score("similarity", SAMPLE, "Near. [1]", {"at_least": 0.7}, tools)
    assert nearest is not None
    assert nearest.value == pytest.approx(0.8)
    assert nearest.passed
    relevance = score("answer_relevance", SAMPLE, "Near. Far.", None, tools)
    assert relevance is not None
    assert relevance.value == pytest.approx((0.6 - 1.0) / 2)
    assert score("answer_relevance", SAMPLE, answered("Near.", abstained=True), None, tools) is None
    assert score("similarity", SAMPLE, " [1]", None, tools) is None


def test_a_run_uses_the_embedder_of_its_documents_or_the_one_that_is_named(
    vault_factory: Callable[..., Vault], tmp_path: Path
) -> None:
    (tmp_path / "tower.md").write_text("# The tower\n\nThe tower has nine floors.\n")
    (tmp_path / "set.jsonl").write_text('{"id": "a", "input": "How many floors has the tower?", "target": "nine"}\n')
    with study(vault_factory) as made:
        made.documents.add(AddDocuments(collection="towers", paths=(str(tmp_path / "tower.md"),)), Job("Add"))
        made.datasets.add(AddDataset(name="set", path=str(tmp_path / "set.jsonl")), Job("Add"))
        made.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content="{{ question }}"),)))
        open_book = Spec(
            name="open", dataset="set", collection="towers", include_quotes=True, passages=2,
            scorers=("similarity", "bleu", "regex"), scoring={"regex": {"pattern": "n[a-z]+e"}},
        )  # fmt: skip
        closed = Spec(
            name="closed", dataset="set", prompts=("ask@1",), models=("fake",), scorers=("similarity",), max_tokens=4
        )
        for spec in (open_book, closed):
            made.evals.save(spec)
            made.evals.run(RunSpec(reference=spec.name), Job("Run"))
        ((_, answer),) = made.evals.outcomes("run-1")
        assert not answer.error
        assert [one.scorer for one in answer.scores] == ["similarity", "bleu", "regex"]
        assert answer.scores[2].passed
        ((_, refused),) = made.evals.outcomes("run-2")
        assert "scorer similarity" in refused.error
        assert "Name one in the scorer's settings" in refused.error


def test_a_scorer_whose_tool_is_missing_says_so() -> None:
    with pytest.raises(Unavailable, match="needs an embedder"):
        score("similarity", SAMPLE, "Near.", None, Tools())
