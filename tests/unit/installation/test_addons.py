"""Add-ons: a signed file is put in its place whole or not at all, seen by one kind of worker alone, read by the doctor, and removed."""

import hashlib
import json
import os
import shutil
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import egress
from core.cli.main import main
from core.errors import AlreadyExists, AssayError, BadInput, Cancelled, Damaged, NotFound, Unavailable, Unsupported
from core.installation import addons as installing
from core.jobs import Job
from core.training import work
from core.workers import addons
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
from tests import minisigning

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
FILES = {
    "site/carried_along/__init__.py": b"WORD = 'from the add-on'\n",
    "site/carried_along/data.bin": bytes(100_000),
    "site/carried_along-1.0.dist-info/METADATA": b"Name: carried-along\nVersion: 1.0\n",
}
WORKER = b"""
from core.records import Record

class Ask(Record, frozen=True, kw_only=True, tag="ask-add-on"):
    pass

class Said(Record, frozen=True, kw_only=True, tag="said-add-on"):
    word: str
    written: bool

def handlers():
    import carried_along

    def answer(request, job):
        try:
            open(carried_along.__file__, "a").close()
            written = True
        except OSError:
            written = False
        return Said(word=carried_along.WORD, written=written)

    return {Ask: answer}
"""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "signer.pub"
    file.write_text(minisigning.public(KEY))
    return file


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "addons"


def manifest(files: dict[str, bytes], **other: Any) -> dict[str, Any]:
    return {
        "type": "addon",
        "name": "training",
        "release": "1",
        "purpose": "training",
        "programs": [addons.release()],
        "python": addons.python(),
        "system": addons.system(),
        "packages": [{"name": "carried-along", "release": "1.0", "licence": "MIT"}],
        "files": [
            {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in files.items()
        ],
        **other,
    }


def written(
    file: Path,
    files: dict[str, bytes] | None = None,
    held: dict[str, bytes] | None = None,
    change: Callable[[zipfile.ZipInfo], None] = lambda _: None,
    signer: Ed25519PrivateKey = KEY,
    listed: list[dict[str, Any]] | None = None,
    **other: Any,
) -> Path:
    """An add-on with `files` in its signed list, and `held` in fact."""
    files_ = FILES if files is None else files
    signed = manifest(files_, **other)
    content = json.dumps({**signed, "files": listed or signed["files"]}).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("addon.json", content)
        archive.writestr("addon.json.minisig", minisigning.signature(content, signer))
        for path, data in (files_ if held is None else held).items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            change(entry)
            archive.writestr(entry, data)
    return file


def refused(file: Path, key: Path, place: Path, error: type[AssayError]) -> str:
    """The sentence; nothing is left of the attempt."""
    with pytest.raises(error) as raised:
        installing.install(file, Job("Installing"), key, place)
    assert not place.exists() or [one.name for one in place.iterdir()] in ([], [".addon.json.lock"])
    return str(raised.value)


def test_it_is_installed_whole_and_removed_whole(tmp_path: Path, key: Path, place: Path) -> None:
    file = written(tmp_path / "a.addon")
    made = installing.install(file, Job("Installing"), key, place)
    folder = place / "training"
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert made.size == sum(map(len, FILES.values()))
    assert addons.imports("training", (place,)) == (str(folder / "site"),)
    assert addons.imports("other", (place,)) == ()
    assert installing.differences(folder, Job("Reading")) == []
    with pytest.raises(AlreadyExists):
        installing.install(file, Job("Installing"), key, place)
    installing.remove("training", place)
    assert [one.name for one in place.iterdir()] == [".addon.json.lock"]
    with pytest.raises(NotFound):
        installing.remove("training", place)


@pytest.mark.parametrize("name", ["..", ".", "", "../addons", "a/b", "Training"])
def test_only_an_add_on_is_removed(name: str, place: Path) -> None:
    place.mkdir()
    with pytest.raises(NotFound):
        installing.remove(name, place)


def test_who_signed_counts(tmp_path: Path, key: Path, place: Path) -> None:
    other = written(tmp_path / "a.addon", signer=Ed25519PrivateKey.generate())
    assert "signature" in refused(other, key, place, Damaged)
    with pytest.raises(Unavailable, match="--key"):  # a checkout carries no key
        installing.install(other, Job("Installing"), None, place)


@pytest.mark.parametrize("wrong", [{"programs": ["9.9.9"]}, {"python": "cp399"}, {"system": "win_amd64"}])
def test_one_for_another_program_is_refused_before_and_after_it_is_there(
    wrong: dict[str, Any], tmp_path: Path, key: Path, place: Path
) -> None:
    refused(written(tmp_path / "a.addon", **wrong), key, place, Unsupported)
    folder = place / "training"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "addon.json").write_text(json.dumps(manifest({}, **wrong)))
    with pytest.raises(Unsupported):
        addons.imports("training", (place,))


@pytest.mark.parametrize(
    "path",
    [
        "../out.py",
        "site/../../out.py",
        "/out.py",
        "site//a.py",
        "site/./a.py",
        "site/a\\..\\b.py",
        "site/c:a.py",
        "site/a\nb.py",
        "site",
        "other/a.py",
        "site/ /a.py",
        f"site/{'a' * 201}",
        "site/a.",
        "site/a /b.py",
        "site/nul",
        "site/Com1.py",
    ],
)
def test_paths_that_leave_the_folder_are_refused(path: str, tmp_path: Path, key: Path, place: Path) -> None:
    refused(written(tmp_path / "a.addon", {path: b"x"}), key, place, BadInput)
    assert not (tmp_path / "out.py").exists()


@pytest.mark.parametrize(
    "paths",
    [
        ("site/a.py", "site/A.py"),
        ("site/a", "site/a/b"),
        ("site/A", "site/a/b"),
        ("site/a/b", "site/A/c"),
        ("site/\u00e9", "site/e\u0301"),
        ("site/\u00e9/a", "site/E\u0301/b"),
    ],
)
def test_names_that_meet_on_some_systems_are_refused(
    paths: tuple[str, str], tmp_path: Path, key: Path, place: Path
) -> None:
    refused(written(tmp_path / "a.addon", dict.fromkeys(paths, b"x")), key, place, BadInput)


@pytest.mark.parametrize("name", ["", "..", "a/b", "Training", ".hidden"])
def test_names_that_are_no_folder_are_refused(name: str, tmp_path: Path, key: Path, place: Path) -> None:
    refused(written(tmp_path / "a.addon", name=name), key, place, BadInput)


def test_links_and_devices_are_refused(tmp_path: Path, key: Path, place: Path) -> None:
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR):

        def change(entry: zipfile.ZipInfo, kind: int = kind) -> None:
            entry.external_attr = (kind | 0o777) << 16

        refused(written(tmp_path / "a.addon", change=change), key, place, BadInput)


@pytest.mark.parametrize(
    "held",
    [
        {**FILES, "site/more.py": b"more"},
        dict(list(FILES.items())[:2]),
        {**FILES, "site/carried_along/data.bin": bytes(100_001)},
        {**FILES, "site/carried_along/data.bin": b"x" * 100_000},
    ],
)
def test_files_that_arent_as_listed_are_refused(held: dict[str, bytes], tmp_path: Path, key: Path, place: Path) -> None:
    refused(written(tmp_path / "a.addon", held=held), key, place, Damaged)


@pytest.mark.parametrize("again", ["addon.json", "addon.json.minisig", "site/carried_along/__init__.py"])
def test_names_that_the_archive_holds_twice_are_refused(again: str, tmp_path: Path, key: Path, place: Path) -> None:
    file = written(tmp_path / "a.addon")
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(again, archive.read(again))
    refused(file, key, place, Damaged)


@pytest.mark.parametrize("kind", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_takes_memory_before_the_signature_is_read_is_refused(
    kind: int, tmp_path: Path, key: Path, place: Path
) -> None:
    file = tmp_path / "a.addon"
    with zipfile.ZipFile(file, "w", kind) as archive:
        archive.writestr("addon.json", b" " * 1000)
    assert "compressed" in refused(file, key, place, BadInput)


def test_nobody_else_can_write_to_it_whatever_the_umask(tmp_path: Path, key: Path, place: Path) -> None:
    for mask in (0o000, 0o002, 0o077):
        before = os.umask(mask)
        try:
            installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
        finally:
            os.umask(before)
        found = dict(addons.entries(place / "training"))
        assert {stat.S_IMODE(told.st_mode) for told in found.values() if stat.S_ISDIR(told.st_mode)} == {0o755}
        assert {stat.S_IMODE(told.st_mode) for told in found.values() if stat.S_ISREG(told.st_mode)} == {0o644}
        assert stat.S_IMODE(place.stat().st_mode) == stat.S_IMODE((place / "training").stat().st_mode) == 0o755
        assert addons.imports("training", (place,))
        shutil.rmtree(place)


@pytest.mark.skipif(sys.platform == "win32", reason="rights aren't in a file's mode there")
@pytest.mark.parametrize("mode", [0o777, 0o775])
@pytest.mark.parametrize(
    "what", ["", "training", "training/site/carried_along", "training/site/carried_along/__init__.py"]
)
def test_one_that_others_can_change_isnt_used(what: str, mode: int, tmp_path: Path, key: Path, place: Path) -> None:
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    (place / what).chmod(mode)
    with pytest.raises(Damaged, match="another person can change it"):
        addons.imports("training", (place,))
    if what:
        (finding,) = installing.examine(Job("Examining"), (place,))
        assert (finding.state, "writable for others" in finding.sentence) == ("fault", True)
    else:
        with pytest.raises(Unavailable, match="Another person"):
            installing.install(written(tmp_path / "b.addon", name="second"), Job("Installing"), key, place)


def test_links_and_files_beside_the_listed_arent_used(tmp_path: Path, key: Path, place: Path) -> None:
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    folder = place / "training"
    extra = folder / "site" / "llama_backends"
    extra.mkdir()
    (extra / "libggml-other.so").write_bytes(b"x")
    with pytest.raises(Damaged, match="libggml-other"):
        addons.imports("training", (place,))
    shutil.rmtree(extra)
    moved = tmp_path / "moved"
    (folder / "site" / "carried_along").rename(moved)
    (folder / "site" / "carried_along").symlink_to(moved)  # the same bytes, where others may be later
    with pytest.raises(Damaged, match="link"):
        addons.imports("training", (place,))
    (finding,) = installing.examine(Job("Examining"), (place,))
    assert "site/carried_along (added)" in finding.sentence
    assert "site/carried_along/data.bin (missing)" in finding.sentence
    (folder / "site" / "carried_along").unlink()
    moved.rename(folder / "site" / "carried_along")
    assert addons.imports("training", (place,))
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Damaged, match="link"):
        addons.imports("training", (place,))
    installing.remove("training", place)
    assert [one.name for one in place.iterdir()] == [".addon.json.lock"]
    assert (tmp_path / "elsewhere" / "site" / "carried_along" / "data.bin").exists()


def test_the_doctor_says_when_another_key_than_the_programs_signed(
    tmp_path: Path, key: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried = tmp_path / "release.pub"
    carried.write_text(minisigning.public(Ed25519PrivateKey.generate()))
    monkeypatch.setattr(installing, "RELEASE_KEY", carried)
    with pytest.raises(Damaged):
        installing.install(written(tmp_path / "a.addon"), Job("Installing"), None, place)
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    (finding,) = installing.examine(Job("Examining"), (place,))
    assert (finding.state, "which isn't the one that this program carries" in finding.sentence) == ("note", True)
    carried.write_text(minisigning.public(KEY))
    (finding,) = installing.examine(Job("Examining"), (place,))
    assert finding.state == "good"


def test_sizes_are_bound_before_anything_is_unpacked(tmp_path: Path, key: Path, place: Path) -> None:
    much = [{"path": "site/a", "size": 2**45, "sha256": "0" * 64}]
    assert "more than an add-on may" in refused(written(tmp_path / "a.addon", listed=much), key, place, BadInput)


def test_an_archive_that_lies_about_a_size_is_refused(tmp_path: Path, key: Path, place: Path) -> None:
    held = {"site/a.py": bytes(50_000)}
    file = written(tmp_path / "a.addon", {"site/a.py": bytes(10)}, held)
    content = file.read_bytes()
    size = content.rindex(b"PK\x01\x02") + 24  # in the last entry of the directory at the end
    file.write_bytes(content[:size] + (10).to_bytes(4, "little") + content[size + 4 :])
    refused(file, key, place, Damaged)


@pytest.mark.parametrize("cut", [0, 10, 500, -30])
def test_a_file_that_is_cut_short_is_refused(cut: int, tmp_path: Path, key: Path, place: Path) -> None:
    file = written(tmp_path / "a.addon")
    file.write_bytes(file.read_bytes()[:cut])
    refused(file, key, place, Damaged)


def test_every_byte_that_is_changed_on_its_way_is_found_or_means_nothing(
    tmp_path: Path, key: Path, place: Path
) -> None:
    file = written(tmp_path / "a.addon", {"site/a.py": b"WORD = 1\n"})
    content = file.read_bytes()
    for at in range(0, len(content), 13):
        file.write_bytes(content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :])
        try:
            installing.install(file, Job("Installing"), key, place)
        except AssayError:
            assert [one.name for one in place.glob("[!.]*")] == []
        else:
            assert (place / "training" / "site" / "a.py").read_bytes() == b"WORD = 1\n"
            installing.remove("training", place)


def test_stopped_in_the_middle_it_leaves_nothing(tmp_path: Path, key: Path, place: Path) -> None:
    file = written(tmp_path / "a.addon")
    job = Job("Installing", lambda progress: job.cancel() if progress.done else None)
    with pytest.raises(Cancelled):
        installing.install(file, job, key, place)
    assert [one.name for one in place.iterdir()] == [".addon.json.lock"]


def test_what_a_killed_installation_left_is_not_used_and_goes(tmp_path: Path, key: Path, place: Path) -> None:
    left = place / ".0123456789abcdef.part" / "site"
    left.mkdir(parents=True)
    (left.parent / "addon.json").write_text(json.dumps(manifest({})))
    assert addons.installed((place,)) == ()
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    assert not left.exists()


def test_the_doctor_names_it_and_reads_every_file(tmp_path: Path, key: Path, place: Path) -> None:
    assert list(installing.examine(Job("Examining"), (place,))) == []
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    (finding,) = installing.examine(Job("Examining"), (place,))
    assert (finding.about, finding.state, finding.figures["files"]) == ("add-on: training", "good", 3)
    folder = place / "training"
    (folder / "site" / "carried_along" / "data.bin").write_bytes(b"x" * 100_000)
    (folder / "site" / "extra.py").write_text("x = 1")
    (finding,) = installing.examine(Job("Examining"), (place,))
    assert finding.state == "fault"
    assert "data.bin (changed), site/extra.py (added)" in finding.sentence
    listed = json.loads((folder / "addon.json").read_text())
    (folder / "addon.json").write_text(json.dumps({**listed, "release": "2"}))
    (finding,) = installing.examine(Job("Examining"), (place,))
    assert (finding.state, "signature" in finding.sentence) == ("fault", True)


def test_files_that_are_missing_or_of_another_size_arent_used(tmp_path: Path, key: Path, place: Path) -> None:
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    file = place / "training" / "site" / "carried_along" / "__init__.py"
    file.write_bytes(b"")
    with pytest.raises(Damaged, match="__init__"):
        addons.imports("training", (place,))
    file.unlink()
    with pytest.raises(Damaged):
        addons.imports("training", (place,))


def test_only_the_worker_that_it_is_given_to_imports_it(tmp_path: Path, key: Path, place: Path) -> None:
    folder = tmp_path / "worker"
    folder.mkdir()
    (folder / "asks_add_on.py").write_bytes(WORKER)
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    given: dict[str, Any] = {}
    exec(compile(WORKER, "asks_add_on", "exec"), given)  # noqa: S102 (the records that the worker speaks with)
    site = addons.imports("training", (place,))
    with Supervisor() as supervisor:
        with supervisor.start(WorkerSpec(module="asks_add_on", imports=(str(folder), *site))) as worker:
            said = worker.call(given["Ask"](), given["Said"])
            assert (said.word, said.written) == ("from the add-on", "landlock" not in worker.barrier.names)
        with pytest.raises(AssayError, match="carried_along"):
            supervisor.start(WorkerSpec(module="asks_add_on", imports=(str(folder),)))


def test_training_takes_it_where_its_libraries_arent_installed(
    tmp_path: Path, key: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addons, "places", lambda: (place,))
    with pytest.raises(Unavailable, match="assay addon install"):
        work.check_installed(lambda name: None)
    installing.install(written(tmp_path / "a.addon"), Job("Installing"), key, place)
    work.check_installed(lambda name: None)
    monkeypatch.setattr(work, "_missing", lambda: ["torch"])
    assert work.imports() == (str(place / "training" / "site"),)


def test_the_command_line_installs_lists_and_removes(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(egress, "harden", lambda: None)
    monkeypatch.setattr(egress, "raise_barrier", lambda *_: None)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    file = written(tmp_path / "a.addon")

    def run(*words: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            main(["--json", "addon", *words])
        out = capsys.readouterr().out
        return ended.value.code or 0, json.loads(out) if out else None

    code, told = run("install", str(file), "--key", str(key))
    assert (code, told["name"], told["folder"]) == (0, "training", str(addons.user_folder() / "training"))
    code, told = run("list")
    assert [(one["name"], one["usable"]) for one in told] == [("training", True)]
    assert run("remove", "training")[0] == 0
    assert run("list") == (0, [])
    assert [one.name for one in addons.user_folder().iterdir()] == [".addon.json.lock"]
