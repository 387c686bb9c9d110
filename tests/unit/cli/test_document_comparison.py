"""`assay documents compare`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.documents.service import Documents
from core.models.records import FAKE
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    with Workbench(vault_factory(SCHEMA)) as bench:
        bench.documents = Documents(bench.vault, bench.supervisor, bench.engine, embedder=FAKE)
        (tmp_path / "a.txt").write_text("Valves are checked every six months.\n\nThe drum is blue.\n")
        (tmp_path / "b.txt").write_text("Valves are checked every twelve months.\n\nThe drum is blue.\n")
        yield Desk(bench, tmp_path)


def test_two_documents_are_compared(desk: Desk) -> None:
    assert desk("documents", "add", "plant", "a.txt", "b.txt") == 0
    assert desk("documents", "compare", "plant/a.txt", "plant/b.txt") == 0
    assert "a.txt and b.txt: passages the same 1, changed 1, moved 0" in desk.output
    assert "changed: line 1 → line 1" in desk.output
    assert "Valves are checked every [-six-] {+twelve+} months." in desk.output
    assert "The drum is blue." not in desk.output
    assert desk("documents", "compare", "plant/a.txt", "plant/b.txt", "--all") == 0
    assert "The drum is blue." in desk.output
    assert desk("documents", "compare", "plant/a.txt", "plant/b.txt", "--json") == 0
    found = json.loads(desk.output)
    assert [row["kind"] for row in found["rows"]] == ["changed", "same"]
    assert found["rows"][0]["second"] == {
        "page": 1,
        "place": "line 1",
        "text": "Valves are checked every twelve months.",
    }
    assert desk("documents", "compare", "plant/a.txt", "plant/c.txt") != 0
    assert "Name it COLLECTION/NAME" in desk.errors


def test_a_comparison_is_written_to_a_file(desk: Desk, tmp_path: Path) -> None:
    assert desk("documents", "add", "plant", "a.txt", "b.txt") == 0
    assert desk("documents", "compare", "plant/a.txt", "plant/b.txt", "--out", str(tmp_path / "found.txt")) == 0
    assert "[-six-] {+twelve+}" in (tmp_path / "found.txt").read_text(encoding="utf-8")
    assert desk("documents", "compare", "plant/a.txt", "plant/b.txt", "--out", str(tmp_path / "found.doc")) != 0
    assert "written as .html or .txt" in desk.errors
