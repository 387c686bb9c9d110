"""What models take on the disk, what lies there twice, and what may go."""

import os
import shutil
from pathlib import Path

import pytest

from core.errors import Cancelled, Changed, NotFound, Refused
from core.jobs import Job
from core.models.aliases import ModelAliases
from core.models.disk import ModelDisk
from core.models.records import AddModel, MoveAlias
from core.models.service import Models
from core.vault.vault import Vault


@pytest.fixture
def disk(vault: Vault, models: Models, stories: Path) -> ModelDisk:
    models.add(AddModel(path=str(stories), name="tiny"))
    return ModelDisk(vault, models)


def test_what_takes_how_much_and_what_uses_it(disk: ModelDisk, vault: Vault, models: Models, stories: Path) -> None:
    ModelAliases(vault, models).move(MoveAlias(name="summariser", model="tiny"))
    view = disk.view()
    (tiny,) = view.models
    assert (tiny.name, tiny.size, tiny.uses) == ("tiny", stories.stat().st_size, ("the alias summariser points at it",))
    assert tiny.size <= tiny.space < tiny.size + 100_000
    assert view.total == tiny.space
    assert [folder for folder, _ in view.free] == [str(stories.parent)]
    assert (view.duplicates, view.others) == ((), ())
    stories.rename(stories.with_name("gone"))
    assert disk.view().models[0].missing == (str(stories),)


def test_equal_files_are_found_by_digest_whatever_their_names(
    disk: ModelDisk, models: Models, stories: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "more" / "deep"
    folder.mkdir(parents=True)
    twin = Path(shutil.copy(stories, folder / "twin.gguf"))
    os.link(stories, stories.with_name("same.gguf"))
    near = bytearray(stories.read_bytes())
    near[-1] ^= 1
    (folder / "near.gguf").write_bytes(near)
    (folder / "text.txt").write_bytes(stories.read_bytes())
    assert disk.view().duplicates == ()
    seen: list[int] = []
    view = disk.view([str(tmp_path / "more")], Job("Compare", lambda progress: seen.append(progress.done)))
    (found,) = view.duplicates
    assert found.digest == models.show("tiny").digest
    assert len(found.paths) == 2
    assert str(twin) in found.paths
    assert {Path(path).name for path, _ in view.others} == {"twin.gguf", "near.gguf", "same.gguf"}
    assert seen
    stopped = Job("Compare")
    stopped.cancel()
    with pytest.raises(Cancelled):
        disk.view([str(tmp_path / "more")], stopped)
    with pytest.raises(NotFound):
        disk.view([str(tmp_path / "none")])


def test_a_file_is_deleted_only_when_it_is_the_registered_one_and_nothing_uses_it(
    disk: ModelDisk, models: Models, vault: Vault, stories: Path
) -> None:
    aliases = ModelAliases(vault, models)
    aliases.move(MoveAlias(name="summariser", model="tiny"))
    with pytest.raises(Refused, match="the alias summariser points at it"):
        disk.discard("tiny")
    aliases.end("summariser")
    whole = stories.read_bytes()
    stories.write_bytes(whole + bytes(32))
    with pytest.raises(Changed):
        disk.discard("tiny")
    assert stories.is_file()
    stories.write_bytes(whole)
    assert disk.discard("tiny", "old") >= len(whole)
    assert not stories.exists()
    assert models.list() == ()


def test_what_came_with_the_program_is_not_deleted(
    disk: ModelDisk, models: Models, stories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.models.disk.RESOURCES", stories.parent)
    with pytest.raises(Refused, match="came with the program"):
        disk.discard("tiny")
    assert stories.is_file()
