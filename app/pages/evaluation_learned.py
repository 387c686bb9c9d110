"""Which samples of an evaluation an adapter under test was trained on: its results on them mean nothing, and that is said before and after
the run. A spec without adapters is not looked at.
"""

from typing import TYPE_CHECKING

from app.bridge.operations import Failure, Operations
from app.widgets.basic import Card, IconLabel, clear, column, label, row
from core.datasets.screening import Contaminated
from core.evals.records import Spec
from core.jobs import Job

if TYPE_CHECKING:
    from core.workbench import Workbench

SHOWN = 5
"""Samples that a warning names."""
Learned = tuple[tuple[Contaminated, ...], tuple[str, ...]]


class LearnedCard(Card):
    """Hidden where no adapter learned a sample, and nothing stayed uncompared."""

    def __init__(self, operations: Operations) -> None:
        super().__init__("Learned in training")
        self._operations = operations
        self._asked = 0
        self._rows = column(space=8)
        self.body.addLayout(self._rows)
        self.hide()

    def look_at(self, reference: str, spec: Spec) -> None:
        """Compare a spec's samples with what its adapters learned, and say what was found."""
        self._asked += 1
        asked = self._asked
        self.hide()
        if not any(settings.adapters for settings in spec.settings):
            return

        def work(bench: "Workbench", job: Job) -> Learned:
            return bench.evals.contamination(reference, job)

        def done(found: Learned) -> None:
            if asked == self._asked:
                self._show(*found)

        def failed(found: Failure) -> None:
            if asked == self._asked:
                self._say((f"What the adapters learned can’t be compared. {found.sentence}",))

        self._operations.run("Compare with what adapters learned", work, done, failed)

    def _show(self, found: tuple[Contaminated, ...], unknown: tuple[str, ...]) -> None:
        by: dict[str, list[str]] = {}
        for one in found:
            by.setdefault(one.adapter, []).append(one.sample)
        said = [
            f"{adapter} was trained on {len(samples)} of the samples ({', '.join(samples[:SHOWN])}"
            f"{' …' if len(samples) > SHOWN else ''}): its results on them mean nothing."
            for adapter, samples in by.items()
        ]
        said += [f"{file} isn’t kept in the vault, so it can’t be compared with the samples." for file in unknown]
        self._say(tuple(said))

    def _say(self, sentences: tuple[str, ...]) -> None:
        clear(self._rows)
        for sentence in sentences:
            line = row(IconLabel("warning", "warn.fg"), space=8)
            line.addWidget(label(sentence, wrap=True), 1)
            self._rows.addLayout(line)
        self.setAccessibleDescription(" ".join(sentences))
        self.setVisible(bool(sentences))
