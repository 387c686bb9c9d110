"""An open vault, from the outside: who gets in, what is kept, and what a folder gives away."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import (
    WrongPassphrase,
)
from core.records import Record
from core.vault.check import check
from core.vault.roles import Act
from core.vault.vault import Vault

REPOSITORY = Path(__file__).resolve().parents[3]
Make = Callable[..., Vault]


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


def test_what_was_put_is_there_for_the_next_person(vault: Vault, reopen: Make) -> None:
    with vault.write(Act.SAVE_PROMPT, about="greeting", reason="first try") as unit:
        digest = unit.put(Note(text="Olá"))
    again = reopen(vault, "tomas")
    with again.read() as reader:
        assert reader.get(digest, Note) == Note(text="Olá")
        assert reader.find("test-note") == [digest]
        assert hashlib.sha256(reader.raw(digest)).hexdigest() == digest
        assert reader.author(digest) == "ines"
    assert again.user.roles == ("reviewer",)
    assert again.user.name == "Tomás Vidal"
    assert again.id == vault.id


def test_the_same_record_put_twice_has_two_digests(vault: Vault) -> None:
    with vault.write(Act.SAVE_PROMPT) as unit:
        assert unit.put(Note(text="same")) != unit.put(Note(text="same"))


def test_nothing_of_a_unit_that_fails_is_kept(vault: Vault) -> None:
    with vault.read() as reader:
        before = reader.log_size
    with pytest.raises(ZeroDivisionError), vault.write(Act.SAVE_PROMPT) as unit:
        unit.put(Note(text="half"))
        unit.seal([b"half"])
        1 / 0
    with vault.read() as reader:
        assert reader.find(Note) == []
        assert reader.log_size == before
    assert check(vault) == ()


def test_no_file_of_the_folder_gives_content_away(vault: Vault) -> None:
    marker = "MARKER-63c1f0-PATIENT"
    with vault.write(Act.ADD_DOCUMENTS, about=marker) as unit:
        unit.put(Note(text=marker))
        unit.seal([marker.encode() * 1000])
        unit.db.execute("CREATE TABLE t(x)")
        unit.db.execute("INSERT INTO t VALUES (?)", (marker,))
    for closed in (False, True):
        if closed:
            vault.close()
        for file in vault.folder.rglob("*"):
            assert marker.encode() not in file.read_bytes(), file
            assert marker not in file.name


def test_files_are_private_to_the_user(vault: Vault) -> None:
    for file in [vault.folder, *vault.folder.iterdir()]:
        assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize(
    ("user", "passphrase"), [("ines", "not her passphrase"), ("nobody", "seven lanterns by the river")]
)
def test_a_wrong_name_and_a_wrong_passphrase_get_the_same_answer(vault: Vault, user: str, passphrase: str) -> None:
    vault.close()
    with pytest.raises(WrongPassphrase) as refused:
        Vault.open(vault.folder, user, passphrase)
    assert str(refused.value) == f"{vault.folder}: the user name or the passphrase is wrong. Nothing was opened."


def test_a_wrong_passphrase_leaves_the_vault_openable(vault: Vault, reopen: Make) -> None:
    vault.close()
    with pytest.raises(WrongPassphrase):
        Vault.open(vault.folder, "tomas", "not his passphrase")
    assert reopen(vault, "tomas").user.user == "tomas"


def test_a_passphrase_is_the_same_however_accents_are_composed(vault: Vault) -> None:
    vault.close()
    folder = vault.folder.parent / "Accents.assay"
    Vault.create(folder, "ze", "Zé", "caf\u00e9 na esquina", kdf=weak()).close()
    Vault.open(folder, "ze", "cafe\u0301 na esquina").close()


def weak() -> Callable[[], object]:
    from core.trust.passphrases import new_kdf

    return lambda: new_kdf(memory=8192, passes=1)
