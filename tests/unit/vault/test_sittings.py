"""Part 11's sittings: what each signing takes, and what ends the ease of it."""

from collections.abc import Callable

import pytest

from core.errors import Refused, WrongPassphrase
from core.vault import policies
from core.vault.roles import Act
from core.vault.sittings import Sitting
from core.vault.vault import Vault


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sitting(vault: Vault, clock: Clock) -> Sitting:
    return Sitting(vault, clock)


def test_the_first_signing_takes_name_and_passphrase_and_further_ones_the_passphrase(
    sitting: Sitting, passphrases: dict[str, str]
) -> None:
    with pytest.raises(Refused, match="user name and your passphrase"):
        sitting.confirm(passphrases["ines"])
    with sitting.confirm(passphrases["ines"], "ines") as signer:
        assert signer.user.user == "ines"
    with sitting.confirm(passphrases["ines"]) as signer:
        assert signer.user.user == "ines"
    with pytest.raises(Refused, match="ended"):
        signer.keys


def test_nobody_elses_name_signs_and_which_part_was_wrong_is_not_said(
    sitting: Sitting, passphrases: dict[str, str]
) -> None:
    sentences = set()
    for user, passphrase in (
        ("tomas", passphrases["ines"]),
        ("tomas", passphrases["tomas"]),
        ("ines", "not hers at all"),
    ):
        with pytest.raises(WrongPassphrase) as caught:
            sitting.confirm(passphrase, user)
        sentences.add(str(caught.value))
    assert len(sentences) == 1


def test_a_sitting_ends_when_idle_when_ended_and_after_a_wrong_answer(
    sitting: Sitting, clock: Clock, passphrases: dict[str, str]
) -> None:
    own = passphrases["ines"]
    sitting.confirm(own, "ines")
    clock.now += 14 * 60
    sitting.touch()
    clock.now += 14 * 60
    assert not sitting.needs_name
    clock.now += 60
    assert sitting.needs_name
    sitting.touch()
    assert sitting.needs_name, "a sitting that ended is not revived"
    sitting.confirm(own, "ines")
    sitting.end()
    assert sitting.needs_name
    sitting.confirm(own, "ines")
    with pytest.raises(WrongPassphrase):
        sitting.confirm("not hers at all")
    assert sitting.needs_name


def test_locking_the_vault_ends_its_sitting(
    vault: Vault, reopen: Callable[..., Vault], passphrases: dict[str, str]
) -> None:
    vault.sitting.confirm(passphrases["ines"], "ines")
    assert not vault.sitting.needs_name
    kept = vault.sitting
    assert reopen(vault, "ines").sitting.needs_name
    assert kept.needs_name


def test_wrong_answers_are_logged_and_too_many_lock_signing_for_a_while(
    sitting: Sitting, vault: Vault, passphrases: dict[str, str]
) -> None:
    with vault.confirm(passphrases["ines"]) as signer:
        policies.change(vault, {"lockout-attempts": "3"}, "stricter", signer)
    for _ in range(3):
        with pytest.raises(WrongPassphrase):
            sitting.confirm("not hers at all", "ines")
    with pytest.raises(Refused, match="3 wrong answers in 15 minutes"):
        sitting.confirm(passphrases["ines"], "ines")
    with pytest.raises(Refused, match="wrong answers"):
        Sitting(vault).confirm(passphrases["ines"], "ines")
    with vault.read() as reader:
        said = [(entry.act, entry.user, entry.about) for entry in reader.log()]
    assert said.count((Act.SIGN_IN_FAILED, "ines", "signing")) == 3
    assert said[-1][0] == Act.REFUSAL
