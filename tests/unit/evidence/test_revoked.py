"""Cards that ran out or were revoked, and people with more than one card: both verifiers judge them alike."""

import json
from datetime import datetime

import msgspec
import pytest

from core.errors import Damaged
from core.records import Digest
from core.trust.cards import Revocation
from core.trust.notes import read_checkpoint
from core.trust.trustfile import TrustFile, dump, load
from tests.unit.evidence.building import ADA, BEN, LATER, ORIGIN, TRUST, Maker, Person, content, pack
from tests.unit.evidence.judging import AT, judged, standalone

CONTENT = content()
PACK = pack(CONTENT)
EARLIER = "2026-11-21T09:00:00+01:00"
SIZE = read_checkpoint(CONTENT.checkpoint).size
[PLACE] = [
    entry.index
    for entry in CONTENT.entries
    if CONTENT.signatures[1].digest in json.loads(entry.content)["record"]["objects"]
]
"""Where the log tells of Ben's approval."""


def revoking(person: Person, size: int, time: str = LATER, origin: str = ORIGIN) -> TrustFile:
    ended = Revocation(card=person.fingerprint, origin=origin, size=size, time=time, reason="left the company")
    return msgspec.structs.replace(TRUST, revoked=(ended,))


@pytest.mark.parametrize("time", [LATER, EARLIER])
def test_what_the_log_held_before_the_revocation_counts_whatever_the_clocks_said(time: str) -> None:
    verdict = judged(PACK, revoking(BEN, PLACE + 1, time))
    assert (verdict.verdict, verdict.reasons) == ("valid", ())


@pytest.mark.parametrize("size", [PLACE, PLACE - 1, 0])
def test_what_the_log_held_only_after_it_is_invalid_however_it_is_dated(size: int) -> None:
    verdict = judged(PACK, revoking(BEN, size))
    assert verdict.verdict == "invalid"
    assert any("after the card was revoked" in reason for reason in verdict.reasons)
    assert [s.status for s in verdict.signatures if s.name == "Ben Okafor"] == ["invalid"]


def test_without_a_log_that_is_trusted_nothing_is_shown_to_be_older() -> None:
    trust = revoking(BEN, PLACE + 1)
    verdict = judged(PACK, msgspec.structs.replace(trust, logs=()))
    assert verdict.verdict == "incomplete"
    assert any("Ben Okafor's card was revoked" in reason for reason in verdict.reasons)
    assert [s.status for s in verdict.signatures if s.name == "Ben Okafor"] == ["unknown"]
    other = judged(PACK, revoking(BEN, PLACE + 1, origin="assay/vault/other"))
    assert other.verdict == "incomplete"


def test_a_signature_that_dates_itself_after_the_revocation_is_invalid_where_no_log_says_otherwise() -> None:
    trust = msgspec.structs.replace(revoking(BEN, PLACE + 1, EARLIER), logs=())
    assert judged(PACK, trust).verdict == "invalid"


def test_a_release_by_a_revoked_card_is_in_no_checkpoint_and_stays_open() -> None:
    verdict = judged(PACK, revoking(ADA, SIZE))
    assert verdict.verdict == "incomplete"
    assert [(s.meaning, s.status) for s in verdict.signatures if s.name == "Ada Nováková"] == [
        ("authored", "valid"),
        ("released", "unknown"),
    ]


def test_a_release_that_speaks_of_a_log_beyond_the_revocation_is_invalid() -> None:
    assert judged(PACK, revoking(ADA, SIZE - 1)).verdict == "invalid"
    assert judged(PACK, revoking(ADA, SIZE, EARLIER)).verdict == "invalid"


def test_the_first_of_several_revocations_holds() -> None:
    both = (revoking(BEN, PLACE + 5).revoked[0], revoking(BEN, PLACE).revoked[0])
    for revoked in (both, both[::-1]):
        assert judged(PACK, msgspec.structs.replace(TRUST, revoked=revoked)).verdict == "invalid"


def test_a_revoked_card_that_isnt_in_the_trust_file_is_unknown_or_worse() -> None:
    for size, verdict in ((PLACE + 1, "incomplete"), (PLACE, "invalid")):
        trust = msgspec.structs.replace(revoking(BEN, size), cards=(ADA.signed,))
        assert judged(PACK, trust).verdict == verdict


def test_a_trust_file_with_revocations_comes_back_and_one_without_is_as_before() -> None:
    trust = revoking(BEN, PLACE)
    assert load(dump(trust)) == trust
    assert trust.revocation(BEN.fingerprint) == trust.revoked[0]
    assert TRUST.revocation(BEN.fingerprint) is None
    assert b"revoked" not in dump(TRUST)
    for data in (dump(trust), dump(TRUST)):
        assert standalone.verify(PACK, json.loads(data), AT)["verdict"] in ("valid", "invalid")


@pytest.mark.parametrize("time", ["2040-01-01T00:00:00+00:00", "2025-12-31T23:59:59+00:00"])
def test_a_signature_outside_the_life_of_its_card_is_invalid(time: str) -> None:
    def sign(maker: Maker) -> None:
        maker.sign(BEN, CONTENT.spec, "safety@1", "reviewed", time=time)

    verdict = judged(pack(content(sign)), TRUST, datetime.fromisoformat("2050-01-01T00:00:00+00:00"))
    assert verdict.verdict == "invalid"
    assert any("wasn't valid" in reason for reason in verdict.reasons)


@pytest.mark.parametrize("meaning", ["reviewed", "approved"])
def test_nobody_judges_their_own_work_under_a_second_card_either(meaning: str) -> None:
    again = Person("ada", "Ada Nováková", ADA)

    def sign(maker: Maker) -> None:
        maker.sign(again, CONTENT.spec, "safety@1", meaning)

    made = content(sign)
    made = msgspec.structs.replace(made, cards=(*made.cards, again.signed))
    trust = msgspec.structs.replace(TRUST, cards=(*TRUST.cards, again.signed))
    verdict = judged(pack(made), trust)
    assert verdict.verdict == "invalid"
    assert any("own work" in reason for reason in verdict.reasons)


def test_people_are_counted_and_not_cards() -> None:
    again = Person("ben", "Ben Okafor", ADA)

    def sign(maker: Maker) -> None:
        maker.sign(again, CONTENT.spec, "safety@1", "reviewed")

    made = content(sign)
    made = msgspec.structs.replace(made, cards=(*made.cards, again.signed))
    trust = msgspec.structs.replace(TRUST, cards=(*TRUST.cards, again.signed))
    verdict = judged(pack(made), trust)
    assert verdict.verdict == "valid"
    assert next(check for check in verdict.checks if check.name == "Signatures").detail.startswith("2 people")


def test_a_revocation_that_is_no_revocation_makes_no_trust_file() -> None:
    for change in ({"size": -1}, {"time": "yesterday"}, {"card": Digest("short")}):
        bad = msgspec.structs.replace(TRUST, revoked=(msgspec.structs.replace(revoking(BEN, 1).revoked[0], **change),))
        with pytest.raises(Damaged, match="trust file"):
            load(dump(bad))
