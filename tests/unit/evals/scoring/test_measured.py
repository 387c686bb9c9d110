"""What libraries and patterns measure, against other people's figures; through the worker as runs do it."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.datasets.records import Sample
from core.errors import BadInput, WorkerFailed
from core.evals.scoring.records import Measure, Measured
from core.evals.worker.scoring import measure
from core.jobs import Job
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.unit.evals.scoring.answers import score

SAMPLE = Sample(id="1", input="?", target="The dog bit the man.", targets=("The dog had bit the man.",))
SCHEMA = {
    "type": "object",
    "properties": {"units": {"type": "integer", "minimum": 1}},
    "required": ["units"],
}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Supervisor() as supervisor:
        yield supervisor.start(WorkerSpec(module="core.evals.worker.scoring", seconds=60.0), Job("Start"))


def asked(worker: Worker, name: str, text: str, references: tuple[str, ...] = (), **settings: Any) -> Measured:
    return worker.call(Measure(measure=name, text=text, references=references, settings=settings), Measured, Job("Ask"))


def test_bleu_and_chrf_are_sacrebleus(worker: Worker) -> None:
    # values that sacrebleu gives in its own documentation and tests for single sentences
    same = "The cat sat on the mat."
    assert asked(worker, "bleu", same, (same,)).value == 1.0
    assert asked(worker, "chrf", same, (same,)).value == 1.0
    # by hand: unigrams 3/4, bigrams 2/3, trigrams 1/2, 4-grams smoothed 1/(2*1); as long as the reference
    by_hand = (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25
    assert asked(worker, "bleu", "a b c d", ("a b c e",)).value == pytest.approx(by_hand, abs=1e-6)
    assert asked(worker, "chrf", "niedersachsen", ("zzzz",)).value == 0.0


def words_of_bigrams(text: str) -> str:
    words = text.split()
    return " ".join(dict.fromkeys(f"{a}_{b}" for a, b in pairwise(words)))


def test_rouge_agrees_with_the_figures_of_another_tool(worker: Worker, shared_data: Path) -> None:
    """That tool counts each word and pair once, and splits at spaces; the longest common row it counts as we do."""
    cases = json.loads((shared_data / "vectors" / "rouge" / "data.json").read_text())
    assert len(cases) >= 4
    for case in cases:
        hypothesis, reference, wanted = case["hyp"], case["ref"], case["scores"]
        single = [" ".join(dict.fromkeys(text.split())) for text in (hypothesis, reference)]
        for name, key, (text, against) in (
            ("rouge1", "rouge-1", single),
            ("rouge1", "rouge-2", [words_of_bigrams(hypothesis), words_of_bigrams(reference)]),
            ("rougeL", "rouge-l", (hypothesis, reference)),
        ):
            p, r = wanted[key]["p"], wanted[key]["r"]
            f = 2 * p * r / (p + r) if p + r else 0.0
            found = asked(worker, name, text, (against,), words="spaces")
            assert found.value == pytest.approx(f, abs=2e-6), (key, reference[:40])


def test_rouge_keeps_the_best_reference_and_reads_other_scripts_by_spaces(worker: Worker) -> None:
    assert asked(worker, "rouge2", "a b c", ("x y z", "a b c d")).value == pytest.approx(0.8)
    greek = "ο σκύλος τρέχει"
    assert asked(worker, "rouge1", greek, (greek,)).value == 0.0
    assert asked(worker, "rouge1", greek, (greek,), words="spaces").value == 1.0


def test_overlap_passes_from_its_bound_on() -> None:
    given = score("rougeL", SAMPLE, "The dog bit the man", {"at_least": 0.9})
    assert given is not None
    assert given.passed
    low = score("bleu", SAMPLE, "A cat slept.", {"at_least": 0.5})
    assert low is not None
    assert not low.passed
    assert score("bleu", Sample(id="1", input="?", unanswerable=True), "x") is None


@pytest.mark.parametrize(
    ("text", "settings", "passed"),
    [
        ("On 2026-03-01 [1].", {"pattern": r"\d{4}-\d\d-\d\d"}, True),
        ("On Monday.", {"pattern": r"\d{4}"}, False),
        ("YES", {"pattern": "yes|no", "whole": True, "ignore_case": True}, True),
        ("yes, sir", {"pattern": "yes|no", "whole": True}, False),
        ("I am sorry", {"pattern": "sorry", "absent": True}, False),
    ],
)
def test_regular_expressions(text: str, settings: dict[str, Any], passed: bool) -> None:
    given = score("regex:form", SAMPLE, text, settings)
    assert given is not None
    assert (given.scorer, given.passed) == ("regex:form", passed)


def test_a_pattern_that_never_ends_ends_its_worker_only() -> None:
    with Supervisor() as supervisor:
        worker = supervisor.start(WorkerSpec(module="core.evals.worker.scoring", seconds=0.5), Job("Start"))
        with pytest.raises(WorkerFailed):
            asked(worker, "regex", "a" * 60 + "b", pattern="(a+)+$")


@pytest.mark.parametrize(
    ("text", "passed", "said"),
    [
        ('{"units": 3}', True, "fits"),
        ('```json\n{"units": 3}\n```', True, "fits"),
        ('{"units": 0}', False, "units: breaks `minimum`"),
        ("{}", False, "the whole: breaks `required`"),
        ("three", False, "not readable as JSON"),
    ],
)
def test_json_by_a_schema(text: str, passed: bool, said: str) -> None:
    given = score("json_schema", SAMPLE, text, {"schema": SCHEMA})
    assert given is not None
    assert given.passed is passed
    assert said in given.reason


def test_a_schema_fetches_nothing_and_a_wrong_one_is_told() -> None:
    for schema in ({"$ref": "https://example.org/schema.json"}, {"type": "nonsense"}):
        with pytest.raises(BadInput, match="can't be followed"):
            score("json_schema", SAMPLE, "{}", {"schema": schema})
    with pytest.raises(BadInput, match="no measure"):
        measure(Measure(measure="luck", text=""), None)  # type: ignore[arg-type]
