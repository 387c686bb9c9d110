"""What an evaluation's form is made of: what there is to choose from, a part with the place for what it lacks, and what is kept of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from app.widgets.basic import Card, IconLabel, label, row
from core.evals.records import Spec
from core.jobs import Job

if TYPE_CHECKING:
    from core.workbench import Workbench


class Kept(msgspec.Struct):
    """What the form holds, between two sittings."""

    title: str
    spec: Spec


@dataclass(frozen=True)
class Choices:
    """What a spec can be made of. `samples` counts each dataset's."""

    datasets: tuple[str, ...]
    samples: dict[str, int]
    collections: tuple[str, ...]
    prompts: tuple[str, ...]
    models: tuple[str, ...]


def read_choices(bench: "Workbench", job: Job) -> Choices:
    """What the vault holds now."""
    datasets = bench.datasets.list()
    names = [latest.prompt.name for latest in bench.prompts.list()]
    versions = [state.prompt for name in names for state in reversed(bench.prompts.versions(name))]
    return Choices(
        datasets=tuple(dataset.name for dataset in datasets),
        samples={name: len(dataset.samples) for dataset in datasets for name in (dataset.name, dataset.reference)},
        collections=tuple(collection.name for collection in bench.documents.collections()),
        prompts=tuple(prompt.reference for prompt in versions),
        models=tuple(model.name for model in bench.models.list() if model.purpose == "chat"),
    )


class Part(Card):
    """A part of the form, with the place for what it lacks."""

    def __init__(self, heading: str, note: str = "") -> None:
        super().__init__(heading, note)
        self._sign = IconLabel("alert", "fail.fg", 15)
        self._error = label("", tone="fail", wrap=True)
        self._line = row(self._sign, space=6)
        self._line.addWidget(self._error, 1)

    def close_part(self) -> None:
        """The error goes below everything that was added."""
        self.body.addLayout(self._line)
        self.fail("")

    @property
    def error(self) -> str:
        return self._error.text()

    def fail(self, sentence: str) -> None:
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        self._sign.setVisible(bool(sentence))
