"""Requests and answers against OpenAI's own description of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

Post = Callable[..., httpx.Response]
HELLO = [{"role": "user", "content": "Hello there"}]
TOOL = {
    "type": "function",
    "function": {"name": "lift", "parameters": {"type": "object", "properties": {"up": {"type": "boolean"}}}},
}
CHATS: list[dict[str, Any]] = [
    {},
    {"n": 2, "seed": 1, "temperature": 0.5},
    {"logprobs": True, "top_logprobs": 3},
    {"stop": ["a", "b"], "user": "u", "metadata": {"a": "b"}},
    {"tools": [TOOL], "tool_choice": "required", "max_completion_tokens": 200, "temperature": 0},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": {"type": "boolean"}}}},
]
TEXTS: list[dict[str, Any]] = [
    {"prompt": "Once"},
    {"prompt": ["Once", "The"], "n": 2, "seed": 1},
    {"prompt": "Once upon", "logprobs": 2},
    {"prompt": "Once upon", "logprobs": 2, "echo": True, "max_tokens": 1, "temperature": 0},
    {"prompt": [5, 6, 7], "logprobs": 1, "echo": True, "max_tokens": 0, "temperature": 0},
]


@pytest.fixture(scope="module")
def described(shared_data: Path) -> Callable[[str, object], None]:
    """`described("CreateCompletionResponse", content)` raises unless the content is as it says."""
    document = yaml.load((shared_data / "vectors" / "openai-api" / "openapi.yaml").read_bytes(), yaml.CSafeLoader)
    plain = json.loads(json.dumps(translated(document["components"]["schemas"]), default=str))

    def check(name: str, content: object) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": plain}}
        jsonschema.Draft202012Validator(schema).validate(content)

    return check


def translated(part: Any) -> Any:
    """OpenAPI 3.0's `nullable`, as JSON schema says it."""
    if isinstance(part, list):
        return [translated(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {str(key): translated(value) for key, value in part.items()}
    if found.pop("nullable", False) is True:
        return {"anyOf": [found, {"type": "null"}]}
    return found


@pytest.mark.parametrize("asked", CHATS, ids=str)
def test_chats(described: Callable[[str, object], None], post: Post, templated: str, asked: dict[str, Any]) -> None:
    body = {"model": templated, "messages": HELLO, "max_completion_tokens": 8} | asked
    described("CreateChatCompletionRequest", body)
    answer = post("/v1/chat/completions", **body)
    assert answer.status_code == 200, answer.text
    described("CreateChatCompletionResponse", answer.json())
    streamed = post("/v1/chat/completions", **body, stream=True, stream_options={"include_usage": True}).text
    events = [event.removeprefix("data: ") for event in streamed.split("\n\n") if event]
    assert events[-1] == "[DONE]"
    for event in events[:-1]:
        described("CreateChatCompletionStreamResponse", json.loads(event))


@pytest.mark.parametrize("asked", TEXTS, ids=str)
def test_texts(described: Callable[[str, object], None], post: Post, stories: str, asked: dict[str, Any]) -> None:
    body = {"model": stories, "max_tokens": 4} | asked
    described("CreateCompletionRequest", body)
    answer = post("/v1/completions", **body)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    if asked.get(
        "echo"
    ):  # the first token has no probability: null, as OpenAI answers, though its description has numbers only
        for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
            first = content["choices"][0]["logprobs"][name].pop(0)
            assert (first is None) == ("logprobs" in name)
    described("CreateCompletionResponse", content)


def test_vectors_models_and_errors(described: Callable[[str, object], None], post: Post, http: httpx.Client) -> None:
    body = {"model": "fake", "input": ["a", "b"], "encoding_format": "float"}
    described("CreateEmbeddingRequest", body)
    described("CreateEmbeddingResponse", post("/v1/embeddings", **body).json())
    listed = http.get("/v1/models").json()
    described("ListModelsResponse", listed)
    described("Model", http.get("/v1/models/collection:towers").json())
    wrong = (
        post("/v1/embeddings", model="fake"),
        post("/v1/embeddings", model="none", input="a"),
        http.get("/v1/nothing"),
        http.get("/v1/models", headers={"Authorization": "Bearer none"}),
        http.get("/v1/models", headers={"Origin": "https://evil.example"}),
    )
    assert [answer.status_code for answer in wrong] == [400, 404, 404, 401, 403]
    for answer in wrong:
        described("ErrorResponse", answer.json())


def test_the_check_can_fail(described: Callable[[str, object], None]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        described("CreateChatCompletionResponse", {"id": "a", "choices": []})
