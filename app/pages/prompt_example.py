"""Example content for looking at a prompt before there is a question."""

from collections.abc import Sequence

from core.prompts.filling import example_values
from core.prompts.records import Given, Variable
from core.records import Json

EXAMPLE: dict[str, Json] = {
    "question": "How soon must a site report a serious adverse event?",
    "passages": [
        {
            "number": 1,
            "text": "The investigator reports every serious adverse event to the safety desk within 24 hours.",
            "sentences": ["The investigator reports every serious adverse event to the safety desk within 24 hours."],
            "document": "case-intake.pdf",
            "page": 3,
            "heading": "Intake",
        },
        {
            "number": 2,
            "text": "Day 0 is the day on which the safety desk receives the report.",
            "sentences": ["Day 0 is the day on which the safety desk receives the report."],
            "document": "case-intake.pdf",
            "page": 4,
            "heading": "Terms",
        },
    ],
}
"""What the view "Rendered" fills the template with."""


def example(variables: Sequence[Variable]) -> Given:
    """Example content for a prompt: a question, passages, and a stand-in for each variable."""
    base: dict[str, Json] = {**EXAMPLE, "input": EXAMPLE["question"], "choices": ["yes", "no"], "metadata": {}}
    return Given(values=dict(example_values(variables)), base=base)
