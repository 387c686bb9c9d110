"""What happens between two people, or between a person and Ctrl-C, while a change of the people is under way."""

from collections.abc import Callable

import pytest

from core.errors import Refused, WrongPassphrase
from core.vault import people, recovery, slots, users
from core.vault.check import check
from core.vault.events import Changed
from core.vault.joining import Joined
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES, weak_kdf

Make = Callable[..., Vault]
NEW = "a bell rings under the lake"


def stopped_after_the_commit(vault: Vault, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C arrives when the change is committed and `keys.json` isn't tidied yet."""

    def publish(changed: Changed) -> None:
        if changed.act is act:
            raise KeyboardInterrupt

    monkeypatch.setattr(vault.events, "publish", publish)


def test_ctrl_c_right_after_a_passphrase_was_changed_locks_nobody_out(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_after_the_commit(vault, Act.CHANGE_PASSPHRASE, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        people.change_passphrase(vault, PASSPHRASES["ines"], NEW, kdf=weak_kdf)
    vault.close()
    with pytest.raises(WrongPassphrase):
        Vault.open(vault.folder, "ines", PASSPHRASES["ines"])
    with Vault.open(vault.folder, "ines", NEW) as again, again.confirm(NEW):
        assert check(again) == ()


def test_ctrl_c_right_after_a_recovery_key_was_made_leaves_one_that_works_or_the_one_before(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        before = recovery.make(vault, signer)
        stopped_after_the_commit(vault, Act.SET_RECOVERY, monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            recovery.make(vault, signer)
    assert check(vault) == ()
    vault.close()
    with pytest.raises(WrongPassphrase):  # nobody was shown the new words, and the old ones ended: make them again
        recovery.recover(vault.folder, " ".join(before), "ines", NEW, kdf=weak_kdf)
    with Vault.open(vault.folder, "ines", PASSPHRASES["ines"]) as again, again.confirm(PASSPHRASES["ines"]) as signer:
        words = recovery.make(again, signer)
    recovery.recover(vault.folder, " ".join(words), "ines", NEW, kdf=weak_kdf)


def test_what_is_refused_leaves_the_key_file_as_it_was(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (vault.folder / slots.NAME).read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(users, "reseal", fail)
    with pytest.raises(KeyboardInterrupt):
        people.change_passphrase(vault, PASSPHRASES["ines"], NEW, kdf=weak_kdf)
    assert (vault.folder / slots.NAME).read_bytes() == before


def test_rights_that_were_taken_hold_at_the_door_though_nobody_told(vault: Vault) -> None:
    joined = Joined(vault, "tomas")
    with joined.write(Act.APPROVE):
        pass
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.change_roles(vault, signer, "tomas", ["author"], "needed")
        with pytest.raises(Refused), joined.write(Act.APPROVE):
            pass
        with joined.write(Act.ASK):
            pass
        people.revoke(vault, signer, "tomas", "left")
    with pytest.raises(Refused), joined.write(Act.ASK):
        pass
    assert joined.user.roles == ()


def test_a_passphrase_that_is_changed_while_its_person_is_reset_brings_no_old_keys_back(vault: Vault) -> None:
    joined = Joined(vault, "tomas")

    def reset_meanwhile() -> object:
        with vault.confirm(PASSPHRASES["ines"]) as signer:
            people.reset(vault, signer, "tomas", NEW, "lost", kdf=weak_kdf)
        return weak_kdf()

    steps = iter((weak_kdf, reset_meanwhile))
    with pytest.raises(Refused, match="meanwhile"):
        people.change_passphrase(joined, PASSPHRASES["tomas"], "three owls on a wire", kdf=lambda: next(steps)())  # type: ignore[arg-type, return-value]
    vault.close()
    with Vault.open(vault.folder, "tomas", NEW) as again, again.confirm(NEW) as signer:
        assert signer.printed.keys == signer.keys.public
        assert check(again) == ()


def test_a_reset_brings_no_roles_back_that_were_taken_meanwhile(vault: Vault) -> None:
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.add(vault, signer, "eve", "Eve Adler", ("admin",), NEW, kdf=weak_kdf)
    joined = Joined(vault, "eve")

    def demote() -> object:
        with vault.confirm(PASSPHRASES["ines"]) as signer:
            people.change_roles(vault, signer, "tomas", ["auditor"], "needed")
        return weak_kdf()

    steps = iter((weak_kdf, demote))
    with joined.confirm(NEW) as signer, pytest.raises(Refused, match="meanwhile"):
        people.reset(joined, signer, "tomas", "three owls on a wire", "lost", kdf=lambda: next(steps)())  # type: ignore[arg-type, return-value]
    assert next(user.roles for user in vault.users() if user.user == "tomas") == ("auditor",)
