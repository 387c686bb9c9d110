"""A dataset's samples as prompts show them: few-shot examples."""

from typing import TYPE_CHECKING

from core.records import Json

if TYPE_CHECKING:
    from core.datasets.service import Datasets


def examples(datasets: "Datasets", reference: str) -> tuple[str, tuple[dict[str, Json], ...]]:
    """(the version as `name@number`, its samples in order). Raises `NotFound`."""
    dataset = datasets.show(reference).dataset
    return dataset.reference, tuple(
        {
            "input": sample.input,
            "target": sample.target,
            "answer": sample.answer,
            "choices": list(sample.choices),
            "passages": list(sample.passages),
            "metadata": dict(sample.metadata),
        }
        for sample in dataset.samples
    )
