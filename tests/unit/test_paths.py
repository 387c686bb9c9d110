import errno
import os
import tempfile
from pathlib import Path

import pytest

from core import paths
from core.errors import BadInput, DiskFull, NotFound, Unavailable


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text("old")
    paths.write_whole(file, b"new")
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["keys.json"]  # noqa: PTH208 (names, hidden ones too)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys.json"
    file.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="the disk is full"):
        paths.write_whole(file, b"new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["keys.json"]  # noqa: PTH208


def test_a_runtime_folder_is_private_and_goes_away() -> None:
    with paths.runtime_folder("index") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "x").write_text("x")
    assert not folder.exists()


@pytest.mark.parametrize(("text", "said"), [("a: [1,\nb: 2", "line 2"), ("a:\n\t- b", "line 2")])
def test_broken_yaml_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(BadInput, match=rf"spec\.yaml: {said}"):
        paths.read_yaml(tmp_path / "spec.yaml")


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(BadInput):
        paths.read_yaml(tmp_path / "spec.yaml")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match=r"There is no folder .*absent\. Create it"):
        paths.write_whole(tmp_path / "absent" / "a.json", b"new")
    with pytest.raises(BadInput, match="this is a folder"):
        paths.write_whole(tmp_path, b"new")

    def read_only(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkstemp", read_only)
    with pytest.raises(Unavailable, match=r"a\.json can't be written \(Read-only file system\)"):
        paths.write_whole(tmp_path / "a.json", b"new")


def test_a_folder_in_place_of_a_yaml_file_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="this is a folder"):
        paths.read_yaml(tmp_path)
