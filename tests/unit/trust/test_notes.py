"""Checkpoints as C2SP signed notes."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, Damaged
from core.trust.merkle import EMPTY
from core.trust.notes import (
    LogKey,
    log_key,
    log_key_from,
    new_log_key,
    read_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)

ORIGIN = "assay/3f2a"
PRIVATE = new_log_key()
KEY = log_key(ORIGIN, PRIVATE)
NOTE = sign_checkpoint(ORIGIN, 42, EMPTY, PRIVATE)
WITNESS = new_log_key()


def test_a_checkpoint_comes_back() -> None:
    checkpoint = verify_checkpoint(NOTE, KEY)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 42, EMPTY)
    assert read_checkpoint(NOTE) == checkpoint
    assert NOTE.decode().startswith(f"{ORIGIN}\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— {ORIGIN} ")


def test_the_key_hash_is_that_of_c2sp() -> None:
    known = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert log_key_from(known).vkey == known
    assert log_key_from(KEY.vkey) == KEY


@settings(max_examples=300)
@given(st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    data = bytearray(NOTE)
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(Damaged):
        verify_checkpoint(bytes(data), KEY)


def test_a_witness_line_is_skipped() -> None:
    cosigned = NOTE + sign_checkpoint("witness", 42, EMPTY, WITNESS).split(b"\n\n")[1]
    assert verify_checkpoint(cosigned, KEY).size == 42
    with pytest.raises(Damaged):
        verify_checkpoint(NOTE + NOTE.split(b"\n\n")[1], KEY)


def test_another_key_or_another_log_is_refused() -> None:
    with pytest.raises(Damaged, match="log's key"):
        verify_checkpoint(NOTE, log_key(ORIGIN, new_log_key()))
    with pytest.raises(Damaged, match="another log"):
        verify_checkpoint(NOTE, log_key("assay/other", PRIVATE))


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"\n42\n", b"\n042\n"),
        NOTE.replace(b"\n42\n", b"\n-1\n"),
        NOTE.replace(b"\n42\n", "\n٤٢\n".encode()),
        NOTE.replace(b"\n42\n", b"\n42\nmore\n"),
        NOTE.replace(b"\n\n", b"\nextension\n\n"),
        NOTE.split(b"\n\n")[0] + b"\n\n",
        b"\xff" + NOTE,
        NOTE + b"x" * 70_000,
    ],
)
def test_other_notes_are_refused(note: bytes) -> None:
    with pytest.raises(Damaged):
        verify_checkpoint(note, KEY)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "x" * 201])
def test_an_origin_has_no_spaces(origin: str) -> None:
    with pytest.raises(BadInput):
        log_key(origin, PRIVATE)


@pytest.mark.parametrize("vkey", ["", "a", "a+b", "a+00000000+AAAA", KEY.vkey[:-2], KEY.vkey.replace("+", "+0", 1)])
def test_other_verifier_keys_are_refused(vkey: str) -> None:
    with pytest.raises(Damaged):
        log_key_from(vkey)


def test_impossible_checkpoints_are_not_signed() -> None:
    with pytest.raises(BadInput):
        sign_checkpoint(ORIGIN, -1, EMPTY, PRIVATE)
    with pytest.raises(BadInput):
        sign_checkpoint(ORIGIN, 1, b"short", PRIVATE)
    broken: LogKey = msgspec.structs.replace(KEY, ed25519="AAAA")
    with pytest.raises(Damaged):
        verify_checkpoint(NOTE, broken)
