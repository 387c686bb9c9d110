"""Passages and quotes say where they begin: sheet and cells, slide, line, page."""

import io
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import openpyxl

from app.bridge.reading import Quote, read_page
from core.documents import passages
from core.documents.overleaf import over_end
from core.jobs import Job
from core.retrieval.records import Search
from core.retrieval.service import Retrieval
from core.workbench import Workbench
from tests.unit.documents.test_furniture import over_the_end_pdf
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


def test_a_quote_that_goes_on_overleaf_is_placed_and_marked_on_both_pages(tmp_path: Path) -> None:
    file = over_the_end_pdf("The guard at the north gate keeps the infor-", "mation. Nobody else does.")
    quote = "The guard at the north gate keeps the information."
    (tmp_path / "desk.pdf").write_bytes(file)
    with Workspace(tmp_path) as made:
        done = made.add(tmp_path / "desk.pdf")
        assert (done.added, done.with_furniture) == (1, 1)
        ((digest, _),) = made.documents.list("manuals")
        with made.vault.read() as reader:
            assert passages.place_of_quote(reader, digest, 1, quote) == "page 1 and page 2"
            assert passages.place_of_quote(reader, digest, 1, "It is done.") == "page 1"
            assert passages.place_of_quote(reader, digest, 3, quote) == ""
        (here,) = made.documents.locate(digest, 1, quote)
        (there,) = made.documents.locate_overleaf(digest, 1, quote)
        assert here.y0 > there.y1
        assert made.documents.locate_overleaf(digest, 1, "It is done.") == ()
        assert made.documents.locate_overleaf(digest, 3, quote) == ()
        bench = SimpleNamespace(documents=made.documents)
        read = partial(read_page, cast(Workbench, bench), Job("Show"), digest)
        shown = read(2, [Quote(1, quote, before=True), Quote(2, "It is done.", before=True)])
        assert shown.places == ((1, ((there.x0, there.y0, there.x1, there.y1),)),)


def test_letters_tell_where_a_quote_goes_over_an_end() -> None:
    assert over_end("One. The rope is fas-", "Head\n\ntened twice. Two.", "The rope is fastened twice.") == (5, 17)
    assert over_end("One. The rope is", "tied.", "The rope is fastened.") is None
    assert over_end("", "", "") is None
    assert over_end("One ½", "of it. Two", "½ of it") == (4, 5)
