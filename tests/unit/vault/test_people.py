"""Changes to the people of a vault: who may make them, what they leave, and that nobody gets at another's signing keys."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.errors import BadInput, Damaged, NotFound, Refused, WrongPassphrase
from core.records import Record
from core.trust import cards as trust_cards
from core.trust import envelopes
from core.trust.cards import Card, fingerprint, issue, open_card
from core.trust.keys import InvalidSignatures, SigningKeys
from core.vault import cards, people, slots, users
from core.vault.check import check
from core.vault.connection import connect
from core.vault.records import Signature
from core.vault.roles import Act
from core.vault.signing import SealedKeys, seal_keys, unseal_keys
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES
from tests.unit.vault.killing import EVE, every_kill, lets_in, weak, with_eve

Make = Callable[..., Vault]
NEW = "a bell rings under the lake"
forks = pytest.mark.skipif(sys.platform == "win32", reason="fork is Unix's")


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


def signed_note(vault: Vault, passphrase: str, meaning: str = "authored") -> Signature:
    act = Act.APPROVE if meaning == "approved" else Act.SIGN
    with vault.confirm(passphrase) as signer, vault.write(act, about="note", reason="checked") as unit:
        return unit.sign(signer, unit.put(Note(text="note")), "note", meaning, "checked")


# Revoking


def test_a_revoked_person_is_out_and_what_they_signed_still_counts(vault: Vault, reopen: Make) -> None:
    tomas = reopen(vault, "tomas")
    signature = signed_note(tomas, PASSPHRASES["tomas"], "reviewed")
    ines = reopen(tomas, "ines")
    with ines.confirm(PASSPHRASES["ines"]) as signer:
        revoked = people.revoke(ines, signer, "tomas", "left the firm")
    assert revoked.card == signature.card
    with ines.read() as reader:
        (ending,) = cards.endings(reader)
        entry = reader.log(1, ending.size - 1)[0]
        assert (entry.act, entry.about, entry.reason) == (Act.REVOKE_USER, "tomas", "left the firm")
        assert (ending.card, ending.size, ending.reason) == (revoked.card, revoked.entries, "left the firm")
        assert (entry.before, entry.after) == ("reviewer", "revoked")
    assert ines.trust_file().revocation(signature.card) == ending
    assert [(user.user, user.active) for user in ines.users()] == [("ines", True), ("tomas", False)]
    assert check(ines) == ()
    ines.close()
    assert Vault.names(ines.folder) == ("ines",)
    with pytest.raises(WrongPassphrase):
        Vault.open(ines.folder, "tomas", PASSPHRASES["tomas"])


def test_an_old_copy_of_the_key_file_does_not_let_a_revoked_person_in(vault: Vault, tmp_path: Path) -> None:
    shutil.copy(vault.folder / "keys.json", tmp_path / "keys.json")
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.revoke(vault, signer, "tomas", "left")
    vault.close()
    shutil.copy(tmp_path / "keys.json", vault.folder / "keys.json")
    with pytest.raises(Damaged):
        Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"])


@pytest.mark.parametrize(("who", "saying"), [("ines", "last administrator"), ("nobody", "no user nobody")])
def test_who_can_not_be_revoked_stays(vault: Vault, who: str, saying: str) -> None:
    before = (vault.folder / "keys.json").read_bytes()
    with vault.confirm(PASSPHRASES["ines"]) as signer, pytest.raises((Refused, NotFound), match=saying):
        people.revoke(vault, signer, who, "a mistake")
    assert (vault.folder / "keys.json").read_bytes() == before
    assert check(vault) == ()


def test_nobody_revokes_themselves_nor_anybody_twice(vault: Vault) -> None:
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.add(vault, signer, "eve", "Eve", ("admin",), EVE, kdf=weak)
        with pytest.raises(Refused, match="revokes themselves"):
            people.revoke(vault, signer, "ines", "a mistake")
        people.revoke(vault, signer, "tomas", "left")
        with pytest.raises(Refused, match="revoked before"):
            people.revoke(vault, signer, "tomas", "left")
    assert check(vault) == ()


def test_changes_take_an_administrator_and_their_own_signature(vault: Vault, reopen: Make) -> None:
    with vault.confirm(PASSPHRASES["ines"]) as over:
        pass
    tomas = reopen(vault, "tomas")
    with tomas.confirm(PASSPHRASES["tomas"]) as signer:
        for change in (
            lambda: people.revoke(tomas, signer, "ines", "?"),
            lambda: people.reset(tomas, signer, "ines", NEW, "lost", kdf=weak),
            lambda: people.change_roles(tomas, signer, "tomas", ("admin",), "needed"),
            lambda: people.renew(tomas, signer, "ines"),
        ):
            with pytest.raises(Refused, match="admin"):
                change()
        ines = reopen(tomas, "ines")
        with pytest.raises(Refused, match="who has the vault open"):
            people.revoke(ines, signer, "tomas", "?")
    with pytest.raises(Refused, match="ended"):
        people.revoke(ines, over, "tomas", "?")
    assert all(user.active for user in ines.users())


# Passphrases


def test_a_changed_passphrase_opens_and_signs_and_the_old_one_neither(vault: Vault, reopen: Make) -> None:
    tomas = reopen(vault, "tomas")
    card = tomas.user.card
    with tomas.read() as reader:
        before = users.passphrase_changed(reader.db, "tomas")
        assert users.passphrase_by(reader.db, "tomas") == "ines"
    with pytest.raises(WrongPassphrase):
        people.change_passphrase(tomas, "not his passphrase", NEW, kdf=weak)
    with pytest.raises(BadInput):
        people.change_passphrase(tomas, PASSPHRASES["tomas"], "short", kdf=weak)
    people.change_passphrase(tomas, PASSPHRASES["tomas"], NEW, kdf=weak)
    with pytest.raises(WrongPassphrase):
        tomas.confirm(PASSPHRASES["tomas"])
    signed_note(tomas, NEW, "reviewed")
    with tomas.read() as reader:
        assert users.passphrase_changed(reader.db, "tomas") >= before
        assert users.passphrase_by(reader.db, "tomas") == "tomas"
    assert tomas.user.card == card
    assert check(tomas) == ()
    tomas.close()
    assert lets_in(tomas.folder, "tomas", NEW)
    assert not lets_in(tomas.folder, "tomas", PASSPHRASES["tomas"])
    assert lets_in(tomas.folder, "ines", PASSPHRASES["ines"])


@forks
def test_killed_anywhere_one_passphrase_opens_and_signs_and_the_other_does_neither(vault: Vault) -> None:
    vault.close()

    def change(folder: Path) -> None:
        with Vault.open(folder, "tomas", PASSPHRASES["tomas"]) as tomas:
            people.change_passphrase(tomas, PASSPHRASES["tomas"], NEW, kdf=weak)

    seen = set()
    for point, copy in every_kill(vault.folder, change):
        new = lets_in(copy, "tomas", NEW)
        right, wrong = (NEW, PASSPHRASES["tomas"]) if new else (PASSPHRASES["tomas"], NEW)
        assert not lets_in(copy, "tomas", wrong), point
        seen.add((new, bool(slots.read(copy).pending)))
        with Vault.open(copy, "tomas", right) as tomas:
            signed_note(tomas, right, "reviewed")
            with pytest.raises(WrongPassphrase):
                tomas.confirm(wrong)
            assert check(tomas) == (), point
        assert not slots.read(copy).pending
        shutil.rmtree(copy)
    assert seen == {(False, False), (False, True), (True, True), (True, False)}


@forks
@pytest.mark.parametrize("right", [PASSPHRASES["tomas"], NEW])
def test_even_a_wrong_passphrase_tidies_up_after_an_interrupted_change(vault: Vault, right: str) -> None:
    """The slot that doesn't count is dropped by whoever comes next, also by somebody with the passphrase that doesn't count."""
    slot = slots.new_slot(vault.id, "tomas", NEW, weak())
    connections = vault._connections
    pending = slots.offered(slots.read(vault.folder), slot, connections.epoch, connections.key)
    slots.write(vault.folder, pending)
    vault.close()
    if right == NEW:
        with pytest.raises(WrongPassphrase):
            Vault.open(vault.folder, "tomas", NEW)
        assert not slots.read(vault.folder).pending
    else:
        Vault.open(vault.folder, "tomas", right).close()
    assert lets_in(vault.folder, "tomas", PASSPHRASES["tomas"])
    assert not slots.read(vault.folder).pending


def test_the_same_passphrase_again_is_a_change_too(vault: Vault) -> None:
    people.change_passphrase(vault, PASSPHRASES["ines"], PASSPHRASES["ines"], kdf=weak)
    vault.close()
    assert lets_in(vault.folder, "ines", PASSPHRASES["ines"])


# Reset


def test_a_reset_gives_new_keys_and_ends_the_old_card(vault: Vault) -> None:
    before = next(user for user in vault.users() if user.user == "tomas")
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        again = people.reset(vault, signer, "tomas", NEW, "forgot it", kdf=weak)
        with pytest.raises(Refused, match="your own"):
            people.reset(vault, signer, "ines", NEW, "lost", kdf=weak)
    assert (again.name, again.roles, again.active) == (before.name, before.roles, True)
    opened = {fingerprint(signed): open_card(signed) for signed in vault.cards()}
    assert opened[again.card].keys != opened[before.card].keys
    assert opened[again.card].issuer == vault.user.card
    with vault.read() as reader:
        assert [(ending.card, ending.reason) for ending in cards.endings(reader)] == [(before.card, "forgot it")]
        assert users.passphrase_by(reader.db, "tomas") == "ines"
    assert check(vault) == ()
    vault.close()
    assert not lets_in(vault.folder, "tomas", PASSPHRASES["tomas"])
    with Vault.open(vault.folder, "tomas", NEW) as tomas:
        signed_note(tomas, NEW, "reviewed")
        assert check(tomas) == ()


def test_a_reset_brings_a_revoked_person_back_with_another_card(vault: Vault) -> None:
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        revoked = people.revoke(vault, signer, "tomas", "left")
        again = people.reset(vault, signer, "tomas", NEW, "came back", kdf=weak)
    assert again.active
    assert again.card != revoked.card
    assert check(vault) == ()
    vault.close()
    assert lets_in(vault.folder, "tomas", NEW)


@forks
def test_killed_anywhere_in_a_reset_the_old_or_the_new_passphrase_counts(vault: Vault) -> None:
    vault.close()

    def change(folder: Path) -> None:
        with Vault.open(folder, "ines", PASSPHRASES["ines"]) as ines, ines.confirm(PASSPHRASES["ines"]) as signer:
            people.reset(ines, signer, "tomas", NEW, "lost", kdf=weak)

    for point, copy in every_kill(vault.folder, change):
        new = lets_in(copy, "tomas", NEW)
        assert lets_in(copy, "tomas", PASSPHRASES["tomas"]) == (not new), point
        right = NEW if new else PASSPHRASES["tomas"]
        with Vault.open(copy, "tomas", right) as tomas:
            signed_note(tomas, right, "reviewed")
            assert check(tomas) == (), point
        shutil.rmtree(copy)


@forks
def test_killed_anywhere_in_adding_somebody_they_are_in_or_unknown(vault: Vault) -> None:
    vault.close()

    def change(folder: Path) -> None:
        with Vault.open(folder, "ines", PASSPHRASES["ines"]) as ines, ines.confirm(PASSPHRASES["ines"]) as signer:
            people.add(ines, signer, "eve", "Eve", ("author",), EVE, kdf=weak)

    for point, copy in every_kill(vault.folder, change):
        inside = lets_in(copy, "eve", EVE)
        with Vault.open(copy, "ines", PASSPHRASES["ines"]) as ines:
            assert ("eve" in {user.user for user in ines.users()}) == inside, point
            assert check(ines) == (), point
        assert ("eve" in Vault.names(copy)) == inside
        shutil.rmtree(copy)


# Roles and cards


def test_other_roles_hold_at_once_and_the_card_is_whole_at_the_next_signing(vault: Vault, reopen: Make) -> None:
    before = next(user for user in vault.users() if user.user == "tomas")
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        changed = people.change_roles(vault, signer, "tomas", ("auditor", "author"), "another team")
    assert changed.roles == ("author", "auditor")
    assert changed.card == before.card
    with vault.read() as reader:
        assert [ending.card for ending in cards.endings(reader)] == [before.card]
    tomas = reopen(vault, "tomas")
    assert tomas.user.roles == ("author", "auditor")
    with tomas.write(Act.SAVE_PROMPT):
        pass
    with pytest.raises(Refused), tomas.write(Act.APPROVE):
        pass
    signature = signed_note(tomas, PASSPHRASES["tomas"])
    assert signature.card != before.card
    opened = {fingerprint(signed): open_card(signed) for signed in tomas.cards()}
    old, new = opened[before.card], opened[signature.card]
    assert (new.keys, new.roles, new.issuer) == (old.keys, ("author", "auditor"), old.issuer)
    with tomas.read() as reader:
        assert cards.ended(reader, signature.card) is None
        assert users.offer(reader.db, "tomas") is None
    assert check(tomas) == ()
    assert len(tomas.cards()) == 3
    tomas.confirm(PASSPHRASES["tomas"])
    assert len(tomas.cards()) == 3


def test_the_last_administrator_keeps_the_role_and_may_change_the_rest(vault: Vault) -> None:
    before = vault.user.card
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        with pytest.raises(Refused, match="last administrator"):
            people.change_roles(vault, signer, "ines", ("author",), "needed")
        people.change_roles(vault, signer, "ines", ("admin", "reviewer"), "needed")
    assert vault.user.roles == ("admin", "reviewer")
    assert vault.user.card != before
    assert check(vault) == ()
    signature = signed_note(vault, PASSPHRASES["ines"], "reviewed")
    assert signature.card == vault.user.card
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.add(vault, signer, "eve", "Eve", ("admin",), EVE, kdf=weak)
        people.change_roles(vault, signer, "ines", ("author",), "needed")
    with pytest.raises(Refused, match="admin"), vault.confirm(PASSPHRASES["ines"]) as signer:
        people.renew(vault, signer, "tomas")
    assert check(vault) == ()


def test_the_same_roles_again_make_no_card(vault: Vault) -> None:
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.change_roles(vault, signer, "tomas", ("reviewer",), "needed")
        with pytest.raises(BadInput, match="none of the roles"):
            people.change_roles(vault, signer, "tomas", ("owner",), "needed")
        with pytest.raises(BadInput, match="at least one"):
            people.change_roles(vault, signer, "tomas", (), "needed")
    with vault.read() as reader:
        assert users.offer(reader.db, "tomas") is None
        assert cards.endings(reader) == ()


def test_a_renewed_card_has_the_same_keys_and_ends_nothing(
    vault: Vault, reopen: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "CARD_LIFE", 2 * users.CARD_LIFE)
    before = {user.user: user.card for user in vault.users()}
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        own = people.renew(vault, signer, "ines")
        people.renew(vault, signer, "tomas")
    tomas = reopen(vault, "tomas")
    signature = signed_note(tomas, PASSPHRASES["tomas"], "reviewed")
    opened = {fingerprint(signed): open_card(signed) for signed in tomas.cards()}
    for old, new in ((before["ines"], own.card), (before["tomas"], signature.card)):
        assert old != new
        assert opened[new].keys == opened[old].keys
        assert opened[new].valid_until > opened[old].valid_until
    with tomas.read() as reader:
        assert cards.endings(reader) == ()
    assert check(tomas) == ()


def test_a_revoked_person_gets_no_card_and_loses_the_one_offered(vault: Vault) -> None:
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.renew(vault, signer, "tomas")
        people.revoke(vault, signer, "tomas", "left")
        for change in (people.renew, lambda v, s, u: people.change_roles(v, s, u, ("author",), "needed")):
            with pytest.raises(Refused, match="were revoked"):
                change(vault, signer, "tomas")
    with vault.read() as reader:
        assert users.offer(reader.db, "tomas") is None


# Nobody has another's signing keys


def test_somebody_with_the_open_vault_and_sql_can_not_sign_as_another(vault: Vault, reopen: Make) -> None:
    """ines, an administrator, has the vault key, SQLCipher and her own keys; what she makes as tomas never verifies for who knew his card."""
    tomas = reopen(vault, "tomas")
    real = signed_note(tomas, PASSPHRASES["tomas"], "reviewed")
    trusted = tomas.trust_file()
    (key,) = slots.vault_keys(vault.folder, slots.read(vault.folder), "tomas", PASSPHRASES["tomas"])
    tomas.close()
    db = connect(vault.folder / "vault.db", key, writable=True)
    sealed = {
        user: msgspec.json.decode(blob, type=SealedKeys)
        for user, blob in db.execute("SELECT user, signing FROM users").fetchall()
    }
    # Her passphrase, the vault key and her own sealed keys under his name open nothing.
    for user, keys, passphrase in (
        ("tomas", sealed["tomas"], PASSPHRASES["ines"]),
        ("tomas", sealed["tomas"], key.hex()),
        ("tomas", sealed["ines"], PASSPHRASES["ines"]),
        ("ines", sealed["tomas"], PASSPHRASES["ines"]),
    ):
        with pytest.raises(WrongPassphrase):
            unseal_keys(vault.id, user, keys, passphrase, "vault")
    # Keys of her own making under his name, with a card that she countersigns, lead to another card than his.
    own = unseal_keys(vault.id, "ines", sealed["ines"], PASSPHRASES["ines"], "vault")
    made = SigningKeys.generate()
    (his,) = [card for card in trusted.by_fingerprint().values() if card.user == "tomas"]
    forged: Card = msgspec.structs.replace(his, keys=made.public)
    signed = issue(forged, made, own)
    which = fingerprint(signed)
    db.execute("INSERT INTO cards VALUES (?, 'tomas', ?)", (which, msgspec.json.encode(signed)))
    mine = seal_keys(vault.id, "tomas", made, "her own choice of words", weak())
    db.execute("UPDATE users SET card = ?, signing = ? WHERE user = 'tomas'", (which, msgspec.json.encode(mine)))
    db.conn.close()
    with Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"]) as forging:
        signature = signed_note(forging, "her own choice of words", "reviewed")
        assert signature.user == "tomas"
        assert signature.card not in trusted.by_fingerprint()
        assert any("past the audit log" in finding.what for finding in check(forging))
    with pytest.raises(InvalidSignatures):
        envelopes.verify(signature.envelope.encode(), his.keys)
    envelopes.verify(real.envelope.encode(), his.keys)
    # And his own card with her keys isn't a card.
    with pytest.raises(InvalidSignatures):
        open_card(msgspec.structs.replace(signed, card=trust_cards.b64(trust_cards.card_bytes(his))))


def test_an_administrator_who_resets_somebody_still_can_not_sign_with_their_old_card(vault: Vault) -> None:
    old = next(user.card for user in vault.users() if user.user == "tomas")
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.reset(vault, signer, "tomas", NEW, "lost", kdf=weak)
    vault.close()
    with Vault.open(vault.folder, "tomas", NEW) as as_tomas:
        signature = signed_note(as_tomas, NEW, "reviewed")
        assert signature.card != old
        with as_tomas.read() as reader:
            entry = next(entry for entry in reader.log(100) if entry.act == Act.RESET_USER)
            assert (entry.user, entry.about) == ("ines", "tomas")


def test_a_third_person_joins_and_leaves_without_a_trace_in_the_others(vault: Vault) -> None:
    folder = with_eve(vault)
    before = slots.read(folder)
    with Vault.open(folder, "ines", PASSPHRASES["ines"]) as ines, ines.confirm(PASSPHRASES["ines"]) as signer:
        people.revoke(ines, signer, "eve", "left")
    after = slots.read(folder)
    assert after.slots == before.slots[:2]
    assert set(after.epochs[0].keys) == {"ines", "tomas"}
