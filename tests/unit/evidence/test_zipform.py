"""The canonical zip: one byte form, refused in every other."""

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, Damaged
from core.evidence import zipform

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}(/[a-z0-9][a-z0-9._-]{0,8}){0,2}", fullmatch=True).filter(
    zipform.allowed
)
archives = st.dictionaries(names, st.binary(max_size=50), max_size=6)
ENTRIES = {"a.txt": b"alpha", "b/c.json": b"[]", "empty": b""}
DATA = zipform.write(ENTRIES)


@given(archives)
def test_what_is_written_is_read_back(entries: dict[str, bytes]) -> None:
    data = zipform.write(entries)
    assert zipform.read(data) == entries
    assert data == zipform.write(dict(reversed(entries.items())))


@settings(max_examples=30)
@given(archives)
def test_other_programs_read_it(entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(zipform.write(entries))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == entries
        assert archive.namelist() == sorted(entries)


@settings(max_examples=300)
@given(st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_is_refused(place: int, bit: int) -> None:
    data = bytearray(DATA)
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(Damaged):
        zipform.read(bytes(data))


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        zipform.read(data + DATA[-22:])
    with pytest.raises(Damaged):
        zipform.read(data)


def made(compression: int = zipfile.ZIP_STORED, comment: bytes = b"", **extra: bytes) -> bytes:
    """The same entries by Python's zipfile."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.comment = comment
        for name, content in sorted(ENTRIES.items()):
            info = zipfile.ZipInfo(name)
            info.extra = extra.get("extra", b"")
            info.comment = extra.get("note", b"")
            info.external_attr = 0o100644 << 16
            info.compress_type = compression
            archive.writestr(info, content)
    return buffer.getvalue()


def test_zipfile_can_write_the_very_same_bytes() -> None:
    assert made() == DATA


@pytest.mark.parametrize(
    "data",
    [
        made(zipfile.ZIP_DEFLATED),
        made(comment=b"hello"),
        made(extra=struct.pack("<HH4s", 0x5455, 4, b"time")),
        made(note=b"entry comment"),
        b"#!/bin/sh\n" + DATA,
        DATA + b"\n",
        DATA[:-22] + b"gap" + DATA[-22:],
        DATA + DATA,
    ],
    ids=[
        "compressed",
        "comment",
        "extra field",
        "entry comment",
        "something before",
        "something after",
        "a gap",
        "twice",
    ],
)
def test_other_forms_of_the_same_entries_are_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        zipform.read(data)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../x",
        "/etc/passwd",
        "a//b",
        "a/",
        "",
        ".",
        "..",
        ".hidden",
        "a\\b",
        "c:x",
        "é",
        "a b",
        "a\x00b",
        "a/./b",
        "x" * 201,
    ],
)
def test_names_that_point_elsewhere_are_neither_written_nor_read(name: str) -> None:
    with pytest.raises(BadInput):
        zipform.write({name: b"x"})
    raw = name.encode()
    if len(raw) != 5:
        raw = (raw + b"/.._x" * 2)[:5]
    with pytest.raises(Damaged):
        zipform.read(DATA.replace(b"a.txt", raw))


def test_an_entry_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Damaged, match="twice"):
        zipform.read(zipform.write({"a": b"x", "b": b"x"}).replace(b"b", b"a"))


def test_an_archive_that_claims_more_than_it_holds_is_refused() -> None:
    """Many names for the same large content: the bomb that storing alone doesn't stop."""
    content = bytes(200_000)
    base = zipform.write({"a": content})
    start = base.index(b"PK\x01\x02")
    central, end = base[start:-22], base[-22:]
    count = 5_000
    many = b"".join(central[:-1] + b"a" for _ in range(1)) + b"".join(
        central[:28] + struct.pack("<H", 5) + central[30:46] + b"%05d" % number for number in range(count)
    )
    forged = base[:start] + many + end[:8] + struct.pack("<HHII", count + 1, count + 1, len(many), start) + end[20:]
    with pytest.raises(Damaged, match="more than the file"):
        zipform.read(forged)


@pytest.mark.parametrize("end", [0, 10, len(DATA) // 2, len(DATA) - 1])
def test_an_archive_that_was_cut_short_says_so(end: int) -> None:
    with pytest.raises(Damaged, match="cut short"):
        zipform.read(DATA[:end])


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(BadInput):
        zipform.write({f"e{number}": b"" for number in range(zipform.MOST + 1)})
