"""Passages and quotes say where they begin: sheet and cells, slide, line, page."""

import io
from pathlib import Path

import openpyxl

from core.documents import passages
from core.jobs import Job
from core.retrieval.records import Search
from core.retrieval.service import Retrieval
from tests.unit.documents.workspace import Workspace, pdf


def workbook() -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "Costs"
    for row in (("Part", "Price"), ("Valve", 12), ("Pump", 40)):
        sheet.append(row)
    packed = io.BytesIO()
    made.save(packed)
    return packed.getvalue()


def test_what_is_found_says_where_it_begins(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "costs.xlsx").write_bytes(workbook())
    (notes / "notes.txt").write_text("First line.\n\nThe ladder is locked.\n")
    (notes / "sheet.pdf").write_bytes(pdf([(72, 72, "One.", 11)], [(72, 72, "The drum is blue.", 11)]))
    with Workspace(tmp_path) as made:
        made.add(notes)
        retrieval = Retrieval(made.vault, made.supervisor, made.engine, made.documents)
        found = retrieval.search(Search(collection="manuals", query="Pump 40 drum ladder", limit=20), Job("Search"))
        places = {(passage.name, passage.page): passage.place for passage in found}
        retrieval.close()
        assert places["costs.xlsx", 1].startswith("sheet Costs, A1")
        assert places["notes.txt", 1] == "line 1"
        assert places["sheet.pdf", 2] == "page 2"
        digest = {passage.name: passage.document for passage in found}
        with made.vault.read() as reader:
            assert passages.place_of_quote(reader, digest["notes.txt"], 1, "The ladder is locked.") == "line 3"
            assert passages.place_of_quote(reader, digest["notes.txt"], 1, "Absent.") == ""
            assert "A3" in passages.place_of_quote(reader, digest["costs.xlsx"], 1, "Pump")
