"""Cards and trust files."""

from datetime import datetime

import msgspec
import pytest

from core.errors import Damaged
from core.trust.canonical import b64, unb64
from core.trust.cards import Card, SignedCard, accept, fingerprint, issue, offer, open_card, verify_card, verify_offer
from core.trust.keys import InvalidSignatures, SigningKeys
from core.trust.notes import log_key, new_log_key
from core.trust.trustfile import TrustFile, dump, load

ADMIN_KEYS = SigningKeys.generate()
ADA_KEYS = SigningKeys.generate()
ADMIN = Card(
    user="root",
    name="Root Admin",
    roles=("admin", "author"),
    keys=ADMIN_KEYS.public,
    valid_from="2026-01-01T00:00:00+00:00",
    valid_until="2036-01-01T00:00:00+00:00",
    issuer="",
)
ADA = Card(
    user="ada",
    name="Ada Nováková",
    roles=("reviewer",),
    keys=ADA_KEYS.public,
    valid_from="2026-02-01T00:00:00+01:00",
    valid_until="2028-01-01T00:00:00+00:00",
    issuer=fingerprint(ADMIN),
)
SIGNED_ADMIN = issue(ADMIN, ADMIN_KEYS)
SIGNED_ADA = issue(ADA, ADA_KEYS, ADMIN_KEYS)


def trust(*cards: SignedCard) -> TrustFile:
    return TrustFile(cards=cards, logs=(log_key("assay/test", new_log_key()),), made="2026-11-21T09:30:00+00:00")


def test_cards_verify_with_their_issuer() -> None:
    assert verify_card(SIGNED_ADMIN, None) == ADMIN
    assert verify_card(SIGNED_ADA, ADMIN) == ADA
    assert open_card(SIGNED_ADA) == ADA
    assert fingerprint(SIGNED_ADA) == fingerprint(ADA) != fingerprint(ADMIN)


def test_a_card_by_another_issuer_is_refused() -> None:
    with pytest.raises(Damaged, match="somebody else"):
        verify_card(SIGNED_ADA, None)
    with pytest.raises(Damaged, match="somebody else"):
        verify_card(SIGNED_ADMIN, ADA)
    with pytest.raises(InvalidSignatures):
        verify_card(issue(ADA, ADA_KEYS, ADA_KEYS), ADMIN)


def test_only_an_administrator_issues_cards_and_only_while_valid() -> None:
    clerk = msgspec.structs.replace(ADMIN, roles=("author",))
    with pytest.raises(Damaged, match="no administrator"):
        verify_card(issue(msgspec.structs.replace(ADA, issuer=fingerprint(clerk)), ADA_KEYS, ADMIN_KEYS), clerk)
    late = msgspec.structs.replace(ADMIN, valid_from="2027-01-01T00:00:00+00:00")
    with pytest.raises(Damaged, match="wasn't valid"):
        verify_card(issue(msgspec.structs.replace(ADA, issuer=fingerprint(late)), ADA_KEYS, ADMIN_KEYS), late)


def test_a_card_is_issued_only_with_fitting_keys() -> None:
    with pytest.raises(Damaged, match="other keys"):
        issue(ADA, ADMIN_KEYS, ADMIN_KEYS)
    with pytest.raises(Damaged, match="issuer"):
        issue(ADA, ADA_KEYS)
    with pytest.raises(Damaged, match="issuer"):
        issue(ADMIN, ADMIN_KEYS, ADMIN_KEYS)


def test_an_altered_card_is_refused() -> None:
    content = unb64(SIGNED_ADA.card, "card")
    promoted = content.replace(b'"roles":["reviewer"]', b'"roles":["admin"]')
    assert promoted != content
    with pytest.raises(InvalidSignatures):
        open_card(msgspec.structs.replace(SIGNED_ADA, card=b64(promoted)))
    with pytest.raises(Damaged):
        open_card(msgspec.structs.replace(SIGNED_ADA, card=b64(content + b" ")))
    with pytest.raises(Damaged, match="issuer"):
        open_card(msgspec.structs.replace(SIGNED_ADA, counter=None))
    backwards = msgspec.structs.replace(ADMIN, valid_until="2020-01-01T00:00:00+00:00")
    with pytest.raises(Damaged, match="ends before"):
        open_card(issue(backwards, ADMIN_KEYS))


def test_validity_is_a_matter_of_instants() -> None:
    assert ADA.valid_at(datetime.fromisoformat("2026-01-31T23:00:00+00:00"))
    assert not ADA.valid_at(datetime.fromisoformat("2026-01-31T22:59:59+00:00"))
    assert not ADA.valid_at(datetime.fromisoformat("2028-01-01T00:00:01+00:00"))


def test_a_trust_file_comes_back() -> None:
    file = trust(SIGNED_ADMIN, SIGNED_ADA)
    again = load(dump(file))
    assert again == file
    assert again.by_fingerprint() == {fingerprint(ADMIN): ADMIN, fingerprint(ADA): ADA}
    assert again.log("assay/test") == file.logs[0]
    assert again.log("assay/other") is None


def test_a_pinned_card_needs_no_issuer_in_the_file_but_one_in_it_must_have_signed() -> None:
    assert fingerprint(ADA) in load(dump(trust(SIGNED_ADA))).by_fingerprint()
    forged = issue(ADA, ADA_KEYS, ADA_KEYS)
    assert fingerprint(forged) == fingerprint(ADA)
    with pytest.raises(InvalidSignatures):
        load(dump(trust(SIGNED_ADMIN, forged)))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"cards":[],"logs":[],"made":"x","type":"trust","version":1}', b"\xff"]
)
def test_other_files_are_no_trust_file(data: bytes) -> None:
    with pytest.raises(Damaged, match="trust file"):
        load(data)


def test_an_offered_card_becomes_one_by_its_owners_keys_alone() -> None:
    renewed = msgspec.structs.replace(ADA, roles=("author",))
    offered = offer(renewed, ADMIN_KEYS)
    assert verify_offer(offered, ADMIN) == renewed
    assert verify_card(accept(offered, ADA_KEYS), ADMIN) == renewed
    with pytest.raises(Damaged, match="other keys"):
        accept(offered, ADMIN_KEYS)
    forged = SignedCard(card=offered.card, own=offered.counter, counter=offered.counter)
    with pytest.raises(InvalidSignatures):
        open_card(forged)


def test_an_offer_counts_only_from_an_administrator_and_as_it_was_made() -> None:
    offered = offer(ADA, ADMIN_KEYS)
    with pytest.raises(InvalidSignatures):
        verify_offer(offer(ADA, ADA_KEYS), ADMIN)
    with pytest.raises(Damaged, match="somebody else"):
        verify_offer(offered, msgspec.structs.replace(ADMIN, name="Other"))
    more = msgspec.structs.replace(ADA, roles=("admin",))
    with pytest.raises(InvalidSignatures):
        verify_offer(msgspec.structs.replace(offered, card=offer(more, ADA_KEYS).card), ADMIN)
    clerk = msgspec.structs.replace(ADMIN, roles=("author",))
    by_clerk = msgspec.structs.replace(ADA, issuer=fingerprint(clerk))
    with pytest.raises(Damaged, match="no administrator"):
        verify_offer(offer(by_clerk, ADMIN_KEYS), clerk)
