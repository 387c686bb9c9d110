"""Archives and packages: the same bytes from the same files, whatever their times, owners and order."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from installers import same

EPOCH = 1_700_000_000


def make(folder: Path, names: tuple[str, ...], when: int) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
        os.utime(path, (when, when))
    (folder / "b" / "tool").chmod(0o700)
    (folder / "link").symlink_to("b/tool")
    return folder


def written(folder: Path) -> bytes:
    target = io.BytesIO()
    same.write_tar(folder, target, EPOCH, "top/")
    return target.getvalue()


def test_order_of_writing_and_times_leave_no_trace(tmp_path: Path) -> None:
    first = make(tmp_path / "one", ("a", "b/tool", "b/z", "ä"), 1)
    second = make(tmp_path / "two", ("ä", "b/z", "b/tool", "a"), 2_000)
    assert written(first) == written(second)
    same.write_tar_gz(first, tmp_path / "one.gz", EPOCH)
    same.write_tar_gz(second, tmp_path / "two.gz", EPOCH)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    (second / "a").write_text("other")
    assert written(first) != written(second)


def test_members_belong_to_root_and_links_stay_links(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(written(make(tmp_path / "one", ("a", "b/tool"), 1)))) as archive:
        members = {member.name: member for member in archive.getmembers()}
    assert list(members) == ["top/a", "top/b", "top/b/tool", "top/link"]
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, EPOCH)}
    assert members["top/link"].linkname == "b/tool"
    assert (members["top/a"].mode, members["top/b/tool"].mode, members["top/b"].mode) == (0o644, 0o755, 0o755)


def test_what_two_builds_differ_in_is_named(tmp_path: Path) -> None:
    first = make(tmp_path / "one", ("a", "b/tool", "b/z"), 1)
    second = make(tmp_path / "two", ("a", "b/tool", "b/z"), 2_000)
    assert same.differences(first, second) == []
    (second / "a").write_text("content of A!")
    (second / "b" / "z").unlink()
    (second / "b" / "tool").chmod(0o600)
    (second / "link").unlink()
    (second / "link").symlink_to("a")
    assert same.differences(first, second) == [
        f"b/z: only in {first}",
        "a: 12 and 13 bytes, 2 of them other, the first at 11",
        "b/tool: another mode",
        "link: a link to another place",
    ]


def test_only_what_a_system_runs_may_be_run(tmp_path: Path) -> None:
    contents = {
        "program": b"\x7fELF program",
        "script": b"#!/bin/sh\n",
        "libqt.so.6": b"\x7fELF library",
        "LICENSE": b"words",
        "empty": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o755)
    same.plain_modes(tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o100} == {"program", "script"}


def test_settled_files_have_one_time_and_plain_modes(tmp_path: Path) -> None:
    folder = make(tmp_path / "one", ("a", "b/tool"), 1)
    (folder / "a").chmod(0o600)
    same.settle(folder, EPOCH)
    assert {path.lstat().st_mtime for path in (*same.entries(folder), folder)} == {EPOCH}
    assert (folder / "a").stat().st_mode & 0o777 == 0o644
    assert (folder / "b" / "tool").stat().st_mode & 0o777 == 0o755


def test_copies_of_a_library_become_links_to_the_first(tmp_path: Path) -> None:
    for name in ("libx.so", "libx.so.0"):
        (tmp_path / name).write_bytes(b"library")
    (tmp_path / "liby.so").write_bytes(b"another")
    assert same.link_equals(tmp_path, "*.so*") == len(b"library")
    assert (tmp_path / "libx.so.0").readlink() == Path("libx.so")
    assert not (tmp_path / "liby.so").is_symlink()
    assert same.link_equals(tmp_path, "*.so*") == 0


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/qml/x/y.so",
        "PySide6/Qt/plugins/tls/libq.so",
        "a/tests/data/x.bin",
        "llama_cpp/lib/libllama.so.0.5.0",
    ],
)
def test_what_is_never_loaded_stays_out(name: str) -> None:
    from installers import contents

    assert not contents.carried(name)


@pytest.mark.parametrize(
    "name", ["bin/libggml-cpu-haswell.so", "llama_cpp/lib/libggml.so.0", "resources/models/starter-chat.gguf"]
)
def test_what_is_loaded_is_carried(name: str) -> None:
    from installers import contents

    assert contents.carried(name)
