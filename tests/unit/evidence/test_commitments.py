"""Commitments: hiding, opening, withholding."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, Damaged
from core.evidence.commitments import (
    MARK,
    MARKED,
    Revealed,
    check_digest,
    commitment,
    hide,
    in_order,
    read_openings,
    reveal,
)
from core.records import Json
from core.trust.canonical import canonical, digest

json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", MARK]), inner, max_size=2),
    max_leaves=8,
)


def put_back(record: Any, openings: list[bytes]) -> Revealed:
    """The record of a file of one, with these openings."""
    found = read_openings(in_order(openings), "openings").openings
    [revealed] = reveal("outcome", [record], found, canonical(record).count(MARKED))
    return revealed


def without(openings: list[bytes], *places: Json) -> list[bytes]:
    return [opening for opening in openings if json.loads(opening)[1] not in places]


def stored(answer: Json, citations: list[Json]) -> dict[str, Json]:
    return {
        "kind": "outcome",
        "nonce": "00",
        "record": {
            "answer": {"answer": answer, "citations": citations, "seconds": 7},
            "scores": [{"value": 1, "reason": "x"}],
            "error": "",
        },
    }


@given(json_values, st.lists(json_values, max_size=3))
def test_what_is_hidden_comes_back_with_its_openings(answer: Json, citations: list[Json]) -> None:
    original = stored(answer, citations)
    hidden = hide("outcome", 0, copy.deepcopy(original))
    assert hidden.stored["record"]["answer"]["seconds"] == 7  # type: ignore[index,call-overload]
    assert len(hidden.openings) == 4 + len(citations)
    revealed = put_back(hidden.stored, hidden.openings)
    assert revealed == (original, ())
    check_digest("outcome", digest(canonical(original)), revealed)
    with pytest.raises(Damaged, match="differs"):
        check_digest("outcome", digest(b"another"), revealed)


@given(json_values)
def test_a_field_whose_opening_is_missing_is_withheld(answer: Json) -> None:
    hidden = hide("outcome", 0, stored(answer, []))
    revealed = put_back(hidden.stored, without(hidden.openings, [0], [0, "answer", "answer"]))
    assert revealed.hidden == (("answer", "answer"),)
    check_digest("outcome", digest(b"not known now"), revealed)


def test_the_same_value_has_another_commitment_each_time_and_at_each_place() -> None:
    first, second = hide("outcome", 0, stored("yes", [])), hide("outcome", 0, stored("yes", []))
    assert first.stored != second.stored
    salt = bytes(32)
    values = {
        commitment(salt, (0, "a"), "yes"),
        commitment(salt, (1, "a"), "yes"),
        commitment(bytes(31) + b"x", (0, "a"), "yes"),
    }
    assert len(values) == 3


def test_a_field_that_looks_like_a_commitment_isnt_packed() -> None:
    record: Any = stored("x", [])
    record["record"]["answer"]["seconds"] = {MARK: "0" * 64}
    with pytest.raises(BadInput, match="can't go into a pack"):
        hide("outcome", 0, record)


def test_kinds_without_withholdable_fields_go_in_as_they_are() -> None:
    original: dict[str, Json] = {"kind": "run", "nonce": "00", "record": {"criteria": [1]}}
    assert hide("run", 0, copy.deepcopy(original)) == (original, [])


@pytest.mark.parametrize("mark", [{MARK: "short"}, {MARK: None}, {MARK: "0" * 64, "more": 1}, {MARK: ["0" * 64]}])
def test_malformed_commitments_are_refused(mark: Json) -> None:
    record: Any = stored("x", [])
    record["record"]["answer"]["answer"] = mark
    with pytest.raises(Damaged):
        put_back(record, [])


@pytest.mark.parametrize("gone", [[0], [0, "answer", "answer"]])
def test_a_nonce_is_withheld_exactly_where_a_field_is(gone: Json) -> None:
    """With the nonce and the digest, whoever knows the other fields could try out what a short one holds."""
    hidden = hide("outcome", 0, stored("yes", []))
    with pytest.raises(Damaged, match="nonce"):
        put_back(hidden.stored, without(hidden.openings, gone))


@pytest.mark.parametrize(
    "nonce", ["00", {MARK: "0" * 63}, {MARK: "0" * 64, "more": 1}, {"x": {MARK: "0" * 64}}, None, {}]
)
def test_a_nonce_in_another_form_is_refused(nonce: Json) -> None:
    hidden = hide("outcome", 0, stored("yes", []))
    record: Any = hidden.stored
    record["nonce"] = nonce
    with pytest.raises(Damaged):
        put_back(record, hidden.openings)
