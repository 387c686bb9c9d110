"""The report, the bill of materials and the lineage of a pack."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import html
from referencing import Registry, Resource

from core.evidence import opened, zipform
from core.evidence.opened import take_apart
from core.evidence.report import render
from core.trust.canonical import canonical
from tests.unit.evidence.building import CONTENT_TITLE, MODEL, content, pack
from tests.unit.evidence.judging import repacked

PACK = pack()
FILES = zipform.read(PACK)
REPORT = FILES[opened.REPORT].decode()
BOM: Any = json.loads(FILES[opened.MLBOM])
LINEAGE: Any = json.loads(FILES[opened.LINEAGE])


def test_the_report_says_what_was_tested_found_and_signed() -> None:
    text = html.fromstring(REPORT).text_content()
    for expected in (
        CONTENT_TITLE,
        "All criteria met",
        "at least 0.5",
        "0.095 to 0.905",
        "2 of 4 answers",
        "model stopped",
        "How many days?",
        "handbook.pdf, page 2",
        "Ben Okafor",
        "approved",
        "2026-11-21T10:00:00+01:00",
        "fits its purpose",
        "seccomp",
    ):
        assert expected in text, expected


def test_the_report_is_one_file_without_scripts_and_escapes_what_it_shows() -> None:
    tree = html.fromstring(REPORT)
    assert not tree.xpath("//script | //link | //img | //iframe | //object | //form | //a[@href] | //*[@src]")
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
    assert "default-src 'none'" in REPORT
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in REPORT
    assert "within &lt;15&gt; days" in REPORT
    assert "\u202e" not in REPORT
    assert "[U+202E]" in REPORT


def test_the_report_can_be_read_by_a_screen_reader() -> None:
    tree = html.fromstring(REPORT)
    assert tree.get("lang") == "en"
    assert len(tree.xpath("//h1")) == len(tree.xpath("//main")) == len(tree.xpath("//title")) == 1
    for table in tree.xpath("//table"):
        assert table.xpath("./caption")
        assert table.xpath("./thead/tr/th[@scope='col']")
    levels = [int(element.tag[1]) for element in tree.iter("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_pack_gives_the_same_report_again_and_a_redacted_one_says_what_is_withheld() -> None:
    whole = take_apart(PACK)
    assert render(whole.rows, whole.manifest.title, whole.manifest.made) == REPORT

    def redact(entries: dict[str, bytes]) -> None:
        kinds = sorted(opened.OPENINGS - {opened.RENDERED})
        fields = sum(len(opening[1]) > 1 for name in kinds for opening in json.loads(entries[name]))
        entries[opened.REDACTION] = opened.redaction(entries[opened.MANIFEST], fields)
        for name in opened.OPENINGS:
            entries[name] = canonical([])
        for name in json.loads(entries[opened.MANIFEST])["renderings"]:
            del entries[name]

    left = take_apart(repacked(PACK, redact))
    page = render(left.rows, left.manifest.title, left.manifest.made)
    assert "(withheld)" in page
    assert "15 days" not in page
    assert "All criteria met" in page


def test_the_bill_of_materials_follows_cyclonedx(shared_data: Path) -> None:
    folder = shared_data / "vectors" / "cyclonedx-1.6-ml"
    schema = json.loads((folder / "bom-1.6.schema.json").read_text())
    anything: dict[str, Any] = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"signature": {}}}
    registry: Registry[Any] = Registry().with_resources(
        [
            (f"http://cyclonedx.org/schema/{name}", Resource.from_contents(anything))
            for name in ("spdx.schema.json", "jsf-0.82.schema.json")
        ]
    )
    validator = jsonschema.Draft7Validator(schema, registry=registry)
    validator.validate(json.loads((folder / "valid-machine-learning-1.6.json").read_text()))
    validator.validate(BOM)


def test_the_bill_of_materials_names_model_data_and_measurements() -> None:
    [model] = [c for c in BOM["components"] if c["type"] == "machine-learning-model"]
    assert model["name"] == MODEL.name
    assert model["hashes"] == [{"alg": "SHA-256", "content": MODEL.digest}]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {(m["type"], m["value"]) for m in metrics} == {("contains", "1"), ("latency", "0.5")}
    assert {c["type"] for c in BOM["components"]} == {"machine-learning-model", "data", "library"}
    assert [c["purl"] for c in BOM["components"] if c["type"] == "library"] == ["pkg:pypi/numpy@2.2"]
    references = [c["bom-ref"] for c in BOM["components"]]
    assert len(references) == len(set(references))
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", BOM["serialNumber"])


def test_signed_files_hold_nothing_that_may_be_withheld() -> None:
    for name in (opened.MLBOM, opened.MANIFEST, *(f"records/{kind}.json" for kind in opened.KINDS)):
        for secret in (b"15 days", b"handbook.pdf", b"/home/ada", b"question }}"):
            assert secret not in FILES[name], (name, secret)


def test_the_lineage_hangs_together() -> None:
    known = {name for part in ("entity", "activity", "agent") for name in LINEAGE[part]}
    relations = ("used", "wasGeneratedBy", "wasDerivedFrom", "wasAttributedTo", "wasAssociatedWith")
    for relation in relations:
        for statement in LINEAGE[relation].values():
            assert set(statement.values()) <= known, (relation, statement)
    made_of = content()
    run = f"assay:{made_of.run.digest}"
    used = {s["prov:entity"] for s in LINEAGE["used"].values() if s["prov:activity"] == run}
    assert f"assay:{made_of.dataset.digest}" in used
    assert f"assay:{made_of.prompts[0].digest}" in used


@pytest.mark.parametrize("part", ["entity", "activity", "agent", "used", "prefix"])
def test_the_lineage_has_prov_jsons_parts(part: str) -> None:
    assert isinstance(LINEAGE[part], dict)
    assert LINEAGE[part]
