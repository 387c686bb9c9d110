"""Packs made to exhaust whoever opens them: refused before they are read, in memory that doesn't grow with what they claim."""

import io
import struct
import tracemalloc
from collections.abc import Callable

import pytest

from core.evidence import zipform
from core.evidence.opened import MOST_SIGNATURES
from core.evidence.packing import prepare
from core.evidence.verify import verify
from core.trust.canonical import MOST_VALUES, canonical
from tests.unit.evidence.building import ADA, GUIDE, TRUST, VERIFIER, content, pack, release
from tests.unit.evidence.judging import AT, judged, remanifested, repacked, standalone
from tests.unit.evidence.mutations import raw

PACK = pack()
MB = 1024 * 1024
FILES = ("manifest.json", "records/outcome-0001.json", "openings/outcome-0001.json")


def refused_within(data: bytes, limit: int) -> None:
    """Both refuse, and neither takes more than so many bytes of memory at once for it."""
    for examine in (
        lambda: verify(io.BytesIO(data), TRUST, AT).verdict,
        lambda: standalone.verify(data, {"cards": [], "logs": []}, AT)["verdict"],
    ):
        tracemalloc.start()
        try:
            assert examine() == "invalid"
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < limit, f"{peak / MB:.0f} MB"


def listed(name: str, content: bytes) -> bytes:
    """The pack with another file, which its manifest tells rightly, as an insider would make it."""

    def put(entries: dict[str, bytes]) -> None:
        entries[name] = content
        if name != "manifest.json":
            remanifested(entries)

    return repacked(PACK, put)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content",
    [
        b"[" + b"[]," * (MOST_VALUES // 2) + b"[]]",
        b"[" + b"0," * MOST_VALUES + b"0]",
        b'{"a":' * (MOST_VALUES + 1),
        b"[" * (MOST_VALUES + 1),
    ],
    ids=["many lists", "many numbers", "deep objects", "deep lists"],
)
def test_huge_json_is_refused_before_it_is_read(name: str, content: bytes) -> None:
    refused_within(listed(name, content), 8 * len(content) + 8 * MB)


@pytest.mark.parametrize(
    "content", [b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 5_000 + b"0" + b"}" * 5_000, b"[" * 200 + b"]" * 200]
)
def test_deep_json_is_refused(content: bytes) -> None:
    for name in FILES:
        refused_within(listed(name, content), 8 * MB)


@pytest.mark.parametrize(
    "content", [b"1" * MB, b"0." + b"1" * MB, b"1e" + b"9" * MB, b'"' + b"\\u0041" * (MB // 6) + b'"', b"-" * MB]
)
def test_long_numbers_and_texts_in_other_forms_are_refused(content: bytes) -> None:
    refused_within(listed("records/outcome-0001.json", b"[" + content + b"]"), 24 * MB)


def forged(count: int, size: int, local: int, name: Callable[[int], bytes]) -> bytes:
    """An archive whose directory claims `count` entries of `size` bytes each, all at the same place."""
    base = zipform.write({"a": bytes(1_000)})
    start = base.index(b"PK\x01\x02")
    fields = list(struct.unpack("<4sHHHHHHIIIHHHHHII", base[start : start + 46]))
    directory = b""
    for number in range(count):
        label = name(number)
        fields[8] = fields[9] = size
        fields[10], fields[16] = len(label), local
        directory += struct.pack("<4sHHHHHHIIIHHHHHII", *fields) + label
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), start, 0)
    return base[:start] + directory + end


@pytest.mark.parametrize("size", [0, 900, 1_000, 2**31, 2**32 - 1])
def test_archives_that_claim_more_than_they_hold_are_refused(size: int) -> None:
    for count in (1, 1_000) if size else (1, 9_999, 10_001, 65_535):
        refused_within(forged(count, size, 0, lambda number: b"%05d" % number), 64 * MB)
    refused_within(forged(200, size, 2**32 - 1, lambda number: b"%05d" % number), 8 * MB)


def test_what_unpacks_to_more_than_it_is_is_refused() -> None:
    bomb = raw([("a", bytes(64 * MB))], compress=True)
    assert len(bomb) < MB
    refused_within(bomb, 8 * MB)
    inside = raw([*sorted(zipform.read(PACK).items()), ("zz.zip", bomb)])
    refused_within(inside, 16 * MB)


@pytest.mark.parametrize(
    "name",
    [
        b"../x",
        b"/etc/passwd",
        b"a/../../x",
        b"C:\\x",
        b"a\\..\\x",
        b"x\x00.json",
        b"CON ",
        b"\xc3\xa9",
        b"x" * 60_000,
        b"",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: bytes) -> None:
    refused_within(forged(1, 1_000, 0, lambda _: name), 8 * MB)


def test_a_file_beyond_the_largest_is_refused_unread() -> None:
    data = bytes(zipform.LARGEST + 1)
    refused_within(data, 2 * len(data))


def test_too_many_cards_or_signatures_are_refused() -> None:
    made = content()
    prepared = prepare(made, VERIFIER, GUIDE)
    for name in ("cards.json", "records/signature.json"):
        item = {"digest": "0" * 64, "stored": {"kind": "signature", "nonce": "0", "record": {}}}
        many = [{**item, "digest": f"{place:064x}"} for place in range(MOST_SIGNATURES + 1)]
        signed = [
            {
                "card": ADA.signed.card,
                "counter": None,
                "type": "signed-card",
                "version": 1,
                "own": {"ed25519": "", "mldsa65": "", "version": 1},
            }
        ]
        entries = {**prepared.entries, name: canonical(many if "records" in name else signed * (MOST_SIGNATURES + 1))}  # type: ignore[arg-type]
        remanifested(entries)
        altered = prepared._replace(manifest=entries["manifest.json"], entries=entries)
        verdict = judged(release(altered, made), TRUST)
        assert verdict.verdict == "invalid"


def test_a_checkpoint_with_thousands_of_lines_is_refused() -> None:
    note = zipform.read(PACK)["log/checkpoint.txt"]
    line = "— other.example/log AAAAAAAA\n".encode()
    refused_within(listed("log/checkpoint.txt", note + line * 10_000), 16 * MB)
