"""The main job, as `assay demo` does it: what it prints is an interface, and its pack verifies in a process of its own."""

import json
from pathlib import Path

import pytest

from tests.end2end.conftest import Assay


@pytest.fixture(scope="module")
def demo(ines: Assay, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Path]:
    out = tmp_path_factory.mktemp("demo")
    ran = ines("demo", "--out", out, "--json")
    assert ran.code == 0, ran
    return json.loads(ran.out), out


def test_answers_cite_their_page_or_decline(demo: tuple[dict[str, object], Path]) -> None:
    first, second, third = demo[0]["answers"]
    assert "24 hours" in first["answer"]
    assert first["citations"][0]["document"] == "SOP-PV-014-case-intake.pdf"
    assert first["citations"][0]["page"] == 3
    assert "11 °C" in second["answer"]
    assert third["abstained"]
    assert third["citations"] == []


def test_every_variant_has_figures_with_intervals(demo: tuple[dict[str, object], Path]) -> None:
    variants = {variant["name"]: variant["metrics"] for variant in demo[0]["variants"]}
    assert set(variants) == {"cite-answers@1 / starter-chat", "cite-answers@2 / starter-chat", "quotes"}
    for metrics in variants.values():
        for metric in metrics.values():
            assert metric["low"] <= metric["value"] <= metric["high"]
            assert 0 <= metric["n"] <= 40


def test_the_two_prompt_versions_differ_by_more_than_chance(demo: tuple[dict[str, object], Path]) -> None:
    cited = next(
        difference
        for difference in demo[0]["differences"]
        if (difference["metric"], difference["variant"]) == ("citation_correct", "cite-answers@2 / starter-chat")
    )
    assert cited["baseline"] == "cite-answers@1 / starter-chat"
    assert cited["low"] > 0


def test_the_pack_is_valid_with_its_trust_file_and_not_without(
    demo: tuple[dict[str, object], Path], ines: Assay
) -> None:
    content, out = demo
    pack = Path(str(content["pack"]["path"]))
    trusted = ines("pack", "verify", pack, "--trust", out / "merrowdale.trust.json", "--json")
    assert (trusted.code, trusted.json["verdict"]) == (0, "valid"), trusted
    assert {signature["meaning"] for signature in trusted.json["signatures"]} == {"authored", "approved", "released"}
    alone = ines("pack", "verify", pack, "--json")
    assert (alone.code, alone.json["verdict"]) == (1, "incomplete")


def test_a_flipped_bit_is_noticed(demo: tuple[dict[str, object], Path], ines: Assay, tmp_path: Path) -> None:
    content, out = demo
    altered = bytearray(Path(str(content["pack"]["path"])).read_bytes())
    altered[len(altered) // 2] ^= 4
    (tmp_path / "altered.pack").write_bytes(altered)
    ran = ines("pack", "verify", tmp_path / "altered.pack", "--trust", out / "merrowdale.trust.json", "--json")
    assert (ran.code, ran.json["verdict"]) == (1, "invalid")


def test_a_question_over_real_law_cites_the_article_that_answers_it(ines: Assay, shared_data: Path) -> None:
    added = ines("documents", "add", "law", shared_data / "documents" / "eu-law" / "eu_ai_act")
    assert added.code == 0, added
    asked = ines("ask", "law", "Which article requires high-risk AI systems to keep logs automatically?", "--json")
    assert asked.json["citations"][0]["document"].endswith("article_12.txt"), asked
