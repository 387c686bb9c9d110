"""What models write when they call functions, each family in its own way, is read as calls; anything else stays text."""

import json

import pytest

from core.server.tools import calls_in

OFFERED = tuple({"type": "function", "function": {"name": name}} for name in ("weather", "time_in"))
PARIS = '{"city": "Paris", "days": [1, 2]}'
ONE = f'{{"name": "weather", "arguments": {PARIS}}}'
OTHER = '{"name": "time_in", "arguments": {}}'


@pytest.mark.parametrize(
    ("written", "beside", "names"),
    [
        (f"<tool_call>\n{ONE}\n</tool_call>", "", ["weather"]),
        (f"I look.\n<tool_call>{ONE}</tool_call>\n<tool_call>{OTHER}</tool_call>", "I look.", ["weather", "time_in"]),
        (f"<tool_call>\n{ONE}", "", ["weather"]),
        (ONE, "", ["weather"]),
        (ONE.replace("arguments", "parameters"), "", ["weather"]),
        (f"<|python_tag|>{ONE.replace('arguments', 'parameters')}", "", ["weather"]),
        (f"<function=weather>{PARIS}</function>", "", ["weather"]),
        (f"Now:<function=weather>{PARIS}</function><function=time_in>{{}}", "Now:", ["weather", "time_in"]),
        (f"[TOOL_CALLS] [{ONE}, {OTHER}]", "", ["weather", "time_in"]),
        (f"[{ONE}]", "", ["weather"]),
        (f" functools[{ONE}]", "", ["weather"]),
        (f'Action: ```json\n[{{"tool_name": "weather", "parameters": {PARIS}}}]\n```', "", ["weather"]),
        (f"```json\n{ONE}\n```", "", ["weather"]),
        (json.dumps({"name": "weather", "arguments": PARIS}), "", ["weather"]),
    ],
)
def test_calls_are_read(written: str, beside: str, names: list[str]) -> None:
    text, calls = calls_in(written, OFFERED)
    assert text == beside
    assert [call["function"]["name"] for call in calls] == names
    assert json.loads(calls[0]["function"]["arguments"]) == json.loads(PARIS)
    assert len({call["id"] for call in calls}) == len(calls)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "It rains.",
        "The weather in Paris: <tool_call> is what I would write.",
        '{"name": "remove_all", "arguments": {}}',
        '<function=remove_all>{"city": "Paris"}</function>',
        '{"name": ["weather"], "arguments": {}}',
        '{"name": "weather"}',
        '{"name": "weather", "arguments": "Paris"}',
        '{"name": "weather", "arguments": [1]}',
        f"[{ONE}, 3]",
        f"Answer with {ONE}",
        f"<tool_call>{ONE[:-9]}</tool_call>",
        "[" * 100_000,
        "<tool_call>" * 2_000,
        "<function=weather>" * 2_000,
    ],
)
def test_everything_else_is_text(written: str) -> None:
    assert calls_in(written, OFFERED) == (written, [])
