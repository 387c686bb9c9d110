"""Packs sealed to an auditor: opened by their key alone, and whole or not at all."""

import random

import pytest

from core.errors import AssayError, BadInput, Damaged, WrongPassphrase
from core.evidence import sealing
from core.evidence.sealing import AuditorKeys, dump, load_keys, load_public, make_keys, open_pack, seal_pack
from core.trust.canonical import builtins, canonical
from core.trust.passphrases import Kdf, new_kdf
from core.trust.streams import SEGMENT, TAG
from tests.unit.evidence.building import ADA

PASSPHRASE = "a stick and a train"


def weak() -> Kdf:
    return new_kdf(8 * 1024, 1)


@pytest.fixture(scope="module")
def keys() -> AuditorKeys:
    return make_keys("Nora Auditor", PASSPHRASE, weak)


def closed(pack: bytes, keys: AuditorKeys) -> bytes:
    return b"".join(seal_pack(pack, keys.public_half))


@pytest.mark.parametrize("pack", [b"", b"a small pack", bytes(range(256)) * (SEGMENT // 128)])
def test_what_was_sealed_comes_back_for_its_auditor_alone(keys: AuditorKeys, pack: bytes) -> None:
    data = closed(pack, keys)
    assert open_pack(data, keys, PASSPHRASE) == pack
    assert closed(pack, keys) != data
    assert not pack or pack[:100] not in data
    with pytest.raises(WrongPassphrase):
        open_pack(data, keys, "another")
    other = make_keys("Nora Auditor", PASSPHRASE, weak)
    with pytest.raises(BadInput, match="sealed to another key"):
        open_pack(data, other, PASSPHRASE)


def test_every_bit_of_the_beginning_and_any_of_the_rest_counts(keys: AuditorKeys) -> None:
    data = closed(b"evidence" * 40_000, keys)
    generator = random.Random(7)
    ends = [*range(sealing.HEADER - 2, sealing.HEADER + 42, 3), *range(len(data) - 20, len(data))]
    for place in sorted({*range(0, sealing.HEADER, 97), *ends, *generator.sample(range(len(data)), 20)}):
        altered = bytearray(data)
        altered[place] ^= 1 << generator.randrange(8)
        with pytest.raises(AssayError):
            open_pack(bytes(altered), keys, PASSPHRASE)


def test_a_sealed_pack_that_was_cut_extended_or_put_together_is_refused(keys: AuditorKeys) -> None:
    first, second = closed(b"1" * 2 * SEGMENT + b"end", keys), closed(b"2" * 2 * SEGMENT + b"end", keys)
    segment = SEGMENT + TAG
    start = len(first) - 2 * segment - len(b"end") - TAG
    for data in (
        b"",
        first[:7],
        first[: sealing.HEADER],
        first[:-1],
        first[: -len(b"end") - TAG],
        first[: start + segment],
        first + b"\x00",
        first[:start] + second[start:],
        first[: sealing.HEADER] + second[sealing.HEADER :],
        first[:start] + first[start + segment : start + 2 * segment] + first[start : start + segment] + first[-19:],
    ):
        with pytest.raises(Damaged):
            open_pack(data, keys, PASSPHRASE)


def test_the_files_of_a_pair_are_read_back_and_tell_which_is_which(keys: AuditorKeys) -> None:
    assert load_keys(dump(keys), "k") == keys
    assert load_public(dump(keys), "k") == load_public(dump(keys.public_half), "k.pub") == keys.public_half
    assert keys.sealed.encode() not in dump(keys.public_half)
    with pytest.raises(BadInput, match="the public half"):
        load_keys(dump(keys.public_half), "k.pub")
    with pytest.raises(BadInput, match="a card has keys for signing only"):
        load_public(canonical(builtins(ADA.signed)), "ada.card")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"null", b'{"type":"auditor-key"}', b'{"type":"x"}', b"[" * 9999, b" " * 99_999]
)
def test_what_is_no_key_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        load_public(data, "k")


def test_a_key_of_another_length_or_a_weakened_derivation_is_refused(keys: AuditorKeys) -> None:
    content = builtins(keys.public_half)
    with pytest.raises(Damaged):
        load_public(canonical({**content, "public": "AAAA"}), "k")
    with pytest.raises(Damaged):
        load_public(canonical({**content, "more": 1}), "k")
    weakened = builtins(keys)
    weakened["kdf"] = {**builtins(keys.kdf), "memory": 8}
    with pytest.raises(Damaged):
        open_pack(closed(b"x", keys), load_keys(canonical(weakened), "k"), PASSPHRASE)
    renamed = load_keys(canonical({**builtins(keys), "name": "Mallory"}), "k")
    with pytest.raises(WrongPassphrase):
        open_pack(closed(b"x", keys), renamed, PASSPHRASE)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201])
def test_a_name_is_one_line(name: str) -> None:
    with pytest.raises(BadInput):
        make_keys(name, PASSPHRASE, weak)
