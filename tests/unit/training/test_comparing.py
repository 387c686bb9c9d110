"""Base against adapter: what counts as right, and what got worse."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.datasets.records import Dataset, Sample, SavedDataset
from core.errors import BadInput
from core.inference.records import Generate, Token
from core.jobs import Job
from core.records import Digest
from core.training.comparing import check, compare
from core.training.records import Judged

SAMPLES = (
    Sample(id="1", input="one", target="7 days", answer="Finding: 7 days. [1]"),
    Sample(id="2", input="two", target="9 days", answer="Finding: 9 days. [2]"),
    Sample(id="3", input="three", answer="Not stated.", unanswerable=True),
)
SAID = {
    ("one", False): "It is 7 days. [1]",
    ("two", False): "It is 9 days. [2]",
    ("three", False): "Not stated.",
    ("one", True): " Finding: 7 days. [1]",
    ("two", True): "Finding: 8 days. [1]",
    ("three", True): "Finding: 3 days. [1]",
}


class Engine:
    """Says what `SAID` says, in two pieces."""

    def generate(self, request: Generate, job: Job) -> Iterator[Token]:
        text = SAID[request.messages[-1].content, bool(request.adapters)]
        yield Token(text=text[:3])
        yield Token(text=text[3:])


def test_each_measure_counts_its_samples_and_names_what_got_worse() -> None:
    dataset = Dataset(name="d", number=1, samples=SAMPLES, source="f", parent=None, author="ana", saved="")
    saved = SavedDataset(digest=Digest("d" * 64), dataset=dataset, created=True)
    engine: Any = Engine()
    judged = Judged(dataset="d", form=r"Finding: .+\. \[\d\]")
    found = compare(engine, Digest("b"), Digest("a"), judged, saved, "training-1", Job("Ask"))
    assert {one.measure: (one.base, one.adapter, one.difference, one.n, one.worse) for one in found.rated} == {
        "value": (1.0, 0.5, -0.5, 2, ("2",)),
        "citation": (1.0, 0.5, -0.5, 2, ("2",)),
        "form": (0.0, 1.0, 1.0, 2, ()),
        "exact": (0.0, 0.5, 0.5, 2, ()),
        "refusal": (1.0, 0.0, -1.0, 1, ("3",)),
    }


def test_a_form_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(BadInput, match="no regular expression"):
        check(Judged(dataset="d", form="("), "spec.yaml")
