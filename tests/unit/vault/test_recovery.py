"""The recovery key: words on paper open the vault and nobody's signing keys."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, NotFound, Refused, WrongPassphrase
from core.trust.cards import fingerprint, open_card
from core.trust.words import to_words
from core.vault import attempts, cards, people, recovery, rotation, slots, users
from core.vault.check import check
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES
from tests.unit.vault.killing import EVE, every_kill, lets_in, weak, with_eve

Make = Callable[..., Vault]
NEW = "a bell rings under the lake"


def make(vault: Vault) -> str:
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        return " ".join(recovery.make(vault, signer))


def recover(folder: Path, words: str, user: str = "ines") -> None:
    recovery.recover(folder, words, user, NEW, kdf=weak)


def test_the_words_give_an_administrator_a_new_passphrase_keys_and_card(vault: Vault) -> None:
    before = vault.user.card
    sealed = vault.read
    with sealed() as reader:
        old_keys = users.sealed_keys(reader.db, "ines")
    words = make(vault)
    vault.close()
    recover(vault.folder, words.upper())
    assert not lets_in(vault.folder, "ines", PASSPHRASES["ines"])
    with Vault.open(vault.folder, "ines", NEW) as again:
        assert check(again) == ()
        assert again.user.card != before
        with again.read() as reader:
            (ended,) = cards.endings(reader)
            assert (ended.card, ended.reason) == (before, "recovered with the recovery key")
            assert users.sealed_keys(reader.db, "ines") != old_keys
            assert Act.RECOVER in [entry.act for entry in reader.log(20)]
        opened = {fingerprint(signed): open_card(signed) for signed in again.cards()}
        assert opened[again.user.card].issuer == ""
        assert opened[again.user.card].keys != opened[before].keys
        assert opened[again.user.card].roles == opened[before].roles
        with again.confirm(NEW) as signer:
            people.add(again, signer, "eve", "Eve", ("author",), EVE, kdf=weak)
        assert check(again) == ()
        with pytest.raises(WrongPassphrase):
            again.confirm(PASSPHRASES["ines"])


def test_recovery_is_offered_to_nobody_as_a_name_and_leaves_the_others_alone(vault: Vault) -> None:
    words = make(vault)
    assert recovery.exists(vault)
    assert check(vault) == ()
    vault.close()
    assert Vault.names(vault.folder) == ("ines", "tomas")
    recover(vault.folder, words)
    assert lets_in(vault.folder, "tomas", PASSPHRASES["tomas"])
    with pytest.raises((NotFound, WrongPassphrase)):
        Vault.open(vault.folder, slots.RECOVERY, words)


def test_a_new_recovery_key_ends_the_one_before(vault: Vault) -> None:
    first, second = make(vault), make(vault)
    assert first != second
    vault.close()
    with pytest.raises(WrongPassphrase):
        recover(vault.folder, first)
    recover(vault.folder, second)


def test_the_words_outlive_another_vault_key(vault: Vault) -> None:
    words = make(vault)
    rotation.rotate(vault)
    assert check(vault) == ()
    vault.close()
    recover(vault.folder, words)
    assert lets_in(vault.folder, "ines", NEW)


def test_only_an_administrator_makes_one_or_is_recovered(vault: Vault, reopen: Make) -> None:
    words = make(vault)
    tomas = reopen(vault, "tomas")
    with tomas.confirm(PASSPHRASES["tomas"]) as signer, pytest.raises(Refused, match="admin"):
        recovery.make(tomas, signer)
    tomas.close()
    before = (vault.folder / "keys.json").read_bytes()
    with pytest.raises(Refused, match="admin"):
        recover(vault.folder, words, "tomas")
    with pytest.raises(NotFound, match="nobody"):
        recover(vault.folder, words, "nobody")
    assert (vault.folder / "keys.json").read_bytes() == before


def test_a_passphrase_that_was_lost_for_years_is_recovered_all_the_same(vault: Vault) -> None:
    words = make(vault)
    with vault.write(Act.ASK) as unit:
        unit.db.execute("UPDATE people SET passphrase_changed = '2020-01-01T00:00:00+00:00'")
    with pytest.raises(Refused, match="days old"), vault.write(Act.ASK):
        pass
    vault.close()
    recover(vault.folder, words)
    with Vault.open(vault.folder, "ines", NEW) as again, again.write(Act.ASK):
        pass


def test_wrong_words_are_told_apart_from_mistyped_ones(vault: Vault) -> None:
    words = make(vault).split()
    vault.close()
    mistyped = words[4][:-1] + ("a" if words[4][-1] != "a" else "o")
    with pytest.raises(BadInput, match="word 5 is mistyped"):
        recover(vault.folder, " ".join([*words[:4], mistyped, *words[5:]]))
    with pytest.raises(WrongPassphrase):
        recover(vault.folder, " ".join(to_words(bytes(32))))
    recover(vault.folder, " ".join(words))


def test_without_a_recovery_key_the_sentence_says_so(vault: Vault) -> None:
    assert not recovery.exists(vault)
    vault.close()
    with pytest.raises(NotFound, match="no recovery key"):
        recover(vault.folder, " ".join(to_words(bytes(32))))


def test_no_file_of_the_vault_holds_the_words(vault: Vault) -> None:
    words = make(vault)
    vault.close()
    content = b"".join(file.read_bytes() for file in vault.folder.iterdir() if file.is_file())
    assert not [word for word in words.split() if word.encode() in content]


@pytest.mark.skipif(sys.platform == "win32", reason="fork is Unix's")
def test_killed_anywhere_in_a_recovery_the_old_or_the_new_passphrase_does_everything(vault: Vault) -> None:
    words = make(vault)
    folder = with_eve(vault)
    seen = set()
    for point, copy in every_kill(folder, lambda copy: recover(copy, words)):
        new = lets_in(copy, "ines", NEW)
        assert lets_in(copy, "ines", PASSPHRASES["ines"]) == (not new), point
        with Vault.open(copy, "ines", NEW if new else PASSPHRASES["ines"]) as again:
            again.confirm(NEW if new else PASSPHRASES["ines"])
            assert check(again) == (), point
        assert not slots.read(copy).pending
        assert lets_in(copy, "eve", EVE)
        seen.add(new)
        shutil.rmtree(copy)
    assert seen == {False, True}


def test_who_recovers_or_is_reset_waits_no_longer_for_wrong_answers(vault: Vault) -> None:
    words = make(vault)
    vault.close()
    for user in ("ines", "tomas"):
        for _ in range(3):
            with pytest.raises(WrongPassphrase):
                Vault.open(vault.folder, user, "not the one")
        assert attempts.recent(vault.folder, user) is not None
    recover(vault.folder, words)
    with Vault.open(vault.folder, "ines", NEW) as again:
        with again.confirm(NEW) as signer:
            people.reset(again, signer, "tomas", NEW, "lost", kdf=weak)
        assert attempts.recent(vault.folder, "ines") is None
        assert attempts.recent(vault.folder, "tomas") is None
        with again.read() as reader:
            assert [e.act for e in reader.log(50)].count(Act.SIGN_IN_FAILED) == 6
    Vault.open(vault.folder, "tomas", NEW).close()
