"""The system's keyring at the command line: it opens, also beside an open window, and never signs."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli import sharing
from core.cli.main import share
from core.vault import people
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.cli.people import Person
from tests.unit.vault.keyrings import backend_of, package

Held = dict[tuple[str, str], str]
OPENING, SIGNING = "Passphrase of ines", ["Sign as In\u00eas Duarte. User name", "Sign as In\u00eas Duarte. Passphrase"]
NEW = "a bell rings under the lake"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """What the keyring of a system that protects it holds."""
    monkeypatch.delenv("ASSAY_PASSPHRASE_FILE", raising=False)
    return package(backend_of("keyring.backends.SecretService"), monkeypatch)


@pytest.fixture
def ines(vault_factory: Callable[..., Vault], private_runtime: Path, tmp_path: Path) -> Person:
    """She at the command line of her closed vault."""
    vault = vault_factory(SCHEMA)
    vault.close()
    return Person(vault.folder, "ines", tmp_path)


def asks(person: Person, *arguments: str) -> list[str]:
    """What a command that succeeds asks for."""
    person.asked.clear()
    assert person(*arguments) == 0, person.errors
    return list(person.asked)


def test_a_remembered_vault_opens_unasked_and_signing_asks(ines: Person, held: Held) -> None:
    assert asks(ines, "user", "list") == [OPENING]
    assert asks(ines, "vault", "remember", "--json") == [OPENING]
    assert json.loads(ines.output) == {"vault": ines.vault, "user": "ines", "remembered": True}
    assert asks(ines, "user", "list") == []
    assert asks(ines, "user", "renew", "ines") == SIGNING
    assert asks(ines, "vault", "forget", "--json") == []
    assert json.loads(ines.output) == {"vault": ines.vault, "user": "ines", "remembered": False}
    assert held == {}
    assert asks(ines, "user", "list") == [OPENING]


def test_a_passphrase_file_goes_before_the_keyring(
    ines: Person, held: Held, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asks(ines, "vault", "remember")
    monkeypatch.setenv("ASSAY_PASSPHRASE_FILE", str(tmp_path / "file"))
    assert asks(ines, "user", "list") == [OPENING]


def test_what_another_passphrase_made_worthless_is_forgotten_and_the_passphrase_asked_for(
    ines: Person, held: Held
) -> None:
    asks(ines, "vault", "remember")
    with Vault.open(Path(ines.vault or ""), "ines", PASSPHRASES["ines"], SCHEMA) as vault:
        people.change_passphrase(vault, PASSPHRASES["ines"], NEW, kdf=weak_kdf)
    ines.known = NEW
    assert asks(ines, "user", "list") == [OPENING]
    assert held == {}


def test_a_wrong_passphrase_is_remembered_nowhere(ines: Person, held: Held) -> None:
    ines.known = "eleven grey herons at dusk"
    assert ines("vault", "remember") != 0
    assert "passphrase is wrong" in ines.errors
    assert held == {}


@pytest.mark.skipif(not sharing.rendezvous.SUPPORTED, reason="a second process is refused on this system")
def test_it_leads_into_a_vault_that_is_open_already(
    bench: Workbench, held: Held, person: Callable[..., Person]
) -> None:
    assert share(bench) is not None
    tomas = person("tomas")
    assert asks(tomas, "vault", "remember") == ["Passphrase of tomas"]
    assert asks(tomas, "user", "list") == []
    with bench.vault.read() as reader:
        assert ("tomas", "sign-in", "joining") in [(entry.user, entry.act, entry.about) for entry in reader.log(1000)]


def test_without_a_keyring_one_sentence_says_so_and_opening_asks(ines: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    for command in ("remember", "forget"):
        assert ines("vault", command) != 0
        (sentence,) = ines.errors.strip().splitlines()
        assert "the Python package keyring isn't installed" in sentence
        assert ines.asked == []
    monkeypatch.delenv("ASSAY_PASSPHRASE_FILE", raising=False)
    assert asks(ines, "user", "list") == [OPENING]
