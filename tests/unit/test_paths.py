import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import paths
from core.errors import BadInput, DiskFull, NotFound, Unavailable

if sys.platform != "win32":
    import fcntl

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_runtime_folder_is_private_in_memory_and_goes_away() -> None:
    with paths.runtime_folder("index") as folder:
        assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
        assert paths.in_memory(folder)
        (folder / "x").write_text("x")
    assert not folder.parent.exists()


def test_only_what_the_kernel_calls_memory_counts_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if paths.in_memory(tmp_path):
        pytest.skip("the temporary folder itself lies in memory here")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert paths.ram_backed() != tmp_path
    monkeypatch.setattr(paths, "in_memory", lambda folder: folder == tmp_path)
    assert paths.ram_backed() == tmp_path
    monkeypatch.setattr(paths, "in_memory", lambda _: False)
    assert paths.ram_backed() is None
    with pytest.raises(Unavailable, match="no storage in memory"), paths.runtime_folder("index"):
        pass
    with paths.runtime_folder("index", tmp_path) as folder:
        assert tmp_path in folder.parents
    assert list(tmp_path.iterdir()) == []


HOLDS = """
import os, signal, sys
from pathlib import Path
from core import paths
with paths.runtime_folder("index", Path(sys.argv[1])) as folder:
    (folder / "vectors").write_text("content")
    print(folder, flush=True)
    sys.stdin.read()
"""


def holder(base: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process with a runtime folder of its own."""
    made = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert made.stdout is not None
    return made, Path(made.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="locks and process numbers are others there")
def test_what_dead_processes_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    (alive, used), (dead, left) = holder(tmp_path), holder(tmp_path)
    end(dead)
    assert (left / "vectors").read_text() == "content"
    other_start = tmp_path / f"assay-{alive.pid}-1-abcdefgh"  # a process with its number that ended long ago
    elsewhere = tmp_path / "assay-999999999-1-abcdefgh"  # a living process whose number we don't see: the lock speaks
    someones = tmp_path / "assay-notes"
    target = tmp_path / "target"
    for folder in (other_start, elsewhere, someones, target):
        folder.mkdir()
        (folder / "x").write_text("x")
    (tmp_path / "assay-999999999-2-abcdefgh").symlink_to(target)
    with (elsewhere / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert paths.sweep(tmp_path) == 2
        kept = {"assay-notes", "target", used.parent.name, elsewhere.name, "assay-999999999-2-abcdefgh"}
        assert {entry.name for entry in tmp_path.iterdir()} == kept
    assert (used / "vectors").read_text() == "content"
    assert (target / "x").exists()
    assert paths.sweep(tmp_path) == 1
    end(alive)
    with paths.runtime_folder("index", tmp_path):  # whoever needs one sweeps first
        assert not used.parent.exists()


WRITES = """
import os, signal, sys
from pathlib import Path
from core import paths
with paths.replacing(Path(sys.argv[1])) as file:
    file.write(b"half of a confidential export")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_export_leaves_nothing_in_clear(tmp_path: Path, nameless: bool, existing: bool) -> None:
    """Where files must have names (memory sticks), the next writing into the folder clears up."""
    file = tmp_path / "answers.jsonl"
    if existing:
        file.write_text("old")
    code = WRITES if nameless else "import os; os.O_TMPFILE = os.O_DIRECTORY\n" + WRITES
    done = subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = [path for path in tmp_path.iterdir() if path != file]
    assert len(left) == (0 if nameless and sys.platform == "linux" else 1)
    paths.write_whole(tmp_path / "other", b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"other", *(["answers.jsonl"] if existing else [])}
    assert not existing or file.read_text() == "old"


@pytest.mark.parametrize("named", [True, False])
def test_a_file_is_replaced_in_both_ways_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    if named:
        monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY, raising=False)
    file = tmp_path / "report.html"
    for content in (b"first", b"second"):
        with paths.replacing(file, private=False) as out:
            out.write(content)
            assert named == any(path.name.endswith(".part") for path in tmp_path.iterdir())
            paths.write_whole(tmp_path / "other", b"x")  # leaves this one's part alone
        assert file.read_bytes() == content
        assert file.stat().st_mode & 0o777 == 0o644
    with pytest.raises(FileNotFoundError), paths.replacing(file) as out:
        out.write((tmp_path / "absent").read_bytes())
    assert file.read_bytes() == b"second"
    assert {path.name for path in tmp_path.iterdir()} == {"other", "report.html"}


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

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(paths, "_part", read_only)
    with pytest.raises(Unavailable, match=r"a\.json can't be written \(Read-only file system\)"):
        paths.write_whole(tmp_path / "a.json", b"new")


def test_a_folder_in_place_of_a_yaml_file_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="this is a folder"):
        paths.read_yaml(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody is kept out")
def test_only_one_process_at_a_time_works_on_a_file_that_is_replaced(tmp_path: Path) -> None:
    state = tmp_path / "w.state"
    with paths.alone(state):
        paths.write_whole(state, b"first")  # a lock of the file itself would go with it
        with pytest.raises(Unavailable, match="Another process"), paths.alone(state):
            pass
    with paths.alone(state):
        assert state.read_bytes() == b"first"
    with pytest.raises(NotFound), paths.alone(tmp_path / "missing" / "w.state"):
        pass
