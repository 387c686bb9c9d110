"""Answers and samples to score."""

from collections.abc import Mapping
from typing import Any

from core.assistants.records import Answer, Citation, Question
from core.datasets.records import Sample
from core.evals.records import Score
from core.evals.scorers import chosen, score_answer
from core.evals.scoring.base import Asked, Tools
from core.evals.scoring.records import Measure, Measured
from core.evals.worker import scoring
from core.records import Digest
from core.retrieval.records import Passage


def cited(name: str, page: int) -> Citation:
    return Citation(
        number=1, document=Digest("0" * 64), name=name, page=page, quote="q", score=1.0, supported=True, start=0, end=1
    )


def found(name: str, page: int) -> Passage:
    fields: dict[str, Any] = dict.fromkeys(Passage.__struct_fields__)
    return Passage(**{**fields, "version": 1, "text": f"Of {name}.", "name": name, "page": page})


def answered(text: str, **changes: object) -> Answer:
    fields: dict[str, Any] = {
        "question": Question(collection="c", text="?"),
        "answer": text,
        "abstained": False,
        "citations": (),
        "passages": (),
        "sentences": 1,
        "unsupported": (),
        "best_score": 0.0,
        "needed_score": 0.0,
        "model": "m",
        "model_digest": "",
        "prompt_digest": "",
        "rendered": "",
        "finish": "stop",
        "tokens": 3,
        "prompt_tokens": 1,
        "first_token_seconds": 0.1,
        "seconds": 0.5,
        "backend": "fake",
    }
    return Answer(**{**fields, **changes})


def here(request: Measure) -> Measured:
    """The scoring worker's work, in this process."""
    return scoring.MEASURES[request.measure](request)


def score(
    label: str,
    sample: Sample,
    answer: Answer | str,
    settings: Mapping[str, Any] | None = None,
    tools: Tools | None = None,
    asked: Asked | None = None,
    baseline: Answer | None = None,
) -> Score | None:
    uses = chosen((label,), {label: settings} if settings else {})
    given = answered(answer) if isinstance(answer, str) else answer
    scores = score_answer(uses, sample, given, tools or Tools(measure=here), asked, baseline)
    return scores[0] if scores else None
