import errno
import os
from pathlib import Path

import pytest

from core import paths
from core.errors import BadInput, DiskFull


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
