"""Adding, replacing, refusing, stopping; pages, text and quotes; what the audit log says."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.documents import reading
from core.documents.records import AddDocuments, Document
from core.documents.service import Documents
from core.errors import BadInput, Cancelled, NotFound, Refused, Unavailable, Unsupported
from core.jobs import Job, Progress
from core.records import Digest
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import weak_kdf
from tests.processes import until
from tests.unit.documents.workspace import Workspace, paragraph, pdf, word_document

LINES = ["Spills are taken up with mineral binder at once. Call", "extension 5511 and close the doors."]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace(tmp_path_factory.mktemp("vault")) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "sheet.pdf").write_bytes(
        pdf([(72, 70, "Solvent R-12", 18), *paragraph(72, 100, LINES)], [(72, 70, "End", 9)])
    )
    (tmp_path / "deep" / "notes.md").write_text("# Notes\n\nThe drum is earthed.\n")
    (tmp_path / "deep" / "form.docx").write_bytes(word_document())
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "slides.ppt").write_bytes(b"PK\x03\x04")
    (tmp_path / ".hidden" / "secret.txt").write_text("hidden")
    (tmp_path / ".secret.txt").write_text("hidden")
    return tmp_path


def acts(vault: Vault) -> list[tuple[Act, str]]:
    with vault.read() as reader:
        return [(entry.act, entry.about) for entry in reader.log(limit=10_000)]


def find(one: Workspace, name: str, collection: str) -> tuple[Digest, Document]:
    return next(found for found in one.documents.list(collection) if found[1].name == name)


def test_a_folder_goes_in_and_what_can_not_be_read_is_told(one: Workspace, folder: Path) -> None:
    seen: list[Progress] = []
    done = one.add(folder, collection="whole", job=Job("Add", seen.append))
    assert (done.added, done.unchanged, done.pages) == (3, 0, 4)
    assert {refusal.file: refusal.reason for refusal in done.refused} == {
        "broken.pdf": "broken.pdf: damaged; no page of it can be read. Get another copy.",
        "slides.ppt": "slides.ppt: old PowerPoint (.ppt) files are not supported yet. Save it as a PPTX in PowerPoint.",
    }
    assert one.names("whole") == ["deep/form.docx", "deep/notes.md", "sheet.pdf"]
    (collection,) = [found for found in one.documents.collections() if found.name == "whole"]
    assert (collection.documents, collection.chunks, collection.embedder_name) == (3, done.chunks, "fake")
    assert [(step.done, step.total, step.unit) for step in seen] == [(number, 5, "files") for number in range(6)]
    _, document = find(one, "sheet.pdf", "whole")
    assert (document.title, document.pages, document.media) == ("Solvent R-12", 2, "application/pdf")
    with one.vault.read() as reader:
        assert reader.blob(document.content) == (folder / "sheet.pdf").read_bytes()


def test_the_same_bytes_are_unchanged_whatever_their_name(one: Workspace, folder: Path) -> None:
    one.add(folder / "sheet.pdf", collection="same")
    before = acts(one.vault)
    (folder / "copy.pdf").write_bytes((folder / "sheet.pdf").read_bytes())
    done = one.add(folder / "sheet.pdf", folder / "copy.pdf", collection="same")
    assert (done.added, done.unchanged, done.chunks) == (0, 2, 0)
    assert (acts(one.vault), one.names("same")) == (before, ["sheet.pdf"])


def test_two_copies_in_one_folder_are_one_document(one: Workspace, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text("The same words.")
    done = one.add(tmp_path, collection="copies")
    assert (done.added, done.unchanged, one.names("copies")) == (1, 2, ["a.txt"])


def test_another_version_takes_the_place_and_the_earlier_one_can_still_be_cited(one: Workspace, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Six months.")
    one.add(note, collection="versions")
    earlier, _ = find(one, "note.txt", "versions")
    note.write_text("Twelve months.")
    done = one.add(note, collection="versions")
    now, _ = find(one, "note.txt", "versions")
    assert (done.added, done.replaced, now != earlier) == (1, 1, True)
    assert [one.documents.text(digest, 1) for digest in (earlier, now)] == ["Six months.", "Twelve months."]
    assert one.documents.collection("versions").chunks == 1
    note.write_text("Six months.")
    assert one.add(note, collection="versions").added == 1


def test_a_removed_document_is_found_no_more(one: Workspace, folder: Path) -> None:
    one.add(folder / "sheet.pdf", collection="gone")
    digest, _ = find(one, "sheet.pdf", "gone")
    one.documents.remove(digest)
    assert (one.names("gone"), one.documents.collection("gone").chunks) == ([], 0)
    assert "Spills" in one.documents.text(digest, 1)
    with pytest.raises(NotFound):
        one.documents.remove(digest)
    assert acts(one.vault)[-2:] == [(Act.REMOVE_DOCUMENTS, "sheet.pdf"), (Act.SHOW_DOCUMENT, "sheet.pdf, page 1")]


def test_pages_are_drawn_and_quotes_found_on_them(one: Workspace, folder: Path) -> None:
    one.add(folder, collection="shown")
    sheet, _ = find(one, "sheet.pdf", "shown")
    image = one.documents.page(sheet, 1, zoom=1.0)
    assert (image.width, image.height, len(image.pixels)) == (595, 842, 595 * 842 * 3)
    one.documents.page(sheet, 1, zoom=2.0)
    rects = one.documents.locate(sheet, 1, "Call extension 5511 and close the doors.")
    assert len(rects) == 2
    assert rects[0].x0 > 250
    assert rects[1].y0 > rects[0].y0
    assert acts(one.vault).count((Act.SHOW_DOCUMENT, "sheet.pdf, page 1")) >= 1
    with pytest.raises(NotFound, match="pages 1 to 2"):
        one.documents.page(sheet, 3)
    notes, _ = find(one, "deep/notes.md", "shown")
    with pytest.raises(Unsupported, match=r"deep/notes\.md: only pages of PDFs"):
        one.documents.page(notes, 1)
    assert one.documents.locate(notes, 1, "The drum") == ()


def test_files_of_one_name_are_told_apart_by_their_folders(one: Workspace, tmp_path: Path) -> None:
    for name in ("eu", "us"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "law.txt").write_text(f"The law of {name}.")
    one.add(tmp_path / "eu" / "law.txt", tmp_path / "us" / "law.txt", collection="laws")
    assert one.names("laws") == ["eu/law.txt", "us/law.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_file_and_nothing_waits_for_it(one: Workspace, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    done = one.add(tmp_path, collection="pipes")
    assert [refusal.reason for refusal in done.refused] == [
        "pipe.txt: can't be read (not an ordinary file). Check the file and its permissions."
    ]


def test_an_empty_folder_and_a_missing_path_are_said_at_once(one: Workspace, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the folder holds no files"):
        one.add(tmp_path)
    with pytest.raises(NotFound, match=r"nothing\.pdf"):
        one.add(tmp_path / "nothing.pdf")
    with pytest.raises(BadInput, match="its name has"):
        one.add(tmp_path, collection=" ")
    with pytest.raises(NotFound, match="There is no collection manuals"):
        one.documents.collection("manuals")


def test_what_is_stopped_keeps_the_files_that_were_finished(one: Workspace, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(f"Note number {number}.")
    job = Job("Add", lambda step: job.cancel() if step.done == 2 else None)
    with pytest.raises(Cancelled):
        one.add(tmp_path, collection="stopped", job=job)
    assert one.names("stopped") == ["0.txt", "1.txt"]
    assert until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("reading")])
    done = one.add(tmp_path, collection="stopped")
    assert (done.added, done.unchanged) == (4, 2)


def test_a_reader_that_dies_costs_its_own_file_only(
    one: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "big.txt").write_bytes(b"word " * 8_000_000)
    (tmp_path / "small.txt").write_text("Small.")
    small = reading.SPEC.memory // 16
    monkeypatch.setattr(reading, "SPEC", type(reading.SPEC)(module=reading.SPEC.module, memory=small, seconds=20.0))
    done = one.add(tmp_path, collection="deaths")
    assert (done.added, one.names("deaths")) == (1, ["small.txt"])
    (refusal,) = done.refused
    assert refusal.reason.startswith("big.txt: its reader stopped: out of memory")


def test_without_an_embedder_it_says_how_to_get_one(one: Workspace, folder: Path) -> None:
    bare = Documents(one.vault, one.supervisor, one.engine, "absent-embed")
    with pytest.raises(
        Unavailable, match=r"knows no embedder absent-embed\. .*`assay model add FILE --name absent-embed`"
    ):
        bare.add(AddDocuments(collection="bare", paths=(str(folder),)), Job("Add"))


def test_a_collection_keeps_to_its_embedder(one: Workspace, folder: Path) -> None:
    one.add(folder / "sheet.pdf", collection="bound")
    with one.vault.write(Act.ADD_DOCUMENTS, about="bound") as unit:
        unit.db.execute(
            "UPDATE collections SET embedder = ?, embedder_name = 'older' WHERE name = 'bound'", ("0" * 64,)
        )
    with pytest.raises(
        BadInput, match=r"made with the embedder older, which isn't here .*`assay documents rebuild bound`"
    ):
        one.add(folder, collection="bound")


def test_a_reviewer_adds_nothing_and_nothing_is_read_for_them(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "v").mkdir()
    with Workspace(tmp_path / "v") as made:
        with made.vault.confirm("seven lanterns by the river") as signer:
            made.vault.add_user(signer, "rea", "Rea Reviewer", ("reviewer",), "eleven boats on a pond", weak_kdf)
        from core.documents import store
        from core.models import store as models_store

        path = made.vault.folder
        made.vault.close()
        with Vault.open(path, "rea", "eleven boats on a pond", (models_store.SCHEMA, store.SCHEMA)) as vault:
            documents = Documents(vault, made.supervisor, made.engine, "fake")
            seen: list[Progress] = []
            with pytest.raises(Refused):
                documents.add(AddDocuments(collection="c", paths=(str(folder),)), Job("Add", seen.append))
            assert seen == []
            assert documents.collections() == ()
