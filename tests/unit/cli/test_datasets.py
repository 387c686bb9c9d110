"""`assay dataset` as a person types it, and what an evaluation says of samples that an adapter learned."""

import json
from collections.abc import Callable

import pytest

from core.cli.main import share
from core.datasets.records import Sample, SaveSamples, Turn
from core.datasets.screening import Learned
from core.evals.records import Settings, Spec
from core.inference.records import AdapterUse, Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from core.workbench import Workbench
from tests.unit.cli.people import Person


@pytest.fixture
def ines(bench: Workbench, person: Callable[..., Person]) -> Person:
    share(bench)
    return person("ines")


def test_a_file_is_previewed_added_split_changed_and_written(ines: Person) -> None:
    (ines.folder / "q.csv").write_text(
        "ask,target,group\n" + "".join(f"Who is {n}?,p{n},g{n % 4}\n" for n in range(12)) + "Why?,,\n"
    )
    assert ines("dataset", "preview", "q.csv", "--column", "ask=input") == 1
    assert "line 14: no target" in ines.output
    assert ines("dataset", "add", "people", "q.csv", "--column", "ask=input") == 8
    assert ines("dataset", "add", "people", "q.csv", "--column", "ask=input", "--leave-out", "--json") == 0
    assert json.loads(ines.output)["samples"] == 12
    parts = ("--part", "train=0.5", "--part", "test=0.5")
    assert ines("dataset", "split", "people", *parts, "--by", "group", "--apart", "--json") == 0
    made = json.loads(ines.output)
    assert (made["dataset"], made["datasets"]) == ("people@2", ["people-train@1", "people-test@1"])
    assert ines("dataset", "changes", "people@2", "--json") == 0
    assert {tuple(one["fields"]) for one in json.loads(ines.output)["changes"]} == {("split",)}
    assert ines("dataset", "export", "people", "-o", "test.xlsx", "--part", "test") == 0
    assert ines("dataset", "preview", "test.xlsx", "--json") == 0
    assert json.loads(ines.output)["samples"] == made["parts"]["test"]
    assert ines("dataset", "export", "people", "-o", "chat.jsonl", "--form", "chat") == 0
    assert ines("dataset", "preview", "chat.jsonl") == 0
    assert "form chat" in ines.output
    assert ines("dataset", "add", "people", "q.csv", "--column", "ask") == 8
    assert ines("dataset", "split", "people", "--part", "train=much") == 8


def test_a_check_ends_with_one_where_something_was_found(ines: Person, bench: Workbench) -> None:
    clean = Sample(id="1", input="Who signs?", target="she")
    bench.datasets.save(SaveSamples(name="clean", samples=(clean,)))
    assert ines("dataset", "screen", "clean") == 0
    assert "nothing was found" in ines.output
    mail = Sample(id="2", input="who SIGNS", target="write to she@office.example")
    bench.datasets.save(SaveSamples(name="clean", samples=(clean, mail), based_on="clean@1"))
    assert ines("dataset", "screen", "clean", "--json") == 1
    found = json.loads(ines.output)
    assert [one["how"] for one in found["repeats"]] == ["normalised"]
    assert ("2", "target", "email") in {(one["sample"], one["field"], one["kind"]) for one in found["personal"]}


def test_drafts_are_accepted_and_rejected(ines: Person, bench: Workbench) -> None:
    failed = tuple((Sample(id=f"{n}", input=f"Why {n}?", target="so"), "said: no") for n in range(3))
    bench.drafting.from_failures("hard", failed, "run-1")
    assert ines("dataset", "drafts", "hard", "--json") == 0
    numbers = [str(one["draft"]) for one in json.loads(ines.output)["drafts"]]
    assert ines("dataset", "reject", "hard", numbers[0]) == 0
    assert ines("dataset", "accept", "hard", numbers[0]) == 8
    assert ines("dataset", "accept", "hard", "--all", "--json") == 0
    assert json.loads(ines.output)["samples"] == 2
    assert ines("dataset", "drafts", "hard") == 0
    assert "no drafts" in ines.output
    assert ines("dataset", "draft", "hard") == 8
    assert ines("dataset", "draft", "hard", "--collection", "c") == 8
    assert ines("dataset", "draft", "hard", "--answers", "5", "--json") == 0
    assert json.loads(ines.output)["drafts"] == 0


def test_an_evaluation_leaves_no_conversation_out_without_a_word(ines: Person, bench: Workbench) -> None:
    turns = (Turn(role="user", content="a"), Turn(role="assistant", content="b"), Turn(role="user", content="c"))
    talk = Sample(id="talk", input="c", answer="d", turns=turns)
    bench.datasets.save(SaveSamples(name="talks", samples=(talk,)))
    bench.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content="{{ question }}"),)))
    bench.evals.save(Spec(name="talks", dataset="talks", scorers=("contains",), prompts=("ask",), models=("fake",)))
    assert ines("eval", "run", "talks") == 8


def test_an_evaluation_says_what_its_adapter_learned(
    ines: Person, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = Sample(id="1", input="Two and two?", target="4")
    kept = bench.datasets.save(SaveSamples(name="learned", samples=(learned,)))
    other = Sample(id="b", input="Two and three?", target="5")
    bench.datasets.save(SaveSamples(name="asked", samples=(Sample(id="a", input="two and two", target="4"), other)))
    bench.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content="{{ question }}"),)))
    settings = Settings(name="tuned", adapters=(AdapterUse(model="fake"),))
    spec = Spec(
        name="sums", dataset="asked", scorers=("contains",), prompts=("ask",), models=("fake",), settings=(settings,)
    )
    bench.evals.save(spec)
    fake = bench.models.show("fake").digest
    trained = Learned(adapter="training-1", digest=fake, datasets=(kept.digest,), files=("talks.json",))
    monkeypatch.setattr("core.workbench.learned", lambda vault: (trained,))
    found, unknown = bench.evals.contamination("sums", Job("Compare"))
    assert [(one.sample, one.of, one.how) for one in found] == [("a", "1", "normalised")]
    assert unknown == ("training-1: talks.json",)
    assert ines("eval", "run", "sums", "--json") in (0, 1)
    assert json.loads(ines.output)["contaminated"] == [
        {"sample": "a", "adapter": "training-1", "dataset": "learned@1", "of": "1", "how": "normalised"}
    ]
