"""Tools the whole way: each family's own chat template shows the functions, and what such a model writes comes back as a call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec.structs import replace

from core.inference.records import Finished, Generate, Token
from core.jobs import Job
from core.models.records import AddModel
from core.records import Digest
from core.workbench import Workbench
from tests.unit.inference.test_conversation import with_template

CALL = {"name": "weather", "arguments": {"city": "Paris"}}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
LLAMA = json.dumps({"name": "weather", "parameters": CALL["arguments"]})
FAMILIES = {
    "Qwen-Qwen2.5-7B-Instruct": f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>",
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use": f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>",
    "meta-llama-Llama-3.1-8B-Instruct": LLAMA,
    "meta-llama-Llama-3.2-3B-Instruct": LLAMA,
    "mistralai-Mistral-Nemo-Instruct-2407": f"[TOOL_CALLS][{json.dumps(CALL)}]",
    "meetkai-functionary-medium-v3.1": f"<function=weather>{json.dumps(CALL['arguments'])}</function>",
}
SHOWN = {
    "Qwen-Qwen2.5-7B-Instruct": (
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call><|im_end|>',
        "<tool_response>",
    ),
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use": ("<tool_call>\n{", "<tool_response>"),
    "meta-llama-Llama-3.1-8B-Instruct": ('{"name": "weather", "parameters": {"city": "Paris"}}<|eot_id|>', "ipython"),
    "meta-llama-Llama-3.2-3B-Instruct": ('{"name": "weather", "parameters": {"city": "Paris"}}<|eot_id|>', "ipython"),
    "mistralai-Mistral-Nemo-Instruct-2407": (
        '[TOOL_CALLS][{"name": "weather", "arguments": {"city": "Paris"}, "id": "',
        "[TOOL_RESULTS]",
    ),
    "meetkai-functionary-medium-v3.1": ('<function=weather>{"city": "Paris"}</function><|eom_id|>', "ipython"),
}
"""How each family's template shows an earlier call and its result."""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_call_goes_the_whole_way(
    client: openai.OpenAI,
    bench: Workbench,
    shared_data: Path,
    tmp_path: Path,
    family: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The template is the family's and is rendered by the worker; only what the model writes is put in its place."""
    source = shared_data / "models" / "stories260K" / "stories260K.gguf"
    template = (shared_data / "models" / "chat-templates" / f"{family}.jinja").read_text("utf-8")
    copy = tmp_path / "family.gguf"
    copy.write_bytes(with_template(source.read_bytes(), source, template))
    model = bench.models.add(AddModel(path=str(copy), name=family.lower()[:60])).name
    render = bench.engine.generate

    def writing(request: Generate, job: Job | None = None) -> Iterator[Token | Finished]:
        *_, last = render(replace(request, max_tokens=1), job)
        yield Token(text=FAMILIES[family])
        yield last

    monkeypatch.setattr(bench.engine, "generate", writing)
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    answer = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (CALL["name"], CALL["arguments"])  # type: ignore[union-attr]
    trace = bench.api_calls.show(Digest(answer.assay["trace"]))  # type: ignore[attr-defined]
    assert "The weather of a city." in trace.rendered
    result = {"role": "tool", "tool_call_id": call.id, "content": '{"degrees": 21}'}
    messages += [choice.message.model_dump(exclude_none=True), result]
    answer = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    trace = bench.api_calls.show(Digest(answer.assay["trace"]))  # type: ignore[attr-defined]
    for shown in SHOWN[family]:
        assert shown in trace.rendered
    assert "degrees" in trace.rendered[trace.rendered.rindex("Paris") :]
    bench.models.remove(model, "done")
