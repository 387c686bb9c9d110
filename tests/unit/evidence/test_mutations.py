"""Every small change of a pack, enumerated: noticed by both verifiers, which agree on all of them. The ordinary suite takes a sample."""

import io
import itertools
import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from core.evidence import zipform
from core.evidence.redaction import FIELDS, Request, redact
from core.evidence.verify import verify
from core.trust.canonical import builtins, canonical
from tests.unit.evidence import mutations
from tests.unit.evidence.building import ADA, BEN, TRUST, Maker, content, pack
from tests.unit.evidence.judging import AT, edited, judged, repacked, standalone
from tests.unit.evidence.mutations import Lazy, Mutation

CONTENT = content()
WHOLE = pack(CONTENT)
SMALL = redact(pack(msgspec.structs.replace(CONTENT, cards=(), signatures=())), Request(fields=tuple(FIELDS)))
"""Everything withheld that can be, so no renderings: the fewest bytes that are a pack."""
ADAPTED = content(adapted=True)
TRAINED = pack(ADAPTED)
"""With an adapter that was trained in the vault, and the card of its base."""
OF_TRAINING = ("model-card", "training", "adapter-comparison")
PLAIN = json.loads(canonical(builtins(TRUST)))


def refused(mutants: Iterable[Mutation]) -> int:
    count = 0
    for name, data in mutants:
        assert verify(io.BytesIO(data), TRUST, AT).verdict == "invalid", name
        assert standalone.verify(data, PLAIN, AT)["verdict"] == "invalid", name
        count += 1
    return count


def agreed(mutants: Iterable[Lazy]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for name, make in mutants:
        try:
            counted[judged(make(), TRUST).verdict] += 1
        except AssertionError as problem:
            raise AssertionError(f"{name}: {problem}") from problem
    return counted


def sample(mutants: Iterable[Any], step: int, start: int = 0) -> Iterable[Any]:
    return itertools.islice(mutants, start, None, step)


def test_the_enumeration_begins_with_valid_packs() -> None:
    assert judged(WHOLE, TRUST).verdict == judged(SMALL, TRUST).verdict == "valid"
    assert mutations.raw(sorted(zipform.read(WHOLE).items())) == WHOLE


def test_flipped_bits_a_sample() -> None:
    assert refused(mutations.flips(SMALL, 131)) > 1_500
    assert refused(mutations.flips(WHOLE, 5_003)) > 300


def test_cuts_a_sample() -> None:
    assert refused(mutations.cuts(SMALL, 97)) > 500


def test_entries_dropped_added_renamed_doubled_reordered_a_sample() -> None:
    assert refused(sample(mutations.archives(WHOLE), 3)) > 200


def test_contents_changed_a_sample() -> None:
    counted = agreed(sample(mutations.contents(WHOLE), 61))
    assert counted.keys() == {"invalid"}
    assert counted.total() > 400


def test_contents_changed_and_signed_again_a_sample() -> None:
    counted = agreed(sample(mutations.signed_again(CONTENT), 331))
    assert counted["invalid"] > 20
    assert counted.total() > 40


def of_training(mutants: Iterable[Lazy]) -> Iterable[Lazy]:
    """Those that change what only such a pack holds, or the run, whose variant names the adapter."""
    files = ("records/run.json", *(f"{folder}/{kind}" for kind in OF_TRAINING for folder in ("records", "openings")))
    return ((name, make) for name, make in mutants if name.startswith(files))


def test_what_tells_of_a_training_changed_a_sample() -> None:
    assert judged(TRAINED, TRUST).verdict == "valid"
    counted = agreed(sample(of_training(mutations.contents(TRAINED)), 97))
    assert counted.keys() == {"invalid"}
    assert counted.total() > 20
    signed = agreed(sample(of_training(mutations.signed_again(ADAPTED)), 331))
    assert signed["invalid"] > 5


@pytest.mark.slow
def test_every_change_of_what_tells_of_a_training() -> None:
    counted = agreed(of_training(mutations.contents(TRAINED)))
    assert counted.keys() == {"invalid"}
    assert counted.total() > 2_000
    assert refused(mutations.archives(TRAINED)) > 900


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_change_of_what_tells_of_a_training_that_an_insider_signed_again(part: int) -> None:
    counted = agreed(sample(of_training(mutations.signed_again(ADAPTED)), 4, part))
    assert counted["invalid"] > 300


@pytest.mark.slow
def test_every_flipped_bit() -> None:
    assert refused(mutations.flips(SMALL)) == 8 * len(SMALL)


@pytest.mark.slow
def test_every_cut_and_every_change_of_the_archive() -> None:
    assert refused(mutations.cuts(SMALL)) > 2 * len(SMALL)
    assert refused(mutations.archives(WHOLE)) > 700
    assert refused(mutations.archives(SMALL)) > 500


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_thousands_of_changed_contents(part: int) -> None:
    counted = agreed(sample(mutations.contents(WHOLE), 24, part * 6))
    assert counted.keys() == {"invalid"}
    assert counted.total() > 1_000


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_thousands_of_contents_that_an_insider_signed_again(part: int) -> None:
    counted = agreed(sample(mutations.signed_again(CONTENT), 32, part * 8))
    assert counted["invalid"] > 200
    assert counted.total() > 500


# What an attacker has a name for.


def test_a_pack_without_its_ml_dsa_signatures_is_invalid() -> None:
    def strip(wire: Any) -> None:
        wire["signatures"].pop(1)

    def empty(wire: Any) -> None:
        wire["signatures"][1]["sig"] = ""

    def copy(wire: Any) -> None:
        wire["signatures"][1]["sig"] = wire["signatures"][0]["sig"]

    for change in (strip, empty, copy):
        assert judged(edited(WHOLE, "release.json", change), TRUST).verdict == "invalid"


def test_one_persons_keys_twice_are_one_signature_too_few() -> None:
    def twice(wire: Any) -> None:
        wire["signatures"] = [wire["signatures"][0]] * 2

    def under_two_names(wire: Any) -> None:
        wire["signatures"][1] = {**wire["signatures"][0], "keyid": f"{BEN.fingerprint}#ed25519"}

    for change in (twice, under_two_names):
        assert judged(edited(WHOLE, "release.json", change), TRUST).verdict == "invalid"


def test_an_envelope_in_anothers_place_is_invalid() -> None:
    """An approval can't serve as the release, nor a release as an approval: the meaning is signed, and so is the subject."""
    entries = zipform.read(WHOLE)
    for name in sorted(entries):
        if name.startswith("envelopes/"):
            other = entries[name]
            assert (
                judged(repacked(WHOLE, lambda e, other=other: e.update({"release.json": other})), TRUST).verdict
                == "invalid"
            )

    def swap(records: Any) -> None:
        first, second = (item["stored"]["record"] for item in records)
        first["meaning"], second["meaning"] = second["meaning"], first["meaning"]

    assert judged(edited(WHOLE, "records/signature.json", swap), TRUST).verdict == "invalid"


@pytest.mark.parametrize("meaning", ["authored", "reviewed", "approved"])
def test_a_release_in_another_meaning_is_invalid(meaning: str) -> None:
    assert judged(pack(CONTENT, meaning=meaning), TRUST).verdict == "invalid"


def test_an_older_packs_parts_dont_fit_a_newer_one() -> None:
    def sign(maker: Maker) -> None:
        maker.sign(BEN, CONTENT.spec, "safety@1", "reviewed")

    older, newer = zipform.read(WHOLE), zipform.read(pack(content(sign)))
    differing = [name for name in older.keys() & newer.keys() if older[name] != newer[name]]
    assert {"release.json", "manifest.json", "log/checkpoint.txt", "log/entries.json"} <= set(differing)
    for names in (
        ("release.json",),
        ("release.json", "manifest.json"),
        ("log/checkpoint.txt",),
        ("log/checkpoint.txt", "log/entries.json"),
    ):
        mixed = {**newer, **{name: older[name] for name in names}}
        assert judged(zipform.write(mixed), TRUST).verdict == "invalid", names


def test_a_nonce_is_what_tells_a_replayed_pack() -> None:
    asked = judged(pack(CONTENT, nonce="Nora, 22 November, 0x5eed"), TRUST)
    assert (asked.verdict, asked.nonce) == ("valid", "Nora, 22 November, 0x5eed")
    assert judged(WHOLE, TRUST).nonce == ""


@pytest.mark.parametrize("nonce", ["", None, 1, ["x"]])
def test_a_nonce_in_another_form_is_invalid(nonce: Any) -> None:
    """Signed as it is: no honest program writes it so."""

    def change(wire: Any) -> None:
        statement = json.loads(b64decode(wire["payload"]))
        statement["predicate"]["nonce"] = nonce
        payload = canonical(statement)
        both = ADA.keys.sign(standalone.pae(b"application/vnd.in-toto+json", payload))
        wire["payload"] = b64encode(payload).decode()
        wire["signatures"][0]["sig"], wire["signatures"][1]["sig"] = both.ed25519, both.mldsa65

    assert judged(edited(WHOLE, "release.json", change), TRUST).verdict == "invalid"


LIAR = b'print(\'{"verdict": "valid", "reasons": [], "signatures": []}\')\n'


def test_an_enclosed_verifier_that_lies_is_neither_run_nor_believed() -> None:
    swapped = repacked(WHOLE, lambda entries: entries.update({"verify.py": LIAR}))
    assert judged(swapped, TRUST).verdict == "invalid"
    forged = msgspec.structs.replace(CONTENT, outcomes=CONTENT.outcomes[:-1])
    assert judged(pack(forged), TRUST).verdict == "invalid"
