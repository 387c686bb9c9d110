"""A run with all that is needed to show it, as the vault holds it and as it grows while it runs. No widgets.

A sample that was asked more than once under a variant has several outcomes; the one that stands for them is the first error, else the first
that failed, else the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.datasets.records import Sample
from core.errors import NotFound
from core.evals import records
from core.evals.records import RunView, SavedSpec
from core.inference.records import Message
from core.vault.records import Signature

if TYPE_CHECKING:
    from core.workbench import Workbench

Place = tuple[str, str]
"""A sample's id and a variant's name."""


@dataclass
class RunContent:
    """A run with all that is needed to show it. `outcomes` fills while it runs."""

    view: RunView
    spec: SavedSpec
    signatures: tuple[Signature, ...]
    """On the spec."""
    samples: tuple[Sample, ...]
    messages: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)
    """The messages of each variant's prompt version; none where it is gone."""
    outcomes: dict[Place, records.Outcome] = field(default_factory=dict)
    """The outcome that stands for a place."""
    asked: dict[Place, tuple[records.Outcome, ...]] = field(default_factory=dict)
    """All of them, in the order of their repetitions."""
    live: bool = False
    """Whether it runs now."""

    @property
    def run(self) -> records.Run:
        return self.view.run

    def take(self, outcome: records.Outcome) -> None:
        """Add an outcome."""
        place = (outcome.sample, outcome.variant)
        several = sorted((*self.asked.get(place, ()), outcome), key=lambda one: one.repetition)
        self.asked[place] = tuple(several)
        self.outcomes[place] = min(several, key=lambda one: (not one.error, one.passed))

    def every(self) -> tuple[records.Outcome, ...]:
        """All outcomes that there are."""
        return tuple(outcome for several in self.asked.values() for outcome in several)


def read_run(bench: "Workbench", run: str, outcomes: bool = True) -> RunContent:
    """A run as the vault holds it. Raises `NotFound`."""
    view = bench.evals.show(run)
    spec = bench.evals.spec(view.run.spec_reference)
    with bench.vault.read() as reader:
        signatures = reader.signatures(view.run.spec)
    samples = bench.datasets.show(view.run.dataset_reference).dataset.samples
    content = RunContent(view, spec, signatures, samples, _messages(bench, view.run))
    if outcomes:
        for _, outcome in bench.evals.outcomes(view.run.id):
            content.take(outcome)
    return content


def _messages(bench: "Workbench", run: records.Run) -> dict[str, tuple[Message, ...]]:
    found: dict[str, tuple[Message, ...]] = {}
    for variant in run.variants:
        if variant.prompt:
            try:
                found[variant.name] = bench.prompts.show(variant.prompt).prompt.messages
            except NotFound:
                continue
    return found
