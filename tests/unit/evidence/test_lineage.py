"""The lineage: PROV-JSON that hangs together, from pages to signatures and from datasets to trained models."""

import json
from typing import Any

import msgspec
import pytest

from core.evidence.lineage import lineage
from core.evidence.packing import plain_rows
from core.evidence.picture import lineage as picture
from tests.unit.evidence.building import altered, content
from tests.unit.evidence.trained import ADAPTER, FILE

CONTENT = content()
ROWS = plain_rows(CONTENT)
ADAPTED = content(adapted=True)
TRAINED = plain_rows(ADAPTED)
DOCUMENT = CONTENT.documents[0].digest
ENDS = {
    "used": ("activity", "entity"),
    "wasGeneratedBy": ("entity", "activity"),
    "wasAttributedTo": ("entity", "agent"),
    "wasAssociatedWith": ("activity", "agent"),
    "hadMember": ("entity", "entity"),
    "wasDerivedFrom": ("entity", "entity"),
}
NAMES = {"collection": "entity", "generatedEntity": "entity", "usedEntity": "entity"}


def with_passages() -> Any:
    """The rows with passages as a real answer has them; the first answer cites its first one."""

    def change(record: Any) -> None:
        if record["answer"]:
            record["answer"]["citations"] = [{"number": 1, "document": DOCUMENT, "name": "h", "page": 2, "quote": "x"}]
            record["answer"]["passages"] = [
                {"document": DOCUMENT, "page": page, "chunk": chunk, "name": "h", "text": "x"}
                for page, chunk in ((2, 3), (2, 4), (5, 9))
            ]

    changed = tuple(altered(outcome, change) for outcome in CONTENT.outcomes)
    return plain_rows(msgspec.structs.replace(CONTENT, outcomes=changed))


@pytest.mark.parametrize("rows", [ROWS, with_passages(), TRAINED])
def test_every_relation_joins_things_of_the_right_kinds_that_are_declared(rows: Any) -> None:
    document: Any = lineage(rows)
    assert set(document["prefix"]) == {"assay", "prov"}
    assert set(document) - {"prefix", "entity", "activity", "agent"} <= set(ENDS)
    for relation, kinds in ENDS.items():
        for name, statement in document.get(relation, {}).items():
            assert name.startswith("_:")
            ends = {key.removeprefix("prov:"): value for key, value in statement.items() if key != "prov:type"}
            assert sorted(NAMES.get(key, key) for key in ends) == sorted(kinds), statement
            for key, value in ends.items():
                assert value in document[NAMES.get(key, key)], (relation, statement)


def test_an_answer_goes_back_to_its_pages_and_forward_to_the_result() -> None:
    document: Any = lineage(with_passages())
    derived = {
        (s["prov:generatedEntity"], s["prov:usedEntity"]): s.get("prov:type")
        for s in document["wasDerivedFrom"].values()
    }
    answer = f"assay:{with_passages()['outcome'][0].digest}"
    page, chunk = f"assay:{DOCUMENT}/page/2", f"assay:{DOCUMENT}/chunk/3"
    assert (page, f"assay:{DOCUMENT}") in derived
    assert (chunk, page) in derived
    assert derived[answer, chunk]["$"] == "prov:Quotation"
    assert derived[answer, f"assay:{DOCUMENT}/chunk/4"] is None
    assert (f"{answer}/scores", answer) in derived
    run = f"assay:{CONTENT.run.digest}"
    assert (f"assay:{CONTENT.result.digest}", f"{run}/scores") in derived
    members = {(s["prov:collection"], s["prov:entity"]) for s in document["hadMember"].values()}
    assert (f"{run}/answers", answer) in members
    assert (f"{run}/scores", f"{answer}/scores") in members


def test_signings_are_activities_of_the_people_on_the_cards() -> None:
    document: Any = lineage(ROWS)
    signature = CONTENT.signatures[1]
    signing = f"assay:{signature.digest}/signing"
    assert document["activity"][signing]["prov:label"] == "approved"
    assert {"prov:activity": signing, "prov:entity": f"assay:{CONTENT.spec.digest}"} in document["used"].values()
    [agent] = [s["prov:agent"] for s in document["wasAssociatedWith"].values() if s["prov:activity"] == signing]
    assert document["agent"][agent]["prov:label"] == "Ben Okafor"


def test_an_adapter_goes_back_to_its_training_its_datasets_and_its_base_and_forward_to_the_run() -> None:
    document: Any = lineage(TRAINED)
    run, result = (f"assay:{ADAPTED.training_runs[0].digest}", f"assay:{ADAPTED.training_results[0].digest}")
    base, data = f"assay:{ADAPTED.models[0].digest}", f"assay:{ADAPTED.training_data[0].digest}"
    used = {(s["prov:activity"], s["prov:entity"]) for s in document["used"].values()}
    derived = {(s["prov:generatedEntity"], s["prov:usedEntity"]) for s in document["wasDerivedFrom"].values()}
    assert {(run, data), (run, f"assay:{FILE}"), (run, base)} <= used
    assert {"prov:entity": result, "prov:activity": run} in document["wasGeneratedBy"].values()
    assert {(result, data), (result, base), (result, f"assay:{FILE}")} <= derived
    model = f"assay:{ADAPTED.run.digest}/variant/0"
    assert {(model, result), (model, base)} <= derived
    assert (f"assay:{ADAPTED.run.digest}", model) in used
    assert document["entity"][result]["assay:file"] == ADAPTER
    assert document["entity"][data]["prov:label"] == "style@1"
    card = document["entity"][f"assay:{ADAPTED.model_cards[0].digest}"]
    assert (card["prov:label"], card["assay:about"]) == ("starter@2", base)


def test_the_picture_goes_from_the_data_over_the_training_and_the_adapter_to_the_model() -> None:
    drawn = picture(TRAINED)
    for words in ("Learned from: 2 sources, 3 examples.", "Training: training-1, of starter.", "Adapter: house style."):
        assert words in drawn.description
    assert drawn.height > picture(ROWS).height
    assert "Training" not in picture(ROWS).description


def test_names_with_strange_characters_stay_names() -> None:
    def rename(record: Any) -> None:
        record["user"] = "a/b c:ü"

    rows = plain_rows(msgspec.structs.replace(CONTENT, run=altered(CONTENT.run, rename)))
    assert "assay:user/a%2Fb%20c%3A%C3%BC" in json.dumps(lineage(rows))
