"""Sealing under a key and to a key pair."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Damaged
from core.trust.sealing import InvalidSeal, SealingKeys, seal, seal_to, unseal, unseal_secret, wipe

KEY = bytes(range(32))
KEYS = SealingKeys.generate()


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_what_is_sealed_opens_only_as_it_was(plain: bytes, context: bytes) -> None:
    sealed = seal(KEY, plain, context)
    assert unseal(KEY, sealed, context) == plain
    with pytest.raises(InvalidSeal):
        unseal(KEY, sealed, context + b"x")
    with pytest.raises(InvalidSeal):
        unseal(bytes(32), sealed, context)


@given(st.binary(max_size=40), st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(plain: bytes, place: int, bit: int) -> None:
    sealed = bytearray(seal(KEY, plain, b"c"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(InvalidSeal):
        unseal(KEY, bytes(sealed), b"c")


def test_short_input_and_wrong_keys_are_refused() -> None:
    with pytest.raises(InvalidSeal):
        unseal(KEY, b"short", b"")
    with pytest.raises(InvalidSeal, match="16 bytes"):
        seal(bytes(16), b"x", b"")


def test_only_the_private_half_opens() -> None:
    sealed = seal_to(KEYS.public, b"the vault key", b"vault 1")
    assert KEYS.open(sealed, b"vault 1") == b"the vault key"
    again = SealingKeys.from_private(KEYS.private_bytes())
    assert again.public == KEYS.public
    assert again.open(sealed, b"vault 1") == b"the vault key"
    with pytest.raises(InvalidSeal):
        KEYS.open(sealed, b"vault 2")
    with pytest.raises(InvalidSeal):
        SealingKeys.generate().open(sealed, b"vault 1")
    for place in (0, 600, 1100, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(InvalidSeal):
            KEYS.open(bytes(altered), b"vault 1")
    for end in (0, 10, 1119, len(sealed) - 1):
        with pytest.raises(InvalidSeal):
            KEYS.open(sealed[:end], b"vault 1")


@pytest.mark.parametrize("public", [b"", bytes(1215), b"\xff" * 1216])
def test_a_bad_public_half_is_refused(public: bytes) -> None:
    with pytest.raises(Damaged):
        seal_to(public, b"x", b"")
    with pytest.raises(Damaged):
        SealingKeys.from_private(public)


def test_a_secret_is_opened_into_memory_that_can_be_wiped() -> None:
    key = secrets.token_bytes(32)
    sealed = seal(key, b"a secret", b"context")
    plain = unseal_secret(bytearray(key), sealed, b"context")
    assert plain == bytearray(b"a secret")
    wipe(plain)
    assert plain == bytearray(8)
    for wrong in (sealed[:-1], b"", bytes(len(sealed))):
        with pytest.raises(InvalidSeal):
            unseal_secret(key, wrong, b"context")
    with pytest.raises(InvalidSeal):
        unseal_secret(key, sealed, b"another")
