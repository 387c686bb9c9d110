from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.cli import here
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.people import Person


@pytest.fixture
def private_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sockets of the test lie in the test's own folder; nobody waits long for a vault that stays busy."""
    folder = tmp_path / "r"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr(here, "PATIENCE", 0.2)
    return folder


@pytest.fixture
def bench(vault_factory: Callable[..., Vault], private_runtime: Path) -> Iterator[Workbench]:
    """The open vault of ines, in this process."""
    with Workbench(vault_factory(SCHEMA)) as made:
        yield made


@pytest.fixture
def person(bench: Workbench, tmp_path: Path) -> Callable[..., Person]:
    """`person("tomas")`: somebody at a command, in a folder of their own."""

    def make(user: str = "tomas", draws: bool = False) -> Person:
        folder = tmp_path / f"home of {user}"
        folder.mkdir(exist_ok=True)
        return Person(bench.vault.folder, user, folder, draws)

    return make
