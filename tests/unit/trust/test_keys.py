"""Signing keys, against Wycheproof's vectors for Ed25519."""

import json
from pathlib import Path

import msgspec
import pytest

from core.errors import Damaged
from core.trust.canonical import b64
from core.trust.keys import InvalidSignatures, Signatures, SigningKeys, verify

KEYS = SigningKeys.generate()
OTHER = SigningKeys.generate()


def test_both_signatures_are_needed() -> None:
    mine, theirs = KEYS.sign(b"message"), OTHER.sign(b"message")
    verify(KEYS.public, b"message", mine)
    for wrong in (
        msgspec.structs.replace(mine, ed25519=theirs.ed25519),
        msgspec.structs.replace(mine, mldsa65=theirs.mldsa65),
        theirs,
    ):
        with pytest.raises(InvalidSignatures):
            verify(KEYS.public, b"message", wrong)
    with pytest.raises(InvalidSignatures):
        verify(KEYS.public, b"massage", mine)
    with pytest.raises(Damaged, match="ML-DSA-65"):
        verify(KEYS.public, b"message", msgspec.structs.replace(mine, mldsa65=""))


def test_keys_come_back_from_their_bytes() -> None:
    again = SigningKeys.from_bytes(KEYS.to_bytes())
    assert again.public == KEYS.public
    verify(KEYS.public, b"message", again.sign(b"message"))
    with pytest.raises(Damaged):
        SigningKeys.from_bytes(b"short")


def test_a_public_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(Damaged, match="Ed25519 public key"):
        verify(msgspec.structs.replace(KEYS.public, ed25519=b64(b"x")), b"message", KEYS.sign(b"message"))


def test_wycheproof_ed25519(shared_data: Path) -> None:
    groups = json.loads((shared_data / "vectors" / "ed25519" / "ed25519_test.json").read_text())["testGroups"]
    other = KEYS.sign(b"a message that is not among the vectors").mldsa65
    cases = 0
    for group in groups:
        public = msgspec.structs.replace(KEYS.public, ed25519=b64(bytes.fromhex(group["publicKey"]["pk"])))
        for case in group["tests"]:
            signatures = Signatures(ed25519=b64(bytes.fromhex(case["sig"])), mldsa65=other)
            with pytest.raises(Damaged) as caught:
                verify(public, bytes.fromhex(case["msg"]), signatures)
            # A valid Ed25519 signature gets as far as the ML-DSA one, which is over another message.
            assert ("ML-DSA-65" in str(caught.value)) == (case["result"] == "valid"), case
            cases += 1
    assert cases > 100
