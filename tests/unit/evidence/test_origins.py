"""Adapters that were trained in the vault, and the cards of its models, in packs: both verifiers check where they come from."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from core.errors import Damaged
from core.evidence import opened, zipform
from core.evidence.opened import Row, take_apart
from core.evidence.origins import check, trainings
from core.evidence.packing import plain_rows
from core.evidence.records import PackContent, Stored
from core.evidence.redaction import Request, preview, redact, rendered
from tests.unit.evidence import mutations
from tests.unit.evidence.building import ADA, BEN, TRUST, Maker, altered, content, pack
from tests.unit.evidence.judging import judged, standalone
from tests.unit.evidence.trained import ADAPTER, BASE, FILE

CONTENT = content(adapted=True)
WHOLE = pack(CONTENT)
FILES = zipform.read(WHOLE)
BOM: Any = json.loads(FILES[opened.MLBOM])


def test_a_run_with_an_adapter_is_valid_and_says_what_is_known_by_digest_alone() -> None:
    verdict = judged(WHOLE, TRUST)
    assert (verdict.verdict, verdict.reasons) == ("valid", ())
    [check] = [check for check in verdict.checks if check.name == "Adapters"]
    assert (check.state, check.count) == ("attention", 1)
    assert "1 of the sources" in check.detail
    assert [s.subject for s in verdict.signatures][:2] == ["training-1", "starter@2"]


def test_a_pack_without_adapters_holds_no_files_for_them() -> None:
    names = zipform.read(pack(content())).keys()
    assert not any(f"records/{kind}.json" in names for kind in opened.EXTRA)


def forged(**changes: tuple[Stored, ...]) -> PackContent:
    return msgspec.structs.replace(CONTENT, **changes)


def put(key: str, value: Any) -> Callable[[Any], None]:
    return lambda record: record.update({key: value})


OTHER = "cd" * 32


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (forged(training_results=()), "no finished result"),
        (forged(training_runs=(), training_results=()), "isn't in the pack"),
        (forged(training_runs=()), "no finished result"),
        (forged(training_results=CONTENT.training_results * 2), "twice"),
        (forged(training_results=(altered(CONTENT.training_results[0], put("gguf", OTHER)),)), "isn't in the pack"),
        (forged(training_results=(altered(CONTENT.training_results[0], put("run", OTHER)),)), "no finished result"),
        (forged(training_results=(altered(CONTENT.training_results[0], put("status", "failed")),)), "no finished"),
        (content(adapted=True, base=OTHER), "made for another model"),
        (forged(comparisons=(altered(CONTENT.comparisons[0], put("run", "training-9")),)), "compared"),
        (forged(training_data=(CONTENT.dataset,)), "of no training"),
        (forged(model_cards=(altered(CONTENT.model_cards[0], put("model", OTHER)),)), "about no model"),
        (
            forged(model_cards=(*CONTENT.model_cards, altered(CONTENT.model_cards[0], put("number", 3)))),
            "two are about",
        ),
    ],
)
def test_what_doesnt_fit_the_run_is_invalid(changed: PackContent, said: str) -> None:
    verdict = judged(pack(changed), TRUST)
    assert verdict.verdict == "invalid"
    assert said in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    "changed",
    [
        forged(training_data=()),
        forged(comparisons=()),
        forged(model_cards=(), signatures=tuple(s for s in CONTENT.signatures if b"starter@2" not in s.content)),
    ],
)
def test_what_need_not_be_there_may_be_away(changed: PackContent) -> None:
    assert judged(pack(changed), TRUST).verdict == "valid"


def test_a_file_for_no_record_is_invalid() -> None:
    entries = dict(FILES)
    entries["records/model-card.json"] = b"[]"
    assert judged(zipform.write(entries), TRUST).verdict == "invalid"


def test_a_training_that_the_log_holds_only_after_the_run_is_invalid() -> None:
    entries = list(CONTENT.entries)
    result, run = CONTENT.training_results[0].digest, CONTENT.run.digest

    def place(digest: str) -> int:
        return next(n for n, entry in enumerate(entries) if digest in json.loads(entry.content)["record"]["objects"])

    assert place(result) < place(run)
    names = {"training": place(result), "run": place(run)}
    swapped = msgspec.structs.replace(
        CONTENT, entries=tuple(entry for entry in entries if entry.index != names["training"])
    )
    verdict = judged(pack(swapped), TRUST)
    assert verdict.verdict == "invalid"
    assert "no entry tells of training-result" in " ".join(verdict.reasons)


@pytest.mark.parametrize("meaning", ["approved", "reviewed"])
def test_nobody_judges_the_training_or_the_run_that_they_made(meaning: str) -> None:
    def sign(subject: Stored) -> Callable[[Maker], None]:
        return lambda maker: maker.sign(ADA, subject, "their own", meaning)

    for subject in (CONTENT.training_results[0], CONTENT.training_runs[0], CONTENT.run):
        verdict = judged(pack(content(sign(subject), adapted=True)), TRUST)
        assert verdict.verdict == "invalid"
        assert "their own work" in " ".join(verdict.reasons)
    theirs = content(lambda maker: maker.sign(BEN, CONTENT.training_results[0], "theirs", meaning), adapted=True)
    assert judged(pack(theirs), TRUST).verdict == "valid"


def test_a_signature_that_names_another_user_than_its_card_is_invalid() -> None:
    changed = (*CONTENT.signatures[:-1], altered(CONTENT.signatures[-1], put("user", "ada")))
    assert json.loads(CONTENT.signatures[-1].content)["record"]["user"] == "ben"
    verdict = judged(pack(forged(signatures=changed)), TRUST)
    assert verdict.verdict == "invalid"
    assert any("another user than its card" in reason for reason in verdict.reasons)


def test_the_bill_of_materials_names_the_adapter_with_its_base_and_fits_the_schema(shared_data: Path) -> None:
    schema = json.loads((shared_data / "vectors" / "cyclonedx-1.6-ml" / "bom-1.6.schema.json").read_text())
    anything: dict[str, Any] = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"signature": {}}}
    others = [f"http://cyclonedx.org/schema/{name}.schema.json" for name in ("spdx", "jsf-0.82")]
    registry: Registry[Any] = Registry().with_resources([(name, Resource.from_contents(anything)) for name in others])
    Draft7Validator(schema, registry=registry).validate(BOM)
    [adapter] = [c for c in BOM["components"] if {"alg": "SHA-256", "content": ADAPTER} in c.get("hashes", [])]
    [ancestor] = adapter["pedigree"]["ancestors"]
    assert (ancestor["name"], ancestor["hashes"][0]["content"]) == ("starter", BASE)
    base = CONTENT.models[0].digest
    assert {"ref": adapter["bom-ref"], "dependsOn": [base]} in BOM["dependencies"]
    refs = {c["bom-ref"] for c in BOM["components"]} | {BOM["metadata"]["component"]["bom-ref"]}
    assert {d["ref"] for d in BOM["dependencies"]} <= refs
    assert {"ref": CONTENT.training_data[0].digest} in adapter["modelCard"]["modelParameters"]["datasets"]
    assert CONTENT.training_data[0].digest in refs
    [model] = [c for c in BOM["components"] if c["bom-ref"] == base]
    assert "quantitativeAnalysis" not in model["modelCard"], "the figures are the adapter's"
    assert model["modelCard"]["considerations"]["useCases"] == ["Answering over manuals."]


def test_the_cards_and_sheets_tell_what_the_vault_holds() -> None:
    card = FILES[f"model-cards/{CONTENT.training_results[0].digest}.md"].decode()
    head = yaml.safe_load(card.split("---\n")[1])
    assert (head["library_name"], head["base_model"]) == ("peft", "starter")
    for words in (BASE, ADAPTER, FILE, "style@1", "1 left out", "1 question of the run stands word for word"):
        assert words in card
    model = FILES[f"model-cards/{CONTENT.models[0].digest}.md"].decode()
    for words in ("Answering over manuals.", "Medical advice.", "It can't count.", "approved by Ben Okafor"):
        assert words in model
    assert "is not recorded" not in model.partition("## Uses")[2].partition("## Training")[0]
    sheet = FILES[f"datasheets/{CONTENT.training_data[0].digest}.md"].decode()
    assert "it serves the training training-1" in sheet
    assert "The examples themselves aren't in this pack" in FILES[f"datasheets/{FILE}.md"].decode()


def test_the_report_tells_of_the_training_and_of_what_the_model_is_for() -> None:
    report = FILES[opened.REPORT].decode()
    for words in ("Trained here", "training-1, house style", "with the adapter training-1, scale 0.5", "more.jsonl"):
        assert words in report
    for words in (
        "What the model is for",
        "Medical advice.",
        "Ben Okafor (approved)",
        "word for word in what training-1",
    ):
        assert words in report


def test_what_was_learned_from_can_be_withheld_and_the_rest_verifies() -> None:
    told = preview(WHOLE, Request(fields=("training",)))
    assert {field.field.split()[0] for field in told.fields} >= {"training-data", "training-run"}
    left = redact(WHOLE, Request(fields=("training",)))
    verdict = judged(left, TRUST)
    assert (verdict.verdict, verdict.withheld) == ("valid", told.openings)
    for words in (b"How long is a visit", b"more.jsonl"):
        assert words in WHOLE
        assert words not in left
    assert [one.adapter for one in trainings(take_apart(left).rows)] == [ADAPTER]
    report = rendered(left)[opened.REPORT].decode()
    assert "Not all of both is open here" in report
    assert "more.jsonl" not in report


def test_a_question_goes_from_what_was_learned_with_the_runs_own() -> None:
    left = redact(WHOLE, Request(fields=("input",)))
    assert judged(left, TRUST).verdict == "valid"
    assert b"How long is a visit" not in left


FILES_OF = ("run", "model", *opened.EXTRA)


def differing(step: int) -> tuple[int, int]:
    """How many changes of these records both verifiers' rules refuse, and how many they let pass; each is judged by both, unsigned."""
    rows = {kind: [(row.digest, row.record) for row in some] for kind, some in plain_rows(CONTENT).items()}
    refused = passed = 0
    for kind in FILES_OF:
        for what, change in itertools.islice(mutations.changes(rows[kind][0][1]), 0, None, step):
            value = [json.loads(json.dumps(rows[kind][0][1]))]
            change(value)
            if not value or not isinstance(value[0], dict):
                continue
            changed = {**rows, kind: [(rows[kind][0][0], value[0]), *rows[kind][1:]]}
            pack_like = SimpleNamespace(
                rows={name: tuple(Row(digest, record, 0) for digest, record in some) for name, some in changed.items()}
            )
            pack_like.one = lambda name, held=pack_like: held.rows[name][0]
            try:
                check(pack_like)  # type: ignore[arg-type]
                own = True
            except Damaged:
                own = False
            try:
                standalone.check_origins(changed)
                other = True
            except (standalone.Invalid, AttributeError, LookupError, TypeError, ValueError):
                other = False
            assert own == other, f"{kind} {what}"
            refused, passed = refused + (not own), passed + own
    return refused, passed


def test_both_say_the_same_of_changed_records_a_sample() -> None:
    refused, passed = differing(11)
    assert refused > 10
    assert passed > 100


@pytest.mark.slow
def test_both_say_the_same_of_every_change_of_a_record() -> None:
    refused, passed = differing(1)
    assert refused > 100
    assert passed > 1_000
