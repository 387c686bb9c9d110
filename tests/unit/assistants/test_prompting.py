from collections.abc import Iterator

import numpy as np
import pytest

from core.assistants.answering import Context, answer
from core.assistants.prompting import settled
from core.assistants.records import Answer, Answered, Question
from core.errors import BadInput
from core.inference.records import Finished, Generate, Message, Token
from core.jobs import Job
from core.prompts.records import Contract, PromptVersion, Sampling, SavePrompt, Variable
from core.prompts.service import drafted

Asked = list[Generate]


def prompt(**parts: object) -> PromptVersion:
    message = (Message(role="user", content="{{ tone }} {{ question }}"),)
    return drafted(SavePrompt(name="p", messages=message, **parts), 1, None, "", "")  # type: ignore[arg-type]


def context(version: PromptVersion, text: str, asked: Asked, broken: str = "", **more: object) -> Context:
    def generate(request: Generate, job: Job) -> Iterator[Token | Finished]:
        asked.append(request)
        yield Token(text=text)
        yield Finished(
            reason="stop",
            prompt="p",
            prompt_tokens=1,
            tokens=1,
            first_token_seconds=0,
            seconds=0,
            backend="",
            broken=broken,
        )

    return Context(
        search=lambda *_: (),
        embed=lambda texts: np.zeros((len(texts), 2), np.float32),
        generate=generate,
        prompt=version,
        **more,  # type: ignore[arg-type]
    )


def whole(question: Question, context: Context) -> Answer:
    last = list(answer(question, context, Job("Ask")))[-1]
    assert isinstance(last, Answered)
    return last.answer


ASK = Question(collection="", text="Is it safe?", model="small", prompt="p@1")


def test_a_persons_values_and_a_samples_fields_fill_the_prompt() -> None:
    asked: Asked = []
    version = prompt(variables=(Variable(name="tone"),))
    whole(Question(**_fields(ASK) | {"values": {"tone": "calm"}}), context(version, "Yes.", asked))
    whole(ASK, context(version, "Yes.", asked, fields={"metadata": {"tone": "warm"}}))
    assert [request.variables["tone"] for request in asked if request.variables] == ["calm", "warm"]
    with pytest.raises(BadInput, match="variable tone"):
        whole(ASK, context(version, "Yes.", asked))


def test_a_samples_fields_are_not_kept_with_the_answer() -> None:
    version = prompt(variables=(Variable(name="tone"),))
    found = whole(ASK, context(version, "Yes.", [], fields={"metadata": {"tone": "warm"}}))
    assert "warm" not in repr(found)


def test_texts_are_asked_about_as_passages() -> None:
    asked: Asked = []
    found = whole(Question(**_fields(ASK) | {"texts": ("One.", "Two.")}), context(prompt(), "Yes [1].", asked))
    assert asked[0].variables is not None
    assert [part["text"] for part in asked[0].variables["passages"]] == ["One.", "Two."]
    assert [passage.text for passage in found.passages] == ["One.", "Two."]
    assert (found.citations, found.question.texts) == ((), ())


@pytest.mark.parametrize(
    ("contract", "text", "broken", "kept"),
    [
        (Contract(), "Yes.", "", ""),
        (Contract(form="choice", choices=("yes", "no")), "yes", "", "kept"),
        (Contract(form="choice", choices=("yes", "no")), "maybe", "", "broken"),
        (Contract(form="json", schema={"type": "object"}), "{}", "", "kept"),
        (Contract(form="json", schema={"type": "object"}), "{", "it ended too early.", "broken"),
    ],
)
def test_a_contract_is_asked_for_and_the_answer_held_to_it(
    contract: Contract, text: str, broken: str, kept: str
) -> None:
    asked: Asked = []
    found = whole(ASK, context(prompt(contract=contract), text, asked, broken))
    assert found.contract == kept
    assert bool(found.broken) == (kept == "broken")
    assert asked[0].schema == (contract.schema if contract.form == "json" else None)
    assert bool(asked[0].grammar) == (contract.form == "choice")
    assert asked[0].when_broken == ("refuse" if contract.form == "text" else "say")


def test_the_prompts_settings_hold_unless_somebody_names_others() -> None:
    asked: Asked = []
    version = prompt(settings=Sampling(temperature=0.5, max_tokens=9, stop=("\n",)))
    found = whole(ASK, context(version, "Yes.", asked))
    own = Question(**_fields(ASK) | {"sampling": "question", "max_tokens": 7})
    whole(own, context(version, "Yes.", asked))
    assert [(r.temperature, r.max_tokens, r.stop) for r in asked] == [(0.5, 9, ("\n",)), (0.0, 7, ())]
    assert (found.question.temperature, found.question.max_tokens) == (0.5, 9), "the trace says what was used"
    assistant = Question(**_fields(ASK) | {"assistant": "a@1"})
    assert settled(assistant, version) == assistant


def _fields(question: Question) -> dict[str, object]:
    return {name: getattr(question, name) for name in Question.__struct_fields__}
