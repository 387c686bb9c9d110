"""Joining an open vault: who may, what they prove, and that what listens proves that it has the vault open."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, Refused, Unavailable, WrongPassphrase
from core.trust.sealing import SealingKeys
from core.vault import people, rotation, slots
from core.vault.events import Changed
from core.vault.joining import Challenge, Joined, answer, look_again, new_nonce
from core.vault.roles import Act
from core.vault.vault import Vault


def joined(vault: Vault, user: str, passphrase: str) -> Joined:
    nonce = new_nonce()
    challenge = Challenge(vault, user, nonce)
    answered = answer(vault.folder, user, passphrase, nonce, challenge.sealed)
    view, proof = challenge.admit(answered.proof)
    assert answered.accepts(proof)
    return view


def test_another_person_writes_under_their_own_name_into_the_same_log(
    vault: Vault, passphrases: dict[str, str]
) -> None:
    seen: list[Changed] = []
    vault.events.subscribe(seen.append)
    tomas = joined(vault, "tomas", passphrases["tomas"])
    with vault.write(Act.ASK, about="one"):
        pass
    with tomas.write(Act.ASK, about="two"):
        pass
    with vault.read() as reader:
        assert [(entry.user, entry.about) for entry in reader.log()][-2:] == [("ines", "one"), ("tomas", "two")]
    assert [changed.about for changed in seen] == ["one", "two"]


def test_the_roles_are_the_persons_own(vault: Vault, passphrases: dict[str, str]) -> None:
    tomas = joined(vault, "tomas", passphrases["tomas"])
    with pytest.raises(Refused, match="Your roles here don't allow it"), tomas.write(Act.SAVE_PROMPT):
        pass


def test_each_signs_with_their_own_keys(vault: Vault, passphrases: dict[str, str]) -> None:
    tomas = joined(vault, "tomas", passphrases["tomas"])
    with vault.write(Act.ADD_DATASET) as unit:
        content = unit.seal(b"content")
    with tomas.confirm(passphrases["tomas"]) as signer, tomas.write(Act.SIGN) as unit:
        assert unit.sign(signer, content, "content", "reviewed", "").name == "Tomás Vidal"
    with (
        vault.confirm(passphrases["ines"]) as signer,
        tomas.write(Act.SIGN) as unit,
        pytest.raises(Refused, match="signs in their own session"),
    ):
        unit.sign(signer, content, "content", "authored", "")
    with pytest.raises(WrongPassphrase):
        tomas.confirm(passphrases["ines"])


def test_closing_the_view_closes_nothing_and_closing_the_vault_ends_the_view(
    vault: Vault, passphrases: dict[str, str]
) -> None:
    with joined(vault, "tomas", passphrases["tomas"]) as tomas:
        pass
    with vault.write(Act.ASK):
        pass
    vault.close()
    with pytest.raises(Unavailable, match="is locked"), tomas.write(Act.ASK):
        pass


def test_a_wrong_passphrase_an_unknown_name_and_a_wrong_proof_get_the_same_answer(
    vault: Vault, passphrases: dict[str, str]
) -> None:
    nonce = new_nonce()
    challenge = Challenge(vault, "tomas", nonce)
    with pytest.raises(WrongPassphrase) as by_passphrase:
        answer(vault.folder, "tomas", "another ladder in october", nonce, challenge.sealed)
    with pytest.raises(WrongPassphrase) as by_name:
        Challenge(vault, "eve", nonce)
    with pytest.raises(WrongPassphrase) as by_proof:
        challenge.admit(bytes(32))
    assert str(by_passphrase.value) == str(by_name.value) == str(by_proof.value)
    with pytest.raises(BadInput, match="nonce has 3 bytes"):
        Challenge(vault, "tomas", b"abc")


def test_a_challenge_serves_once_and_a_proof_serves_one_challenge(vault: Vault, passphrases: dict[str, str]) -> None:
    nonce = new_nonce()
    challenge = Challenge(vault, "tomas", nonce)
    proof = answer(vault.folder, "tomas", passphrases["tomas"], nonce, challenge.sealed).proof
    challenge.admit(proof)
    for again in (challenge, Challenge(vault, "tomas", nonce)):
        with pytest.raises(WrongPassphrase):
            again.admit(proof)


def test_one_person_is_not_let_in_as_another(vault: Vault, passphrases: dict[str, str]) -> None:
    nonce = new_nonce()
    for_tomas = Challenge(vault, "tomas", nonce)
    with pytest.raises(Refused, match="doesn't have this vault open"):
        answer(vault.folder, "ines", passphrases["ines"], nonce, for_tomas.sealed)


def test_an_exchanged_slot_in_the_key_file_lets_nobody_in(vault: Vault, passphrases: dict[str, str]) -> None:
    """Ines, who knows the vault key, writes a slot for tomas with a passphrase of her own into `keys.json`."""
    keys = slots.read(vault.folder)
    kdf = keys.slots[0].kdf
    forged = slots.new_slot(vault.id, "tomas", "ines plays another part", kdf)
    slots.write(vault.folder, slots.with_slot(keys, forged, vault._connections.key))
    nonce = new_nonce()
    challenge = Challenge(vault, "tomas", nonce)
    with pytest.raises(Refused):
        answer(vault.folder, "tomas", "ines plays another part", nonce, challenge.sealed)


def test_what_listens_without_the_vault_key_is_found_out(vault: Vault, passphrases: dict[str, str]) -> None:
    nonce = new_nonce()
    challenge = Challenge(vault, "tomas", nonce)
    answered = answer(vault.folder, "tomas", passphrases["tomas"], nonce, challenge.sealed)
    assert not answered.accepts(bytes(32))
    assert not answered.accepts(answered.proof)
    foreign = SealingKeys.generate()
    with pytest.raises(Refused, match="Nothing was sent to it"):
        answer(vault.folder, "tomas", passphrases["tomas"], nonce, foreign.public[:1216] + challenge.sealed)


def test_a_revoked_person_is_refused(vault: Vault, passphrases: dict[str, str]) -> None:
    vault._connections.writer.execute("UPDATE users SET active = 0 WHERE user = 'tomas'")
    with pytest.raises(Refused, match="revoked"):
        joined(vault, "tomas", passphrases["tomas"])


def test_the_open_vault_of_another_folder_is_not_joined(
    vault_factory: Callable[..., Vault], passphrases: dict[str, str], tmp_path: Path
) -> None:
    one, other = vault_factory(name="One"), vault_factory(name="Other")
    nonce = new_nonce()
    with pytest.raises(Refused):
        answer(one.folder, "tomas", passphrases["tomas"], nonce, Challenge(other, "tomas", nonce).sealed)


def test_who_joined_gives_the_vault_another_key_and_all_go_on(
    vault: Vault, passphrases: dict[str, str], reopen: Callable[..., Vault]
) -> None:
    ines = joined(vault, "ines", passphrases["ines"])
    epoch = rotation.rotate(ines)
    for view in (vault, ines, joined(vault, "ines", passphrases["ines"])):
        with view.write(Act.ASK, about=f"epoch {epoch}"):
            pass
    with reopen(vault, "tomas").read() as reader:
        assert [entry.about for entry in reader.log(1000)].count(f"epoch {epoch}") == 3


def test_a_change_of_roles_holds_at_once_where_it_is_looked_for(vault: Vault, passphrases: dict[str, str]) -> None:
    tomas = joined(vault, "tomas", passphrases["tomas"])
    with vault.confirm(passphrases["ines"]) as signer:
        people.change_roles(vault, signer, "tomas", ("author",), "needed")
        look_again(tomas)
        with tomas.write(Act.SAVE_PROMPT):
            pass
        people.revoke(vault, signer, "tomas", "left")
    look_again(tomas)
    with pytest.raises(Refused), tomas.write(Act.ASK):
        pass
