"""The program's own files: what was changed, taken or added after they were built is found."""

import shutil
import sys
from pathlib import Path

import pytest

from core import egress
from core.cli.main import main
from core.errors import Damaged
from core.installation import files
from core.installation.files import Difference
from core.jobs import Job


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "assay"
    (folder / "lib").mkdir(parents=True)
    (folder / "assay").write_bytes(b"program")
    (folder / "lib" / "model.so").write_bytes(b"library")
    files.write_list(folder, "assay-workbench 0.1.0")
    return folder


def both(folder: Path) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    known = files.read_list(folder)
    return files.quick(folder, known), files.whole(folder, known, Job("Checking"))


def test_a_bundle_as_it_was_built_differs_in_nothing_wherever_it_lies(bundle: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "opt" / "assay"
    shutil.copytree(bundle, elsewhere)
    assert both(elsewhere) == ((), ())
    assert [file.path for file in files.read_list(bundle).files] == ["assay", "lib/model.so"]


def test_a_file_with_other_bytes_is_found_by_reading_and_one_of_another_size_at_start(bundle: Path) -> None:
    (bundle / "lib" / "model.so").write_bytes(b"LIBRARY")
    changed = (Difference(path="lib/model.so", how="changed"),)
    assert both(bundle) == ((), changed)
    (bundle / "lib" / "model.so").write_bytes(b"longer than before")
    assert both(bundle) == (changed, changed)


def test_a_missing_file_is_found(bundle: Path) -> None:
    (bundle / "assay").unlink()
    missing = (Difference(path="assay", how="missing"),)
    assert both(bundle) == (missing, missing)


def test_a_file_that_could_run_and_was_not_built_is_found(bundle: Path) -> None:
    (bundle / "lib" / "sitecustomize.py").write_text("pass")
    (bundle / "lib" / "notes.txt").write_text("harmless")
    assert both(bundle) == ((), (Difference(path="lib/sitecustomize.py", how="added"),))


def test_a_list_that_is_missing_or_torn_is_said(bundle: Path) -> None:
    (bundle / files.LIST).write_bytes(b'{"type": "program-fi')
    with pytest.raises(Damaged, match="can't be read"):
        files.read_list(bundle)
    (bundle / files.LIST).unlink()
    with pytest.raises(Damaged):
        files.read_list(bundle)


def test_an_installation_with_a_changed_file_is_a_fault_that_names_it(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "installed", lambda: (bundle, files.read_list(bundle)))
    assert files.examine(Job("Checking")).state == "good"
    (bundle / "assay").write_bytes(b"PROGRAM")
    found = files.examine(Job("Checking"))
    assert (found.state, "assay (changed)" in found.sentence) == ("fault", True)
    assert files.examine(Job("Checking"), thorough=False).state == "good"


def test_a_checkout_has_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "installed", lambda: None)
    assert files.examine(Job("Checking")).state == "note"
    assert files.warning() == ("", "")


def test_a_program_that_starts_warns_of_a_changed_file_with_the_next_step(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(bundle / "assay"))
    assert files.warning() == ("", "")
    (bundle / "lib" / "model.so").write_bytes(b"longer than before")
    what, step = files.warning()
    assert what == "Assay was changed after it was built: one of its files is not as built, lib/model.so (changed)."
    assert "assay doctor" in step
    (bundle / files.LIST).unlink()
    what, step = files.warning()
    assert "can't tell" in what
    assert "Install Assay again" in step


def test_the_command_line_warns_and_goes_on(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / "assay").unlink()
    known = (bundle, files.read_list(bundle))
    monkeypatch.setattr(files, "installed", lambda: known)
    monkeypatch.setattr(egress, "harden", lambda: None)
    monkeypatch.setattr(egress, "raise_barrier", lambda *_: None)
    with pytest.raises(SystemExit) as left:
        main(("--version",))
    told = capsys.readouterr()
    assert left.value.code == 0
    assert told.out.startswith("assay, version")
    assert told.err.count("\n") == 1
    assert "assay (missing)" in told.err
