"""Ways in which one person might play two, to erase alone what a legal hold kept."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.errors import Refused
from core.vault import duties, holds, people, recovery
from core.vault.check import check
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.vault.test_erasure import SCHEMA, apply, erase, free, hold, keep, rule

Make = Callable[..., Vault]
INES, TOMAS = PASSPHRASES["ines"], PASSPHRASES["tomas"]
EVE = "eleven grey herons at dusk"
NEW = "a bell rings under the lake"


@pytest.fixture
def vault(vault_factory: Make) -> Vault:
    return vault_factory(SCHEMA)


def as_(vault: Vault, user: str, passphrase: str) -> Vault:
    vault.close()
    return Vault.open(vault.folder, user, passphrase, SCHEMA)


def add_eve(vault: Vault, passphrase: str, *roles: str) -> None:
    with vault.confirm(passphrase) as signer:
        vault.add_user(signer, "eve", "Eve Brandt", roles or ("admin",), EVE, weak_kdf)


def test_somebody_whom_the_releaser_added_since_the_hold_is_no_second_person(vault: Vault) -> None:
    digest = keep(vault, "x")
    hold(vault, INES, "Case 4", digest)
    add_eve(vault, INES)
    free(vault, INES, "Case 4")
    with as_(vault, "eve", EVE) as eve:
        with pytest.raises(Refused, match=r"ines released the hold Case 4.*eve got new keys from ines.*30 days"):
            erase(eve, EVE, digest)
        assert check(eve) == ()


def test_nor_is_somebody_for_whom_the_eraser_releases_under_another_name(vault: Vault) -> None:
    digest = keep(vault, "x")
    hold(vault, INES, "Case 4", digest)
    add_eve(vault, INES)
    eve = as_(vault, "eve", EVE)
    with eve.confirm(EVE) as signer:
        people.change_passphrase(eve, EVE, NEW, weak_kdf)
        assert signer.user.user == "eve"
    free(eve, NEW, "Case 4")
    with as_(eve, "ines", INES) as ines, pytest.raises(Refused, match="eve got new keys from ines"):
        erase(ines, INES, digest)


def test_nor_one_whose_passphrase_the_other_reset(vault: Vault) -> None:
    digest = keep(vault, "x")
    add_eve(vault, INES)
    hold(vault, INES, "Case 4", digest)
    free(vault, INES, "Case 4")
    with vault.confirm(INES) as signer:
        people.reset(vault, signer, "eve", NEW, "lost", weak_kdf)
    with as_(vault, "eve", NEW) as eve, pytest.raises(Refused, match="eve got new keys from ines"):
        erase(eve, NEW, digest)


def test_nor_two_puppets_of_a_third(vault: Vault) -> None:
    digest = keep(vault, "x")
    hold(vault, INES, "Case 4", digest)
    add_eve(vault, INES)
    eve = as_(vault, "eve", EVE)
    with eve.confirm(EVE) as signer:
        eve.add_user(signer, "ada", "Ada", ("reviewer",), NEW, weak_kdf)
        eve.add_user(signer, "kim", "Kim", ("admin",), NEW, weak_kdf)
    ada = as_(eve, "ada", NEW)
    free(ada, NEW, "Case 4")
    with as_(ada, "kim", NEW) as kim, pytest.raises(Refused, match="ada and kim got new keys from eve and ines"):
        erase(kim, NEW, digest)


def test_nor_one_who_came_by_the_recovery_words(vault: Vault) -> None:
    digest = keep(vault, "x")
    add_eve(vault, INES)
    hold(vault, INES, "Case 4", digest)
    free(vault, INES, "Case 4")
    with vault.confirm(INES) as signer:
        words = " ".join(recovery.make(vault, signer))
    vault.close()
    recovery.recover(vault.folder, words, "eve", NEW, SCHEMA, weak_kdf)
    with as_(vault, "eve", NEW) as eve, pytest.raises(Refused, match="eve got new keys by the recovery words"):
        erase(eve, NEW, digest)


def test_somebody_who_was_there_before_the_hold_is_whatever_roles_they_got_since(vault: Vault) -> None:
    digest = keep(vault, "x")
    hold(vault, INES, "Case 4", digest)
    with vault.confirm(INES) as signer:
        people.change_roles(vault, signer, "tomas", ("admin", "reviewer"), "needed")
    free(vault, INES, "Case 4")
    with as_(vault, "tomas", TOMAS) as tomas:
        assert erase(tomas, TOMAS, digest).items == 1
        assert check(tomas) == ()


def test_whoever_released_under_keys_of_their_own_is_a_second_person_though_they_lost_them_later(vault: Vault) -> None:
    digest = keep(vault, "x")
    hold(vault, INES, "Case 4", digest)
    tomas = as_(vault, "tomas", TOMAS)
    free(tomas, TOMAS, "Case 4")
    with as_(tomas, "ines", INES) as ines:
        with ines.confirm(INES) as signer:
            people.reset(ines, signer, "tomas", NEW, "lost", weak_kdf)
        assert erase(ines, INES, digest).items == 1


def test_new_keys_count_after_a_while(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = keep(vault, "x")
    hold(vault, INES, "Case 4", digest)
    add_eve(vault, INES)
    free(vault, INES, "Case 4")
    monkeypatch.setattr(duties, "SETTLING", timedelta(seconds=-1))
    with as_(vault, "eve", EVE) as eve:
        assert erase(eve, EVE, digest).items == 1


def test_retention_rules_are_no_way_around_it_and_go_on_with_the_rest(vault: Vault) -> None:
    held, other = keep(vault, "x"), keep(vault, "y")
    hold(vault, INES, "Case 4", held)
    free(vault, INES, "Case 4")
    rule(vault, 30)
    assert apply(vault, INES).items == 1
    with vault.read() as reader:
        assert reader.kind(held) == "document"
        assert reader.db.execute("SELECT count(*) FROM erased WHERE object = ?", (other,)).fetchone() == (1,)


def test_what_a_release_freed_is_on_record_though_what_led_to_it_is_gone(vault: Vault) -> None:
    digest = keep(vault, "x")
    part = keep(vault, "part", parent=digest)
    hold(vault, INES, "Case 4", digest)
    free(vault, INES, "Case 4")
    with vault.read() as reader:
        (state,) = holds.holds(reader)
        assert state.release is not None
        assert set(state.release.covered) == {digest, part}
        assert holds.Cover(reader, ()).barred([part], vault.user, duties.datetime.now().astimezone()) != ()
