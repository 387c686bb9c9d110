from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import BadInput, TemplateError
from core.inference.records import Message
from core.inference.service import Engine
from core.models import store as models_store
from core.models.service import Models
from core.prompts.files import fingerprint, read_prompt, write_prompt
from core.prompts.folders import read_folder, write_folder
from core.prompts.records import Contract, Sampling, SavePrompt, Variable
from core.prompts.service import Prompts, content
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

WHOLE = SavePrompt(
    name="label",
    notes="first",
    messages=(Message(role="user", content="Be {{ tone }}:\n  «{{ question }}»\nNow."),),
    variables=(Variable(name="tone", kind="choice", choices=("calm", "no"), default="calm", description="How"),),
    contract=Contract(form="json", schema={"type": "object", "properties": {"a": {"type": "integer"}}}),
    settings=Sampling(temperature=0.5, stop=("\n\n",)),
)


def plain(text: str, name: str = "cite") -> SavePrompt:
    return SavePrompt(name=name, messages=(Message(role="user", content=text),))


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as running:
        yield running


@pytest.fixture
def make(vault_factory: Callable[..., Vault], supervisor: Supervisor) -> Iterator[Callable[[], Prompts]]:
    engines: list[Engine] = []

    def made() -> Prompts:
        vault = vault_factory((models_store.SCHEMA,))
        engines.append(Engine(Models(vault, supervisor), supervisor))
        return Prompts(vault, engines[-1])

    yield made
    for engine in engines:
        engine.close()


def what(found: tuple[object, ...]) -> dict[str, str]:
    return {one.file: one.what for one in found}  # type: ignore[attr-defined]


def test_a_written_version_reads_back_whole_and_writes_the_same_bytes(
    make: Callable[..., Prompts], tmp_path: Path
) -> None:
    prompts = make()
    version = prompts.save(WHOLE).prompt
    path = tmp_path / "label.yaml"
    path.write_text(write_prompt(version), encoding="utf-8")
    assert read_prompt(path) == WHOLE
    assert fingerprint(read_prompt(path)) == fingerprint(content(version))
    assert write_prompt(prompts.show("label").prompt) == path.read_text(encoding="utf-8")
    assert "    Be {{ tone }}:\n" in path.read_text(encoding="utf-8"), "lines stand as lines"


def test_a_folder_goes_round_and_the_version_after_it_comes_back(make: Callable[..., Prompts], tmp_path: Path) -> None:
    prompts = make()
    prompts.save(plain("one"))
    prompts.save(WHOLE)
    assert what(write_folder(prompts, tmp_path)) == {"cite.yaml": "written", "label.yaml": "written"}
    assert what(write_folder(prompts, tmp_path)) == {"cite.yaml": "unchanged", "label.yaml": "unchanged"}
    assert what(read_folder(prompts, tmp_path)) == {"cite.yaml": "unchanged", "label.yaml": "unchanged"}
    edited = (tmp_path / "cite.yaml").read_text().replace("one", "two")
    (tmp_path / "cite.yaml").write_text(edited)
    assert what(read_folder(prompts, tmp_path))["cite.yaml"] == "saved"
    assert prompts.show("cite").prompt.reference == "cite@2"
    assert prompts.show("cite").prompt.messages[0].content == "two"


def test_what_both_changed_is_a_conflict_until_it_is_taken(make: Callable[..., Prompts], tmp_path: Path) -> None:
    prompts = make()
    prompts.save(plain("one"))
    write_folder(prompts, tmp_path)
    prompts.save(plain("theirs"))
    (path := tmp_path / "cite.yaml").write_text(path.read_text().replace("one", "mine"))
    (found,) = read_folder(prompts, tmp_path)
    assert found.what == "conflict"
    assert "it was made from version 1, and the vault has cite@2" in found.reason
    assert prompts.show("cite").prompt.number == 2
    (out,) = write_folder(prompts, tmp_path)
    assert (out.what, "mine" in path.read_text()) == ("conflict", True)
    assert read_folder(prompts, tmp_path, take=True)[0].reference == "cite@3"
    assert what(write_folder(prompts, tmp_path)) == {"cite.yaml": "written"}


def test_an_older_file_changes_nothing(make: Callable[..., Prompts], tmp_path: Path) -> None:
    prompts = make()
    prompts.save(plain("one"))
    write_folder(prompts, tmp_path)
    prompts.save(plain("two"))
    (found,) = read_folder(prompts, tmp_path)
    assert (found.what, found.reference) == ("older", "cite@1")
    assert prompts.show("cite").prompt.number == 2
    assert what(write_folder(prompts, tmp_path)) == {"cite.yaml": "written"}


def test_one_broken_file_keeps_all_out(make: Callable[..., Prompts], tmp_path: Path) -> None:
    prompts = make()
    (tmp_path / "a.yaml").write_text("messages: [{role: user, content: fine}]")
    (tmp_path / "b.yaml").write_text("messages: [{role: user, content: '{{ open'}]")
    with pytest.raises(TemplateError):
        read_folder(prompts, tmp_path)
    (tmp_path / "b.yaml").write_text("name: a\nmessages: [{role: user, content: same name}]")
    with pytest.raises(BadInput, match="two files hold the prompt a"):
        read_folder(prompts, tmp_path)
    assert prompts.list() == ()
    with pytest.raises(BadInput, match="no such folder"):
        read_folder(prompts, tmp_path / "missing")
