import pytest

from core.assistants.records import Answer, Citation, Question
from core.datasets.records import Sample
from core.errors import BadInput
from core.evals.records import Score
from core.evals.scorers import SCORERS, chosen, score_answer
from core.records import Digest

SAMPLE = Sample(id="1", input="How many?", target="12 mg", answer="The dose is 12 mg.", document="sop.pdf", page=4)
OPEN = Sample(id="2", input="Who?", unanswerable=True)


def answered(text: str, cited: tuple[str, int] | None = None, **changes: object) -> Answer:
    citation = (
        Citation(
            number=1, document=Digest("0" * 64), name=cited[0], page=cited[1], quote="q", score=1.0, supported=True,
            start=0, end=1,
        ),
    ) if cited else ()  # fmt: skip
    fields: dict[str, object] = {
        "question": Question(collection="c", text="?"),
        "answer": text,
        "abstained": False,
        "citations": citation,
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
        "tokens": 1,
        "prompt_tokens": 1,
        "first_token_seconds": 0.1,
        "seconds": 0.5,
        "backend": "fake",
    }
    return Answer(**{**fields, **changes})


def score(name: str, sample: Sample, answer: Answer) -> Score | None:
    scores = score_answer(chosen((name,)), sample, answer)
    return scores[0] if scores else None


@pytest.mark.parametrize(
    ("name", "text", "passed"),
    [
        ("exact", "12 mg", True),
        ("exact", "The dose is 12 mg. [2]", True),
        ("exact", "the  DOSE is 12\u00a0mg", True),
        ("exact", "The dose is 12 mg daily.", False),
        ("contains", "You take 12 mg [1] each day.", True),
        ("contains", "You take 112 mg.", False),
        ("contains", "You take 12 mgs.", False),
    ],
)
def test_text_scorers(name: str, text: str, passed: bool) -> None:
    found = score(name, SAMPLE, answered(text))
    assert found is not None
    assert (found.passed, found.value) == (passed, float(passed))


@pytest.mark.parametrize(
    ("cited", "passed", "said"),
    [
        (("sop.pdf", 4), True, "cites sop.pdf, page 4"),
        (("sop.pdf", 5), False, "the answer is in sop.pdf, page 4"),
        (("other.pdf", 4), False, "cites other.pdf"),
        (None, False, "cites nothing"),
    ],
)
def test_a_citation_is_right_by_document_and_page(cited: tuple[str, int] | None, passed: bool, said: str) -> None:
    found = score("citation_correct", SAMPLE, answered("12 mg", cited))
    assert found is not None
    assert found.passed is passed
    assert said in found.reason


def test_questions_without_an_answer_count_for_refusal_only() -> None:
    for name in ("exact", "contains", "citation_correct"):
        assert score(name, OPEN, answered("x")) is None
    for sample, abstained, passed in [
        (OPEN, True, True),
        (OPEN, False, False),
        (SAMPLE, True, False),
        (SAMPLE, False, True),
    ]:
        found = score("refusal", sample, answered("x", abstained=abstained))
        assert found is not None
        assert found.passed is passed


def test_groundedness_is_the_share_of_supported_sentences() -> None:
    found = score("groundedness", SAMPLE, answered("a. b.", sentences=4, unsupported=((0, 2),)))
    assert found is not None
    assert (found.value, found.passed) == (0.75, False)
    assert score("groundedness", SAMPLE, answered("declined", sentences=0)) is None


def test_every_scorer_says_what_it_measures_and_its_limits() -> None:
    for scorer in SCORERS.values():
        assert scorer.measures.endswith(".")
        assert scorer.limits.endswith(".")


def test_an_unknown_scorer_is_refused_with_what_there_is() -> None:
    with pytest.raises(BadInput, match="exact, contains"):
        chosen(("exactness",))
