"""The window with an open vault lets the command line in: it hears of what is done there, and locking ends it with a sentence."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.bridge.opening import open_vault
from app.main_window import MainWindow
from core.cli import rendezvous
from core.jobs import Job
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES
from tests.unit.cli.people import Person

pytestmark = pytest.mark.skipif(not rendezvous.SUPPORTED, reason="a second process is refused on this system")
PROMPT = "messages:\n  - role: user\n    content: 'Question: {{ question }}'\n"


@pytest.fixture
def folder(vault_factory: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The closed vault of ines and tomas."""
    (tmp_path / "r").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    vault = vault_factory(SCHEMA)
    vault.close()
    return vault.folder


def in_background(person: Person, *arguments: str) -> tuple[threading.Thread, list[int]]:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(person(*arguments)))
    thread.start()
    return thread, codes


def test_the_command_line_beside_the_window(qtbot: QtBot, locked: MainWindow, folder: Path, tmp_path: Path) -> None:
    locked.enter(open_vault(folder, "ines", PASSPHRASES["ines"], Job("Open")))
    heard: list[tuple[Act, str]] = []
    locked.operations.changed.connect(lambda changed: heard.append((changed.act, changed.about)))
    ines, tomas = Person(folder, "ines", tmp_path), Person(folder, "tomas", tmp_path)
    (tmp_path / "p.yaml").write_text(PROMPT)
    thread, codes = in_background(ines, "prompt", "save", "cite", "--file", "p.yaml")
    qtbot.waitUntil(lambda: (Act.SAVE_PROMPT, "cite") in heard)
    thread.join(120)
    assert codes == [0]

    asked = threading.Event()
    held = threading.Event()

    def passphrase(prompt: str, confirm: bool) -> str:
        if prompt.startswith("Sign as"):
            asked.set()
            held.wait(120)
        return tomas.known

    tomas.passphrase = passphrase  # type: ignore[method-assign]
    thread, codes = in_background(tomas, "prompt", "approve", "cite@1")
    qtbot.waitUntil(asked.is_set)
    with qtbot.waitSignal(locked.locked):
        locked.lock()
    held.set()
    thread.join(120)
    assert codes == [16]
    assert "The vault was locked in the Assay that has it open." in tomas.errors
    with Vault.open(folder, "ines", PASSPHRASES["ines"], SCHEMA) as vault, vault.read() as reader:
        assert (Act.APPROVE, "cite@1") not in [(entry.act, entry.about) for entry in reader.log(1000)]
