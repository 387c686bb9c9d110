"""A nonce that an auditor asked for is found in the release, or the pack isn't the one that was asked for."""

import io

from core.evidence.asked import MISSING, with_nonce
from core.evidence.records import Verdict
from core.evidence.verify import verify
from tests.unit.evidence.building import TRUST, content, pack
from tests.unit.evidence.judging import AT


def verdict(nonce: str) -> Verdict:
    return verify(io.BytesIO(pack(content(), nonce=nonce)), TRUST, AT)


def test_the_nonce_that_was_asked_for_is_said_to_be_there() -> None:
    found = with_nonce(verdict("heron-0417"), "heron-0417")
    assert (found.verdict, found.reasons) == ("valid", ())
    assert (found.checks[-1].name, found.checks[-1].state) == ("Made for you", "ok")


def test_another_nonce_or_none_makes_a_pack_invalid() -> None:
    for held in ("", "heron-0418"):
        found = with_nonce(verdict(held), "heron-0417")
        assert (found.verdict, found.reasons) == ("invalid", (MISSING,))
        assert found.checks[-1].state == "failed"


def test_where_nothing_was_asked_nothing_changes() -> None:
    known = verdict("heron-0417")
    assert with_nonce(known, "") is known
