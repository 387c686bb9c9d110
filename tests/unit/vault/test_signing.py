"""People, their signatures, and the log: who did what, provable by somebody else."""

import json
from collections.abc import Callable

import pytest

from core.errors import AlreadyExists, BadInput, Damaged, NotFound, Refused, WrongPassphrase
from core.records import Record
from core.trust import envelopes, merkle, notes, statements, trustfile
from core.trust.canonical import digest
from core.trust.cards import fingerprint, open_card
from core.trust.passphrases import Kdf, new_kdf
from core.vault import slots
from core.vault.check import check
from core.vault.connection import connect
from core.vault.records import LogEntry, Signature
from core.vault.roles import ALLOWED, Act, Role, allowed
from core.vault.vault import Vault

Make = Callable[..., Vault]


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


def put(vault: Vault, text: str = "note") -> str:
    with vault.write(Act.SAVE_PROMPT, about=text) as unit:
        return unit.put(Note(text=text))


def sign(vault: Vault, passphrase: str, subject: str, meaning: str, act: Act = Act.SIGN) -> Signature:
    with vault.confirm(passphrase) as signer, vault.write(act, about="note@1", reason="checked") as unit:
        return unit.sign(signer, subject, "note@1", meaning, "checked")


# Signing


def test_a_signature_binds_person_time_meaning_and_content(vault: Vault, passphrases: dict[str, str]) -> None:
    subject = put(vault)
    with vault.read() as reader:
        before, note = reader.log_size, reader.checkpoint()
    signature = sign(vault, passphrases["ines"], subject, "authored")
    trust = trustfile.load(trustfile.dump(vault.trust_file()))
    card = trust.by_fingerprint()[signature.card]
    subjects, signing = statements.parse(envelopes.verify(signature.envelope.encode(), card.keys))
    assert subjects == (statements.Subject(name="note@1", digest=subject),)
    assert (signing.name, signing.meaning, signing.reason) == ("Inês Duarte", "authored", "checked")
    assert signing.time == signature.time
    point = notes.verify_checkpoint(note, trust.logs[0])
    assert (signing.log.size, signing.log.root) == (before, point.root.hex())
    with vault.read() as reader:
        assert reader.signatures(subject) == (signature,)
        assert reader.authors(subject) == ("ines",)
    assert check(vault) == ()


def test_a_later_signature_covers_the_earlier_envelopes(
    vault: Vault, reopen: Make, passphrases: dict[str, str]
) -> None:
    subject = put(vault)
    first = sign(vault, passphrases["ines"], subject, "authored")
    tomas = reopen(vault, "tomas")
    second = sign(tomas, passphrases["tomas"], subject, "approved", Act.APPROVE)
    payload = json.loads(envelopes.read(second.envelope.encode()).payload)
    assert payload["subject"][0]["digest"]["sha256"] == subject
    assert payload["subject"][1]["digest"]["sha256"] == digest(first.envelope.encode())
    assert len(payload["subject"]) == 2
    with tomas.read() as reader:
        assert reader.signatures(subject) == (first, second)
    assert check(tomas) == ()


def test_nobody_approves_their_own_work(vault_factory: Make, passphrases: dict[str, str]) -> None:
    vault = vault_factory()
    with vault.confirm(passphrases["ines"]) as signer:
        vault.add_user(signer, "both", "Both", ("author", "reviewer"), "several words together", kdf=weak)
    vault.close()
    with Vault.open(vault.folder, "both", "several words together") as both:
        own = put(both)
        with pytest.raises(Refused, match="Nobody approves their own work"):
            sign(both, "several words together", own, "approved", Act.APPROVE)


def test_signing_takes_the_passphrase_again(vault: Vault) -> None:
    with pytest.raises(WrongPassphrase):
        vault.confirm("not her passphrase")


def test_a_sitting_that_ended_signs_nothing(vault: Vault, passphrases: dict[str, str]) -> None:
    subject = put(vault)
    with vault.confirm(passphrases["ines"]) as signer:
        pass
    with pytest.raises(Refused, match="ended"), vault.write(Act.SIGN) as unit:
        unit.sign(signer, subject, "note@1", "authored", "")


def test_a_signer_of_another_session_is_refused(vault_factory: Make, passphrases: dict[str, str]) -> None:
    one, two = vault_factory(name="One"), vault_factory(name="Two")
    two.close()
    with Vault.open(two.folder, "tomas", passphrases["tomas"]) as tomas:
        subject = put(one)
        with (
            tomas.confirm(passphrases["tomas"]) as signer,
            pytest.raises(Refused, match="own session"),
            one.write(Act.SIGN) as unit,
        ):
            unit.sign(signer, subject, "note@1", "authored", "")


def test_what_is_not_there_or_has_no_meaning_is_not_signed(vault: Vault, passphrases: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        sign(vault, passphrases["ines"], "0" * 64, "authored")
    with pytest.raises(BadInput, match="is no meaning"):
        sign(vault, passphrases["ines"], put(vault), "liked")


def test_content_in_a_blob_can_be_signed(vault: Vault, passphrases: dict[str, str]) -> None:
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        subject = unit.seal([b"report"])
    signature = sign(vault, passphrases["ines"], subject, "authored")
    with vault.read() as reader:
        assert reader.signatures(subject) == (signature,)


# People


def test_a_new_person_has_a_card_that_the_administrator_countersigned(vault: Vault) -> None:
    ines, tomas = vault.users()
    assert (ines.roles, tomas.roles) == (("admin", "author"), ("reviewer",))
    cards = {fingerprint(card): open_card(card) for card in vault.cards()}
    assert cards[tomas.card].issuer == ines.card
    assert cards[ines.card].issuer == ""
    assert len(vault.trust_file().by_fingerprint()) == 2


def test_only_an_administrator_adds_people(vault: Vault, reopen: Make, passphrases: dict[str, str]) -> None:
    tomas = reopen(vault, "tomas")
    with tomas.confirm(passphrases["tomas"]) as signer, pytest.raises(Refused, match="admin"):
        tomas.add_user(signer, "eve", "Eve", ("admin",), "several words together", kdf=weak)
    assert [user.user for user in tomas.users()] == ["ines", "tomas"]
    assert Vault.names(tomas.folder) == ("ines", "tomas")


@pytest.mark.parametrize(
    ("user", "roles", "passphrase", "error"),
    [
        ("tomas", ("author",), "several words together", AlreadyExists),
        ("eve", ("author",), "short", BadInput),
        ("eve", (), "several words together", BadInput),
        ("eve", ("owner",), "several words together", BadInput),
    ],
)
def test_a_person_who_can_not_be_added_changes_nothing(
    vault: Vault,
    passphrases: dict[str, str],
    user: str,
    roles: tuple[str, ...],
    passphrase: str,
    error: type[Exception],
) -> None:
    before = (vault.folder / "keys.json").read_bytes()
    with vault.confirm(passphrases["ines"]) as signer, pytest.raises(error):
        vault.add_user(signer, user, "Somebody", roles, passphrase, kdf=weak)
    assert (vault.folder / "keys.json").read_bytes() == before
    assert len(vault.users()) == 2
    assert check(vault) == ()


def test_the_vault_key_opens_nobodys_signing_keys(vault: Vault, reopen: Make, passphrases: dict[str, str]) -> None:
    keys = slots.read(vault.folder)
    vault_key = slots.vault_keys(vault.folder, keys, "ines", passphrases["ines"])
    assert vault_key == slots.vault_keys(vault.folder, keys, "tomas", passphrases["tomas"])
    tomas = reopen(vault, "tomas")
    with pytest.raises(WrongPassphrase):
        tomas.confirm(passphrases["ines"])


# Roles


def test_the_matrix_names_every_act_and_keeps_duties_apart() -> None:
    assert set(ALLOWED) == set(Act)
    assert all(ALLOWED[act] for act in Act)
    own = {Act.SIGN_IN, Act.SIGN_IN_FAILED, Act.SIGN_OUT, Act.REFUSAL, Act.CHANGE_PASSPHRASE}
    taking = {
        Act.SHOW_DOCUMENT,
        Act.EXPORT_DOCUMENT,
        Act.EXPORT_PACK,
        Act.EXPORT_TRAIL,
        Act.EXPORT_CHECKPOINT,
        Act.EXPORT_PICTURE,
    }
    checking = {Act.REVIEW_TRAIL, Act.WITNESS}
    assert {act for act in Act if allowed(act, [Role.AUDITOR])} == own | taking | checking
    assert ALLOWED[Act.APPROVE] == {Role.REVIEWER}
    assert not [act for act in Act if allowed(act, [])]
    assert {act for act in Act if ALLOWED[act] == {Role.ADMIN}} >= {Act.ADD_USER, Act.REVOKE_USER, Act.CHANGE_SETTINGS}


# The log


def test_every_change_and_showing_is_logged_in_order(vault: Vault, reopen: Make) -> None:
    made = put(vault, "greeting")
    tomas = reopen(vault, "tomas")
    with tomas.write(Act.SHOW_DOCUMENT, about="handbook.pdf", reason="review"):
        pass
    with tomas.read() as reader:
        entries = reader.log()
        assert [(entry.user, entry.act) for entry in entries] == [
            ("ines", Act.CREATE_VAULT),
            ("ines", Act.SIGN_IN),
            ("ines", Act.ADD_USER),
            ("ines", Act.SAVE_PROMPT),
            ("ines", Act.SIGN_OUT),
            ("tomas", Act.SIGN_IN),
            ("tomas", Act.SHOW_DOCUMENT),
        ]
        assert entries[3].objects == (made,)
        assert (entries[6].about, entries[6].reason) == ("handbook.pdf", "review")
        assert [entry.index for entry in reader.log(limit=2, after=0)] == [1, 2]
        assert reader.log_size == 7


def test_an_entry_is_proven_to_be_in_a_checkpoint(vault: Vault) -> None:
    for number in range(9):
        put(vault, str(number))
    with vault.read() as reader:
        point = notes.verify_checkpoint(reader.checkpoint(), vault.trust_file().logs[0])
        assert point.size == reader.log_size == 12
        for index in range(point.size):
            leaf = merkle.leaf_hash(reader.log_bytes(index))
            merkle.verify_inclusion(index, point.size, leaf, reader.inclusion(index, point.size), point.root)
        with pytest.raises(NotFound):
            reader.inclusion(12, 12)


def test_a_later_checkpoint_is_proven_to_extend_an_earlier_one(vault: Vault) -> None:
    key = vault.trust_file().logs[0]
    with vault.read() as reader:
        earlier = notes.verify_checkpoint(reader.checkpoint(), key)
    for number in range(5):
        put(vault, str(number))
    with vault.read() as reader:
        later = notes.verify_checkpoint(reader.checkpoint(), key)
        proof = reader.consistency(earlier.size, later.size)
    merkle.verify_consistency(earlier.size, later.size, earlier.root, later.root, proof)


def test_an_entry_hides_content_that_is_erased(vault: Vault) -> None:
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        content = unit.seal([b"a name and a diagnosis"])
    with vault.read() as reader:
        entry: LogEntry = reader.log()[-1]
        assert len(entry.objects) == 1
        assert content not in entry.objects


# Tampering by somebody who has the vault key


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE records SET content = CAST(replace(CAST(content AS TEXT), 'note', 'mote') AS BLOB)", "test-note"),
        ("UPDATE records SET author = 'tomas' WHERE kind = 'test-note'", "test-note"),
        ("UPDATE pieces SET content = x'00'", "content"),
        ("DELETE FROM log WHERE seq = 1", "log entry 2"),
        (
            "UPDATE log SET entry = CAST(replace(CAST(entry AS TEXT), 'ines', 'eves') AS BLOB) WHERE seq = 2",
            "log entry 2",
        ),
        ("INSERT INTO links VALUES ('a', 0, 'b')", "link from a"),
        ("DELETE FROM records WHERE kind = 'test-note'", "link from"),
        ("UPDATE users SET card = (SELECT card FROM users WHERE user = 'ines') WHERE user = 'tomas'", "user tomas"),
        ("UPDATE users SET public = x'00' WHERE user = 'tomas'", "keys.json, tomas"),
        ("UPDATE users SET active = 0 WHERE user = 'tomas'", "keys.json, tomas"),
    ],
)
def test_a_check_finds_what_was_tampered_with(
    vault: Vault, reopen: Make, passphrases: dict[str, str], statement: str, where: str
) -> None:
    subject = put(vault)
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        unit.put(Note(text="with content"), links=(unit.seal([b"content"]),))
    sign(vault, passphrases["ines"], subject, "authored")
    assert check(vault) == ()
    vault.close()
    key = slots.vault_keys(vault.folder, slots.read(vault.folder), "ines", passphrases["ines"])[0]
    db = connect(vault.folder / "vault.db", key, writable=True)
    for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {trigger}")
    db.conn.execute(statement)
    db.conn.close()
    findings = check(reopen(vault, "ines"))
    assert any(finding.where.startswith(where) for finding in findings), findings
    assert all(finding.what and finding.step for finding in findings)


def test_what_was_tampered_with_is_not_read(vault: Vault, reopen: Make, passphrases: dict[str, str]) -> None:
    subject = put(vault)
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        content = unit.seal([b"content"])
    with vault.write(Act.CHANGE_SETTINGS) as unit:
        unit.db.execute("DROP TRIGGER records_stay")
        unit.db.execute("DROP TRIGGER pieces_stay")
        unit.db.execute("UPDATE records SET content = x'00' WHERE kind = 'test-note'")
        unit.db.execute("UPDATE pieces SET content = x'00'")
    with vault.read() as reader:
        with pytest.raises(Damaged, match=subject):
            reader.get(subject, Note)
        with pytest.raises(Damaged, match=content):
            reader.blob(content)
    with pytest.raises(Damaged, match=subject):
        sign(vault, passphrases["ines"], subject, "authored")
