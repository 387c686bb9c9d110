"""Sealed streams: what went in comes out, and nothing else does."""

import itertools
import tracemalloc
from collections.abc import Iterator

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from core.trust import streams
from core.trust.sealing import InvalidSeal
from core.trust.streams import HEADER, SALT, SEGMENT, TAG, StreamContext, purpose_key, sealed, sealed_size, unsealed

KEY = bytes(range(32))
THIS = StreamContext(vault="v1", kind="vector index", name="7", generation=12)
STEP = SEGMENT + TAG


def content(size: int, seed: int = 1) -> bytes:
    return (b"%d: " % seed + bytes(range(256)) * (size // 256 + 1))[:size]


def seal(data: bytes, context: StreamContext = THIS, key: bytes = KEY) -> bytes:
    return b"".join(sealed(key, [data], context))


def opened(data: bytes, context: StreamContext = THIS, key: bytes = KEY) -> bytes:
    return b"".join(unsealed(key, [data], context))


def refused(data: bytes, context: StreamContext = THIS, key: bytes = KEY) -> bool:
    try:
        opened(data, context, key)
    except InvalidSeal:
        return True
    return False


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 5])
def test_what_went_in_comes_out(size: int) -> None:
    data = content(size)
    made = seal(data)
    assert len(made) == sealed_size(size)
    assert opened(made) == data
    assert seal(data) != made  # a salt of its own each time


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.binary(max_size=300), max_size=20),
    cuts=st.lists(st.integers(1, 400), min_size=1, max_size=10),
    segment=st.integers(1, 64),
)
def test_parts_of_any_sizes_make_no_difference(parts: list[bytes], cuts: list[int], segment: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "SEGMENT", segment)
        made = b"".join(sealed(KEY, parts, THIS))
        pieces, at, sizes = [], 0, itertools.cycle(cuts)
        while at < len(made):
            size = next(sizes)
            pieces.append(made[at : at + size])
            at += size
        assert b"".join(unsealed(KEY, pieces, THIS)) == b"".join(parts)
        assert len(made) == sealed_size(sum(map(len, parts)))


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 90), at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_can_be_turned(size: int, at: int, bit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "SEGMENT", 16)
        made = bytearray(seal(content(size)))
        made[at % len(made)] ^= 1 << bit
        assert refused(bytes(made))


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 90), keep=st.integers(0, 10_000), extra=st.binary(min_size=1, max_size=40))
def test_nothing_can_be_cut_off_or_added(size: int, keep: int, extra: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "SEGMENT", 16)
        made = seal(content(size))
        assert refused(made[: keep % len(made)])
        assert refused(made + extra)


def test_every_arrangement_of_the_segments_but_the_right_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sequences of up to four segments, drawn from two streams under one key: left out, twice, reordered, mixed, beyond the end."""
    monkeypatch.setattr(streams, "SEGMENT", 16)
    mine, other = seal(content(48, 1)), seal(content(48, 2))
    step = 16 + TAG
    pool = [made[HEADER + at : HEADER + at + step] for made in (mine, other) for at in range(0, 3 * step, step)]
    accepted = []
    for count in range(5):
        for order in itertools.product(range(6), repeat=count):
            body = b"".join(pool[number] for number in order)
            accepted += [("mine", order)] * (not refused(mine[:HEADER] + body))
            accepted += [("other", order)] * (not refused(other[:HEADER] + body))
    assert accepted == [("mine", (0, 1, 2)), ("other", (3, 4, 5))]


@pytest.mark.parametrize(
    "change",
    [{"vault": "v2"}, {"kind": "backup"}, {"name": "8"}, {"generation": 11}, {"generation": 13}, {"name": ""}],
)
def test_a_stream_opens_in_its_own_place_only(change: dict[str, str | int]) -> None:
    made = seal(b"of generation 12")
    assert refused(made, msgspec.structs.replace(THIS, **change))
    assert opened(made) == b"of generation 12"


def test_a_segment_of_an_older_generation_is_refused() -> None:
    older = msgspec.structs.replace(THIS, generation=11)
    salt = bytes(SALT)  # even under one salt, so under one subkey
    new = b"".join(sealed(KEY, [content(2 * SEGMENT)], THIS, salt))
    old = b"".join(sealed(KEY, [content(2 * SEGMENT, 2)], older, salt))
    assert refused(new[: HEADER + STEP] + old[HEADER + STEP :])
    assert refused(old[: HEADER + STEP] + new[HEADER + STEP :])


def test_another_key_opens_nothing() -> None:
    assert refused(seal(b"x"), key=bytes(32))
    with pytest.raises(InvalidSeal, match="16 bytes instead of 32"):
        list(sealed(bytes(16), [b"x"], THIS))
    with pytest.raises(InvalidSeal, match="not a sealed stream"):
        opened(b"")
    with pytest.raises(InvalidSeal, match="The sealed vector index 7"):
        opened(b"SQLite format 3\x00" + bytes(100))


def test_what_came_before_the_damage_was_sealed_here() -> None:
    made = seal(content(3 * SEGMENT))
    parts = unsealed(KEY, [made[: HEADER + 2 * STEP + 100]], THIS)
    found = [next(parts), next(parts)]
    with pytest.raises(InvalidSeal):
        next(parts)
    assert b"".join(found) == content(3 * SEGMENT)[: 2 * SEGMENT]


def test_the_form_on_disk_is_what_the_module_says() -> None:
    """Made again here with HKDF and AES-GCM alone; a vault sealed today opens with every later version."""
    salt = bytes(range(100, 132))
    data = content(SEGMENT + 3)
    derived = HKDF(SHA256(), 39, salt, b"assay stream 1").derive(KEY)
    about = b'ASSAYST1{"generation":12,"kind":"vector index","name":"7","vault":"v1"}'
    cipher = AESGCM(derived[:32])
    expected = b"ASSAYST1" + salt
    expected += cipher.encrypt(derived[32:] + b"\0\0\0\0" + b"\0", data[:SEGMENT], about)
    expected += cipher.encrypt(derived[32:] + b"\0\0\0\1" + b"\1", data[SEGMENT:], about)
    assert b"".join(sealed(KEY, [data], THIS, salt)) == expected


def test_purposes_have_keys_of_their_own() -> None:
    keys = {purpose_key(KEY, "cache"), purpose_key(KEY, "backup"), purpose_key(bytes(32), "cache"), KEY}
    assert len(keys) == 4
    assert purpose_key(KEY, "cache") == purpose_key(KEY, "cache")


def test_memory_stays_the_same_whatever_the_size() -> None:
    def zeros() -> Iterator[bytes]:
        for _ in range(256):
            yield bytes(SEGMENT // 2)

    tracemalloc.start()
    size = sum(map(len, unsealed(KEY, sealed(KEY, zeros(), THIS), THIS)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 128 * SEGMENT
    assert peak < 12 * SEGMENT
