"""`assay documents preview`, and the options of `assay documents add` that say how documents are cut."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.documents.service import Documents
from core.models.records import FAKE
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk
from tests.unit.documents.test_cutting import LONG


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    with Workbench(vault_factory(SCHEMA)) as bench:
        bench.documents = Documents(bench.vault, bench.supervisor, bench.engine, embedder=FAKE)
        (tmp_path / "gates.md").write_text(LONG)
        (tmp_path / "empty.txt").write_text("")
        yield Desk(bench, tmp_path)


def test_the_effect_is_shown_before_a_collection_is_made_that_way(desk: Desk) -> None:
    assert desk("documents", "preview", "gates.md", "empty.txt", "--size", "40", "--json") == 0
    shown = json.loads(desk.output)
    assert (shown["files"], shown["documents"], shown["size"], len(shown["refused"])) == (2, 1, 40, 1)
    assert shown["tokens"]["smallest"] <= shown["tokens"]["median"] <= shown["tokens"]["largest"]
    assert shown["passages"][0]["heading"] == "Gate 0"
    assert desk("documents", "preview", "gates.md", "--size", "40") == 0
    assert "cut by structure, passages of 40 tokens" in desk.output
    assert "gates.md, line 1, Gate 0:" in desk.output
    assert desk("documents", "preview", "empty.txt") == 1
    assert desk("documents", "list", "--json") == 0
    assert json.loads(desk.output)["collections"] == []
    assert desk("documents", "add", "gates", "gates.md", "--size", "40", "--json") == 0
    assert json.loads(desk.output)["chunks"] == shown["chunks"]
    assert desk("documents", "add", "gates", "gates.md", "--size", "80") not in (0, 1, 2)
    assert "`assay documents rebuild gates --size 80` makes it anew" in desk.errors
    assert desk("documents", "preview", "gates.md", "--collection", "gates", "--json") == 0
    assert json.loads(desk.output)["size"] == 40
