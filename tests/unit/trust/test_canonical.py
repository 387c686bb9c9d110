"""Canonical JSON: against RFC 8785's vectors, and as properties."""

import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, Damaged
from core.records import Json, Record, kind
from core.trust.canonical import (
    DEEPEST,
    SAFE_INTEGER,
    b64,
    builtins,
    canonical,
    digest,
    new_nonce,
    parse,
    record_bytes,
    record_from,
    unb64,
)

text = st.text(st.characters(exclude_categories=["Cs"]))
values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE_INTEGER, SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
    max_leaves=20,
)


class Note(Record, frozen=True, kw_only=True, tag="note"):
    text: str
    weight: float = 1.0
    raw: bytes = b""
    parts: tuple[str, ...] = ()


class Other(Record, frozen=True, kw_only=True, tag="other"):
    text: str


class Folder(Record, frozen=True, kw_only=True, tag="folder"):
    """With all that a record can hold."""

    notes: tuple[Note, ...] = ()
    inner: Note | None = None
    named: dict[str, Json] = {}  # noqa: RUF012 (msgspec copies it)
    anything: Any = None
    count: int = 0
    ünlike: str = ""


class Plain(Record, frozen=True, kw_only=True, tag="plain"):
    notes: tuple[Other, ...] = ()
    inner: Other | None = None
    named: dict[str, Json] = {}  # noqa: RUF012 (msgspec copies it)
    anything: Any = None
    count: int = 0


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_rfc_8785_vectors(shared_data: Path, name: str) -> None:
    folder = shared_data / "vectors" / "jcs" / "testdata"
    value = json.loads((folder / "input" / f"{name}.json").read_text("utf-8"))
    expected = bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text().replace("\n", " "))
    assert canonical(value) == expected
    assert canonical(parse(expected, name)) == expected


@given(values)
def test_what_is_written_is_read_back_and_written_the_same(value: Json) -> None:
    data = canonical(value)
    again = parse(data, "value")
    assert again == value
    assert canonical(again) == data


@given(values)
def test_both_ways_of_writing_give_the_same_bytes(value: Json) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    assert canonical([value, {"b": value, "a": 1.5}]) == rfc8785.dumps([value, {"b": value, "a": 1.5}])
    assert canonical({"a": (value, "b")}) == rfc8785.dumps({"a": [value, "b"]})  # type: ignore[dict-item]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_among_plain_ones_is_written_as_the_standard_says(number: float) -> None:
    for value in (
        number,
        float(round(number)) if abs(number) < 1e300 else 0.0,
        number * 1e-6,
        -0.0,
        float(2**53),
        1e21,
        1.0,
    ):
        record: Json = {"a": [1.0, {"b": value, "c": "text", "d": None}], "e": True}
        assert canonical(record) == rfc8785.dumps(record)  # type: ignore[arg-type]


@given(
    st.lists(text, max_size=3),
    values,
    st.dictionaries(text, values, max_size=3),
    st.binary(max_size=2),
    st.sampled_from([1, 2.5, 0.0]),
)
def test_a_record_is_written_as_its_plain_values_are(
    words: list[str], value: Json, named: dict[str, Json], raw: bytes, weight: float
) -> None:
    others = tuple(Other(text=word) for word in words)
    notes = tuple(Note(text=word, weight=weight, raw=raw, parts=tuple(words)) for word in words)
    for record in (
        Plain(notes=others, inner=others[0] if others else None, named=named, anything=value, count=len(words)),
        Plain(anything=(raw, weight)),
        Plain(anything={"a": [(), 0, raw and {1: 2}, {}, [], None, False, weight]}),
        Plain(anything=notes, named={"a": [weight]}),
        Folder(notes=notes, inner=notes[0] if notes else None, named=named, anything=value, count=len(words)),
        *notes,
    ):
        plainly = {"kind": kind(record), "nonce": "00" * 32, "record": builtins(record)}
        assert record_bytes(record, bytes(32)) == rfc8785.dumps(plainly)  # type: ignore[arg-type]


@given(
    st.lists(st.sampled_from(['"', "\\", ":1.0,", "[2.0]", "ÿþ", "\n", "é", ".0"])),
    st.lists(st.sampled_from([1.0, 2.5, -3.0, 0.0, 1e14, 1e15])),
)
def test_whole_numbers_among_texts_that_look_like_them(pieces: list[str], numbers: list[float]) -> None:
    said = "".join(pieces)
    for value in (
        numbers,
        {"a": said, "b": numbers, said.encode("ascii", "replace").decode(): said},
        [said, *numbers, said],
    ):
        assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]
        record = Plain(anything=value, inner=Other(text=said))
        plainly = {"kind": "plain", "nonce": "00" * 32, "record": builtins(record)}
        assert record_bytes(record, bytes(32)) == rfc8785.dumps(plainly)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), SAFE_INTEGER + 1, "\ud800", {"\ud800": 1}])
def test_what_has_no_canonical_form_is_refused_in_a_record(value: Json) -> None:
    with pytest.raises(BadInput):
        record_bytes(Plain(anything=value), bytes(32))


def test_every_character_is_written_as_the_standard_says() -> None:
    for start in range(0, 0x11000, 0x100):
        text = "".join(chr(code) for code in range(start, start + 0x100) if not 0xD800 <= code < 0xE000)
        assert canonical({"text": text}) == rfc8785.dumps({"text": text})


@given(values, st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_is_another_value(value: Json, place: int, bit: int) -> None:
    data = bytearray(canonical(value))
    data[place % len(data)] ^= 1 << bit
    try:
        other = parse(bytes(data), "value")
    except Damaged:
        return
    assert canonical(other) == bytes(data) != canonical(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b"[1.0]",
        b"[1e3]",
        b"[-0]",
        b"[NaN]",
        b"[Infinity]",
        b"[1e999]",
        b"[9007199254740993]",
        b'"\\u0041"',
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"",
        b"[",
        b"[" * 100_000,
        b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2),
        b"9" * 5000,
    ],
)
def test_every_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged, match="thing"):
        parse(data, "thing")


def test_keys_are_ordered_by_utf16_units() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), SAFE_INTEGER + 1, "\ud800", {"\ud800": 1}])
def test_what_has_no_canonical_form_is_refused(value: Json) -> None:
    with pytest.raises(BadInput):
        canonical(value)


def test_a_record_comes_back_with_its_nonce() -> None:
    note = Note(text="ß\x00", weight=2.0, raw=b"\x00\xff", parts=("a", "b"))
    nonce = new_nonce()
    data = record_bytes(note, nonce)
    assert record_from(data, Note) == (note, nonce)
    assert parse(data, "note")["kind"] == "note"  # type: ignore[index,call-overload]


def test_the_same_record_has_another_digest_each_time() -> None:
    note = Note(text="yes")
    assert digest(record_bytes(note, new_nonce())) != digest(record_bytes(note, new_nonce()))


def test_a_record_of_another_kind_is_refused() -> None:
    data = record_bytes(Note(text="x"), new_nonce())
    with pytest.raises(Damaged, match="expected one of kind other"):
        record_from(data, Other)
    with pytest.raises(Damaged):
        record_from(data[:-1], Note)
    with pytest.raises(BadInput, match="nonce"):
        record_bytes(Note(text="x"), b"short")


@pytest.mark.parametrize("spelling", ["QQ", "QR==", "QQ==\n", "Q Q==", "-_-_", "é"])
def test_base64_has_one_spelling(spelling: str) -> None:
    with pytest.raises(Damaged):
        unb64(spelling, "thing")
    assert unb64(b64(b"\xfb\xff"), "thing", 2) == b"\xfb\xff"
    with pytest.raises(Damaged, match="2 bytes instead of 3"):
        unb64(b64(b"\xfb\xff"), "thing", 3)
