"""`assay documents refresh`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.documents.refreshing import Refreshing
from core.documents.service import Documents
from core.models.records import FAKE
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    with Workbench(vault_factory(SCHEMA)) as bench:
        bench.documents = Documents(bench.vault, bench.supervisor, bench.engine, embedder=FAKE)
        bench.refreshing = Refreshing(bench.vault, bench.documents)
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "valve.txt").write_text("The red valve.")
        yield Desk(bench, tmp_path)


def test_a_collection_follows_its_folder(desk: Desk, tmp_path: Path) -> None:
    assert desk("documents", "refresh", "plant") != 0
    assert "follows no folder" in desk.errors
    assert desk("documents", "watch", "plant") != 0
    assert "follows no folder" in desk.errors
    assert desk("documents", "refresh", "plant", "notes", "--json") == 0
    found = json.loads(desk.output)
    assert (found["added"], found["folders"]) == (1, [str((tmp_path / "notes").resolve())])
    (tmp_path / "notes" / "valve.txt").rename(tmp_path / "notes" / "renamed.txt")
    assert desk("documents", "refresh", "plant") == 0
    assert "plant: 0 read (0 replaced an earlier version), 1 renamed, 0 taken out" in desk.output
    assert desk("documents", "refresh", "plant", "--forget") == 0
    assert desk("documents", "refresh", "plant") != 0
    assert desk("documents", "refresh", "plant", "notes", "--forget") == 2
