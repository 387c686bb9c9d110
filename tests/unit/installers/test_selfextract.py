"""The self-extracting file: it checks itself, says what it would do, installs below one prefix, and leaves vaults when it goes."""

import subprocess
import sys
from pathlib import Path

import pytest

from installers import selfextract

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a file for Linux")


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    stage = tmp_path / "stage"
    for name, content in (
        ("lib/assay/assay", "#!/bin/sh\necho the program\n"),
        ("lib/assay/_internal/data", "data"),
        ("share/applications/assay.desktop", "[Desktop Entry]\nExec=assay app %f\n"),
        ("share/man/man1/assay.1", "page"),
    ):
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).write_text(content)
    (stage / "lib/assay/assay").chmod(0o755)
    return selfextract.pack(stage, tmp_path / "assay.run", "1.0", 1_700_000_000)


def run(file: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        ["/bin/sh", file, *words], env=environment, cwd=home, capture_output=True, text=True, check=False
    )


def test_it_installs_and_goes_again_and_leaves_vaults(packed: Path, tmp_path: Path) -> None:
    home = tmp_path / "a home"
    (home / "Work" / "Kept.assay").mkdir(parents=True)
    done = run(packed, home)
    assert done.returncode == 0, done.stderr
    assert (
        subprocess.run([home / ".local/bin/assay"], capture_output=True, text=True, check=True).stdout
        == "the program\n"
    )
    assert f'Exec="{home}/.local/bin/assay" app %f' in (home / ".local/share/applications/assay.desktop").read_text()
    again = run(packed, home)
    assert again.returncode == 0, again.stderr
    gone = run(packed, home, "--uninstall")
    assert gone.returncode == 0
    assert "Kept.assay" in gone.stdout
    assert [path.name for path in home.rglob("*assay*")] == ["Kept.assay"]
    assert not (home / ".local/share/man/man1/assay.1").exists()
    assert (home / "Work" / "Kept.assay").is_dir()
    assert run(packed, home, "--uninstall").returncode == 1


def test_a_dry_run_and_a_check_change_nothing(packed: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = run(packed, home, "--dry-run", "--prefix", "here")
    assert told.returncode == 0, told.stderr
    assert f"{home}/here/lib/assay" in told.stdout
    assert "Files: 4." in told.stdout
    assert run(packed, home, "--check").returncode == 0
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("work", [(), ("--check",), ("--dry-run",)])
def test_a_damaged_or_shortened_file_installs_nothing(packed: Path, tmp_path: Path, work: tuple[str, ...]) -> None:
    content = bytearray(packed.read_bytes())
    content[-40] ^= 1
    (tmp_path / "flipped.run").write_bytes(content)
    (tmp_path / "shortened.run").write_bytes(packed.read_bytes()[:-10])
    for name in ("flipped.run", "shortened.run"):
        done = run(tmp_path / name, tmp_path / "home", *work)
        assert done.returncode == 1
        assert "damaged" in done.stderr
    assert list((tmp_path / "home").iterdir()) == []


def test_an_unknown_word_is_refused(packed: Path, tmp_path: Path) -> None:
    assert run(packed, tmp_path / "home", "--upgrade").returncode == 2
