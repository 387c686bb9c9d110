"""`assay documents evaluate`, and the options of `assay documents search`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.assistants import store
from core.assistants.answering import DECLINED
from core.documents.service import Documents
from core.models.records import FAKE
from core.retrieval.service import Retrieval
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk

NOTES = {"hall/valve.txt": "The red valve.", "hall/pump.md": "The green pump.", "yard/drum.txt": "The red drum."}


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    vault = vault_factory(SCHEMA)
    with Workbench(vault) as bench:
        bench.documents = Documents(vault, bench.supervisor, bench.engine, embedder=FAKE)
        bench.retrieval = Retrieval(vault, bench.supervisor, bench.engine, bench.documents)
        for name, text in NOTES.items():
            (tmp_path / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "notes" / name).write_text(text)
        desk = Desk(bench, tmp_path)
        assert desk("documents", "add", "plant", "notes") == 0
        yield desk
        bench.retrieval.close()


def test_a_collection_is_evaluated_by_judged_queries(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"id": "1", "text": "red valve"}\n{"id": "2", "text": "pump"}\n')
    (tmp_path / "qrels").write_text("1 0 valve 1\n2 0 hall/pump.md 1\n2 0 boiler 1\n")
    assert desk("documents", "evaluate", "plant", "queries.jsonl", "qrels", "--json") == 0
    found = json.loads(desk.output)
    assert [way["way"] for way in found["ways"]] == ["meaning", "words", "fused"]
    assert set(found["ways"][0]["measures"]) == {
        *("ndcg@10", "recall@5", "recall@10", "recall@20", "recall@100", "mrr", "map")
    }
    assert found["ways"][1]["measures"]["recall@10"]["value"] == 0.75
    assert found["ways"][1]["each"][1]["missed"] == ["boiler"]
    assert found["absent"] == ["boiler"]
    assert desk("documents", "evaluate", "plant", "queries.jsonl", "qrels") == 0
    assert "1 of 2 found; missed boiler" in desk.output
    (tmp_path / "qrels").write_text("1 0 valve 0\n")
    assert desk("documents", "evaluate", "plant", "queries.jsonl", "qrels") != 0
    assert "nothing to measure" in desk.errors
    (tmp_path / "qrels").write_bytes(b"\xff\xfe\x00")
    assert desk("documents", "evaluate", "plant", "queries.jsonl", "qrels") != 0
    assert "UTF-8" in desk.errors


def test_a_search_is_narrowed_and_says_how(desk: Desk) -> None:
    assert desk("documents", "search", "plant", "red", "--folder", "hall", "--type", "txt", "--json") == 0
    found = json.loads(desk.output)
    assert [(one["document"], one["collection"]) for one in found["results"]] == [("hall/valve.txt", "plant")]
    assert (found["finding"]["folders"], found["finding"]["types"], found["finding"]["mmr"]) == (["hall"], ["txt"], 1.0)
    assert desk("documents", "add", "second", "notes/yard") == 0
    assert desk("documents", "search", "plant", "red drum", "--also", "second", "--mmr", "0.5") == 0
    assert "(second)" in desk.output
    assert "(plant)" in desk.output
    assert desk("documents", "search", "plant", "red", "--since", "soon") != 0
    assert "Write it as" in desk.errors


def test_an_answer_keeps_how_its_passages_were_found(desk: Desk) -> None:
    assert desk("ask", "plant", "Which valve is red?", "--file", "hall/valve.txt", "--json") == 0
    found = json.loads(desk.output)
    assert found["finding"]["files"] == ["hall/valve.txt"]
    kept = desk.bench.assistants.trace(found["trace"])
    assert kept.question.finding.filters.files == ("hall/valve.txt",)
    assert kept.found_with is not None
    assert (kept.found_with.collections, kept.found_with.candidates) == (("plant",), 100)
    assert {passage.name for passage in kept.passages} == {"hall/valve.txt"}


def test_an_answer_from_several_collections_belongs_to_each(desk: Desk) -> None:
    assert desk("documents", "add", "second", "notes/yard") == 0
    assert desk("ask", "plant", "Which drum is red?", "--also", "second", "--also", "plant", "--json") == 0
    trace = json.loads(desk.output)["trace"]
    with desk.bench.vault.read() as reader:
        assert store.of_collection(reader, "plant") == store.of_collection(reader, "second") == (trace,)
        assert store.of_collection(reader, "third") == ()


def test_a_follow_up_says_what_was_searched_for(desk: Desk) -> None:
    assert desk("ask", "plant", "Where is it?", "--earlier", "Which valve is red?", "--json") == 0
    assert json.loads(desk.output)["searched"] == "Which valve is red? Where is it?"
    assert desk("ask", "plant", "Where is it?", "--earlier", "Which valve is red?") == 0
    assert "Searched for: Which valve is red? Where is it?" in desk.output


def test_a_model_s_answer_without_support_is_declined_unless_it_shall_be_marked(desk: Desk) -> None:
    assert desk("ask", "plant", "Which valve is red?", "--model", "fake", "--json") == 0
    found = json.loads(desk.output)
    assert found["withdrawn"] or found["support"] or found["abstained"]
    assert bool(found["withdrawn"]) == (found["answer"] == DECLINED and found["abstained"])
    assert desk("ask", "plant", "Which valve is red?", "--model", "fake", "--without-support", "mark", "--json") == 0
    marked = json.loads(desk.output)
    assert (marked["withdrawn"], [one["supported"] for one in marked["support"]]) == ("", [True])
