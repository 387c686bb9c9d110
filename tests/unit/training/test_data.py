"""Examples out of files: the forms that people have, and what is wrong with a row, by its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.datasets.records import Sample, Turn
from core.errors import BadInput
from core.training import data


def lines(*rows: Any) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def said(rows: data.Rows) -> list[tuple[tuple[str, str], ...]]:
    return [tuple((message.role, message.content) for message in one.messages) for one in rows.examples]


ASKED = (("user", "Say a"), ("assistant", "a"))


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"messages": [{"role": "user", "content": "Say a"}, {"role": "assistant", "content": "a"}]}, "chat"),
        ({"conversations": [{"from": "human", "value": "Say a"}, {"from": "gpt", "value": "a"}]}, "sharegpt"),
        ({"instruction": "Say a", "input": "", "output": "a"}, "alpaca"),
        ({"input": "Say a", "answer": "a", "target": "b"}, "samples"),
        ({"input": "Say a", "target": "a"}, "samples"),
    ],
)
def test_each_form_gives_the_same_example(row: dict[str, Any], form: str) -> None:
    for content in (lines(row), json.dumps([row]).encode()):
        rows = data.read("f.json", content)
        assert (rows.form, said(rows), rows.problems) == (form, [ASKED], ())


def test_alpacas_input_follows_its_instruction_and_its_system_text_stands_first() -> None:
    rows = data.read("f", lines({"instruction": "Add.", "input": "1 and 2", "output": "3", "system": "Count."}))
    assert said(rows) == [(("system", "Count."), ("user", "Add.\n1 and 2"), ("assistant", "3"))]


def test_each_answer_of_a_conversation_is_an_example() -> None:
    turns = [("system", "s"), ("user", "1"), ("assistant", "one"), ("user", "2"), ("assistant", "two")]
    row = {"messages": [{"role": role, "content": content} for role, content in turns]}
    rows = data.read("f.jsonl", lines(row))
    assert said(rows) == [tuple(turns[:3]), tuple(turns)]
    assert [one.line for one in rows.examples] == ["f.jsonl, line 1, answer 1", "f.jsonl, line 1, answer 2"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"messages": []}, "no messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "turn 1 is by robot"),
        ({"messages": [{"role": "user", "content": "  "}]}, "turn 1 is empty"),
        ({"messages": [{"role": "user", "content": 5}]}, "turn 1 is empty"),
        ({"messages": [{"role": "user", "content": "x"}]}, "isn't the assistant's"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "alternate"),
        ({"messages": ["x"]}, "turn 1 is no object"),
        ({"conversations": "x"}, "no messages"),
        ({"messages": [{"role": "user", "content": "x"}], "tools": "[1]"}, "tools"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_without_its_content(row: dict[str, Any], problem: str) -> None:
    fine = {"messages": [{"role": "user", "content": "Say a"}, {"role": "assistant", "content": "a"}]}
    rows = data.read("f.jsonl", lines(fine, row))
    (found,) = rows.problems
    assert found.line == "f.jsonl, line 2"
    assert problem in found.problem
    assert said(rows) == [ASKED]


def test_a_line_that_isnt_readable_is_told_like_others_and_a_line_ends_with_a_line_feed_alone() -> None:
    fine = {"messages": [{"role": "user", "content": "Say a"}, {"role": "assistant", "content": "a\u2028b\u0085c"}]}
    whole = json.dumps(fine, ensure_ascii=False).encode()
    rows = data.read("f.jsonl", b"{broken\r\n[1]\r\n" + whole + b"\r\n")
    assert [(one.line, one.problem) for one in rows.problems] == [
        ("f.jsonl, line 1", "it isn't readable as JSON."),
        ("f.jsonl, line 2", "it is no object with keys."),
    ]
    assert [one.messages[-1].content for one in rows.examples] == ["a\u2028b\u0085c"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing in it"),
        (b"\xff", "not UTF-8"),
        (b"{\n{", "line 1: it isn't readable"),
        (b"[1]", "item 1: it is no object"),
        (b'{"text": "x"}', "none of the known forms"),
        (lines({"instruction": "x", "chosen": "a", "rejected": "b"}), "preferences"),
    ],
)
def test_a_file_that_isnt_one_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        data.read("f", content)


def test_duplicates_and_questions_of_an_evaluation_are_problems() -> None:
    rows = data.from_samples(
        "d@1",
        [
            Sample(id="1", input="Say a", target="a"),
            Sample(id="2", input="Say a", target="a"),
            Sample(id="3", input="Say b", target="b"),
            Sample(id="4", input="Say c", unanswerable=True),
        ],
    )
    assert [one.line for one in rows.problems] == ["d@1, 4"]
    found = data.checked(rows.examples, ["  say B. "])
    assert [(one.line, one.problem[:12]) for one in found.problems] == [
        ("d@1, 2", "the same as "),
        ("d@1, 3", "an evaluatio"),
    ]
    assert said(found) == [ASKED]


def test_a_system_text_stands_before_those_that_have_none() -> None:
    rows = data.read(
        "f", lines({"instruction": "a", "output": "b"}, {"instruction": "a", "output": "b", "system": "own"})
    )
    assert [one.messages[0].content for one in data.with_system(rows.examples, "ours")] == ["ours", "own"]
    assert data.with_system(rows.examples, "") == rows.examples


@pytest.mark.parametrize(
    ("name", "form", "examples", "problems"),
    [
        ("alpaca_en_demo", "alpaca", 999, 0),
        ("glaive_toolcall_en_demo", "sharegpt", 0, 300),
        ("identity", "alpaca", 91, 0),
    ],
)
def test_other_peoples_files(shared_data: Path, name: str, form: str, examples: int, problems: int) -> None:
    path = shared_data / "training" / "llamafactory-demo" / f"{name}.json"
    rows = data.read(path.name, path.read_bytes())
    assert (rows.form, len(rows.examples), len(rows.problems)) == (form, examples, problems)


@pytest.mark.parametrize("name", ["dpo_en_demo", "kto_en_demo"])
def test_preferences_are_refused(shared_data: Path, name: str) -> None:
    path = shared_data / "training" / "llamafactory-demo" / f"{name}.json"
    with pytest.raises(BadInput, match="preferences"):
        data.read(path.name, path.read_bytes())


def test_a_sample_is_learned_behind_its_conversation() -> None:
    turns = [("system", "Be short."), ("user", "a"), ("assistant", "b"), ("user", "c")]
    talk = tuple(Turn(role=role, content=content) for role, content in turns)
    rows = data.from_samples("d@1", [Sample(id="1", input="c", answer="d", turns=talk)])
    assert [[turn.content for turn in example.messages] for example in rows.examples] == [
        ["Be short.", "a", "b"],
        ["Be short.", "a", "b", "c", "d"],
    ]
    calls = (Turn(role="call", content="{}"), Turn(role="user", content="c"))
    odd = (Turn(role="assistant", content="b"), Turn(role="user", content="c"))
    bad = data.from_samples(
        "d@1", [Sample(id=str(n), input="c", answer="d", turns=t) for n, t in enumerate((calls, odd))]
    )
    assert bad.examples == ()
    assert [problem.line for problem in bad.problems] == ["d@1, 0", "d@1, 1"]
