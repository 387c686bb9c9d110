"""Answer relevance by questions: a local model writes the questions that an answer would answer, and they are compared with the one asked.

The model sees the answer alone. Its first question is the likeliest one, the others use chance with their number as the seed. A blank one is no
question and is left out; where all are blank, that is an error. Its turn comes when the answers are there, like a judge's.
"""

from typing import Final

from core.errors import BadInput
from core.evals.scoring.base import Case, Decision, Scored, Scorer, graded, unmarked
from core.evals.scoring.similarity import worded
from core.inference.records import Message
from core.records import Record

MOST: Final = 10
LONGEST: Final = 300
"""Characters of a question."""
MESSAGES: Final = (
    Message(
        role="user",
        content=(
            "Here is an answer that somebody was given.\n\nAnswer: {{ answer }}\n\n"
            "Write the one question that this answer answers, as short as it can be, as JSON with the field `question`."
        ),
    ),
)
SCHEMA: Final = {
    "type": "object",
    "properties": {"question": {"type": "string", "minLength": 1, "maxLength": LONGEST}},
    "required": ["question"],
    "additionalProperties": False,
}


class AskedBack(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    model: str
    """Who writes the questions: a chat model's name."""
    questions: int = 3
    at_least: float = 0.0
    embedder: str = ""
    """The embedder's name; empty for the one of the run's collection."""

    def __post_init__(self) -> None:
        if not 1 <= self.questions <= MOST:
            raise ValueError(f"questions is 1 to {MOST}")


def _score(case: Case, settings: AskedBack) -> Scored:
    variables = {"answer": unmarked(case.answer.answer)}
    written = []
    for time in range(settings.questions):
        found = case.tools.decide(Decision(settings.model, MESSAGES, variables, SCHEMA, time)).get("question")
        if not isinstance(found, str):
            raise BadInput(source="The model that asks back", problem="it wrote no question.")
        if found.strip():
            written.append(" ".join(found.split())[:LONGEST])
    if not written:
        raise BadInput(source="The model that asks back", problem="it wrote no question.")
    vectors = case.tools.embed([case.sample.input, *written], settings.embedder)
    cosines = [float(vectors[0] @ vector) for vector in vectors[1:]]
    mean = sum(cosines) / len(cosines)
    nearest = written[max(range(len(written)), key=lambda number: cosines[number])]
    blank = settings.questions - len(written)
    said = f"cosine {mean:.3f} to the question" + (f" ({blank} of {settings.questions} were blank)" if blank else "")
    return graded(mean, settings.at_least, f"{said}, nearest: {nearest}")


SCORERS = (
    Scorer(
        "answer_relevance_asked_back",
        "The mean cosine of the question and those that a local model writes from the answer alone, over answers given.",
        "Says that the answer speaks of what was asked, not that it is right. A short answer names too little to ask back from, and a small model "
        "asks badly.",
        "bootstrap",
        lambda case: worded(case) and not case.answer.abstained,
        _score,
        "-1 to 1, mostly 0 to 1",
        "Answer relevance in RAGAS (Es et al. 2023); an answer that declines is left out rather than counted as 0.",
        AskedBack,
        "after",
    ),
)
