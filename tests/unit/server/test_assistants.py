"""Saved assistants as models of the API."""

from collections.abc import Callable, Iterator

import httpx
import openai
import pytest

from core.assistants.saved import SaveAssistant
from core.inference.records import Message
from core.prompts.records import SavePrompt, Variable
from core.records import Digest
from core.workbench import Workbench

Post = Callable[..., httpx.Response]
FLOORS = "How many floors has the tower?"
NOWHERE = "Zyxw vut srq?"


@pytest.fixture
def guide(bench: Workbench) -> Iterator[str]:
    bench.assistants.save(SaveAssistant(name="guide", collections=("towers",), fallback="Ask the guard."))
    yield "assistant:guide"
    bench.assistants.remove("guide")


def test_it_is_listed_and_answers_as_the_service_does(client: openai.OpenAI, bench: Workbench, guide: str) -> None:
    listed = {one.id: one.assay for one in client.models.list().data}
    state = bench.assistants.find("guide")
    assert listed[guide]["digest"] == state.digest
    assert client.models.retrieve(guide).assay["collections"] == ["towers"]
    answer = client.chat.completions.create(model=guide, messages=[{"role": "user", "content": FLOORS}])
    trace = bench.assistants.trace(Digest(answer.assay["answer"]))
    assert answer.choices[0].message.content == trace.answer
    assert (trace.question.assistant, trace.assistant_digest) == (state.assistant.reference, state.digest)
    call = bench.api_calls.show(Digest(answer.assay["trace"]))
    assert (call.model, call.answer) == (guide, answer.assay["answer"])


@pytest.mark.parametrize("question", [FLOORS, NOWHERE])
def test_a_stream_ends_with_the_same_answer_and_never_shows_what_isnt_answered(
    client: openai.OpenAI, guide: str, question: str
) -> None:
    messages = [{"role": "user", "content": question}]
    whole = client.chat.completions.create(model=guide, messages=messages).choices[0].message.content  # type: ignore[arg-type]
    pieces = client.chat.completions.create(model=guide, messages=messages, stream=True)  # type: ignore[arg-type]
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == whole
    assert (whole == "Ask the guard.") == (question == NOWHERE)


def test_what_was_asked_before_counts_as_in_the_window(client: openai.OpenAI, bench: Workbench, guide: str) -> None:
    answer = client.chat.completions.create(
        model=guide,
        messages=[
            {"role": "user", "content": FLOORS},
            {"role": "assistant", "content": "The tower has nine floors."},
            {"role": "user", "content": "And when does its gate close?"},
        ],
    )
    trace = bench.assistants.trace(Digest(answer.assay["answer"]))
    assert trace.question.earlier == (FLOORS,)


def test_a_version_can_be_asked_and_what_it_says_can_not_be_said_otherwise(post: Post, guide: str) -> None:
    ask = {"messages": [{"role": "user", "content": FLOORS}]}
    path = "/v1/chat/completions"
    numbered = post(path, model=f"{guide}@1", **ask)
    assert numbered.status_code == 200
    for name, value in (
        ("temperature", 0),
        ("max_tokens", 5),
        ("seed", 1),
        ("n", 2),
        ("response_format", {"type": "text"}),
    ):
        refused = post(path, model=guide, **ask, **{name: value})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, name)
    system = [{"role": "system", "content": "Be brief."}, *ask["messages"]]
    assert post(path, model=guide, messages=system).json()["error"]["param"] == "messages"
    assert post("/v1/completions", model=guide, prompt="x").status_code == 400
    assert post("/v1/embeddings", model=guide, input="x").status_code == 400
    for unknown in ("assistant:none", "assistant:guide@99"):
        assert post(path, model=unknown, **ask).json()["error"]["code"] == "model_not_found"


def test_a_prompts_variables_are_filled_by_the_request(post: Post, bench: Workbench) -> None:
    tone = Variable(name="tone", kind="choice", choices=("plain", "formal"))
    template = Message(role="user", content="{{ tone }}: {{ question }} {{ passages[0].text }}")
    bench.prompts.save(SavePrompt(name="toned", messages=(template,), variables=(tone,)))
    bench.assistants.save(
        SaveAssistant(name="toned", model="fake", prompt="toned@1", collections=("towers",), max_tokens=4)
    )
    try:
        ask = {"model": "assistant:toned", "messages": [{"role": "user", "content": FLOORS}]}
        path = "/v1/chat/completions"
        answered = post(path, **ask, values={"tone": "formal"})
        assert answered.status_code == 200, answered.text
        trace = bench.assistants.trace(Digest(answered.json()["assay"]["answer"]))
        assert trace.question.values == {"tone": "formal"}
        assert "formal: " in trace.rendered
        for values, said in (({"tone": "loud"}, "none of plain, formal"), ({}, "has no value"), (["x"], "an object")):
            refused = post(path, **ask, values=values)
            assert refused.status_code == 400, refused.text
            assert said in refused.text
    finally:
        bench.assistants.remove("toned")


def test_what_has_no_prompt_takes_no_values(post: Post, guide: str) -> None:
    ask = {"model": guide, "messages": [{"role": "user", "content": FLOORS}]}
    refused = post("/v1/chat/completions", **ask, values={"tone": "plain"})
    assert refused.status_code == 400
    assert "asked without one" in refused.text
