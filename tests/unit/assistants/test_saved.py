"""Saved assistants: versions that say what is asked, in the log, by the command line and the API as by the service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.assistants import saved
from core.assistants.answering import DECLINED
from core.assistants.prompting import with_values
from core.assistants.records import Answer, Answered, Question
from core.assistants.saved import SaveAssistant
from core.cli.main import execute, share
from core.documents.records import AddDocuments
from core.documents.service import Documents
from core.errors import AlreadyExists, BadInput, NotFound, Refused, Unavailable
from core.inference.records import AdapterUse, Finished, Generate, Message, Token
from core.jobs import Job
from core.models.records import FAKE, AddModel, MoveAlias
from core.prompts.records import SavePrompt, Variable
from core.retrieval.records import Finding
from core.retrieval.service import Retrieval
from core.vault import policies
from core.vault.check import check
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.conftest import PASSPHRASES
from tests.unit.cli.people import Person

FLOORS = "How many floors has the tower?"
TOWER = "# The tower\n\nThe tower has nine floors.\n\nThe gate closes at eight.\n"


@pytest.fixture
def bench(vault_factory: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The open vault of ines, with two collections; its embedder is the built-in model."""
    runtime = tmp_path / "r"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with Workbench(vault_factory(SCHEMA)) as made:
        made.documents = Documents(made.vault, made.supervisor, made.engine, embedder=FAKE)
        made.retrieval = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
        made.assistants._documents, made.assistants._retrieval = made.documents, made.retrieval
        for name, text in (("towers", TOWER), ("gates", "The north gate is made of oak.\n")):
            (tmp_path / f"{name}.md").write_text(text)
            made.documents.add(AddDocuments(collection=name, paths=(str(tmp_path / f"{name}.md"),)), Job("Add"))
        yield made


def asked(bench: Workbench, name: str, text: str = FLOORS) -> tuple[Answer, str]:
    parts = list(bench.assistants.ask(bench.assistants.question(name, text), Job("Ask")))
    last = parts[-1]
    assert isinstance(last, Answered)
    return last.answer, last.trace


def prompt(bench: Workbench, text: str) -> None:
    bench.prompts.save(SavePrompt(name="guide", messages=(Message(role="user", content=text),)))


TONED = (
    Variable(name="tone", kind="choice", choices=("plain", "formal")),
    Variable(name="words", kind="number", least=1, most=50),
)


def test_an_assistant_fixes_some_variables_and_asks_for_the_others(bench: Workbench) -> None:
    text = "{{ tone }} in {{ words }} words: {{ question }}"
    messages = (Message(role="user", content=text),)
    bench.prompts.save(SavePrompt(name="toned", messages=messages, variables=TONED))
    request = SaveAssistant(name="desk", model=FAKE, prompt="toned", values={"tone": "formal"})
    for values, said in (({"tone": "loud"}, "none of plain, formal"), ({"mood": "x"}, "no such variable")):
        with pytest.raises(BadInput, match=said):
            bench.assistants.save(replace(request, values=values))
    bench.assistants.save(request)
    question = bench.assistants.question("desk", FLOORS)
    assert question.values == {"tone": "formal"}
    with pytest.raises(BadInput, match="variable words"):
        list(bench.assistants.ask(question, Job("Ask")))
    with pytest.raises(BadInput, match="has fixed it"):
        with_values(question, {"tone": "plain"})
    with pytest.raises(BadInput, match="isn't what the assistant asks"):
        list(bench.assistants.ask(replace(question, values={"tone": "plain", "words": "4"}), Job("Ask")))
    last = list(bench.assistants.ask(with_values(question, {"words": "4"}), Job("Ask")))[-1]
    assert isinstance(last, Answered)
    assert f"formal in 4 words: {FLOORS}" in last.answer.rendered


def test_an_assistant_asks_as_it_was_saved_and_the_trace_says_which_it_was(bench: Workbench) -> None:
    state = bench.assistants.save(
        SaveAssistant(name="guide", collections=("towers", "gates"), passages=2, notes="for visitors")
    )
    answer, trace = asked(bench, "guide")
    plain = Question(
        collection="towers",
        text=FLOORS,
        passages=2,
        finding=Finding(also=("gates",)),
        without_support="decline",
        sampling="question",
    )
    *_, directly = bench.assistants.ask(plain, Job("Ask"))
    assert isinstance(directly, Answered)
    assert answer.answer == directly.answer.answer
    assert replace(answer.question, assistant="") == plain
    assert (answer.question.assistant, answer.assistant_digest) == ("guide@1", state.digest)
    assert bench.assistants.trace(trace) == answer  # type: ignore[arg-type]
    assert not check(bench.vault, Job("Check"))


def test_versions_are_kept_and_logged_and_a_removed_one_comes_back_by_being_saved(bench: Workbench) -> None:
    first = bench.assistants.save(SaveAssistant(name="guide", collections=("towers",)))
    again = bench.assistants.save(SaveAssistant(name="guide", collections=("towers",)))
    assert (first.created, again.created, again.digest) == (True, False, first.digest)
    second = bench.assistants.save(SaveAssistant(name="guide", collections=("towers",), fallback="Ask the guard."))
    assert [one.assistant.reference for one in bench.assistants.list()] == ["guide@2"]
    assert bench.assistants.find("guide@1").assistant == first.assistant
    bench.assistants.remove("guide", "no longer needed")
    assert bench.assistants.list() == ()
    for gone in ("guide", "guide@1"):
        with pytest.raises(NotFound, match="removed"):
            bench.assistants.find(gone)
    with pytest.raises(NotFound):
        list(bench.assistants.ask(Question(collection="towers", text=FLOORS, assistant="guide@1"), Job("Ask")))
    bench.assistants.save(SaveAssistant(name="guide", collections=("towers",)))
    kept = bench.assistants.versions("guide")
    assert [(one.assistant.number, one.assistant.removed) for one in kept] == [
        (4, False),
        (3, True),
        (2, False),
        (1, False),
    ]
    assert kept[1].assistant.fallback == second.assistant.fallback == "Ask the guard."
    with bench.vault.read() as reader:
        logged = [(entry.act, entry.about) for entry in reader.log(1000)]
    assert logged.count((Act.SAVE_ASSISTANT, "guide")) >= 3
    assert (Act.REMOVE_ASSISTANT, "guide") in logged


def test_a_fallback_is_answered_where_the_documents_dont_say_and_what_a_model_said_is_kept(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.assistants.save(SaveAssistant(name="guide", collections=("towers",), fallback="Ask the guard."))
    bench.assistants.save(SaveAssistant(name="plain", collections=("towers",)))
    nowhere = "Zyxw vut srq?"
    assert asked(bench, "guide", nowhere)[0].answer == "Ask the guard."
    assert asked(bench, "plain", nowhere)[0].answer == DECLINED
    writing = bench.engine.generate

    def declining(request: Generate, job: Job | None = None) -> Iterator[Token | Finished]:
        *_, last = writing(request, job)
        yield Token(text="Not stated in the documents.")
        yield last

    monkeypatch.setattr(bench.engine, "generate", declining)
    bench.assistants.save(SaveAssistant(name="echo", model=FAKE, collections=("towers",), fallback="Ask the guard."))
    answer, _ = asked(bench, "echo")
    assert (answer.answer, answer.abstained) == ("Ask the guard.", True)
    assert answer.declined == "Not stated in the documents."


def test_what_a_name_leads_to_may_not_change_behind_an_assistant(bench: Workbench) -> None:
    prompt(bench, "First {{ question }}")
    bench.assistants.save(SaveAssistant(name="pinned", model=FAKE, prompt="guide", collections=("towers",)))
    prompt(bench, "Second {{ question }}")
    assert asked(bench, "pinned")[0].rendered.count("First") == 1  # the version that it was saved with
    state = bench.assistants.find("pinned")
    forged = replace(state.assistant, model_digest="0" * 64)
    with pytest.raises(Unavailable, match="saved with another"):
        saved.check_unchanged(bench.models, bench.prompts, forged)
    other = replace(bench.assistants.question("pinned", FLOORS), temperature=1.0)
    with pytest.raises(BadInput, match="as it was saved"):
        list(bench.assistants.ask(other, Job("Ask")))


def test_an_alias_is_followed_and_a_model_by_name_is_kept_by_its_file(bench: Workbench, shared_data: Path) -> None:
    path = shared_data / "models" / "stories260K" / "stories260K.gguf"
    digest = bench.models.add(AddModel(path=str(path), name="stories")).digest
    bench.model_aliases.move(MoveAlias(name="teller", model="stories"))
    by_alias = bench.assistants.save(SaveAssistant(name="one", model="Teller", collections=("towers",)))
    by_name = bench.assistants.save(SaveAssistant(name="two", model="Stories", collections=("towers",)))
    by_digest = bench.assistants.save(SaveAssistant(name="three", model=digest, collections=("towers",)))
    assert (by_alias.assistant.model, by_alias.assistant.model_digest) == ("Teller", "")
    assert (by_name.assistant.model, by_name.assistant.model_digest) == ("stories", digest)
    assert (by_digest.assistant.model, by_digest.assistant.model_digest) == ("stories", digest)
    with bench.vault.read() as reader:
        uses = bench.models.uses(reader, bench.models.show(digest))
    assert any("the assistant two answers with it" in use for use in uses)


def test_a_model_that_nobody_approved_answers_for_no_assistant_where_the_policy_wants_that(
    bench: Workbench, shared_data: Path
) -> None:
    path = shared_data / "models" / "stories260K" / "stories260K.gguf"
    bench.models.add(AddModel(path=str(path), name="stories"))
    bench.assistants.save(SaveAssistant(name="one", model="stories", collections=("towers",)))
    with bench.vault.confirm(PASSPHRASES["ines"]) as signer:
        policies.change(bench.vault, {"approved-models": "answers"}, "as agreed", signer)
    with pytest.raises(Refused, match="nobody approved the card of stories"):
        asked(bench, "one")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (SaveAssistant(name="no name", collections=("towers",)), "letters"),
        (SaveAssistant(name="x"), "no collection"),
        (SaveAssistant(name="x", model=FAKE), "no collection"),
        (SaveAssistant(name="x", prompt="guide", collections=("towers",)), "quotes"),
        (SaveAssistant(name="x", adapters=(AdapterUse(model="y"),), collections=("towers",)), "quotes"),
        (SaveAssistant(name="x", collections=("towers",), passages=0), "passages"),
        (SaveAssistant(name="x", collections=("towers", "towers")), "once"),
        (SaveAssistant(name="x", collections=("towers",), finding=Finding(also=("gates",))), "one place"),
        (SaveAssistant(name="x", collections=("towers",), temperature=float("nan")), "temperature"),
        (SaveAssistant(name="x", collections=("towers",), mode="slow"), "mode"),
        (SaveAssistant(name="x", collections=("towers",), max_tokens=0), "token"),
        (SaveAssistant(name="x", collections=("towers",), notes="n" * 4001), "4,000"),
    ],
)
def test_what_nothing_could_be_asked_with_is_refused(bench: Workbench, wrong: SaveAssistant, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        bench.assistants.save(wrong)


def test_what_it_names_must_be_there(bench: Workbench) -> None:
    for wrong in (
        SaveAssistant(name="x", collections=("bridges",)),
        SaveAssistant(name="x", collections=("towers",), model="none"),
        SaveAssistant(name="x", collections=("towers",), model=FAKE, prompt="none@1"),
        SaveAssistant(name="x", collections=("towers",), finding=Finding(reranker="none")),
    ):
        with pytest.raises(NotFound):
            bench.assistants.save(wrong)
    assert bench.assistants.list() == ()


def test_the_command_line_saves_changes_asks_and_removes(bench: Workbench, tmp_path: Path) -> None:
    assert share(bench) is not None
    ines = Person(bench.vault.folder, "ines", tmp_path)

    def run(*arguments: str) -> dict[str, object]:
        assert ines(*arguments, "--json", run=execute) == 0, ines.errors
        found = json.loads(ines.output)
        assert isinstance(found, dict)
        return found

    made = run("assistant", "create", "guide", "--collection", "towers", "--since", "2020-01-01", "--mmr", "0.5")
    assert (made["assistant"], made["number"], made["created"]) == ("guide", 1, True)
    assert ines("assistant", "create", "guide", "--collection", "towers") == AlreadyExists.exit_code
    changed = run("assistant", "change", "guide", "--fallback", "Ask the guard.", "--passages", "3")
    assert isinstance(changed["finding"], dict)
    assert (changed["number"], changed["fallback"], changed["passages"]) == (2, "Ask the guard.", 3)
    assert (changed["finding"]["since"], changed["finding"]["mmr"]) == ("2020-01-01", 0.5)
    cleared = run("assistant", "change", "guide", "--clear", "finding")
    assert isinstance(cleared["finding"], dict)
    assert (cleared["number"], cleared["finding"]["since"], cleared["fallback"]) == (3, "", "Ask the guard.")
    answer = run("ask", "--assistant", "guide", FLOORS)
    assert (answer["answer"], answer["assistant"]) == (asked(bench, "guide")[0].answer, "guide@3")
    listed = run("assistant", "list")["assistants"]
    assert isinstance(listed, list)
    assert [one["digest"] for one in listed] == [run("assistant", "show", "guide")["digest"]]
    assert ines("ask", "--assistant", "guide", FLOORS, "--passages", "2") == 2
    assert "--passages is said by the assistant" in ines.errors
    for wrong in (("ask", "--assistant", "guide", "towers", FLOORS), ("ask", FLOORS)):
        assert ines(*wrong) == 2
    assert ines("assistant", "show", "guide") == 0
    assert "fallback: Ask the guard." in ines.output
    run("assistant", "remove", "guide")
    assert ines("ask", "--assistant", "guide", FLOORS) == NotFound.exit_code
    versions = run("assistant", "show", "guide", "--versions")["versions"]
    assert isinstance(versions, list)
    assert len(versions) == 4


def test_a_reviewer_asks_an_assistant_and_saves_none(bench: Workbench, tmp_path: Path) -> None:
    bench.assistants.save(SaveAssistant(name="guide", collections=("towers",)))
    assert share(bench) is not None
    tomas = Person(bench.vault.folder, "tomas", tmp_path)
    assert tomas("assistant", "list") == 0
    assert "guide@1" in tomas.output
    assert tomas("assistant", "create", "mine", "--collection", "towers") == Refused.exit_code
    assert tomas("assistant", "remove", "guide") == Refused.exit_code
