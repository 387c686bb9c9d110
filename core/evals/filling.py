"""What a sample brings to a prompt beside its input. Its target is never among it."""

from core.datasets.records import Sample
from core.records import Json


def fields_of(sample: Sample) -> dict[str, Json]:
    """`choices` in their order, and `metadata` by name."""
    return {"choices": list(sample.choices), "metadata": dict(sample.metadata)}
