"""Keys from passphrases."""

import msgspec
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from core.errors import BadInput, Damaged
from core.trust.canonical import unb64
from core.trust.passphrases import (
    CEILING_MEMORY,
    CEILING_PASSES,
    DEFAULT_MEMORY,
    DEFAULT_PASSES,
    FLOOR_MEMORY,
    FLOOR_PASSES,
    LARGEST_CALIBRATED,
    Kdf,
    calibrated,
    derive,
    new_kdf,
    scaled,
)

WEAK = new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES)


def test_the_key_is_argon2id_of_the_passphrase() -> None:
    salt = unb64(WEAK.salt, "salt")
    expected = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=8192).derive(b"correct horse")
    assert derive("correct horse", WEAK) == expected
    assert derive("correct horsf", WEAK) != expected
    assert derive("correct horse", new_kdf(memory=FLOOR_MEMORY, passes=1)) != expected


def test_composed_and_decomposed_accents_give_one_key() -> None:
    assert derive("Stra\u00dfe caf\u00e9", WEAK) == derive("Stra\u00dfe cafe\u0301", WEAK)


@pytest.mark.parametrize(
    "change",
    [
        {"memory": FLOOR_MEMORY - 1},
        {"memory": CEILING_MEMORY + 1},
        {"passes": 0},
        {"passes": 17},
        {"lanes": 0},
        {"lanes": 9},
        {"salt": ""},
        {"salt": "AAAA"},
        {"salt": "?"},
    ],
)
def test_parameters_outside_floor_and_ceiling_are_refused(change: dict[str, int | str]) -> None:
    altered: Kdf = msgspec.structs.replace(WEAK, **change)
    with pytest.raises(Damaged):
        derive("correct horse", altered)


def test_new_parameters_are_held_to_the_same_bounds() -> None:
    with pytest.raises(Damaged):
        new_kdf(memory=1024)


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(BadInput, match="passphrase"):
        derive("", WEAK)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05, 0.16, 0.3, 0.99, 1.0, 30.0])
def test_calibration_never_goes_below_the_defaults_nor_above_what_is_believed(seconds: float) -> None:
    memory, passes = scaled(seconds)
    assert DEFAULT_MEMORY <= memory <= LARGEST_CALIBRATED
    assert DEFAULT_PASSES <= passes <= CEILING_PASSES
    new_kdf(memory, passes)


def test_a_fast_machine_gets_more_memory_first_then_more_passes() -> None:
    assert scaled(1.0) == (DEFAULT_MEMORY, DEFAULT_PASSES)
    assert scaled(0.5) == (2 * DEFAULT_MEMORY, DEFAULT_PASSES)
    assert scaled(0.25) == (LARGEST_CALIBRATED, DEFAULT_PASSES)
    assert scaled(0.125) == (LARGEST_CALIBRATED, 2 * DEFAULT_PASSES)


def test_calibrated_parameters_differ_in_their_salts_alone() -> None:
    one, two = calibrated(), calibrated()
    assert one.salt != two.salt
    assert (one.memory, one.passes, one.lanes) == (two.memory, two.passes, two.lanes)
