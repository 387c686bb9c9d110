"""The API as programs see it, through the client that OpenAI wrote and by hand: answers, streams, refusals, and the trace of each call."""

import base64
import json
import time
from collections.abc import Callable

import httpx
import numpy as np
import openai
import pytest

from core.inference.records import Finished, Generate, Message, Token, Weigh
from core.records import Digest
from core.server.app import Line
from core.server.service import Server
from core.workbench import Workbench

Post = Callable[..., httpx.Response]
HELLO = [{"role": "user", "content": "Hello there"}]
ONCE = "Once upon a time"


def wait_for(condition: Callable[[], bool]) -> None:
    """Raise unless it comes true."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def directly(bench: Workbench, **asked: object) -> str:
    request = Generate(**({"model": "fake", "messages": (Message(role="user", content="Hello there"),)} | asked))
    return "".join(part.text for part in bench.engine.generate(request) if isinstance(part, Token))


def test_an_answer_is_the_engines_and_leaves_its_trace(client: openai.OpenAI, bench: Workbench) -> None:
    answer = client.chat.completions.create(model="fake", messages=HELLO, temperature=0, seed=3)
    assert answer.choices[0].message.content == directly(bench)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 10
    trace = bench.api_calls.show(Digest(answer.assay["trace"]))
    assert (trace.token, trace.path, trace.status, trace.model) == ("tests", "/v1/chat/completions", 200, "fake")
    assert trace.answers == (answer.choices[0].message.content,)
    assert (trace.seeds, trace.mode, trace.finish) == ((3,), "reproducible", ("stop",))
    assert json.loads(trace.request)["messages"] == HELLO
    assert "Hello there" in trace.rendered


def test_a_stream_says_the_same_in_pieces(client: openai.OpenAI, bench: Workbench) -> None:
    asked = {"model": "fake", "messages": HELLO, "temperature": 0, "stream_options": {"include_usage": True}}
    *pieces, last = client.chat.completions.create(**asked, stream=True)
    assert pieces[0].choices[0].delta.role == "assistant"
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == directly(bench)
    assert [piece.choices[0].finish_reason for piece in pieces[-2:]] == [None, "stop"]
    assert len(pieces) > 5
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens > 5
    assert bench.api_calls.show(Digest(last.assay["trace"])).answers == (directly(bench),)
    assert all(piece.usage is None for piece in pieces)


def test_a_stream_without_usage_counts_nothing(post: Post) -> None:
    text = post("/v1/chat/completions", model="fake", messages=HELLO, stream=True).text
    events = text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert not any('"usage"' in event for event in events)


def test_several_answers_have_seeds_of_their_own(client: openai.OpenAI, bench: Workbench) -> None:
    answer = client.chat.completions.create(model="fake", messages=HELLO, n=3, seed=7, temperature=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) == 3
    assert bench.api_calls.show(Digest(answer.assay["trace"])).seeds == (7, 8, 9)
    again = client.chat.completions.create(model="fake", messages=HELLO, seed=8, temperature=1)
    assert again.choices[0].message.content == answer.choices[1].message.content


def test_an_answer_ends_at_a_stop_text_or_at_its_length(client: openai.OpenAI, bench: Workbench) -> None:
    whole = directly(bench).split()
    stopped = client.chat.completions.create(model="fake", messages=HELLO, temperature=0, stop=f" {whole[3]}")
    assert stopped.choices[0].message.content == " ".join(whole[:3])
    cut = client.chat.completions.create(model="fake", messages=HELLO, temperature=0, max_completion_tokens=2)
    assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == (" ".join(whole[:2]), "length")


def test_an_answer_of_no_given_length_has_what_the_window_holds(client: openai.OpenAI, bench: Workbench) -> None:
    long = [{"role": "user", "content": "word " * 4000}]
    answer = client.chat.completions.create(model="fake", messages=long)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 4000
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="fake", messages=[{"role": "user", "content": "word " * 4096}])
    assert refused.value.code == "context_length_exceeded"


def test_a_collection_answers_with_its_citations(client: openai.OpenAI, bench: Workbench) -> None:
    asked = [{"role": "user", "content": "How many floors has the tower?"}]
    answer = client.chat.completions.create(model="collection:towers", messages=asked)
    assert answer.choices[0].message.content == "The tower has nine floors."
    (citation, *_) = answer.assay["citations"]
    assert (citation["document"], citation["quote"]) == ("tower.md", "The tower has nine floors.")
    call = bench.api_calls.show(Digest(answer.assay["trace"]))
    assert bench.assistants.trace(Digest(call.answer)).answer == "The tower has nine floors."
    assert call.answers == (), "the text is kept once"
    *pieces, last = client.chat.completions.create(model="collection:towers", messages=asked, stream=True)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == "The tower has nine floors."
    assert last.assay["citations"] == answer.assay["citations"]
    by_model = client.chat.completions.create(model="collection:towers/fake", messages=asked)
    assert (by_model.choices[0].message.content or "").endswith("The tower has nine floors. [1]")


def test_models_and_collections_are_listed_and_shown(client: openai.OpenAI, stories: str) -> None:
    names = [model.id for model in client.models.list()]
    assert names[:1] == [stories]
    assert {"collection:towers", f"collection:towers/{stories}"} <= set(names)
    assert client.models.retrieve(stories).owned_by == "assay"
    assert (client.models.retrieve("collection:towers").model_extra or {})["assay"]["older"] == 0
    assert client.models.retrieve(f"collection:towers/{stories}").id == f"collection:towers/{stories}"
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("gpt-4o")
    assert missing.value.code == "model_not_found"


def test_texts_become_vectors_in_both_forms(client: openai.OpenAI, bench: Workbench, post: Post) -> None:
    texts = ["the tower", "nine floors"]
    expected = bench.engine.embed(texts, "fake")
    found = client.embeddings.create(model="fake", input=texts)  # asks for base64
    assert np.array_equal(np.array([one.embedding for one in found.data], dtype=np.float32), expected)
    plain = post("/v1/embeddings", model="fake", input=texts[0], dimensions=64).json()
    assert np.allclose(plain["data"][0]["embedding"], expected[0])
    coded = post("/v1/embeddings", model="fake", input=texts[0], encoding_format="base64").json()
    assert np.array_equal(np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4"), expected[0])
    assert found.usage.prompt_tokens == 4
    assert "would be worse" in post("/v1/embeddings", model="fake", input="a", dimensions=32).json()["error"]["message"]


def test_an_answer_keeps_to_a_form(client: openai.OpenAI, templated: str, post: Post) -> None:
    form = {
        "type": "object",
        "properties": {"old": {"type": "boolean"}},
        "required": ["old"],
        "additionalProperties": False,
    }
    asked = {"model": templated, "messages": HELLO, "max_tokens": 60, "temperature": 0}
    answer = client.chat.completions.create(
        **asked, response_format={"type": "json_schema", "json_schema": {"name": "age", "schema": form}}
    )
    assert set(json.loads(answer.choices[0].message.content or "")) == {"old"}
    refused = post("/v1/chat/completions", model="fake", messages=HELLO, response_format={"type": "json_object"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unsupported")


def test_a_forced_call_is_one_of_the_functions(client: openai.OpenAI, bench: Workbench, templated: str) -> None:
    form = {
        "type": "object",
        "properties": {"up": {"type": "boolean"}},
        "required": ["up"],
        "additionalProperties": False,
    }
    tools = [{"type": "function", "function": {"name": name, "parameters": form}} for name in ("lift", "lower")]
    asked = {"model": templated, "messages": HELLO, "tools": tools, "max_tokens": 200, "temperature": 0}
    named = client.chat.completions.create(
        **asked, tool_choice={"type": "function", "function": {"name": "lower"}}
    ).choices[0]
    assert named.finish_reason == "tool_calls"
    (call,) = named.message.tool_calls or []
    assert call.function.name == "lower"
    assert isinstance(json.loads(call.function.arguments)["up"], bool)
    required = client.chat.completions.create(**asked, tool_choice="required", stream=True)
    deltas = [piece.choices[0].delta for piece in required]
    (streamed,) = [delta for delta in deltas if delta.tool_calls]
    assert streamed.tool_calls[0].function.name in ("lift", "lower")
    with pytest.raises(openai.BadRequestError, match="shows no tools"):
        client.chat.completions.create(**asked, tool_choice="auto")
    back = [*HELLO, named.message.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": "done"}]
    answer = client.chat.completions.create(model=templated, messages=back, max_tokens=2)
    assert '"name": "lower"' in bench.api_calls.show(Digest(answer.assay["trace"])).rendered


def test_log_probabilities_are_the_engines(client: openai.OpenAI, bench: Workbench, templated: str) -> None:
    asked = {"model": templated, "messages": HELLO, "max_tokens": 3, "temperature": 0, "seed": 0}
    answer = client.chat.completions.create(**asked, logprobs=True, top_logprobs=2)
    assert answer.choices[0].logprobs is not None
    told = answer.choices[0].logprobs.content or []
    request = Generate(
        model=templated, messages=(Message(role="user", content="Hello there"),), max_tokens=3, log_probabilities=2
    )
    choices = [choice for part in bench.engine.generate(request) if isinstance(part, Token) for choice in part.choices]
    assert [one.logprob for one in told] == [choice.chosen.log_probability for choice in choices]
    assert [bytes(one.bytes or []) for one in told] == [choice.chosen.data for choice in choices]
    assert all(len(one.top_logprobs) == 2 for one in told)
    pieces = list(client.chat.completions.create(**asked, logprobs=True, stream=True))
    streamed = [one.logprob for piece in pieces if (found := piece.choices[0].logprobs) for one in found.content or []]
    assert streamed == [one.logprob for one in told]


def test_a_text_goes_on(client: openai.OpenAI, bench: Workbench, stories: str) -> None:
    def last(prompt: str) -> tuple[str, Finished]:
        request = Generate(model=stories, messages=(Message(role="text", content=prompt),), max_tokens=5)
        *parts, end = bench.engine.generate(request)
        return "".join(part.text for part in parts), end

    answer = client.completions.create(
        model=stories, prompt=[ONCE, "The little cat"], max_tokens=5, temperature=0, seed=0, logprobs=2
    )
    assert [choice.text for choice in answer.choices] == [last(ONCE)[0], last("The little cat")[0]]
    told = answer.choices[0].logprobs
    assert told is not None
    assert "".join(told.tokens or []) == answer.choices[0].text
    assert all(len(one) == 2 for one in told.top_logprobs or [])
    echoed = client.completions.create(model=stories, prompt=ONCE, max_tokens=5, temperature=0, seed=0, echo=True)
    assert echoed.choices[0].text == ONCE + answer.choices[0].text
    pieces = list(
        client.completions.create(model=stories, prompt=ONCE, max_tokens=5, temperature=0, seed=0, stream=True)
    )
    assert "".join(piece.choices[0].text for piece in pieces) == answer.choices[0].text


def test_a_given_text_is_weighed_as_evaluation_programs_ask(post: Post, bench: Workbench, stories: str) -> None:
    """The request that lm-eval's local-completions sends for a log-likelihood, by text and by tokens, read as it reads the answer."""
    context, continuation = "The little cat sat", " on the mat"
    asked = {"model": stories, "temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": True}
    (by_text,) = post("/v1/completions", **asked, prompt=[context + continuation]).json()["choices"]
    begin = len(post("/v1/completions", **asked, prompt=[context]).json()["choices"][0]["logprobs"]["tokens"]) - 1
    told = by_text["logprobs"]
    weight = bench.engine.weigh(
        Weigh(model=stories, messages=(Message(role="text", content=context),), continuations=(continuation,))
    ).weights[0]
    assert sum(told["token_logprobs"][begin:-1]) == pytest.approx(weight.log_likelihood, abs=1e-3)
    tops = told["top_logprobs"][begin:-1]
    greedy = all(value == max(top.values()) for value, top in zip(told["token_logprobs"][begin:-1], tops, strict=True))
    assert greedy == weight.greedy
    assert told["token_logprobs"][0] is None
    tokens = [
        token.id
        for token in bench.engine.tokens(
            Generate(model=stories, messages=(Message(role="text", content=context + continuation),))
        ).tokens
    ]
    (by_tokens,) = post("/v1/completions", **asked, prompt=[tokens[1:]]).json()["choices"]
    assert by_tokens["logprobs"] | {"text_offset": told["text_offset"]} == told
    nothing = post("/v1/completions", **(asked | {"max_tokens": 0}), prompt=context).json()["choices"][0]
    assert (nothing["text"], len(nothing["logprobs"]["tokens"])) == (context, begin)


REFUSED = [
    ({"temperature": 3}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"n": 0}, "n"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": 5, "max_completion_tokens": 6}, "max_completion_tokens"),
    ({"seed": -2}, "seed"),
    ({"frequency_penalty": 0.5}, "frequency_penalty"),
    ({"logit_bias": {"5": 1}}, "logit_bias"),
    ({"store": True}, "store"),
    ({"reasoning_effort": "high"}, "reasoning_effort"),
    ({"invented": 1}, "invented"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"response_format": {"type": "xml"}}, "response_format"),
    ({"tools": [{"type": "web_search"}]}, "tools"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "robot", "content": "a"}]}, "messages"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
    ({"messages": [{"role": "user", "content": "a", "cache": True}]}, "messages"),
    ({"model": 5}, "model"),
    ({"stop": ["a"] * 17}, "stop"),
    ({"mode": "sloppy"}, "mode"),
]


@pytest.mark.parametrize(("wrong", "param"), REFUSED)
def test_what_can_not_be_followed_is_refused_and_named(
    post: Post, bench: Workbench, wrong: dict[str, object], param: str
) -> None:
    answer = post("/v1/chat/completions", **({"model": "fake", "messages": HELLO} | wrong))
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert error["message"].startswith(f"{param}: ")
    ((_, trace),) = bench.api_calls.list(1)
    assert (trace.status, trace.problem) == (400, error["message"])


def test_what_changes_no_answer_is_let_pass(post: Post) -> None:
    harmless = {"user": "u", "metadata": {"a": "b"}, "n": None, "logit_bias": {}, "presence_penalty": 0, "store": False}
    assert post("/v1/chat/completions", model="fake", messages=HELLO, **harmless).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/v1/completions", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_a_collection_takes_one_question_and_nothing_that_it_would_not_heed(post: Post) -> None:
    asked = {"model": "collection:towers", "messages": HELLO}
    assert (
        "one question at a time"
        in post("/v1/chat/completions", **(asked | {"messages": HELLO + HELLO})).json()["error"]["message"]
    )
    assert post("/v1/chat/completions", **asked, temperature=1).json()["error"]["param"] == "temperature"
    assert post("/v1/chat/completions", **asked, tools=[]).json()["error"]["param"] == "tools"
    assert post("/v1/completions", model="collection:towers", prompt="a").json()["error"]["param"] == "model"
    assert post("/v1/chat/completions", **(asked | {"model": "collection:none"})).status_code == 404


def test_the_live_log_tells_no_content(server: Server, post: Post, http: httpx.Client) -> None:
    wait_for(lambda: server.running == 0)
    lines: list[Line] = []
    server.listen(lines.append)
    post("/v1/chat/completions", model="fake", messages=[{"role": "user", "content": "a secret word"}])
    http.get("/v1/secret-path?secret=1")
    wanted = {("POST", "/v1/chat/completions", 200, "tests"), ("GET", "other", 404, "tests")}
    # Lines are written behind the answers: those of an earlier test may come in between.
    wait_for(lambda: wanted <= {(line.method, line.path, line.status, line.token) for line in tuple(lines)})
    assert "secret" not in repr(server.lines())
