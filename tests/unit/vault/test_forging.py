"""Somebody with the vault open, its key and raw SQL tries to sign as somebody else.

Eve is an author and a reviewer of the vault, and writes through the vault's own door, so that her rows stand in the log; Tomás reviews. What she
makes must be found by the check, must not count as a review, and must not verify by cards that an auditor got beforehand.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec
import pytest

from core.errors import AssayError, Damaged
from core.records import Digest, Record
from core.trust import envelopes, statements
from core.trust.canonical import unb64
from core.trust.cards import Card, SignedCard, fingerprint, issue
from core.trust.keys import SigningKeys
from core.trust.trustfile import TrustFile
from core.trust.words import from_words
from core.vault import cards, judging, log, people, policies, recovery, recovery_proofs, users
from core.vault.check import check
from core.vault.records import Signature, User
from core.vault.recovery_proofs import RecoveryKey, RecoveryProof
from core.vault.roles import Act
from core.vault.signing import Signer, new_signature, seal_keys
from core.vault.slots import RECOVERY, new_slot
from core.vault.unit import Unit
from core.vault.vault import Vault
from tests.conftest import weak_kdf

EVES = "eleven lamps on the stairs"


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


@dataclass
class Stage:
    """The vault open for Eve, a note by Inês, and what an auditor got before."""

    vault: Vault
    subject: Digest
    trust: TrustFile
    tomas: User
    ines: User


@pytest.fixture
def stage(vault: Vault, passphrases: dict[str, str]) -> Iterator[Stage]:
    with vault.write(Act.SAVE_PROMPT) as unit:
        subject = unit.put(Note(text="note"))
    with vault.confirm(passphrases["ines"]) as signer:
        vault.add_user(signer, "eve", "Eve Stranger", ("author", "reviewer"), EVES, kdf=weak_kdf)
    trust, (ines, tomas, _) = vault.trust_file(), vault.users()
    vault.close()
    made = Stage(Vault.open(vault.folder, "eve", EVES), subject, trust, tomas, ines)
    yield made
    made.vault.close()


def forged(stage: Stage, unit: Unit, who: User, own: Card, keys: SigningKeys, **changes: str) -> Signature:
    """An approval in `who`'s name, made with `keys`."""
    size, root = unit._tree.root(unit.db)
    state = statements.LogState(origin=unit._log_name, size=size, root=Digest(root.hex()))
    subject = statements.Subject(name="note@1", digest=stage.subject)
    made = new_signature(Signer(who, own, keys), subject, "approved", "fits", unit.time, (), state)
    return msgspec.structs.replace(made, **changes)


def judged(stage: Stage) -> list[str]:
    """What the check finds, after nothing of it counted and nothing verified by the cards of the trust file."""
    with stage.vault.read() as reader:
        assert judging.judges(reader, stage.subject) == {}
        assert policies.missing(reader, "production", stage.subject)
        pinned = stage.trust.by_fingerprint()
        for signature in reader.signatures(stage.subject):
            try:
                envelope = envelopes.read(signature.envelope.encode())
                statements.parse(envelopes.verify(signature.envelope.encode(), pinned[Digest(envelope.keyid)].keys))
            except (Damaged, KeyError):
                continue
            raise AssertionError("an auditor would believe it")
    return [finding.where.split(" ")[0] for finding in check(stage.vault)]


def test_a_record_that_says_that_tomas_signed_doesnt_count(stage: Stage) -> None:
    with stage.vault.confirm(EVES) as eve:
        own = eve.printed
        with stage.vault.write(Act.SIGN) as unit:
            made = forged(
                stage, unit, stage.vault.user, own, eve.keys, user="tomas", name="Tomás Vidal", card=stage.tomas.card
            )
            unit.put(made, links=(stage.subject,))
    with stage.vault.read() as reader:
        said = reader.signatures(stage.subject)
    assert [one.user for one in said] == ["tomas"]
    with stage.vault.read() as reader:
        assert judging.judges(reader, stage.subject) == {}
    assert [finding.where.split(" ")[0] for finding in check(stage.vault)] == ["signature"]


def test_a_statement_that_names_his_card_needs_his_keys(stage: Stage) -> None:
    with stage.vault.read() as reader:
        his = users.card(reader.db, stage.tomas.card)
    with stage.vault.confirm(EVES) as eve, stage.vault.write(Act.SIGN) as unit:
        unit.put(forged(stage, unit, stage.tomas, his, eve.keys), links=(stage.subject,))
    assert judged(stage) == ["signature"]


def self_made(
    stage: Stage, issuer: str, counter: SigningKeys | None, roles: tuple[str, ...]
) -> tuple[Card, SigningKeys, SignedCard]:
    keys = SigningKeys.generate()
    with stage.vault.read() as reader:
        his = users.card(reader.db, stage.tomas.card)
    card = msgspec.structs.replace(his, keys=keys.public, issuer=issuer, roles=roles)
    return card, keys, issue(card, keys, counter)


@pytest.mark.parametrize("act", [Act.SIGN, Act.ADD_USER, Act.RECOVER])
def test_a_card_of_her_own_making_in_his_name_leads_nowhere(stage: Stage, act: Act) -> None:
    """Whatever she makes the log say of how it came about."""
    card, keys, signed = self_made(stage, "", None, ("admin", "reviewer"))
    with stage.vault.write(Act.SIGN) as unit:
        which = users.add_card(unit.db, "tomas", signed)
        told = unit.put(cards.IssuedCard(card=which, user="tomas"))
    with stage.vault.write(Act.SIGN) as unit:
        log.append(unit.db, "ines", unit.time, act, "tomas", objects=(told,))
    with stage.vault.write(Act.SIGN) as unit:
        impostor = msgspec.structs.replace(stage.tomas, card=which)
        unit.put(forged(stage, unit, impostor, card, keys), links=(stage.subject,))
    assert {"card", "signature"} <= set(judged(stage))


def test_a_card_that_she_countersigned_herself_is_no_card(stage: Stage) -> None:
    with stage.vault.confirm(EVES) as eve:
        for issuer in (stage.vault.user.card, stage.ines.card):
            _, _, signed = self_made(stage, issuer, eve.keys, ("reviewer",))
            with stage.vault.write(Act.SIGN) as unit:
                cards.issued(unit, users.add_card(unit.db, "tomas", signed), "tomas")
    with stage.vault.read() as reader:
        for signed in users.cards(reader.db)[-2:]:
            with pytest.raises(AssayError):
                users.card(reader.db, fingerprint(signed))
    assert judged(stage) == ["card", "card"]


def test_a_card_that_the_log_doesnt_tell_of_is_found(stage: Stage, passphrases: dict[str, str]) -> None:
    """Even one that an administrator countersigned."""
    stage.vault.close()
    stage.vault = Vault.open(stage.vault.folder, "ines", passphrases["ines"])
    with stage.vault.confirm(passphrases["ines"]) as ines, stage.vault.write(Act.SAVE_PROMPT) as unit:
        _, _, signed = self_made(stage, ines.card, ines.keys, ("reviewer",))
        users.add_card(unit.db, "tomas", signed)
    assert judged(stage) == ["card"]


def test_putting_another_card_in_place_of_his_gives_nobody_his_name(stage: Stage, passphrases: dict[str, str]) -> None:
    with stage.vault.write(Act.SIGN) as unit:
        unit.db.execute("UPDATE users SET card = ? WHERE user = 'tomas'", (stage.vault.user.card,))
    assert "user" in judged(stage)
    stage.vault.close()
    with pytest.raises(Damaged, match="somebody else's"):
        Vault.open(stage.vault.folder, "tomas", passphrases["tomas"])


def test_a_card_changed_in_place_is_found(stage: Stage) -> None:
    card, keys, signed = self_made(stage, "", None, ("reviewer",))
    with stage.vault.write(Act.SIGN) as unit:
        unit.db.execute("DROP TRIGGER cards_stay")
        unit.db.execute(
            "UPDATE cards SET content = ? WHERE fingerprint = ?", (msgspec.json.encode(signed), stage.tomas.card)
        )
        unit.put(forged(stage, unit, stage.tomas, card, keys), links=(stage.subject,))
    assert set(judged(stage)) >= {"card", "signature", "user"}


def test_her_keys_in_place_of_his_sealed_ones_sign_nothing_as_him(stage: Stage, passphrases: dict[str, str]) -> None:
    """She seals keys of her own under a passphrase of her own as his, and signs in his session."""
    keys = SigningKeys.generate()
    sealed = seal_keys(stage.vault.id, "tomas", keys, EVES, weak_kdf())
    with stage.vault.write(Act.SIGN) as unit:
        unit.db.execute("UPDATE users SET signing = ? WHERE user = 'tomas'", (msgspec.json.encode(sealed),))
    stage.vault.close()
    stage.vault = Vault.open(stage.vault.folder, "tomas", passphrases["tomas"])
    with stage.vault.confirm(EVES) as impostor, stage.vault.write(Act.APPROVE) as unit:
        unit.sign(impostor, stage.subject, "note@1", "approved", "fits")
    assert judged(stage) == ["signature"]


def test_a_real_signature_moved_to_other_content_or_another_reason_doesnt_count(
    stage: Stage, passphrases: dict[str, str]
) -> None:
    stage.vault.close()
    with Vault.open(stage.vault.folder, "tomas", passphrases["tomas"]) as his:
        with his.write(Act.SIGN) as unit:
            other = unit.put(Note(text="harmless"))
        with his.confirm(passphrases["tomas"]) as signer, his.write(Act.SIGN) as unit:
            real = unit.sign(signer, other, "note@1", "reviewed", "harmless")
    stage.vault = Vault.open(stage.vault.folder, "eve", EVES)
    with stage.vault.write(Act.SIGN) as unit:
        unit.put(msgspec.structs.replace(real, subject=stage.subject), links=(stage.subject,))
        unit.put(msgspec.structs.replace(real, meaning="approved"), links=(stage.subject,))
        unit.put(msgspec.structs.replace(real, reason="very good"), links=(other,))
    with stage.vault.read() as reader:
        assert judging.judges(reader, stage.subject) == {}
    assert len({finding.where for finding in check(stage.vault)}) == 3


def test_the_end_of_a_card_cant_be_taken_away_unnoticed(stage: Stage, passphrases: dict[str, str]) -> None:
    stage.vault.close()
    with (
        Vault.open(stage.vault.folder, "ines", passphrases["ines"]) as ines,
        ines.confirm(passphrases["ines"]) as signer,
    ):
        people.reset(ines, signer, "tomas", "nine boats in the harbour", "forgot it", kdf=weak_kdf)
        assert [ended.card for ended in ines.trust_file().revoked] == [stage.tomas.card]
    stage.vault = Vault.open(stage.vault.folder, "eve", EVES)
    assert check(stage.vault) == ()
    with stage.vault.write(Act.SIGN) as unit:
        for (trigger,) in unit.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            unit.db.execute(f"DROP TRIGGER {trigger}")
        unit.db.execute("DELETE FROM records WHERE kind = 'revocation'")
    assert check(stage.vault) != ()


def test_after_a_reset_a_person_is_still_who_wrote_it(stage: Stage, passphrases: dict[str, str]) -> None:
    """A second card, with the role of a reviewer, makes nobody another person."""
    stage.vault.close()
    new = "nine boats in the harbour"
    with (
        Vault.open(stage.vault.folder, "ines", passphrases["ines"]) as ines,
        ines.confirm(passphrases["ines"]) as signer,
    ):
        people.reset(ines, signer, "eve", new, "forgot it", kdf=weak_kdf)
    with Vault.open(stage.vault.folder, "eve", new) as eve, eve.write(Act.SAVE_PROMPT) as unit:
        own = unit.put(Note(text="mine"))
    stage.vault = Vault.open(stage.vault.folder, "ines", passphrases["ines"])
    with stage.vault.confirm(passphrases["ines"]) as signer:
        people.reset(stage.vault, signer, "eve", EVES, "again", kdf=weak_kdf)
    stage.vault.close()
    stage.vault = Vault.open(stage.vault.folder, "eve", EVES)
    with (
        stage.vault.confirm(EVES) as again,
        pytest.raises(AssayError, match="own work"),
        stage.vault.write(Act.APPROVE) as unit,
    ):
        unit.sign(again, own, "note@1", "approved", "fits")
    assert len({fingerprint(card) for card in stage.vault.cards()}) == 5
    assert check(stage.vault) == ()


def test_what_was_signed_before_a_card_ended_counts_and_what_comes_later_doesnt(
    stage: Stage, passphrases: dict[str, str]
) -> None:
    stage.vault.close()
    with (
        Vault.open(stage.vault.folder, "tomas", passphrases["tomas"]) as his,
        his.confirm(passphrases["tomas"]) as signer,
    ):
        stolen, card = signer.keys, signer.printed
        with his.write(Act.APPROVE) as unit:
            unit.sign(signer, stage.subject, "note@1", "approved", "fits")
    with (
        Vault.open(stage.vault.folder, "ines", passphrases["ines"]) as ines,
        ines.confirm(passphrases["ines"]) as signer,
    ):
        people.revoke(ines, signer, "tomas", "left")
    stage.vault = Vault.open(stage.vault.folder, "eve", EVES)
    with stage.vault.read() as reader:
        assert judging.judges(reader, stage.subject) == {"tomas": {"approved"}}
    assert check(stage.vault) == ()
    with stage.vault.write(Act.SAVE_PROMPT) as unit:
        later = unit.put(Note(text="later"))
    with stage.vault.write(Act.SIGN) as unit:
        late = forged(Stage(stage.vault, later, stage.trust, stage.tomas, stage.ines), unit, stage.tomas, card, stolen)
        unit.put(late, links=(later,))
    with stage.vault.read() as reader:
        assert judging.judges(reader, later) == {}
    assert [finding.where.split(" ")[0] for finding in check(stage.vault)] == ["signature"]


@dataclass
class Recovered:
    """A stage whose vault has a recovery key, and a card of Eve's own making in the administrator's name."""

    stage: Stage
    secret: bytes
    """What the recovery words stand for; Eve doesn't have them."""
    card: Card
    keys: SigningKeys
    which: Digest

    def key(self, card: Digest, keys: SigningKeys, secret: bytes) -> RecoveryKey:
        """A recovery key for `secret`, signed with `keys` as those of `card`."""
        holder = Signer(msgspec.structs.replace(self.stage.ines, card=card), self.card, keys)
        with self.stage.vault.write(Act.SIGN) as unit:
            unit.act = Act.SET_RECOVERY
            recovery_proofs.made(unit, holder, self.stage.vault.id, b"slot", secret)
            return unit.get(unit.find(RecoveryKey)[-1], RecoveryKey)

    def recover(self, *proofs: Record, secret: bytes = b"") -> bool:
        """Whether the card is believed once it was put in as by a recovery with these proofs, or with one by `secret`; Eve reviews with it."""
        with self.stage.vault.write(Act.SIGN) as unit:
            subject = unit.put(Note(text="hers"))
        with self.stage.vault.write(Act.SIGN) as unit:
            unit.act, unit.user = Act.RECOVER, self.stage.ines
            cards.issued(unit, self.which, "ines")
            for proof in proofs:
                unit.put(proof)
            if secret:
                recovery_proofs.prove(unit, self.stage.vault.id, self.which, secret)
        with self.stage.vault.write(Act.SIGN) as unit:
            impostor = msgspec.structs.replace(self.stage.ines, card=self.which)
            on = replace(self.stage, subject=subject)
            unit.put(forged(on, unit, impostor, self.card, self.keys), links=(subject,))
        with self.stage.vault.read() as reader:
            believed = cards.rooted(reader, self.which)
            assert judging.judges(reader, subject) == ({"ines": {"approved"}} if believed else {})
        found = {finding.where.split(" ")[0] for finding in check(self.stage.vault)}
        assert {"card", "signature"} <= found or believed
        return believed


@pytest.fixture
def recovered(stage: Stage, passphrases: dict[str, str]) -> Recovered:
    stage.vault.close()
    with (
        Vault.open(stage.vault.folder, "ines", passphrases["ines"]) as ines,
        ines.confirm(passphrases["ines"]) as signer,
    ):
        secret = from_words(" ".join(recovery.make(ines, signer)))
    stage.vault = Vault.open(stage.vault.folder, "eve", EVES)
    assert check(stage.vault) == ()
    keys = SigningKeys.generate()
    with stage.vault.write(Act.SIGN) as unit:
        card = msgspec.structs.replace(users.card(unit.db, stage.ines.card), keys=keys.public)
        which = users.add_card(unit.db, "ines", issue(card, keys))
    return Recovered(stage, secret, card, keys, which)


def test_a_recovery_that_nobody_had_the_words_for_is_no_recovery(recovered: Recovered) -> None:
    assert not recovered.recover()


def test_a_recovery_key_that_she_made_herself_proves_nothing(recovered: Recovered) -> None:
    """Whether she signs for it as herself, as the administrator, or with the very card that it is to prove."""
    own, stage = bytes(range(32)), recovered.stage
    with stage.vault.confirm(EVES) as eve:
        recovered.key(stage.vault.user.card, eve.keys, own)
        recovered.key(stage.ines.card, eve.keys, own)
    recovered.key(recovered.which, recovered.keys, own)
    assert not recovered.recover(secret=own)
    assert "recovery" not in {finding.where.split(" ")[0] for finding in check(stage.vault)}, "the real one holds"


def test_the_proof_of_another_recovery_or_of_another_vault_proves_nothing(recovered: Recovered) -> None:
    vault = recovered.stage.vault.id
    with recovered.stage.vault.write(Act.SIGN) as unit:
        recovery_proofs.prove(unit, vault, recovered.stage.ines.card, recovered.secret)
        real = unit.get(unit.find(RecoveryProof)[-1], RecoveryProof)
    other = recovery_proofs.keys_of(recovered.secret, "another vault").sign(b"")
    assert not recovered.recover(
        msgspec.structs.replace(real, card=recovered.which),
        msgspec.structs.replace(real, card=recovered.which, signatures=other),
        msgspec.structs.replace(real, card=recovered.which, vault="another vault"),
    )


def test_a_real_proof_in_another_entry_than_the_recoverys_proves_nothing(recovered: Recovered) -> None:
    with recovered.stage.vault.write(Act.SIGN) as unit:
        recovery_proofs.prove(unit, recovered.stage.vault.id, recovered.which, recovered.secret)
    assert not recovered.recover()


def test_with_the_words_the_same_tools_make_a_recovery_that_counts(recovered: Recovered) -> None:
    assert recovered.recover(secret=recovered.secret)
    assert check(recovered.stage.vault) == ()


def test_words_that_were_replaced_before_prove_nothing(recovered: Recovered, passphrases: dict[str, str]) -> None:
    stage = recovered.stage
    stage.vault.close()
    with (
        Vault.open(stage.vault.folder, "ines", passphrases["ines"]) as ines,
        ines.confirm(passphrases["ines"]) as signer,
    ):
        recovery.make(ines, signer)
    stage.vault = Vault.open(stage.vault.folder, "eve", EVES)
    assert not recovered.recover(secret=recovered.secret)


def test_cards_that_vouch_for_each_other_in_a_ring_lead_nowhere(recovered: Recovered) -> None:
    keys, secret = SigningKeys.generate(), bytes(range(32))
    with recovered.stage.vault.write(Act.SIGN) as unit:
        card = msgspec.structs.replace(recovered.card, keys=keys.public, issuer=recovered.which)
        inner = users.add_card(unit.db, "ines", issue(card, keys, recovered.keys))
    recovered.key(inner, keys, secret)
    assert not recovered.recover(secret=secret)


def test_a_way_in_by_words_of_her_own_is_found(recovered: Recovered) -> None:
    """So that she would get in even after she was revoked."""
    slot = new_slot(recovered.stage.vault.id, RECOVERY, "words of her own", weak_kdf())
    with recovered.stage.vault.write(Act.SIGN) as unit:
        unit.db.execute("UPDATE meta SET value = ? WHERE name = ?", (unb64(slot.public, "slot"), users.RECOVERY_PUBLIC))
    assert "recovery key" in {finding.where for finding in check(recovered.stage.vault)}


def test_the_forgers_tools_are_sound(stage: Stage, passphrases: dict[str, str]) -> None:
    """The forgeries fail for the right reason: with his own keys and card the same tools make what counts."""
    stage.vault.close()
    stage.vault = Vault.open(stage.vault.folder, "tomas", passphrases["tomas"])
    with stage.vault.confirm(passphrases["tomas"]) as his, stage.vault.write(Act.SIGN) as unit:
        unit.put(forged(stage, unit, stage.tomas, his.printed, his.keys), links=(stage.subject,))
    with stage.vault.read() as reader:
        assert judging.judges(reader, stage.subject) == {"tomas": {"approved"}}
    assert check(stage.vault) == ()
