"""Registering model files, and noticing when a file is another one."""

import os
from pathlib import Path

import pytest

from core.errors import AlreadyExists, BadInput, Cancelled, Changed, Damaged, NotFound
from core.jobs import Job
from core.models import starter
from core.models.records import FAKE, AddModel
from core.models.service import Models
from core.vault.roles import Act
from core.vault.vault import Vault


def test_a_model_is_registered_with_what_its_file_says(models: Models, stories: Path, vault: Vault) -> None:
    seen = []
    job = Job("add", lambda progress: seen.append((progress.done, progress.total, progress.unit)))
    added = models.add(AddModel(path=str(stories), name="tiny"), job)
    assert models.list() == (added,)
    assert models.show("tiny") == models.show(added.digest) == models.located("tiny") == added
    assert (added.architecture, added.purpose, added.size) == ("llama", "chat", stories.stat().st_size)
    assert seen[-1] == (added.size, added.size, "bytes")
    with vault.read() as reader:
        assert reader.log(10)[-1].act == Act.ADD_MODEL


def test_the_name_comes_from_the_file(models: Models, stories: Path) -> None:
    assert models.add(AddModel(path=str(stories))).name == "stories"
    assert models.add(AddModel(path=str(stories))).name == "stories"
    assert len(models.list()) == 1


@pytest.mark.parametrize("name", ["fake", "", "Ä", "a b", "../x", "-a"])
def test_a_name_that_cannot_be_used(models: Models, stories: Path, name: str) -> None:
    with pytest.raises(BadInput):
        models.add(AddModel(path=str(stories), name=name))


def test_a_taken_name_and_a_known_file_are_refused(models: Models, stories: Path) -> None:
    models.add(AddModel(path=str(stories), name="tiny"))
    with pytest.raises(BadInput, match="registered as tiny"):
        models.add(AddModel(path=str(stories), name="other"))
    copy = stories.with_name("copy.gguf")
    copy.write_bytes(stories.read_bytes())
    with pytest.raises(BadInput, match="the same file is registered as tiny"):
        models.add(AddModel(path=str(copy), name="copy"))
    copy.write_bytes(stories.read_bytes() + b"more")
    with pytest.raises(AlreadyExists):
        models.add(AddModel(path=str(copy), name="tiny"))


def test_the_built_in_model_is_known_without_a_file(models: Models) -> None:
    assert models.located(FAKE).name == FAKE
    assert models.show(models.show(FAKE).digest).name == FAKE
    assert models.list() == ()


def test_an_unknown_model(models: Models) -> None:
    with pytest.raises(NotFound, match="assay model list"):
        models.show("nobody")


def test_a_changed_file_is_noticed(models: Models, stories: Path) -> None:
    models.add(AddModel(path=str(stories), name="tiny"))
    content = bytearray(stories.read_bytes())
    content[-1] ^= 1
    stories.write_bytes(content)
    os.utime(stories, ns=(1, 1))
    with pytest.raises(Changed, match="changed since it was registered"):
        models.located("tiny")
    changed = models.add(AddModel(path=str(stories), name="tiny"))
    assert models.located("tiny") == changed


def test_a_touched_file_is_the_same_file(models: Models, stories: Path) -> None:
    added = models.add(AddModel(path=str(stories), name="tiny"))
    os.utime(stories, ns=(10**18, 10**18))
    assert models.located("tiny") == added


def test_a_moved_file_is_missed_and_registered_again(models: Models, stories: Path) -> None:
    added = models.add(AddModel(path=str(stories), name="tiny"))
    moved = stories.rename(stories.with_name("elsewhere.gguf"))
    with pytest.raises(NotFound, match="register the model again"):
        models.located("tiny")
    again = models.add(AddModel(path=str(moved)))
    assert (again.name, again.digest, again.path) == ("tiny", added.digest, str(moved))
    assert models.located("tiny") == again


def test_removing_forgets_the_name_and_leaves_the_file(models: Models, stories: Path) -> None:
    models.add(AddModel(path=str(stories), name="tiny"))
    models.remove("tiny")
    assert models.list() == ()
    assert stories.is_file()
    with pytest.raises(NotFound):
        models.remove("tiny")


def test_a_cut_file_is_not_registered(models: Models, stories: Path) -> None:
    os.truncate(stories, 500_000)
    with pytest.raises(Damaged, match="the file ends early"):
        models.add(AddModel(path=str(stories)))
    assert models.list() == ()


def test_cancelling_registers_nothing(models: Models, stories: Path) -> None:
    job = Job("add")
    job.cancel()
    with pytest.raises(Cancelled):
        models.add(AddModel(path=str(stories)), job)
    assert models.list() == ()


def test_the_starters_that_are_there_are_registered_once(
    models: Models, stories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {starter.CHAT: stories, starter.EMBEDDER: stories.with_name("absent.gguf")}
    monkeypatch.setattr(starter, "STARTERS", places)
    assert [model.name for model in starter.ensure_starters(models)] == [starter.CHAT]
    assert [model.name for model in starter.ensure_starters(models)] == [starter.CHAT]
    assert len(models.list()) == 1
    moved = stories.rename(stories.with_name("moved.gguf"))
    places[starter.CHAT] = moved
    assert starter.ensure_starters(models)[0].path == str(moved)
    assert len(models.list()) == 1
