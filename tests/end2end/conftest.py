"""The command line as a person runs it: the installed program in a process of its own, one vault for a module's tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.workbench import Workbench
from tests.conftest import weak_kdf

SECONDS = 300


class Ran(NamedTuple):
    code: int
    out: str
    said: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Assay:
    """Runs `assay` for one person of one vault."""

    def __init__(self, vault: Path, user: str, passphrase: Path) -> None:
        self.vault = vault
        self.user = user
        self.passphrase = passphrase

    def __call__(self, *arguments: str | Path, passphrase: Path | None = None) -> Ran:
        program = Path(sys.executable).with_name("assay")
        environment = {
            **os.environ,
            "ASSAY_VAULT": str(self.vault),
            "ASSAY_USER": self.user,
            "ASSAY_PASSPHRASE_FILE": str(passphrase or self.passphrase),
        }
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def refuses(self, *arguments: str | Path, code: int, saying: str, announced: bool = False) -> str:
        """Run a command that must fail with one sentence on standard error, after what was shown for signing where something was
        `announced`, and nothing on standard output."""
        ran = self(*arguments)
        assert (ran.code, ran.out) == (code, ""), ran
        *before, last = ran.said.strip().splitlines()
        assert saying in last
        assert "Traceback" not in ran.said
        assert bool(before) == announced
        assert not before or before[0].startswith("You sign")
        return ran.said


@pytest.fixture(scope="module")
def ines(tmp_path_factory: pytest.TempPathFactory) -> Assay:
    """The author and administrator of a new vault that also has the reviewer `tomas`."""
    folder = tmp_path_factory.mktemp("vault")
    for name in ("ines", "tomas"):
        (folder / f"{name}.txt").write_text(f"correct horse battery {name} staple 7\n")
    person = Assay(folder / "Test.assay", "ines", folder / "ines.txt")
    passphrases = {name: (folder / f"{name}.txt").read_text().strip() for name in ("ines", "tomas")}
    # Made here, and not by the program, for the sake of key derivations that don't take a second each.
    with (
        Workbench.create(person.vault, "ines", "Ines Korhan", passphrases["ines"], weak_kdf) as bench,
        bench.vault.confirm(passphrases["ines"]) as signer,
    ):
        bench.vault.add_user(signer, "tomas", "Tomas Ode", ("reviewer",), passphrases["tomas"], weak_kdf)
    return person


@pytest.fixture(scope="module")
def tomas(ines: Assay) -> Assay:
    """The reviewer of the same vault."""
    return Assay(ines.vault, "tomas", ines.passphrase.with_name("tomas.txt"))
