"""Aliases: pointed at a file's digest, usable as a model's name, moved by people and logged."""

import shutil
from pathlib import Path

import pytest

from core.errors import AlreadyExists, BadInput, NotFound, Refused
from core.inference.records import Generate, Message
from core.inference.service import Engine
from core.models.aliases import ModelAliases
from core.models.records import FAKE, AddModel, MoveAlias
from core.models.service import Models
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor


@pytest.fixture
def aliases(vault: Vault, models: Models, stories: Path) -> ModelAliases:
    models.add(AddModel(path=str(stories), name="tiny"))
    return ModelAliases(vault, models)


def other(models: Models, stories: Path) -> str:
    copy = Path(shutil.copy(stories, stories.with_name("other.gguf")))
    copy.write_bytes(copy.read_bytes() + bytes(32))
    return models.add(AddModel(path=str(copy))).name


def test_an_alias_stands_for_a_file_and_its_moves_are_kept(
    aliases: ModelAliases, models: Models, stories: Path, vault: Vault
) -> None:
    first = aliases.move(MoveAlias(name="summariser", model="tiny", reason="chosen"))
    tiny = models.show("tiny")
    assert models.show("summariser") == models.show("SUMMARISER") == models.located("summariser") == tiny
    assert first.model == tiny.digest
    second = aliases.move(MoveAlias(name="summariser", model=other(models, stories)))
    assert models.show("summariser").name == "other"
    assert aliases.list() == (second,)
    assert [alias.model_name for alias in aliases.history("summariser")] == ["other", "tiny"]
    with vault.read() as reader:
        last = reader.log(100)[-1]
    assert (last.act, last.about) == (Act.MOVE_ALIAS, "summariser")
    assert (tiny.digest in last.before, second.model in last.after) == (True, True)


def test_an_ended_alias_points_at_nothing(aliases: ModelAliases, models: Models) -> None:
    aliases.move(MoveAlias(name="summariser", model="tiny"))
    aliases.end("summariser", "no longer needed")
    assert aliases.list() == ()
    for gone in ("summariser", "nobody"):
        with pytest.raises(NotFound):
            models.show(gone)
        with pytest.raises(NotFound):
            aliases.end(gone)
    aliases.move(MoveAlias(name="summariser", model="tiny"))
    assert [alias.model_name for alias in aliases.history("summariser")] == ["tiny", "", "tiny"]


def test_a_name_is_a_models_or_an_aliass(aliases: ModelAliases, models: Models, stories: Path) -> None:
    for taken, error in (("tiny", AlreadyExists), (FAKE, BadInput), ("a b", BadInput)):
        with pytest.raises(error):
            aliases.move(MoveAlias(name=taken, model="tiny"))
    aliases.move(MoveAlias(name="summariser", model="tiny"))
    copy = Path(shutil.copy(stories, stories.with_name("summariser.gguf")))
    copy.write_bytes(copy.read_bytes() + bytes(32))
    with pytest.raises(AlreadyExists, match="alias"):
        models.add(AddModel(path=str(copy)))


def test_an_alias_keeps_its_model_and_means_that_very_file(
    aliases: ModelAliases, models: Models, stories: Path
) -> None:
    aliases.move(MoveAlias(name="summariser", model="tiny"))
    with pytest.raises(Refused, match="the alias summariser points at it"):
        models.remove("tiny")
    stories.write_bytes(stories.read_bytes() + bytes(32))
    models.add(AddModel(path=str(stories), name="tiny"))
    with pytest.raises(NotFound, match="Register that file again, or move the alias"):
        models.show("summariser")
    models.remove("tiny")


def test_the_engine_takes_an_alias(aliases: ModelAliases, models: Models, supervisor: Supervisor) -> None:
    aliases.move(MoveAlias(name="test", model=FAKE))
    engine = Engine(models, supervisor)
    request = Generate(model="test", messages=(Message(role="user", content="Say hello"),), max_tokens=4)
    assert list(engine.generate(request))
    engine.close()
