"""The report, the bill of materials, the lineage, the model cards and the datasheet of a pack."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from lxml import etree, html
from referencing import Registry, Resource

from core.evidence import opened, zipform
from core.evidence.opened import Row, take_apart
from core.evidence.renderings import renderings
from tests.unit.evidence.building import CONTENT_TITLE, MODEL, content, pack
from tests.unit.evidence.judging import first_file

PACK = pack()
FILES = zipform.read(PACK)
WHOLE = take_apart(PACK)
REPORT = FILES[opened.REPORT].decode()
BOM: Any = json.loads(FILES[opened.MLBOM])
LINEAGE: Any = json.loads(FILES[opened.LINEAGE])
SHEET = FILES[opened.DATASHEET].decode()
[CARD] = [FILES[name].decode() for name in FILES if name.startswith("model-cards/")]
SVG = {"svg": "http://www.w3.org/2000/svg"}


def closed() -> dict[str, tuple[Row, ...]]:
    """The rows of a pack in which everything is withheld that can be."""
    found = {}
    for kind in (*opened.KINDS, *opened.EXTRA):
        if f"records/{first_file(kind)}" not in FILES:
            found[kind] = ()
            continue
        places = [opening[1][0] for opening in json.loads(FILES.get(f"openings/{first_file(kind)}", b"[]"))]
        entries = json.loads(FILES[f"records/{first_file(kind)}"])
        found[kind] = tuple(
            Row(entry["digest"], entry["stored"]["record"], places.count(place)) for place, entry in enumerate(entries)
        )
    return found


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
        "21 November 2026, 10:00:00 +01:00",
        "fits its purpose",
        "seccomp",
        "1 answer ended in an error",
        "fewer than 30",
        "under a figure or a difference is 1,",
        "meets its criterion by the mean; its interval, 0.095 to 0.905, reaches beyond the bound",
        "Ada Nov",
        "(ada)",
    ):
        assert expected in text, expected


def test_the_report_is_one_file_without_scripts_and_escapes_what_it_shows() -> None:
    tree = html.fromstring(REPORT)
    assert not tree.xpath("//script | //link | //img | //iframe | //object | //form | //*[@src]")
    assert all(link.get("href").startswith("#part-") for link in tree.xpath("//a"))
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
    assert "default-src 'none'" in REPORT
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in REPORT
    assert "within &lt;15&gt; days" in REPORT
    assert "\u202e" not in REPORT
    assert "[U+202E]" in REPORT


def test_the_report_can_be_read_by_a_screen_reader() -> None:
    tree = html.fromstring(REPORT)
    assert tree.get("lang") == "en"
    for once in ("//h1", "//main", "//head/title", "//body/header", "//nav[@aria-label]", "//body/footer"):
        assert len(tree.xpath(once)) == 1, once
    for table in tree.xpath("//table"):
        assert table.xpath("./caption")
        assert table.xpath("./thead/tr/th[@scope='col']")
        assert all(row.xpath("./th[@scope='row']") for row in table.xpath("./tbody/tr"))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for names in tree.xpath("//@aria-labelledby"):
        assert set(names.split()) <= set(ids)
    for link in tree.xpath("//a"):
        assert link.get("href")[1:] in ids
    for figure in tree.xpath("//svg"):
        assert figure.get("role") == "img"
        assert len(figure.xpath("./desc")[0].text) > 40
    levels = [int(element.tag[1]) for element in tree.iter("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_reports_colours_can_be_told_from_the_paper() -> None:
    style = html.fromstring(REPORT).xpath("//style")[0].text
    colours = set(re.findall(r"(?<![-\w])color: (#[0-9a-f]{6})", style))
    assert len(colours) >= 5
    for colour in colours:
        assert contrast(colour, "#ffffff") >= 4.5, colour
    assert contrast("#1a1e21", "#ffe48a") >= 4.5


def contrast(ink: str, ground: str) -> float:
    """WCAG 2.2, contrast ratio."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(ink), light(ground)))
    return (high + 0.05) / (low + 0.05)


def test_failures_show_their_passages_with_what_was_cited_highlighted() -> None:
    tree = html.fromstring(REPORT)
    [part] = [s for s in tree.xpath("//section") if s.xpath("./h2[text()='Failures']")]
    assert [heading.text for heading in part.xpath("./h3")] == ["q2, cite@1 / starter", "q2, quotes"]
    assert part.xpath(".//mark/text()") == ["within <15> days"]


def test_a_pack_gives_the_same_renderings_again() -> None:
    again = renderings(WHOLE.rows, WHOLE.manifest.title)
    assert set(again) == set(WHOLE.manifest.renderings)
    for name, data in again.items():
        assert data == FILES[name], name


def test_a_redacted_pack_gives_renderings_that_say_what_is_withheld_and_nothing_of_it() -> None:
    made = renderings(closed(), CONTENT_TITLE)
    for name, data in made.items():
        for secret in (b"15 days", b"handbook.pdf", b"/home/ada", b"question }}", b"model stopped"):
            assert secret not in data, (name, secret)
    page = made[opened.REPORT].decode()
    assert "(withheld)" in page
    assert "are withheld from this pack" in page
    assert "All criteria met" in page
    assert "Withheld:" in made[opened.DATASHEET].decode()


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
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**BOM, "components": [{"type": "machine-learning-model"}]})


def test_the_bill_of_materials_names_model_data_and_measurements() -> None:
    [model] = [c for c in BOM["components"] if c["type"] == "machine-learning-model"]
    assert model["name"] == MODEL.name
    assert model["hashes"] == [{"alg": "SHA-256", "content": MODEL.digest}]
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {(m["type"], m["value"]) for m in metrics} == {("contains", "1"), ("latency", "0.5")}
    assert len(model["modelCard"]["considerations"]["technicalLimitations"]) == 3
    assert {c["type"] for c in BOM["components"]} == {"machine-learning-model", "data", "library"}
    assert "cite@1" in {c["name"] for c in BOM["components"] if c["type"] == "data"}
    assert [c["purl"] for c in BOM["components"] if c["type"] == "library"] == ["pkg:pypi/numpy@2.2"]
    references = [c["bom-ref"] for c in BOM["components"]]
    assert len(references) == len(set(references))
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", BOM["serialNumber"])


def test_signed_files_hold_nothing_that_may_be_withheld() -> None:
    for name in (opened.MLBOM, opened.MANIFEST, *(f"records/{first_file(kind)}" for kind in opened.KINDS)):
        for secret in (b"15 days", b"handbook.pdf", b"/home/ada", b"question }}"):
            assert secret not in FILES[name], (name, secret)


def test_a_model_card_has_the_form_of_hugging_face() -> None:
    _, head, body = CARD.split("---\n", 2)
    said = yaml.safe_load(head)
    assert said["license"] == "apache-2.0"
    [entry] = said["model-index"]
    assert entry["name"] == MODEL.name
    [found] = entry["results"]
    assert {metric["type"]: metric["value"] for metric in found["metrics"]} == {"contains": 1.0, "latency": 0.5}
    assert found["dataset"]["revision"] == content().dataset.digest
    for section in ("Model details", "Uses", "Training", "Evaluation", "Bias, risks and limitations"):
        assert f"\n## {section}\n" in body
    assert "Bias towards or against groups of people was not measured." in body


def test_hugging_faces_own_reader_takes_a_model_card() -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(CARD)
    assert card.data.license == "apache-2.0"
    assert {(r.metric_type, r.metric_value) for r in card.data.eval_results} == {("contains", 1.0), ("latency", 0.5)}


def test_the_datasheet_counts_what_is_in_the_dataset() -> None:
    for section in ("Motivation", "Composition", "Collection", "Preparation", "Uses", "Distribution", "Maintenance"):
        assert f"\n## {section}\n" in SHEET
    assert "2 samples" in SHEET
    assert re.search(r"\| a value that a right answer holds \| 1 \|", SHEET)
    assert re.search(r"\| no target of any kind \| 1 \|", SHEET)
    assert "Not recorded." in SHEET


def test_the_picture_of_the_lineage_counts_and_says_what_it_shows() -> None:
    tree = etree.fromstring(FILES[opened.LINEAGE_PICTURE])
    assert tree.get("role") == "img"
    description = tree.findtext("svg:desc", namespaces=SVG)
    for expected in ("questions@1", "4 answers", "1 error", "criteria met", "approved by Ben Okafor"):
        assert expected.replace("4 answers", "3 answers") in description, expected
    assert len(tree.xpath("//svg:rect", namespaces=SVG)) < 20
    for element in tree.iter():
        assert etree.QName(element).localname in {"svg", "title", "desc", "rect", "line", "polygon", "text"}
