"""What a model saw of a question that was answered: its prompt made anew from the trace, token by token."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Unavailable
from core.records import Digest

if TYPE_CHECKING:
    from core.assistants.records import Answer
    from core.inference.records import PromptTokens
    from core.jobs import Job
    from core.workbench import Workbench


@dataclass(frozen=True)
class Seen:
    """The tokens, the roles of the messages that they came from, and whether they give exactly the trace's prompt."""

    tokens: "PromptTokens"
    roles: tuple[str, ...]
    exact: bool


def seen(bench: "Workbench", job: "Job", answer: "Answer") -> Seen:
    """The tokens of an answer's prompt; the model is loaded for that. Raises as `Engine.tokens`,
    and `Unavailable` where the prompt version is another."""
    from core.assistants.follow_ups import standalone
    from core.assistants.prompting import given
    from core.inference.records import Generate

    context = bench.assistants.context(answer.question, job)
    if context.prompt is None or context.prompt_digest != answer.prompt_digest:
        raise Unavailable(
            what="The prompt version that this answer was made with isn’t here any more",
            step="The text below is what the model saw.",
        )
    question = answer.question
    request = Generate(
        model=Digest(answer.model_digest),
        messages=context.prompt.messages,
        variables=context.values(
            context.prompt, given(question, standalone(question.text, question.earlier), answer.passages)
        ),
        max_tokens=question.max_tokens,
        mode=question.mode,
        adapters=question.adapters,
    )
    found = bench.engine.tokens(request, job)
    roles = tuple(message.role for message in context.prompt.messages)
    return Seen(found, roles, found.prompt == answer.rendered)
