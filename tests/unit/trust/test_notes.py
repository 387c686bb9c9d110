"""Checkpoints as C2SP signed notes."""

import hashlib
from base64 import b64decode, b64encode

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, Damaged
from core.trust.merkle import EMPTY
from core.trust.notes import (
    InvalidCheckpoint,
    LogKey,
    cosign,
    cosignatures,
    log_key,
    log_key_from,
    new_log_key,
    read_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    witness_key,
    witness_key_from,
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


# Witnesses

EXAMPLE = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
"""The cosigned checkpoint that the specification prints, whose time it gives as 1679315147."""
ANN, BEN = new_log_key(), new_log_key()
ANN_KEY, BEN_KEY = witness_key("witness.example/ann", ANN), witness_key("witness.example/ben", BEN)


def test_a_cosignature_has_the_form_of_c2sp() -> None:
    assert read_checkpoint(EXAMPLE.encode()).size == 20852163
    printed = b64decode(EXAMPLE.splitlines()[-1].split(" ")[2])
    assert int.from_bytes(printed[4:12], "big") == 1679315147
    note = cosign(NOTE, ANN_KEY.name, ANN, 1679315147)
    assert note.startswith(NOTE)
    mark, name, encoded = note.decode().splitlines()[-1].split(" ")
    line = b64decode(encoded)
    assert (mark, name, len(line)) == ("—", ANN_KEY.name, len(printed))
    public = b64decode(ANN_KEY.ed25519)
    assert line[:4] == hashlib.sha256(ANN_KEY.name.encode() + b"\n\x04" + public).digest()[:4]
    assert line[4:12] == printed[4:12]
    body = NOTE.partition(b"\n\n")[0] + b"\n"
    Ed25519PublicKey.from_public_bytes(public).verify(line[12:], b"cosignature/v1\ntime 1679315147\n" + body)
    assert witness_key_from(ANN_KEY.vkey) == ANN_KEY
    with pytest.raises(Damaged):
        log_key_from(ANN_KEY.vkey)
    with pytest.raises(Damaged):
        witness_key_from(KEY.vkey)


def test_witnesses_are_counted_by_their_keys() -> None:
    once = cosign(NOTE, ANN_KEY.name, ANN, 1)
    both = cosign(once, BEN_KEY.name, BEN, 2)
    assert [c.witness.name for c in cosignatures(both, (BEN_KEY, ANN_KEY))] == [BEN_KEY.name, ANN_KEY.name]
    assert verify_checkpoint(both, KEY, (ANN_KEY, BEN_KEY), needed=2).size == 42
    with pytest.raises(InvalidCheckpoint, match="1 of the witnesses"):
        verify_checkpoint(once, KEY, (ANN_KEY, BEN_KEY), needed=2)
    second_name = cosign(once, "witness.example/alias", ANN, 3)
    with pytest.raises(InvalidCheckpoint, match="1 of the witnesses"):
        verify_checkpoint(second_name, KEY, (ANN_KEY, witness_key("witness.example/alias", ANN)), needed=2)
    with pytest.raises(InvalidCheckpoint, match="0 of the witnesses"):
        verify_checkpoint(once, KEY, (), needed=1)


def test_a_witness_that_signs_again_replaces_its_line() -> None:
    again = cosign(cosign(NOTE, ANN_KEY.name, ANN, 1), ANN_KEY.name, ANN, 2)
    assert [c.time for c in cosignatures(again, (ANN_KEY,))] == [2]
    assert len(again.splitlines()) == len(NOTE.splitlines()) + 1


@pytest.mark.parametrize("place", [4, 11, 12, 75])
def test_a_cosignature_that_was_altered_spoils_the_note(place: int) -> None:
    note = cosign(NOTE, ANN_KEY.name, ANN, 1).decode()
    line = bytearray(b64decode(note.splitlines()[-1].split(" ")[2]))
    line[place] ^= 1
    altered = "\n".join([*note.splitlines()[:-1], f"— {ANN_KEY.name} {b64encode(line).decode()}", ""]).encode()
    with pytest.raises(InvalidCheckpoint, match="doesn't verify"):
        cosignatures(altered, (ANN_KEY,))
    assert verify_checkpoint(altered, KEY).size == 42, "a line of a key that isn't known is skipped"


def test_a_line_of_another_length_or_twice_is_no_cosignature() -> None:
    note = cosign(NOTE, ANN_KEY.name, ANN, 1)
    last = note.splitlines(keepends=True)[-1]
    with pytest.raises(InvalidCheckpoint, match="not cosigned once"):
        cosignatures(note + last, (ANN_KEY,))
    line = b64decode(last.decode().split(" ")[2])
    short = note.replace(last, f"— {ANN_KEY.name} {b64encode(line[:40]).decode()}\n".encode())
    with pytest.raises(InvalidCheckpoint, match="not cosigned once"):
        cosignatures(short, (ANN_KEY,))


def test_a_cosignature_counts_for_its_own_checkpoint_alone() -> None:
    line = cosign(NOTE, ANN_KEY.name, ANN, 1).splitlines(keepends=True)[-1]
    other = sign_checkpoint(ORIGIN, 43, EMPTY, PRIVATE) + line
    with pytest.raises(InvalidCheckpoint, match="doesn't verify"):
        verify_checkpoint(other, KEY, (ANN_KEY,), needed=1)
