"""What a user can get wrong, or a disk, or an attacker: one sentence, the right exit code, nothing half-written."""

import secrets
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core.workbench import Workbench
from tests.conftest import weak_kdf
from tests.end2end.conftest import Assay


def test_a_wrong_passphrase(ines: Assay, tmp_path: Path) -> None:
    (tmp_path / "wrong.txt").write_text("not the right passphrase at all\n")
    ran = ines("model", "list", passphrase=tmp_path / "wrong.txt")
    assert ran.code == 5
    assert "the user name or the passphrase is wrong" in ran.said


def test_a_person_who_is_not_there_looks_like_a_wrong_passphrase(ines: Assay) -> None:
    ran = Assay(ines.vault, "nobody", ines.passphrase)("model", "list")
    assert ran.code == 5


def test_no_vault_there(ines: Assay, tmp_path: Path) -> None:
    ran = Assay(tmp_path / "none.assay", "ines", ines.passphrase)("model", "list")
    assert ran.code == 6
    assert "none.assay" in ran.said


def test_a_truncated_model_file(ines: Assay, shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "models" / "stories260K" / "stories260K.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[: len(whole) // 2])
    ines.refuses("model", "add", tmp_path / "cut.gguf", code=10, saying="cut.gguf")
    assert "cut" not in ines("model", "list").out


@pytest.mark.parametrize(
    "name",
    [
        "gguf-v1-legacy/tinyllamas-stories-260k-f32.gguf",
        "whisper-ggml-wrong-format/for-tests-ggml-base.bin",
        "gguf-tiny/empty.gguf",
    ],
)
def test_a_file_that_is_no_usable_model(ines: Assay, shared_data: Path, name: str) -> None:
    ran = ines("model", "add", shared_data / "models" / name)
    assert ran.code in (8, 9, 10)
    assert Path(name).name in ran.said
    assert len(ran.said.strip().splitlines()) == 1


def test_a_model_file_that_changed(ines: Assay, shared_data: Path, tmp_path: Path) -> None:
    file = tmp_path / "stories.gguf"
    shutil.copy(shared_data / "models" / "stories260K" / "stories260K.gguf", file)
    assert ines("model", "add", file).code == 0
    (tmp_path / "text.txt").write_text("The tower has nine floors.\n\nThe gate closes at eight.")
    assert ines("documents", "add", "changed", tmp_path / "text.txt").code == 0
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    ines.refuses("ask", "changed", "How many floors?", "--model", "stories", code=10, saying="Register it again")


def test_a_folder_without_readable_files(ines: Assay, tmp_path: Path) -> None:
    (tmp_path / "data.xyz").write_bytes(b"\x00\x01")
    ran = ines("documents", "add", "nothing", tmp_path, "--json")
    assert ran.code == 1
    assert (ran.json["added"], [refused["file"] for refused in ran.json["refused"]]) == (0, ["data.xyz"])
    (tmp_path / "empty").mkdir()
    ines.refuses("documents", "add", "nothing", tmp_path / "empty", code=8, saying="empty")


def test_an_error_in_a_template_names_its_line(ines: Assay, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "messages:\n  - role: user\n    content: |\n      {% for p in passages %}\n      {{ p.text }\n      {% endfor %}\n"
    )
    said = ines.refuses("prompt", "save", "broken", "--file", tmp_path / "p.yaml", code=8, saying="line 2")
    assert "broken" in said
    assert ines("prompt", "list", "--json").json == {"prompts": []}


def test_a_sample_without_a_target(ines: Assay, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"input": "a", "target": "b"}\n{"input": "c"}\n')
    ines.refuses("dataset", "add", "q", tmp_path / "q.jsonl", code=8, saying="q.jsonl, line 2: no target")
    assert ines("dataset", "list", "--json").json == {"datasets": []}


def test_an_unknown_collection(ines: Assay) -> None:
    ran = ines("ask", "no-such", "Who?")
    assert ran.code == 6
    assert "no-such" in ran.said


def test_nobody_approves_their_own_prompt(ines: Assay, tomas: Assay, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("messages:\n  - role: user\n    content: Say {{ question }}\n")
    assert ines("prompt", "save", "mine", "--file", tmp_path / "p.yaml").code == 0
    own = ines("prompt", "sign", "mine@1", "--meaning", "reviewed")
    assert own.code == 4
    assert "someone else must do that" in own.said
    assert ines("prompt", "approve", "mine@1").code == 4
    approved = tomas("prompt", "approve", "mine@1", "--json")
    assert approved.code == 0, approved
    assert approved.json["name"] == "Tomas Ode"
    assert ines("prompt", "show", "mine@approved", "--json").json["labels"] == ["approved"]


def test_a_reviewer_adds_no_documents(tomas: Assay, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A sentence.")
    ran = tomas("documents", "add", "x", tmp_path / "a.txt")
    assert ran.code == 4


def test_a_vault_on_a_full_disk(ines: Assay, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0 or sys.platform != "linux":
        pytest.skip("a small disk can only be mounted by root on Linux")
    try:
        person = Assay(disk / "Small.assay", "ines", ines.passphrase)
        Workbench.create(person.vault, "ines", "Ines Korhan", ines.passphrase.read_text().strip(), weak_kdf).close()
        page = f"<html><body><p>The tower has nine floors.</p><script>/*{secrets.token_hex(2_000_000)}*/</script>"
        (tmp_path / "large.html").write_text(page)
        (tmp_path / "short.txt").write_text("The gate closes at eight.")
        assert person("documents", "add", "c", tmp_path / "short.txt").code == 0
        ran = person("documents", "add", "c", tmp_path / "large.html")
        assert ran.code == 14, ran
        assert "the disk is full" in ran.said
        listed = person("documents", "list", "c", "--json")
        assert [document["name"] for document in listed.json["documents"]] == ["short.txt"]
        assert person("vault", "check").code == 0
    finally:
        subprocess.run(["/bin/umount", str(disk)], check=True)


def test_a_pack_that_is_none(ines: Assay, tmp_path: Path) -> None:
    (tmp_path / "a.pack").write_bytes(b"not a zip")
    ran = ines("pack", "verify", tmp_path / "a.pack", "--json")
    assert ran.code == 1
    assert ran.json["verdict"] == "invalid"


def test_an_entry_that_points_outside(ines: Assay, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pack", "w") as pack:
        pack.writestr("../outside.txt", "x")
    ran = ines("pack", "verify", tmp_path / "a.pack", "--json")
    assert ran.code == 1
    assert ran.json["verdict"] == "invalid"
    assert not (tmp_path.parent / "outside.txt").exists()


def test_usage_errors_exit_with_two(ines: Assay) -> None:
    assert ines("ask").code == 2
    assert ines("nonsense").code == 2
