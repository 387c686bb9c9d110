"""`assay documents add` with passwords of documents: from a file or asked for, and nowhere kept."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.documents.service import Documents
from core.models.records import FAKE
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk
from tests.unit.documents.workspace import pdf


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    vault = vault_factory(SCHEMA)
    with Workbench(vault) as bench:
        bench.documents = Documents(vault, bench.supervisor, bench.engine, embedder=FAKE)
        (tmp_path / "locked.pdf").write_bytes(pdf([(72, 100, "Words", 10)], password="sesame"))
        yield Desk(bench, tmp_path)


def test_a_file_of_passwords_opens_what_is_encrypted(desk: Desk) -> None:
    assert desk("documents", "add", "manuals", "locked.pdf") == 1
    assert "a password is needed" in desk.output
    (desk.folder / "keys.txt").write_text("wrong\nsesame\n")
    assert desk("documents", "add", "manuals", "locked.pdf", "--password-file", "keys.txt", "--json") == 0
    assert json.loads(desk.output)["added"] == 1
    assert "sesame" not in desk.output + desk.errors
    with desk.bench.vault.read() as reader:
        assert all("sesame" not in f"{entry.about} {entry.reason}" for entry in reader.log(1000))


def test_a_password_is_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(prompt: str, confirm: bool, step: str) -> str:
        asked.append(f"{prompt} {step}")
        return "sesame"

    monkeypatch.setattr(desk, "ask_passphrase", answer)
    assert desk("documents", "add", "manuals", "locked.pdf", "--ask-password") == 0
    assert asked == ["Password of the documents Put it into a file and give --password-file."]


@pytest.mark.parametrize("content", [b"\xff\xfe\xfa", b"x" * 100_000])
def test_a_file_that_can_not_hold_passwords_is_refused(desk: Desk, content: bytes) -> None:
    (desk.folder / "keys.txt").write_bytes(content)
    assert desk("documents", "add", "manuals", "locked.pdf", "--password-file", "keys.txt") == 8
    assert "keys.txt" in desk.errors
