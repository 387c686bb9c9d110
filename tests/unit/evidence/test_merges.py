"""A model that is a merge, in a pack: base, adapter, settings and signatures go along, and both verifiers judge them; former ones pass over them."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from core.evidence import lineage, merges, redaction, report, report_html
from core.evidence.opened import take_apart
from core.evidence.packing import Prepared, prepare
from core.evidence.records import PackContent, Stored
from core.evidence.redaction import Request
from core.records import Digest
from core.training.merged import MergedModel
from core.training.settings import Settings
from core.trust.canonical import builtins, canonical
from core.trust.canonical import digest as digest_of
from tests.unit.evidence import building, trained
from tests.unit.evidence.building import ADA, BEN, Maker, Person
from tests.unit.evidence.judging import AT, judged

BASE, ADAPTER, RESULT, DATA = (Digest(letter * 64) for letter in "1234")
FORMER = ("6ba9d84", "d038141")
"""Before packs held marks, and before they told of merges."""


def merged(approver: Person = BEN, late: bool = False, adapted: bool = False, **changes: Any) -> PackContent:
    """A run's content whose model is a merge that ada made and signed, and `approver` approved."""

    def merging(maker: Maker) -> Sequence[Stored]:
        fields: dict[str, Any] = {
            "name": "starter",
            "digest": Digest("ab" * 32),
            "size": 4096,
            "quantization": "f16",
            "run": "training-7",
            "result": RESULT,
            "adapter": ADAPTER,
            "base": "bare",
            "base_digest": BASE,
            "by": "ada",
            "made": building.TIME,
            "settings": Settings(rank=4, seed=11),
            "learned": (DATA,),
        }
        [made] = maker.put(MergedModel(**{**fields, **changes}))
        maker.sign(ADA, made, "starter", "authored")
        maker.sign(approver, made, "starter", "approved")
        return [made]

    return building.content(merging=merging, late=late, adapted=adapted)


@pytest.fixture(scope="module")
def content() -> PackContent:
    return merged()


@pytest.fixture(scope="module")
def pack(content: PackContent) -> bytes:
    return building.pack(content)


def resigned(content: PackContent, change: Callable[[Any], None]) -> bytes:
    """The pack of somebody who may sign, with what it says of merges changed."""
    prepared = prepare(content, building.VERIFIER, building.GUIDE)
    entries = dict(prepared.entries)
    bom = json.loads(entries["mlbom.cdx.json"])
    [held] = bom["properties"]
    value = json.loads(held["value"])
    change(value)
    held["value"] = canonical(value).decode()
    entries["mlbom.cdx.json"] = canonical(bom)
    manifest = json.loads(prepared.manifest)
    size, digest = len(entries["mlbom.cdx.json"]), digest_of(entries["mlbom.cdx.json"])
    manifest["files"]["mlbom.cdx.json"] = {"version": 1, "sha256": digest, "size": size}
    entries["manifest.json"] = canonical(manifest)
    return building.release(Prepared(entries["manifest.json"], entries), content)


def test_a_pack_tells_base_adapter_settings_and_who_signed(pack: bytes) -> None:
    verdict = judged(pack, building.TRUST)
    assert (verdict.verdict, verdict.reasons) == ("valid", ())
    assert [check.count for check in verdict.checks if check.name == "Merged models"] == [1]
    assert [(one.meaning, one.subject) for one in verdict.signatures if one.subject == "starter"] == [
        ("authored", "starter"),
        ("approved", "starter"),
    ]
    rows = take_apart(pack).rows
    [row] = rows[merges.KIND]
    told: Any = row.record
    assert (told["base_digest"], told["adapter"], told["settings"]["seed"]) == (BASE, ADAPTER, 11)
    bom = json.loads(take_apart(pack).contents["mlbom.cdx.json"])
    ancestors = next(one["pedigree"]["ancestors"] for one in bom["components"] if one["name"] == "starter")
    assert [one["hashes"][0]["content"] for one in ancestors] == [BASE, ADAPTER]
    page = report_html.render(report.report(rows, "t"))
    assert all(text in page for text in ("Merged here", "training-7", "rank 4", BASE[:8]))


def test_provenance_leads_from_the_model_to_base_adapter_and_data(pack: bytes) -> None:
    rows = take_apart(pack).rows
    document: Any = lineage.lineage(rows)
    [model] = rows["model"]
    derived = {(one["prov:generatedEntity"], one["prov:usedEntity"]) for one in document["wasDerivedFrom"].values()}
    name = f"assay:{model.digest}"
    assert {(name, f"assay:file/{BASE}"), (name, f"assay:{RESULT}"), (f"assay:{RESULT}", f"assay:{DATA}")} <= derived
    declared = {**document["entity"], **document["activity"], **document["agent"]}
    named = {
        end
        for relation, statements in document.items()
        if relation not in ("prefix", "entity", "activity", "agent")
        for one in statements.values()
        for key, end in one.items()
        if key != "prov:type"
    }
    assert named <= declared.keys()


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held["merges"][0]["stored"]["record"].update(adapter="00" * 32),
        lambda held: held["merges"][0]["stored"]["record"]["settings"].update(rank=64),
        lambda held: held["merges"][0].update(digest="00" * 32),
        lambda held: held["merges"][0]["stored"].update(kind="model"),
        lambda held: held["merges"].append(held["merges"][0]),
        lambda held: held["merges"].clear(),
        lambda held: held["signatures"].append(held["signatures"][0]),
        lambda held: held["signatures"].pop(0),
        lambda held: held["signatures"][0]["stored"]["record"].update(reason="other"),
        lambda held: held.update(more=1),
        lambda held: held.update(version=2),
    ],
)
def test_what_is_changed_is_seen_though_signed_again(content: PackContent, change: Callable[[Any], None]) -> None:
    assert judged(resigned(content, change), building.TRUST).verdict == "invalid"


@pytest.mark.parametrize(
    "wrong",
    [
        {"digest": Digest("cd" * 32)},
        {"base_digest": Digest("ab" * 32)},
        {"approver": ADA},
        {"by": "ben"},
        {"late": True},
    ],
)
def test_a_merge_that_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    """Of no model of the run, of itself, approved by who made it, or recorded after the run."""
    assert judged(building.pack(merged(**wrong)), building.TRUST).verdict == "invalid"


def test_the_training_in_the_pack_must_be_the_merges_own() -> None:
    result = building.content(adapted=True).training_results[0].digest
    right = {"adapter": trained.ADAPTER, "base_digest": Digest("99" * 32)}
    assert judged(building.pack(merged(adapted=True, result=result, **right)), building.TRUST).verdict == "invalid"


def test_a_merge_or_signature_that_the_log_does_not_tell_of_is_refused(content: PackContent) -> None:
    for left_out in (content.merges[0], content.merge_signatures[1]):
        less = tuple(e for e in content.entries if left_out.digest not in json.loads(e.content)["record"]["objects"])
        assert len(less) == len(content.entries) - 1
        pack = building.pack(msgspec.structs.replace(content, entries=less))
        assert judged(pack, building.TRUST).verdict == "invalid"


def test_a_redaction_keeps_what_is_said_of_merges(pack: bytes) -> None:
    less = redaction.redact(pack, Request(fields=("path",)))
    assert judged(less, building.TRUST).verdict == "valid"
    assert len(take_apart(less).rows[merges.KIND]) == 1


def test_verifiers_of_before_pass_over_merges(pack: bytes) -> None:
    """`verify.py` as auditors have it."""
    trust = json.loads(canonical(builtins(building.TRUST)))
    for commit in FORMER:
        found = subprocess.run(
            ["git", "show", f"{commit}:resources/evidence/verify.py"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        if found.returncode:
            pytest.skip("not a clone with its history")
        before: dict[str, Any] = {"__name__": "former"}
        exec(found.stdout, before)  # noqa: S102 (our own earlier file)
        for one in (pack, redaction.redact(pack, Request(fields=("path",)))):
            assert before["verify"](one, trust, AT)["verdict"] == "valid"
