"""People at the commands of evaluations: they mark answers, two of them pass over a gate, and a run that was interrupted goes on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.cli.main import share
from core.evals.records import RunSpec
from core.jobs import Job
from core.workbench import Workbench
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.cli.people import Person

SPEC = """name: small
dataset: set
prompts: [ask]
models: [fake]
max_tokens: 8
scorers: [contains]
gate: ["contains >= 0.9"]
"""
VARIANT = "ask@1 / fake"


def printed(person: Person) -> Any:
    return json.loads(person.output)


@pytest.fixture
def ines(bench: Workbench, person: Callable[..., Person]) -> Iterator[Person]:
    """Who has a dataset of five samples, a prompt and a spec whose gate nothing meets; with two reviewers beside her."""
    with bench.vault.confirm(PASSPHRASES["ines"]) as signer:
        bench.vault.add_user(signer, "rhea", "Rhea Oduya", ("reviewer",), PASSPHRASES["tomas"], kdf=weak_kdf)
    share(bench)
    made = person("ines")
    lines = [json.dumps({"id": f"q{number}", "input": f"Why {number}?", "target": "x9"}) for number in range(5)]
    (made.folder / "samples.jsonl").write_text("\n".join(lines))
    (made.folder / "ask.yaml").write_text('name: ask\nmessages:\n  - {role: user, content: "{{ question }}"}\n')
    (made.folder / "small.yaml").write_text(SPEC)
    assert made("dataset", "add", "set", "samples.jsonl") == 0
    assert made("prompt", "save", "ask", "--file", "ask.yaml") == 0
    assert made("eval", "save", "small.yaml") == 0
    return made


def test_marks_exceptions_and_an_interrupt(bench: Workbench, ines: Person, person: Callable[..., Person]) -> None:
    job = Job("Evaluate")
    cut = bench.evals.run(RunSpec(reference="small"), job, lambda done: job.cancel() if done.done == 3 else None)
    assert cut.status == "cancelled"
    assert ines("eval", "show", "run-1", "--outcomes", "--json") == 0
    first = printed(ines)["outcomes"]
    assert 0 < len(first) < 5
    assert ines("eval", "resume", "run-1", "--json") == 0
    assert printed(ines)["status"] == "finished"
    assert ines("eval", "show", "run-1", "--outcomes", "--json") == 0
    whole = printed(ines)["outcomes"]
    assert [one["sample"] for one in whole] == [f"q{number}" for number in range(5)], "each once"
    assert [one for one in whole if one["sample"] in {o["sample"] for o in first}] == first, "what was there stayed"
    assert printed(ines)["people"] == [], "no judge, and nobody has marked"

    tomas, rhea = person("tomas"), person("rhea")
    rhea.known = PASSPHRASES["tomas"]
    mark = ("eval", "mark", "run-1", "q1", "--variant", VARIANT)
    assert ines(*mark, "--score", "1", "--reason", "near enough", "--json") == 0
    assert printed(ines).keys() == {"run", "sample", "variant", "scorer", "score", "lowest", "highest", "user"}
    assert tomas(*mark, "--score", "0") == 0
    assert tomas(*mark, "--score", "5") == 8
    assert "contains is marked 0 to 1" in tomas.errors
    assert ines("eval", "show", "run-1", "--json") == 0
    (people,) = printed(ines)["people"]
    assert people.keys() == {
        *("scorer", "judge", "lowest", "highest", "marks", "answers", "agreement", "between", "repeated")
    }
    assert [(one["first"], one["second"], one["share"]["value"]) for one in people["agreement"]] == [
        ("contains", "people", 0.5),
        ("contains", "ines", 0.0),
        ("contains", "tomas", 1.0),
    ]
    assert [(one["first"], one["second"], one["table"]) for one in people["between"]] == [
        ("ines", "tomas", [[0, 0], [1, 0]])
    ]
    assert ines("eval", "show", "run-1") == 0
    assert "contains, 0 to 1, beside people" in ines.output

    assert ines("eval", "gate", "run-1") == 1
    assert tomas("prompt", "approve", "ask@1", "--reason", "fits") == 0
    assert ines("prompt", "label", "ask@1", "production") == 4, "the gate isn't met"
    assert tomas("eval", "except", "run-1", "--reason", "known weakness", "--json") == 0
    assert printed(tomas)["name"] == "Tomás Vidal"
    assert ines("prompt", "label", "ask@1", "production") == 4, "one person isn't enough"
    assert rhea("eval", "except", "run-1", "--reason", "so I think") == 0
    assert ines("prompt", "show", "ask@1", "--json") == 0
    assert "approved" in printed(ines)["labels"], "the second signature moves it"
    assert ines("prompt", "label", "ask@1", "production") == 0
