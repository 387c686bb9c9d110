"""How a prompt version is used for a question: what it is filled with, whose settings hold, and what its answers promise.

Rules: a version's settings hold where whoever asks names none (`Question.sampling`); a saved assistant and an evaluation's named settings name their
own. Texts that a question brings are its passages where no collection is searched; they are no documents, so no citation points at them.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from core.assistants.records import QUOTES, Question
from core.documents.sentences import split_sentences
from core.errors import BadInput
from core.guards.naming import safe_name
from core.prompts.records import Given, PromptVersion
from core.records import Digest, Json
from core.retrieval.records import Passage

SETTINGS = ("max_tokens", "temperature", "top_p", "top_k", "repeat_penalty")


def settled(question: Question, prompt: PromptVersion) -> Question:
    """The question with the settings that hold for it."""
    if question.sampling == "question" or question.assistant:
        return question
    own = prompt.sampling
    given: dict[str, Any] = {name: getattr(own, name) for name in SETTINGS if getattr(own, name) is not None}
    return replace(question, stop=own.stop or question.stop, **given)


def given(
    question: Question, text: str, passages: tuple[Passage, ...], fields: Mapping[str, Json] | None = None
) -> Given:
    """What a question brings to its prompt: `text` is what is asked, `fields` what a sample knows beside it."""
    brought = dict(fields or {})
    base = {**variables(text, passages), "input": text, "choices": [], "metadata": {}, **brought}
    return Given(values=dict(question.values), base=base)


def with_values(question: Question, values: Mapping[str, Any]) -> Question:
    """The question with what its prompt version's variables are filled with. Raises `BadInput` where it is asked with no prompt version,
    and for what its saved assistant has fixed."""
    if not values:
        return question
    if question.model == QUOTES or not question.prompt:
        problem = "values fill the variables of a prompt version, and this is asked without one. Leave them out, or choose a prompt."
        raise BadInput(source=f"Value {next(iter(values))}", problem=problem)
    fixed = next((name for name in values if name in question.values), None)
    if question.assistant and fixed is not None:
        raise BadInput(source=f"Value {fixed}", problem="the saved assistant has fixed it. Leave it out.")
    return replace(question, values={**question.values, **values})


def texts_as_passages(texts: tuple[str, ...]) -> tuple[Passage, ...]:
    """Texts that are asked about, in their order."""
    return tuple(
        Passage(chunk=number, document=Digest(""), name=f"Text {number}", page=1, text=text, heading="", score=1.0)
        for number, text in enumerate(texts, 1)
    )


def variables(question: str, passages: tuple[Passage, ...]) -> dict[str, Json]:
    """What a prompt's template can use: `question`, and `passages` with number, text, sentences, document, page and heading. A name or
    a heading that commands a model doesn't reach it."""
    return {
        "question": question,
        "passages": [
            {
                "number": number,
                "text": passage.text,
                "sentences": list(split_sentences(passage.text)),
                "document": safe_name(passage.name, f"document {number}"),
                "page": passage.page,
                "heading": safe_name(passage.heading, ""),
            }
            for number, passage in enumerate(passages, start=1)
        ],
    }
