"""Readers of packs, envelopes, statements, notes and keys against chance: mutated inputs, and what hypothesis thinks of. Seeded; the
ordinary suite takes some thousands, `make test-all` more."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.readers import TARGETS, Target, check

NAMES = [target.name for target in TARGETS]
FEW, MANY = 250, 20_000
WORDS = (
    *(b"", b'"', b"\\", b"[", b"]", b"{", b"}", b",", b":", b" ", b"\n", b"\n\n", b"\x00", b"\xff"),
    *(b"null", b"true", b"1e9", b"-0", b"0.1", b"PK\x01\x02", b"PK\x05\x06", b"\xe2\x80\x94 "),
)


def mutated(generator: random.Random, seed: bytes) -> bytes:
    """The seed with one to four pieces flipped, cut, repeated, moved, or replaced by a word that means something to a reader."""
    data = bytearray(seed)
    for _ in range(generator.randint(1, 4)):
        start = generator.randrange(len(data) + 1)
        end = min(len(data), start + generator.choice((0, 1, 1, 2, 4, 16, 64)))
        what = generator.randrange(6)
        if what == 0 and start < len(data):
            data[start] ^= 1 << generator.randrange(8)
        elif what == 1:
            data[start:end] = generator.choice(WORDS)
        elif what == 2:
            del data[start:end]
        elif what == 3:
            data[start:start] = data[start:end]
        elif what == 4:
            piece = data[start:end]
            del data[start:end]
            place = generator.randrange(len(data) + 1)
            data[place:place] = piece
        else:
            data[start:end] = generator.randbytes(end - start)
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_the_seeds_are_accepted(target: Target) -> None:
    assert all(check(target, seed) for seed in target.seeds)


def turn(target: Target, inputs: int, seed: int) -> None:
    generator = random.Random(f"{target.name} {seed}")
    for _ in range(inputs):
        check(target, mutated(generator, generator.choice(target.seeds)))


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_mutated_inputs(target: Target) -> None:
    turn(target, FEW, 1)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_many_mutated_inputs(target: Target) -> None:
    turn(target, MANY if target.name in ("zip", "json", "statement") else MANY // 10, 2)


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_bytes_of_any_kind(target: Target, data: bytes) -> None:
    check(target, data)
    check(target, data + target.seeds[0][-40:])
    check(target, target.seeds[0][:40] + data)
