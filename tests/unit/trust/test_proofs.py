"""Proofs as files: they come back, and nothing else than what was proven verifies."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Damaged
from core.trust.merkle import InvalidProof, Tree, leaf_hash
from core.trust.notes import (
    InvalidCheckpoint,
    cosign,
    log_key,
    new_log_key,
    sign_checkpoint,
    verify_checkpoint,
    witness_key,
)
from core.trust.proofs import (
    Extension,
    Inclusion,
    is_inclusion,
    origin,
    read_extension,
    read_inclusion,
    verify_extension,
    verify_inclusion,
    write_extension,
    write_inclusion,
)

ORIGIN = "assay/3f2a"
PRIVATE, ANN = new_log_key(), new_log_key()
KEY, WITNESS = log_key(ORIGIN, PRIVATE), witness_key("ann", ANN)
ENTRIES = [f"entry {number}".encode() for number in range(20)]
TREE = Tree([leaf_hash(entry) for entry in ENTRIES])


def note(size: int) -> bytes:
    return sign_checkpoint(ORIGIN, size, TREE.root(size), PRIVATE)


def inclusion(index: int, size: int = 20) -> Inclusion:
    proof = TREE.inclusion_proof(index, size)
    return Inclusion(entry=ENTRIES[index], index=index, proof=proof, checkpoint=note(size))


def extension(old: int, new: int = 20) -> Extension:
    return Extension(old=old, proof=TREE.consistency_proof(old, new) if old else (), checkpoint=note(new))


@pytest.mark.parametrize("size", [1, 2, 7, 20])
def test_an_inclusion_proof_comes_back_and_verifies(size: int) -> None:
    for index in range(size):
        data = write_inclusion(inclusion(index, size))
        assert is_inclusion(data)
        assert origin(data) == ORIGIN
        assert verify_inclusion(read_inclusion(data), KEY).size == size


@pytest.mark.parametrize("old", [0, 1, 7, 19, 20])
def test_a_consistency_proof_comes_back_and_verifies(old: int) -> None:
    data = write_extension(extension(old))
    earlier = verify_checkpoint(note(old), KEY) if old else None
    assert data.startswith(f"old {old}\n".encode())
    assert not is_inclusion(data)
    assert verify_extension(read_extension(data), earlier, KEY).size == 20


def test_another_entry_place_or_log_is_not_proven() -> None:
    proof = inclusion(5)
    for changed in (
        Inclusion(entry=ENTRIES[6], index=5, proof=proof.proof, checkpoint=proof.checkpoint),
        Inclusion(entry=ENTRIES[5], index=6, proof=proof.proof, checkpoint=proof.checkpoint),
        Inclusion(entry=ENTRIES[5], index=5, proof=proof.proof[1:], checkpoint=proof.checkpoint),
        Inclusion(entry=ENTRIES[5], index=5, proof=proof.proof, checkpoint=note(19)),
    ):
        with pytest.raises(InvalidProof):
            verify_inclusion(changed, KEY)
    with pytest.raises(InvalidCheckpoint):
        verify_inclusion(proof, log_key(ORIGIN, new_log_key()))


def test_a_proof_from_another_state_is_refused() -> None:
    earlier = verify_checkpoint(note(7), KEY)
    with pytest.raises(InvalidProof, match="another earlier state"):
        verify_extension(extension(8), earlier, KEY)
    with pytest.raises(InvalidProof, match="another earlier state"):
        verify_extension(extension(7), None, KEY)
    other = verify_checkpoint(sign_checkpoint(ORIGIN, 7, leaf_hash(b"other"), PRIVATE), KEY)
    with pytest.raises(InvalidProof):
        verify_extension(extension(7), other, KEY)
    foreign = verify_checkpoint(sign_checkpoint("else", 7, TREE.root(7), PRIVATE), log_key("else", PRIVATE))
    with pytest.raises(InvalidProof, match="different logs"):
        verify_extension(extension(7), foreign, KEY)
    padded = Extension(old=0, proof=(bytes(32),), checkpoint=note(20))
    with pytest.raises(InvalidProof, match="nothing can be proven"):
        verify_extension(padded, None, KEY)


def test_witnesses_can_be_asked_for() -> None:
    plain = inclusion(3)
    vouched = Inclusion(
        entry=plain.entry, index=3, proof=plain.proof, checkpoint=cosign(plain.checkpoint, "ann", ANN, 9)
    )
    assert verify_inclusion(read_inclusion(write_inclusion(vouched)), KEY, (WITNESS,), needed=1).size == 20
    with pytest.raises(InvalidCheckpoint, match="are needed"):
        verify_inclusion(plain, KEY, (WITNESS,), needed=1)


@settings(max_examples=300)
@given(st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    data = bytearray(write_inclusion(inclusion(5)))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(Damaged):
        verify_inclusion(read_inclusion(bytes(data)), KEY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 1",
        b"old 01\n\n" + note(20),
        b"old -1\n\n" + note(20),
        b"old 1\nAAAA\n\n" + note(20),
        b"new 1\n\n" + note(20),
        b"old 1\n" + b"A" * 43 + b"=\n" * 1 + (b"A" * 43 + b"=\n") * 63 + b"\n" + note(20),
        "old 1\né\n\n".encode() + note(20),
    ],
)
def test_a_file_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        read_extension(data)
    with pytest.raises(Damaged):
        read_inclusion(data)
