"""Verdicts: what is valid, what is incomplete, and that everything else is invalid, by both verifiers."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest

from core.evals.records import Criterion, CriterionResult, VariantResult
from core.evals.summary import judge
from core.evidence import zipform
from core.evidence.opened import redaction
from core.evidence.packing import prepare
from core.evidence.records import Logged, PackContent
from core.records import Digest
from core.trust.canonical import canonical
from core.trust.merkle import Tree, leaf_hash
from core.trust.notes import log_key, new_log_key, sign_checkpoint
from tests.unit.evidence.building import (
    ADA,
    BEN,
    GUIDE,
    LOG,
    ORIGIN,
    SPEC,
    TRUST,
    VERIFIER,
    Maker,
    Person,
    altered,
    content,
    pack,
    release,
)
from tests.unit.evidence.judging import edited, first_file, judged, remanifested, repacked

CONTENT = content()
PACK = pack(CONTENT)
STRANGER = Person("eve", "Eve Stranger", ADA)


def test_a_whole_pack_by_trusted_people_is_valid() -> None:
    verdict = judged(PACK, TRUST)
    assert (verdict.verdict, verdict.reasons) == ("valid", ())
    assert [(s.name, s.meaning, s.status) for s in verdict.signatures] == [
        ("Ada Nováková", "authored", "valid"),
        ("Ben Okafor", "approved", "valid"),
        ("Ada Nováková", "released", "valid"),
    ]
    assert {check.name: check.state for check in verdict.checks} == {
        "Contents": "ok",
        "Scores": "ok",
        "History": "ok",
        "Order of events": "ok",
        "Signatures": "ok",
        "Withheld": "ok",
    }


@pytest.mark.parametrize("name", sorted(zipform.read(PACK)))
def test_a_flipped_bit_in_a_file_is_noticed_though_the_archive_is_made_whole_again(name: str) -> None:
    generator = random.Random(name)
    size = len(zipform.read(PACK)[name])
    for place in generator.sample(range(size), min(size, 12)):

        def flip(entries: dict[str, bytes], place: int = place) -> None:
            data = bytearray(entries[name])
            data[place] ^= 1 << generator.randrange(8)
            entries[name] = bytes(data)

        assert judged(repacked(PACK, flip), TRUST).verdict == "invalid", (name, place)


@pytest.mark.parametrize("name", sorted(zipform.read(PACK)))
def test_a_file_that_is_dropped_or_renamed_is_missed(name: str) -> None:
    def drop(entries: dict[str, bytes]) -> None:
        del entries[name]

    def rename(entries: dict[str, bytes]) -> None:
        entries["x" + name] = entries.pop(name)

    assert judged(repacked(PACK, drop), TRUST).verdict == "invalid"
    assert judged(repacked(PACK, rename), TRUST).verdict == "invalid"


@pytest.mark.parametrize("name", ["extra.txt", "records/extra.json", f"envelopes/{'0' * 64}.json", "openings/run.json"])
def test_a_file_that_is_added_is_noticed(name: str) -> None:
    def add(entries: dict[str, bytes]) -> None:
        entries[name] = b"[]"

    assert judged(repacked(PACK, add), TRUST).verdict == "invalid"


def test_files_swapped_with_another_packs_are_noticed() -> None:
    other = zipform.read(pack(content(approver=STRANGER)))
    for name in ("openings/outcome-0001.json", "release.json", "manifest.json", "log/checkpoint.txt", "cards.json"):

        def swap(entries: dict[str, bytes], name: str = name) -> None:
            entries[name] = other[name]

        assert judged(repacked(PACK, swap), TRUST).verdict == "invalid", name


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\x05\x06" + bytes(18), bytes(1000), PACK[:-1], PACK + b"\x00", b"\x00" + PACK, PACK + PACK]
)
def test_what_is_no_pack_is_invalid(data: bytes) -> None:
    assert judged(data, TRUST).verdict == "invalid"


def test_an_unknown_signer_makes_it_incomplete() -> None:
    verdict = judged(PACK, msgspec.structs.replace(TRUST, cards=(ADA.signed,)))
    assert verdict.verdict == "incomplete"
    assert [(s.name, s.status) for s in verdict.signatures] == [
        ("Ada Nováková", "valid"),
        ("Ben Okafor", "unknown"),
        ("Ada Nováková", "valid"),
    ]
    assert "Ben Okafor" in verdict.reasons[0]
    assert "trust file" in verdict.reasons[0]


@pytest.mark.parametrize("issuer", [None, ADA])
def test_a_self_made_card_in_a_known_persons_name_is_never_valid(issuer: Person | None) -> None:
    """Whoever has the vault can put such a card into the pack; the trust file knows the real one."""
    impostor = Person("ben", "Ben Okafor", issuer)
    verdict = judged(pack(content(approver=impostor)), TRUST)
    assert verdict.verdict == "incomplete"
    assert [(s.name, s.status) for s in verdict.signatures if s.meaning == "approved"] == [("Ben Okafor", "unknown")]
    lying = {"card": BEN.fingerprint}

    def sign(maker: Maker) -> None:
        maker.sign(impostor, CONTENT.spec, "safety@1", "reviewed", **lying)

    assert judged(pack(content(sign)), TRUST).verdict == "invalid"


def test_an_unknown_releaser_or_log_makes_it_incomplete() -> None:
    assert judged(PACK, msgspec.structs.replace(TRUST, cards=(BEN.signed,))).verdict == "incomplete"
    assert judged(PACK, msgspec.structs.replace(TRUST, logs=())).verdict == "incomplete"
    assert judged(PACK, msgspec.structs.replace(TRUST, cards=(), logs=())).verdict == "incomplete"


def test_an_unknown_signer_whose_signature_is_broken_makes_it_invalid() -> None:
    def strip(entries: dict[str, bytes]) -> None:
        wire = json.loads(entries["release.json"])
        wire["signatures"][0]["sig"] = wire["signatures"][0]["sig"][:20] + "AAAA" + wire["signatures"][0]["sig"][24:]
        entries["release.json"] = canonical(wire)

    assert judged(repacked(PACK, strip), msgspec.structs.replace(TRUST, cards=())).verdict == "invalid"


@pytest.mark.parametrize("left", [0, 1])
def test_a_release_stripped_of_one_signature_is_invalid(left: int) -> None:
    def strip(wire: Any) -> None:
        wire["signatures"] = [wire["signatures"][left]]

    def double(wire: Any) -> None:
        wire["signatures"] = [wire["signatures"][left]] * 2

    assert judged(edited(PACK, "release.json", strip), TRUST).verdict == "invalid"
    assert judged(edited(PACK, "release.json", double), TRUST).verdict == "invalid"


def test_a_signature_after_the_time_of_the_check_makes_it_incomplete() -> None:
    verdict = judged(PACK, TRUST, datetime.fromisoformat("2026-11-21T10:30:00+01:00"))
    assert verdict.verdict == "incomplete"
    assert "clock" in verdict.reasons[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"meaning": "approved"},
        {"time": "2019-01-01T00:00:00+00:00"},
        {"name": "Somebody Else"},
        {"card": BEN.fingerprint},
        {"subject": Digest("0" * 64)},
    ],
)
def test_a_release_that_says_something_else_is_invalid(changes: dict[str, Any]) -> None:
    assert judged(pack(CONTENT, **changes), TRUST).verdict == "invalid"


def test_a_release_that_speaks_of_another_state_of_the_log_is_invalid() -> None:
    other = msgspec.structs.replace(CONTENT, checkpoint=content(approver=STRANGER).checkpoint)
    assert judged(release(prepare(CONTENT, VERIFIER, GUIDE), other), TRUST).verdict == "invalid"


def test_another_logs_key_is_invalid() -> None:
    forged = msgspec.structs.replace(TRUST, logs=(log_key(ORIGIN, new_log_key()),))
    assert judged(PACK, forged).verdict == "invalid"


def changed(**fields: Any) -> PackContent:
    return msgspec.structs.replace(CONTENT, **fields)


def test_a_record_that_the_log_doesnt_tell_of_is_invalid() -> None:
    assert judged(pack(changed(entries=CONTENT.entries[:-2])), TRUST).verdict == "invalid"
    assert judged(pack(changed(entries=())), TRUST).verdict == "invalid"


def test_a_proof_for_another_place_is_invalid() -> None:
    first, second, *rest = CONTENT.entries
    swapped = (msgspec.structs.replace(first, proof=second.proof), second, *rest)
    assert judged(pack(changed(entries=swapped)), TRUST).verdict == "invalid"
    size = len(CONTENT.entries)
    other = sign_checkpoint(ORIGIN, size, b"\x01" * 32, LOG)
    assert judged(pack(changed(checkpoint=other)), TRUST).verdict == "invalid"


def test_criteria_recorded_after_the_run_are_invalid() -> None:
    assert judged(pack(content(order="run first")), TRUST).verdict == "invalid"


def test_nobody_approves_their_own_work() -> None:
    verdict = judged(pack(content(approver=ADA)), TRUST)
    assert verdict.verdict == "invalid"
    assert any("own work" in reason for reason in verdict.reasons)


def test_nobody_approves_what_they_signed_as_its_author() -> None:
    def sign(maker: Maker) -> None:
        spec = CONTENT.spec
        maker.sign(BEN, spec, "safety@1", "authored")

    verdict = judged(pack(content(sign)), TRUST)
    assert verdict.verdict == "invalid"
    assert [s.status for s in verdict.signatures if s.meaning == "approved"] == ["invalid"]


def test_criteria_that_nobody_approved_are_pointed_out() -> None:
    bare = changed(signatures=())
    verdict = judged(pack(bare), TRUST)
    assert verdict.verdict == "valid"
    assert next(check for check in verdict.checks if check.name == "Order of events").state == "attention"


def test_a_signature_on_something_outside_the_pack_is_invalid() -> None:
    def sign(maker: Maker) -> None:
        [other] = maker.put(ADA.signed)
        maker.sign(BEN, other, "something else", "approved")

    assert judged(pack(content(sign)), TRUST).verdict == "invalid"


def test_an_envelope_left_out_is_invalid() -> None:
    only_second = changed(signatures=CONTENT.signatures[1:])
    assert judged(pack(only_second), TRUST).verdict == "invalid"


def test_a_signature_whose_record_lies_about_it_is_invalid() -> None:
    def lie(record: Any) -> None:
        record["meaning"] = "approved"

    lying = altered(CONTENT.signatures[0], lie)
    assert judged(pack(changed(signatures=(lying, CONTENT.signatures[1]))), TRUST).verdict == "invalid"


FIGURES: list[tuple[str, Callable[[Any], None]]] = [
    ("mean", lambda r: r["variants"][1]["metrics"][0].update(value=0.75)),
    ("low end", lambda r: r["variants"][1]["metrics"][0].update(low=0.4)),
    ("high end", lambda r: r["variants"][1]["metrics"][0].update(high=1.0)),
    ("bootstrap mean", lambda r: r["variants"][1]["metrics"][1].update(value=0.16)),
    ("bootstrap interval", lambda r: r["variants"][1]["metrics"][1].update(low=0.19)),
    ("method", lambda r: r["variants"][1]["metrics"][0].update(method="guess")),
    ("n", lambda r: r["variants"][1]["metrics"][0].update(n=3)),
    ("passed", lambda r: r["variants"][1].update(passed=2, failed=0)),
    ("errors", lambda r: r["variants"][0].update(errors=0, failed=1)),
    ("variant's name", lambda r: r["variants"][1].update(name="better")),
    ("variant left out", lambda r: r["variants"].pop()),
    ("metric left out", lambda r: r["variants"][0]["metrics"].pop()),
    ("difference", lambda r: r["differences"][0].update(value=0.9)),
    ("difference's n", lambda r: r["differences"][0].update(n=2)),
    ("criterion met", lambda r: (r["criteria"][0].update(met=False), r.update(passed=False))),
    ("criterion measured", lambda r: r["criteria"][0].update(measured=0.9)),
    ("criterion left out", lambda r: r["criteria"].clear()),
    ("criterion eased", lambda r: r["criteria"][0]["criterion"].update(at_least=0.1)),
    ("passed overall", lambda r: r.update(passed=False)),
    ("another run", lambda r: r.update(run="0" * 64)),
    ("unfinished", lambda r: r.update(status="cancelled")),
    ("text for a number", lambda r: r["variants"][1]["metrics"][0].update(value="0.5")),
]


@pytest.mark.parametrize(("what", "change"), FIGURES, ids=[name for name, _ in FIGURES])
def test_a_result_that_doesnt_follow_is_invalid(what: str, change: Callable[[Any], None]) -> None:
    """The forger records, logs and releases another result: the outcomes give them away."""
    assert judged(pack(logged(result=altered(CONTENT.result, change))), TRUST).verdict == "invalid", what


ON_THE_ONE_WITH_ERRORS = msgspec.structs.replace(
    SPEC,
    spec=msgspec.structs.replace(
        SPEC.spec, criteria=(Criterion(metric="contains", variant="cite@1 / starter", at_least=0.5),)
    ),
)


def lenient(criteria: Sequence[Criterion], variants: Sequence[VariantResult]) -> tuple[CriterionResult, ...]:
    """As the rules were not: what is left of a variant after its errors is enough."""
    return judge(criteria, [msgspec.structs.replace(variant, errors=0) for variant in variants])


def test_an_error_fails_its_variants_criteria_for_both_verifiers() -> None:
    honest = content(locked=ON_THE_ONE_WITH_ERRORS)
    result = json.loads(honest.result.content)["record"]
    assert (result["passed"], result["criteria"][0]["met"], result["criteria"][0]["measured"]) == (False, False, 1.0)
    whole = pack(honest)
    assert judged(whole, TRUST).verdict == "valid"
    assert b"not met: 1 sample ended in an error" in zipform.read(whole)["report.html"]
    forged = content(locked=ON_THE_ONE_WITH_ERRORS, judged=lenient)
    assert json.loads(forged.result.content)["record"]["passed"] is True
    assert judged(pack(forged), TRUST).verdict == "invalid"


def test_outcomes_that_dont_fit_are_invalid() -> None:
    first = CONTENT.outcomes[0]
    for outcomes in (
        CONTENT.outcomes[:-1],
        (*CONTENT.outcomes[:-1], first),
        (*CONTENT.outcomes[:-1], altered(CONTENT.outcomes[-1], lambda r: r.update(sample="q9"))),
        (*CONTENT.outcomes[:-1], altered(CONTENT.outcomes[-1], lambda r: r.update(variant="x"))),
        (*CONTENT.outcomes[:-1], altered(CONTENT.outcomes[-1], lambda r: r["scores"].append(dict(r["scores"][0])))),
        (*CONTENT.outcomes[:-1], altered(CONTENT.outcomes[-1], lambda r: r["scores"][0].update(value=1.0))),
        (*CONTENT.outcomes[:-1], altered(CONTENT.outcomes[-1], lambda r: r["scores"][0].update(passed=True))),
    ):
        assert judged(pack(logged(outcomes=outcomes)), TRUST).verdict == "invalid"


def test_a_dataset_or_spec_that_isnt_the_runs_is_invalid() -> None:
    spec = altered(CONTENT.spec, lambda r: r.update(number=2))
    dataset = altered(CONTENT.dataset, lambda r: r["samples"].pop())
    assert judged(pack(logged(spec=spec)), TRUST).verdict == "invalid"
    assert judged(pack(logged(dataset=dataset)), TRUST).verdict == "invalid"
    assert judged(pack(changed(prompts=())), TRUST).verdict == "invalid"


def logged(**fields: Any) -> PackContent:
    """The content with other records, which a forged log tells of, in the place of the records that they replace."""
    other = changed(**fields)
    names: dict[str, str] = {}
    for name, new in fields.items():
        olds = getattr(CONTENT, name)
        pairs = zip(olds, new, strict=False) if isinstance(new, tuple) else [(olds, new)]
        names.update({old.digest: replacement.digest for old, replacement in pairs})
    contents = []
    for entry in CONTENT.entries:
        text = entry.content.decode()
        for old, replacement in names.items():
            text = text.replace(old, replacement)
        contents.append(text.encode())
    tree = Tree([leaf_hash(data) for data in contents])
    entries = tuple(
        Logged(index=place, content=data, proof=tree.inclusion_proof(place, tree.size))
        for place, data in enumerate(contents)
    )
    signatures = () if "spec" in fields else other.signatures
    checkpoint = sign_checkpoint(ORIGIN, tree.size, tree.root(), LOG)
    return msgspec.structs.replace(other, entries=entries, checkpoint=checkpoint, signatures=signatures)


def redacted(data: bytes, kind: str, keep: Callable[[Any], bool]) -> bytes:
    def redact(entries: dict[str, bytes]) -> None:
        name = f"openings/{first_file(kind)}"
        openings = json.loads(entries[name])
        partly = {opening[1][0] for opening in openings if len(opening[1]) > 1 and not keep(opening)}
        left = [o for o in openings if (keep(o) if len(o[1]) > 1 else o[1][0] not in partly)]
        entries[name] = canonical(left)
        for rendering in json.loads(entries["manifest.json"])["renderings"]:
            entries.pop(rendering, None)
        entries["openings/renderings.json"] = b"[]"
        gone = len(partly) and sum(len(o[1]) > 1 and not keep(o) for o in openings)
        before = json.loads(entries.get("redaction.json", b'{"withheld":0}'))["withheld"]
        entries["redaction.json"] = redaction(entries["manifest.json"], before + gone)

    return repacked(data, redact)


def test_a_redacted_pack_stays_valid_and_says_what_is_withheld() -> None:
    without = redacted(PACK, "outcome", lambda opening: opening[1][:3] != [0, "answer", "answer"])
    verdict = judged(without, TRUST)
    assert (verdict.verdict, verdict.withheld) == ("valid", 1)
    everything = without
    for kind in ("outcome", "dataset", "prompt-version", "document", "model"):
        everything = redacted(everything, kind, lambda _: False)
    verdict = judged(everything, TRUST)
    assert verdict.verdict == "valid"
    assert verdict.withheld > 20
    assert b"15 days" not in everything
    assert b"handbook.pdf" not in everything
    assert b"/home/ada" not in everything


RENDERINGS = sorted(json.loads(zipform.read(PACK)["manifest.json"])["renderings"])


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_redacted_pack_may_keep_no_report_and_a_whole_one_must_have_all(name: str) -> None:
    kept = zipform.read(PACK)[name]
    without = redacted(PACK, "dataset", lambda _: False)
    assert judged(without, TRUST).verdict == "valid"
    assert judged(repacked(without, lambda entries: entries.update({name: kept})), TRUST).verdict == "invalid"
    assert judged(repacked(PACK, lambda entries: entries.pop(name)), TRUST).verdict == "invalid"
    assert judged(repacked(PACK, lambda entries: entries.update({name: kept + b" "})), TRUST).verdict == "invalid"


@pytest.mark.parametrize("name", ["cards.json", "openings/dataset.json", "release.json", "manifest.json"])
def test_nothing_that_is_signed_otherwise_can_be_called_a_rendering(name: str) -> None:
    prepared = prepare(CONTENT, VERIFIER, GUIDE)
    manifest = json.loads(prepared.manifest)
    manifest["renderings"][name] = manifest["renderings"]["report.html"]
    entries = {**prepared.entries, "manifest.json": canonical(manifest)}
    forged = prepared._replace(manifest=entries["manifest.json"], entries=entries)
    assert judged(release(forged, CONTENT), TRUST).verdict == "invalid"


def test_an_altered_opening_is_invalid() -> None:
    for change in (
        lambda openings: openings[0].__setitem__(2, "another answer"),
        lambda openings: openings[0].__setitem__(0, openings[1][0]),
        lambda openings: openings.append(openings[0]),
        lambda openings: openings.reverse(),
        lambda openings: openings[0][1].__setitem__(0, 7),
        lambda openings: openings[0].append("more"),
        lambda openings: openings.insert(0, "x"),
    ):
        assert judged(edited(PACK, "openings/outcome-0001.json", change), TRUST).verdict == "invalid"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("outcome", (3, "scores", 0, "value")),
        ("outcome", (3, "scores", 0)),
        ("outcome", (3, "answer")),
        ("outcome", (3, "variant")),
        ("run-result", (0, "passed")),
        ("run", (0, "criteria")),
        ("spec", (0, "spec", "criteria")),
        ("signature", (0, "reason")),
        ("dataset", (0, "samples", 1)),
    ],
)
def test_what_may_not_be_withheld_cant_be_hidden(kind: str, path: tuple[Any, ...]) -> None:
    """Even by somebody who signs the pack that way."""
    prepared = prepare(CONTENT, VERIFIER, GUIDE)
    records = json.loads(prepared.entries[f"records/{first_file(kind)}"])
    holder = records[path[0]]["stored"]["record"]
    for step in path[1:-1]:
        holder = holder[step]
    holder[path[-1]] = {"$committed": "0" * 64}
    entries = {**prepared.entries, f"records/{first_file(kind)}": canonical(records)}
    remanifested(entries)
    forged = prepared._replace(manifest=entries["manifest.json"], entries=entries)
    verdict = judged(release(forged, CONTENT), TRUST)
    assert verdict.verdict == "invalid"


def test_malformed_files_that_somebody_signed_are_invalid_and_never_crash() -> None:
    prepared = prepare(CONTENT, VERIFIER, GUIDE)
    odd = [b"", b"null", b"[]", b"{}", b"[1]", b'[{"digest":"x"}]', b"[" * 5000]
    for name in sorted(
        set(prepared.entries) - {"manifest.json", "verify.py", "VERIFY.md", "mlbom.cdx.json", *RENDERINGS}
    ):
        for data in odd:
            if data == prepared.entries[name] or (
                data == b"[]" and name in ("cards.json", "records/model.json", "records/document.json")
            ):
                continue
            entries = {**prepared.entries, name: data}
            remanifested(entries)
            forged = prepared._replace(manifest=entries["manifest.json"], entries=entries)
            verdict = judged(release(forged, CONTENT), TRUST)
            assert verdict.verdict == "invalid" or (name.startswith("openings/") and data == b"[]"), (name, data)


def test_a_manifest_of_another_version_says_so() -> None:
    verdict = judged(edited(PACK, "manifest.json", lambda manifest: manifest.update(version=2)), TRUST)
    assert verdict.verdict == "invalid"
    assert "version" in verdict.reasons[0]


ODD: list[Any] = [None, True, 0, -1, 0.5, 2**53 - 1, "", "0" * 64, [], {}, {"$committed": "0" * 64}]


def test_both_verifiers_agree_on_packs_with_odd_values() -> None:
    """`judged` compares the two; whatever somebody signs and packs, neither crashes."""
    generator = random.Random(20261121)
    prepared = prepare(CONTENT, VERIFIER, GUIDE)
    names = sorted(name for name in prepared.entries if name.endswith(".json") and not name.startswith("envelopes/"))
    for _ in range(80):
        name = generator.choice(names)
        value: Any = json.loads(prepared.entries[name])
        holder, step = generator.choice(list(places(value)))
        holder[step] = generator.choice(ODD)
        entries = {**prepared.entries, name: canonical(value)}
        if name != "manifest.json":
            remanifested(entries)
        judged(release(prepared._replace(manifest=entries["manifest.json"], entries=entries), CONTENT), TRUST)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every list or object inside a JSON value, with each of its keys."""
    if isinstance(value, (dict, list)):
        for step in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, step
            yield from places(value[step])
