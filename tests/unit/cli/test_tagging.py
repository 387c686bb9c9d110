"""`assay documents tag`, `untag` and `tags`, and `--tag` of what searches."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.assistants.service import Assistants
from core.documents.service import Documents
from core.models.records import FAKE
from core.retrieval.service import Retrieval
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    with Workbench(vault_factory(SCHEMA)) as bench:
        bench.documents = Documents(bench.vault, bench.supervisor, bench.engine, embedder=FAKE)
        bench.retrieval = Retrieval(bench.vault, bench.supervisor, bench.engine, bench.documents)
        bench.assistants = Assistants(
            bench.vault, bench.models, bench.engine, bench.documents, bench.retrieval, bench.prompts
        )
        for name in ("valve.txt", "pump.txt"):
            (tmp_path / name).write_text(f"The red {name[:-4]}.")
        yield Desk(bench, tmp_path)


def test_tags_narrow_searches_and_assistants(desk: Desk) -> None:
    assert desk("documents", "add", "plant", "valve.txt", "pump.txt") == 0
    assert desk("documents", "tags", "plant") == 0
    assert "No document here has a tag." in desk.output
    assert desk("documents", "tag", "plant", "pump.txt", "--tag", "hall 7", "--reason", "moved in") == 0
    assert "1 document has other tags now." in desk.output
    assert desk("documents", "tags", "plant", "--json") == 0
    found = json.loads(desk.output)
    assert found["tags"] == [{"tag": "hall 7", "documents": 1}]
    assert found["documents"] == [{"name": "pump.txt", "tags": ["hall 7"]}]
    assert desk("documents", "search", "plant", "red", "--tag", "hall 7", "--json") == 0
    found = json.loads(desk.output)
    assert [one["document"] for one in found["results"]] == ["pump.txt"]
    assert found["finding"]["tags"] == ["hall 7"]
    assert desk("assistant", "create", "hall", "--collection", "plant", "--tag", "hall 7") == 0
    assert desk.bench.assistants.find("hall").assistant.finding.filters.tags == ("hall 7",)
    assert desk("assistant", "change", "hall", "--passages", "3") == 0
    assert desk.bench.assistants.question("hall", "red?").finding.filters.tags == ("hall 7",)
    assert desk("documents", "untag", "plant", "pump.txt", "--tag", "hall 7") == 0
    assert desk("documents", "search", "plant", "red", "--tag", "hall 7") != 0
    assert "no tag hall 7" in desk.errors
