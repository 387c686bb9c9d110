"""Opening by the system's keyring: as far as the passphrase leads for opening, and nowhere near signing."""

import sys
from collections.abc import Callable

import pytest

from core.errors import NotFound, Unavailable, WrongPassphrase
from core.vault import attempts, keyring, people, rotation
from core.vault.keyring import MemoryKeyring
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES
from tests.unit.vault.keyrings import backend_of, package
from tests.unit.vault.killing import weak

Make = Callable[..., Vault]
NEW = "a bell rings under the lake"


@pytest.fixture
def kept(vault: Vault) -> MemoryKeyring:
    made = MemoryKeyring()
    keyring.remember(vault.folder, "ines", PASSPHRASES["ines"], made)
    return made


def test_what_the_keyring_keeps_opens_the_vault_and_signs_nothing(vault: Vault, kept: MemoryKeyring) -> None:
    assert keyring.remembers(vault.folder, "ines", kept)
    vault.close()
    with keyring.open_vault(vault.folder, "ines", kept) as again:
        assert again.user.user == "ines"
        for secret in (*kept.kept.values(), "", "x"):
            with pytest.raises(Exception, match=r"wrong|empty"):
                again.confirm(secret)


def test_it_survives_another_vault_key_and_not_another_passphrase(vault: Vault, kept: MemoryKeyring) -> None:
    rotation.rotate(vault)
    vault.close()
    with keyring.open_vault(vault.folder, "ines", kept) as again:
        people.change_passphrase(again, PASSPHRASES["ines"], NEW, kdf=weak)
    with pytest.raises(NotFound, match="Give your passphrase"):
        keyring.open_vault(vault.folder, "ines", kept)
    assert kept.kept == {}


def test_a_revoked_person_has_nothing_of_it(vault: Vault, kept: MemoryKeyring) -> None:
    keyring_of_tomas = MemoryKeyring()
    vault.close()
    keyring.remember(vault.folder, "tomas", PASSPHRASES["tomas"], keyring_of_tomas)
    with Vault.open(vault.folder, "ines", PASSPHRASES["ines"]) as ines, ines.confirm(PASSPHRASES["ines"]) as signer:
        people.revoke(ines, signer, "tomas", "left")
    with pytest.raises(NotFound):
        keyring.open_vault(vault.folder, "tomas", keyring_of_tomas)
    keyring.open_vault(vault.folder, "ines", kept).close()


def test_remembering_takes_the_passphrase_and_forgetting_nothing(vault: Vault, kept: MemoryKeyring) -> None:
    with pytest.raises(WrongPassphrase):
        keyring.remember(vault.folder, "ines", "not her passphrase", kept)
    assert attempts.recent(vault.folder, "ines") is not None
    keyring.forget(vault.folder, "ines", kept)
    keyring.forget(vault.folder, "ines", kept)
    assert not keyring.remembers(vault.folder, "ines", kept)
    with pytest.raises(NotFound):
        keyring.open_vault(vault.folder, "ines", kept)


@pytest.mark.parametrize("content", ["", "?", "AAAA", "A" * 128])
def test_anything_else_in_its_place_is_refused_and_forgotten(vault: Vault, kept: MemoryKeyring, content: str) -> None:
    (name,) = kept.kept
    kept.set(name, content)
    vault.close()
    with pytest.raises(NotFound):
        keyring.open_vault(vault.folder, "ines", kept)
    assert kept.kept == {}
    assert attempts.recent(vault.folder, "ines") is None


def test_without_the_package_or_a_protected_backend_the_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(Unavailable, match=r"package keyring isn.t installed.*Give your passphrase"):
        keyring.SystemKeyring()
    package(backend_of("keyrings.alt.file"), monkeypatch)
    with pytest.raises(Unavailable, match="no keyring that protects"):
        keyring.SystemKeyring()


def test_the_systems_keyring_keeps_gives_and_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    held = package(backend_of("keyring.backends.SecretService"), monkeypatch)
    system = keyring.SystemKeyring()
    system.set("vault/ines", "secret")
    assert held == {("Assay vault", "vault/ines"): "secret"}
    assert system.get("vault/ines") == "secret"
    system.delete("vault/ines")
    system.delete("vault/ines")
    assert system.get("vault/ines") is None
    with pytest.raises(Unavailable, match="refused"):
        system.set("vault/ines", "refuse")
