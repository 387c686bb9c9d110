"""Runs on the command line: a dry run, a run, what it takes from an earlier one, compared, gated, replayed, and resumed."""

import json
from collections.abc import Callable
from typing import Any

from core.cli.main import share
from core.workbench import Workbench
from tests.unit.cli.people import Person

SPEC = """name: small
dataset: set
prompts: [ask]
models: [fake]
max_tokens: 8
scorers: [contains, exact]
gate: ["contains >= 0.9"]
"""


def printed(person: Person) -> Any:
    return json.loads(person.output)


def test_from_dry_run_to_verdict(bench: Workbench, person: Callable[..., Person]) -> None:
    share(bench)
    ines = person("ines")
    (ines.folder / "samples.jsonl").write_text('{"id": "a", "input": "Why?", "target": "x"}\n')
    (ines.folder / "ask.yaml").write_text('name: ask\nmessages:\n  - {role: user, content: "{{ question }}"}\n')
    (ines.folder / "small.yaml").write_text(SPEC)
    assert ines("dataset", "add", "set", "samples.jsonl") == 0
    assert ines("prompt", "save", "ask", "--file", "ask.yaml") == 0
    assert ines("eval", "run", "small.yaml", "--dry-run", "--json") == 0
    found = printed(ines)
    assert (found["dry_run"], found["requests"], found["samples"]) == (True, 1, 1)
    assert ines("eval", "run", "small.yaml", "--dry-run") == 0
    assert "Nothing was recorded." in ines.output
    assert bench.evals.specs() == bench.evals.list() == ()
    assert ines("eval", "run", "small.yaml") == 0
    assert ines("eval", "run", "small", "--fresh") == 0
    assert ines("eval", "show", "latest", "--outcomes", "--json") == 0
    assert [outcome["reused"] for outcome in printed(ines)["outcomes"]] == [""]
    assert ines("eval", "compare", "run-1", "run-2", "--json") == 0
    assert {row["run"] for row in printed(ines)["differences"]} == {"run-2"}
    assert ines("eval", "gate", "run-1", "--json") == 1, "x is no word of the built-in model"
    assert printed(ines)["passed"] is False
    assert ines("eval", "replay", "run-1", "--json") == 0
    assert (printed(ines)["compared"], printed(ines)["same"]) == (1, 1)
    assert ines("eval", "resume", "run-1") != 0
    assert "it is finished" in ines.errors
    assert ines("eval", "except", "run-1", "--reason", "none") != 0
    assert "not met: contains >= 0.9" in ines.errors
    assert "these do: reviewer" in ines.errors
