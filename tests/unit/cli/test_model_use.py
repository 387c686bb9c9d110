"""What a model sees, on the command line."""

import json
from collections.abc import Callable

import pytest

from core.cli.main import share
from core.workbench import Workbench
from tests.unit.cli.people import Person


@pytest.fixture
def ines(bench: Workbench, person: Callable[..., Person]) -> Person:
    share(bench)
    return person("ines")


def test_a_question_is_shown_as_tokens(ines: Person) -> None:
    assert ines("model", "tokens", "fake", "Why?", "--json") == 0
    found = json.loads(ines.output)
    assert found["prompt"] == "user: Why?\n"
    assert [(t["text"], t["message"]) for t in found["tokens"]] == [("user", None), (":", None), (" Why", 0), ("?", 0)]
    assert set(found["tokens"][0]) == {"id", "text", "special", "message"}
    assert ines("model", "tokens", "fake", "Why?", "--as-is") == 0
    assert '" Why"' in ines.output
    assert "tokens; the window holds 4096" in ines.output


def test_a_conversation_is_shown_as_tokens(ines: Person) -> None:
    (ines.folder / "talk.json").write_text('[{"role": "system", "content": "Hi"}, {"role": "user", "content": "Why?"}]')
    assert ines("model", "tokens", "fake", "--messages", "talk.json", "--json") == 0
    assert json.loads(ines.output)["prompt"] == "system: Hi\nuser: Why?\n"


@pytest.mark.parametrize("content", ["", "{}", '[{"role": "user"}]', "[" * 100_000, "\udcff"])
def test_a_file_that_is_no_conversation_is_refused(ines: Person, content: str) -> None:
    (ines.folder / "talk.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert ines("model", "tokens", "fake", "--messages", "talk.json") == 8
    assert ines.errors.count("talk.json: ") == 1
    assert ines("model", "tokens", "fake", "--messages", "absent.json") == 8


def test_what_is_asked_wrongly_is_refused(ines: Person) -> None:
    assert ines("model", "tokens", "fake") == 2
    assert ines("model", "tokens", "fake", "Why?", "--messages", "talk.json") == 2
    assert ines("model", "tokens", "absent", "Why?") == 6
    assert ines("model", "rerank", "fake", "Why?", "because") == 9
    assert "it scores no texts. Choose a reranker." in ines.errors
