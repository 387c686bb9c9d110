"""People's marks in a pack: both verifiers work their figures out again, one that knows nothing of marks passes over them."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from core.evals.marks import Mark, Scale, _people
from core.evals.records import Outcome, Score
from core.evidence import lineage, redaction, report, report_html
from core.evidence.opened import take_apart
from core.evidence.packing import Prepared, prepare
from core.evidence.records import PackContent, Stored
from core.evidence.redaction import Request
from core.records import Digest
from core.trust.canonical import builtins, canonical
from core.trust.canonical import digest as digest_of
from tests.unit.evidence import building
from tests.unit.evidence.building import LATER, Maker
from tests.unit.evidence.judging import AT, judged

GIVEN = (
    (0, "ada", 1, "It says <15> days."),
    (0, "ben", 1, ""),
    (2, "ada", 0, "Names no source."),
    (3, "ben", 0, "Wrong."),
)
"""Which outcome, who, the mark, the reason."""


def marked(change: Callable[[Any], None] = lambda mark: None, reasons: bool = True) -> PackContent:
    """A run's content with the marks of two people; `change` alters each mark before it is kept."""
    kept: list[Mark] = []

    def marking(maker: Maker, run: Stored, outcomes: Sequence[Stored]) -> list[Stored]:
        found = []
        for place, user, score, reason in GIVEN:
            record = json.loads(outcomes[place].content)["record"]
            fields = {
                "type": "mark",
                "run": run.digest,
                "outcome": outcomes[place].digest,
                "sample": record["sample"],
                "variant": record["variant"],
                "repetition": 0,
                "scorer": "contains",
                "score": score,
                "lowest": 0,
                "highest": 1,
                "reason": reason,
                "user": user,
                "made": LATER,
            }
            change(fields)
            kept.append(msgspec.convert(fields, Mark))
            found += maker.put(kept[-1])
        return found

    content = building.content(marking=marking)
    scores = {
        Digest(one.digest): Outcome(
            run=content.run.digest,
            sample=record["sample"],
            variant=record["variant"],
            answer=None,
            scores=tuple(msgspec.convert(score, Score) for score in record["scores"]),
        )
        for one in content.outcomes
        for record in [json.loads(one.content)["record"]]
    }
    figures = _people(Scale(scorer="contains", lowest=0, highest=1), kept, scores, 0)
    return msgspec.structs.replace(content, people=(builtins(figures),), reasons=reasons)


@pytest.fixture(scope="module")
def content() -> PackContent:
    return marked()


@pytest.fixture(scope="module")
def pack(content: PackContent) -> bytes:
    return building.pack(content)


def resigned(content: PackContent, change: Callable[[Any], None]) -> bytes:
    """The pack of somebody who may sign, with what it says of marks changed."""
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


def test_the_figures_are_worked_out_again(pack: bytes) -> None:
    verdict = judged(pack, building.TRUST)
    assert (verdict.verdict, verdict.reasons) == ("valid", ())
    [check] = [check for check in verdict.checks if check.name == "People’s marks"]
    assert (check.state, check.count) == ("ok", 4)
    rows = take_apart(pack).rows
    assert [row.record["reason"] for row in rows["mark"]] == [reason for *_, reason in GIVEN]
    [figures] = rows["people"]
    agreements: Any = figures.record["with_people"]
    together = agreements[0]
    assert (together["second"], together["n"], together["table"]) == ("people", 4, [[1, 0], [1, 2]])


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held["people"][0]["with_people"][0].update(table=[[2, 0], [0, 2]]),
        lambda held: held["people"][0]["with_people"][0]["kappa"].update(value=0.9),
        lambda held: held["people"][0]["with_people"][0]["share"].update(value=1),
        lambda held: held["people"][0]["with_people"][0]["share"].update(low=0.5),
        lambda held: held["people"][0]["with_people"].pop(),
        lambda held: held["people"][0]["between"].clear(),
        lambda held: held["people"][0].update(marks=5),
        lambda held: held["people"].clear(),
        lambda held: held["marks"].pop(),
        lambda held: held["marks"].append(held["marks"][0]),
        lambda held: held["marks"][0]["stored"]["record"].update(score=0),
        lambda held: held["marks"][0]["stored"]["record"].update(score=True),
        lambda held: held["marks"][0]["stored"]["record"].update(reason="other words"),
        lambda held: held["marks"][0].update(digest="00" * 32),
        lambda held: held.update(more=1),
        lambda held: held.update(version=2),
    ],
)
def test_changed_marks_and_figures_are_seen_though_signed_again(
    content: PackContent, change: Callable[[Any], None]
) -> None:
    assert judged(resigned(content, change), building.TRUST).verdict == "invalid"


@pytest.mark.parametrize(
    "change",
    [
        lambda mark: mark.update(sample="q2"),
        lambda mark: mark.update(scorer="rubric"),
        lambda mark: mark.update(run="00" * 32),
        lambda mark: mark.update(outcome="00" * 32),
        lambda mark: mark.update(score=2),
        lambda mark: mark.update(user="ada", outcome=mark["outcome"]) if mark["user"] == "ben" else None,
    ],
)
def test_marks_that_fit_no_answer_of_the_run_are_refused(change: Callable[[Any], None]) -> None:
    assert judged(building.pack(marked(change)), building.TRUST).verdict == "invalid"


def test_a_mark_that_the_log_does_not_tell_of_is_refused(content: PackContent) -> None:
    place = next(
        e.index for e in content.entries if content.marks[0].digest in json.loads(e.content)["record"]["objects"]
    )
    less = tuple(entry for entry in content.entries if entry.index != place)
    pack = building.pack(msgspec.structs.replace(content, entries=less))
    assert judged(pack, building.TRUST).verdict == "invalid"


def test_a_redaction_takes_what_people_wrote_and_leaves_their_marks(pack: bytes) -> None:
    less = redaction.redact(pack, Request(fields=("path",)))
    verdict = judged(less, building.TRUST)
    assert verdict.verdict == "valid"
    assert b"Names no source" not in less
    assert b"Names no source" in pack
    [check] = [check for check in verdict.checks if check.name == "People’s marks"]
    assert (check.state, check.count) == ("attention", 4)


def test_reasons_may_be_left_out_from_the_start() -> None:
    pack = building.pack(marked(reasons=False))
    assert judged(pack, building.TRUST).verdict == "valid"
    assert b"Names no source" not in pack
    assert b"report.html" in pack


def test_a_verifier_of_before_passes_over_marks(pack: bytes) -> None:
    """`verify.py` as it was before packs held marks, which auditors have."""
    found = subprocess.run(
        ["git", "show", "6ba9d84:resources/evidence/verify.py"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        pytest.skip("not a clone with its history")
    before: dict[str, Any] = {"__name__": "former"}
    exec(found.stdout, before)  # noqa: S102 (our own earlier file)
    trust = json.loads(canonical(builtins(building.TRUST)))
    for one in (pack, redaction.redact(pack, Request(fields=("path",)))):
        assert before["verify"](one, trust, AT)["verdict"] == "valid"


def test_the_report_and_the_lineage_tell_of_them(pack: bytes, content: PackContent) -> None:
    rows = take_apart(pack).rows
    page = report_html.render(report.report(rows, "marks"))
    for words in ("Judges and people", "Names no source.", "all people", "It says &lt;15&gt; days."):
        assert words in page
    assert "Judges and people" not in report_html.render(report.report(take_apart(building.pack()).rows, "none"))
    prov: Any = lineage.lineage(rows)
    made = {name for name, one in prov["entity"].items() if one["prov:type"]["$"] == "assay:mark"}
    assert made == {f"assay:{mark.digest}" for mark in content.marks}
    assert made <= {one["prov:generatedEntity"] for one in prov["wasDerivedFrom"].values()}
