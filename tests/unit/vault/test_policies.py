"""What a vault asks beyond roles: kept as signed versions, and enforced at every change."""

from collections.abc import Callable

import pytest

from core.errors import BadInput, Refused
from core.trust.cards import fingerprint
from core.vault import judging, people, policies, versions
from core.vault.cards import IssuedCard
from core.vault.check import check
from core.vault.policies import DEFAULT, Policy, changed, settings_of
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import weak_kdf

Make = Callable[..., Vault]


def change(vault: Vault, passphrase: str, reason: str = "stricter", **settings: str) -> Policy:
    with vault.confirm(passphrase) as signer:
        return policies.change(vault, {key.replace("_", "-"): value for key, value in settings.items()}, reason, signer)


def test_the_defaults_hold_until_an_administrator_changes_them(vault: Vault, passphrases: dict[str, str]) -> None:
    with vault.read() as reader:
        assert (policies.current(reader), policies.latest(reader)) == (DEFAULT, None)
    change(vault, passphrases["ines"], idle_minutes="5")
    change(vault, passphrases["ines"], backup_days="1")
    with vault.read() as reader:
        version = policies.latest(reader)
        assert version is not None
        assert (version.reference, version.author) == ("policy@2", "ines")
        assert (version.policy.idle_minutes, version.policy.backup_days) == (5, 1)
        assert [old.policy.backup_days for old in policies.history(reader)] == [1, 7]
        digest = versions.digests(reader, "policy", "policy")[2]
        assert [(given.meaning, given.reason) for given in judging.counting(reader, digest)] == [
            ("authored", "stricter")
        ]
        entry = reader.log(1, reader.log_size - 2)[0]
        assert (entry.act, entry.about, entry.reason) == (Act.CHANGE_SETTINGS, "policy", "stricter")
    assert check(vault) == ()


def test_a_change_needs_an_administrator_a_reason_and_makes_a_version_only_where_something_changes(
    vault: Vault, passphrases: dict[str, str], reopen: Make
) -> None:
    with pytest.raises(BadInput, match="needs a reason"):
        change(vault, passphrases["ines"], reason=" ", idle_minutes="5")
    change(vault, passphrases["ines"], idle_minutes=str(DEFAULT.idle_minutes))
    tomas = reopen(vault, "tomas")
    with pytest.raises(Refused, match="admin"):
        change(tomas, passphrases["tomas"], idle_minutes="5")
    with tomas.read() as reader:
        assert policies.latest(reader) is None


def test_settings_come_back_as_they_are_written() -> None:
    assert changed(Policy(labels=(), reasons=()), settings_of(DEFAULT)) == DEFAULT
    odd = changed(
        DEFAULT,
        {"trial.reviewers": "2", "trial.signature": "reviewed", "reasons": "label, sign", "own-passphrase": "yes"},
    )
    assert changed(DEFAULT, settings_of(odd)) == odd
    assert odd.reasons == ("sign", "label")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("approved.reviewers", "3"),
        ("approved.reviewers", "-1"),
        ("approved.signature", "liked"),
        ("two words.reviewers", "1"),
        ("reasons", "ask"),
        ("reasons", "nothing"),
        ("own-passphrase", "maybe"),
        ("lockout-attempts", "0"),
        ("idle-minutes", "0"),
        ("idle-minutes", "٥"),
        ("colour", "blue"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(key: str, value: str) -> None:
    with pytest.raises(BadInput):
        changed(DEFAULT, {key: value})


def test_reasons_that_the_policy_asks_for_are_asked_for_at_the_door(vault: Vault, passphrases: dict[str, str]) -> None:
    change(vault, passphrases["ines"], reasons="label,remove-model")
    for reason in ("", "  \n"):
        with (
            pytest.raises(BadInput, match="asks for a reason"),
            vault.write(Act.LABEL, about="cite@1 trial", reason=reason),
        ):
            raise AssertionError
    with vault.write(Act.LABEL, about="cite@1 trial", reason="a trial run"):
        pass
    with vault.write(Act.SAVE_PROMPT):
        pass


def test_by_default_who_changes_rights_or_how_long_content_lasts_says_why(
    vault: Vault, passphrases: dict[str, str]
) -> None:
    for act in (Act.REVOKE_USER, Act.RESET_USER, Act.CHANGE_ROLES, Act.SET_RETENTION):
        with pytest.raises(BadInput, match="asks for a reason"), vault.write(act, about="tomas"):
            raise AssertionError
    change(vault, passphrases["ines"], reasons="")
    with vault.write(Act.SET_RETENTION, about="traces"):
        pass


def age(vault: Vault, user: str, time: str) -> None:
    with vault.write(Act.CHANGE_SETTINGS) as unit:
        unit.db.execute("UPDATE people SET passphrase_changed = ? WHERE user = ?", (time, user))


def test_a_passphrase_that_is_too_old_lets_read_and_be_changed_and_nothing_else(
    vault: Vault, passphrases: dict[str, str], reopen: Make
) -> None:
    change(vault, passphrases["ines"], passphrase_days="30")
    age(vault, "tomas", "2020-01-01T00:00:00+00:00")
    tomas = reopen(vault, "tomas")
    with pytest.raises(Refused, match="over 30 days old"), tomas.write(Act.SIGN):
        raise AssertionError
    with tomas.read() as reader:
        assert reader.log_size > 0
    people.change_passphrase(tomas, passphrases["tomas"], "another ladder in may", kdf=weak_kdf)
    with tomas.write(Act.SIGN):
        pass


def test_a_policy_without_ageing_lets_an_old_passphrase_be(vault: Vault, passphrases: dict[str, str]) -> None:
    change(vault, passphrases["ines"], passphrase_days="0")
    age(vault, "ines", "2020-01-01T00:00:00+00:00")
    with vault.write(Act.SAVE_PROMPT):
        pass


def test_where_asked_nobody_signs_with_a_passphrase_that_another_chose(
    vault: Vault, passphrases: dict[str, str], reopen: Make
) -> None:
    change(vault, passphrases["ines"], own_passphrase="yes")
    change(vault, passphrases["ines"], idle_minutes="5")
    tomas = reopen(vault, "tomas")
    for act in (Act.SIGN, Act.APPROVE):
        with pytest.raises(Refused, match="Somebody else chose"), tomas.write(act):
            raise AssertionError
    people.change_passphrase(tomas, passphrases["tomas"], "another ladder in may", kdf=weak_kdf)
    with tomas.write(Act.APPROVE):
        pass


def test_a_policy_is_reviewed_by_somebody_else_than_its_author(
    vault: Vault, passphrases: dict[str, str], reopen: Make
) -> None:
    change(vault, passphrases["ines"], idle_minutes="5")
    with vault.confirm(passphrases["ines"]) as signer:
        for meaning, error in (("reviewed", "You wrote"), ("approved", "don't allow")):
            with pytest.raises(Refused, match=error):
                policies.sign(vault, "policy", meaning, "", signer)
    tomas = reopen(vault, "tomas")
    with tomas.confirm(passphrases["tomas"]) as signer:
        assert policies.sign(tomas, "policy@1", "approved", "fits", signer).subject_name == "policy@1"
    assert check(tomas) == ()


def test_a_policy_that_was_slipped_in_is_found(vault: Vault) -> None:
    """By somebody who has the vault open and SQL: the log tells of it, and no administrator's signature does."""
    with vault.write(Act.SAVE_PROMPT) as unit:
        forged = policies.PolicyVersion(number=1, parent=None, author="ines", saved=unit.time, policy=Policy(labels=()))
        versions.add(unit, "policy", "policy", 1, unit.put(forged))
    assert [finding.where for finding in check(vault)] == ["policy@1"]


def test_everybodys_cards_are_in_the_log_from_the_first_on(vault: Vault) -> None:
    with vault.read() as reader:
        logged = {made for entry in reader.log() for made in entry.objects}
        issued = [reader.get(digest, IssuedCard) for digest in logged & set(reader.find("issued-card"))]
    assert {one.card for one in issued} == {fingerprint(card) for card in vault.cards()}
