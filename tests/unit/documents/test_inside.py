"""Files inside of files: each is a document of its own, named by its path, and bounded in number, size and depth."""

from pathlib import Path

import pytest

from core.documents import ocr, reading
from core.documents.reading import Budget, _name_inside
from core.documents.records import AddDocuments
from core.errors import Cancelled
from core.jobs import Job
from tests.unit.documents import packed
from tests.unit.documents.workspace import Workspace, pdf, scanned_pdf

ENDING = b"The drum is earthed."


@pytest.fixture(autouse=True)
def no_recognition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find", lambda: None)


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    inner = packed.zipped({"deep/notes.txt": ENDING, "program.exe": b"MZ\x90\x00", "../out.txt": b"x"})
    mail = packed.mail(
        "Leak", "See what is attached.", form__zip=inner, sheet__xlsx=packed.workbook(A=[["a", "b"], [1, 2]])
    )
    path = tmp_path / "all.zip"
    path.write_bytes(packed.zipped({"mails/leak.eml": mail, "scan.pdf": scanned_pdf()}))
    return path


def test_what_is_inside_is_read_by_its_path_and_what_can_not_be_is_told(nested: Path, tmp_path: Path) -> None:
    with Workspace(tmp_path) as made:
        done = made.add(nested)
        assert made.names() == [
            "all.zip/mails/leak.eml",
            "all.zip/mails/leak.eml/form.zip/deep/notes.txt",
            "all.zip/mails/leak.eml/sheet.xlsx",
        ]
        assert {
            refusal.file.removeprefix("all.zip/"): refusal.reason.partition(": ")[2] for refusal in done.refused
        } == {
            "mails/leak.eml/form.zip/program.exe": f".exe files are not supported yet. {reading.formats.READABLE}.",
            "mails/leak.eml/form.zip/out.txt": "a path that leads out of its archive. It was left out.",
            "scan.pdf": ocr.MISSING,
        }
        assert (done.added, made.add(nested).unchanged) == (3, 1)  # the mail is known with all that is in it
        digest, sheet = next(found for found in made.documents.list("manuals") if found[1].name.endswith(".xlsx"))
        text = made.documents.text(digest, 1)
        assert made.documents.place(digest, 1, text.index("1 | 2")) == "sheet A, A2:B2"
        assert made.documents.locate(digest, 1, "1 | 2") == ()
        assert sheet.pages == 1


def test_an_import_that_was_broken_off_within_a_mail_goes_on(nested: Path, tmp_path: Path) -> None:
    with Workspace(tmp_path) as made:
        job = Job("Add")
        kept = made.documents._insert

        def insert(*given: object) -> None:
            kept(*given)  # type: ignore[arg-type]
            job.cancel()

        made.documents._insert = insert  # type: ignore[method-assign, assignment]
        with pytest.raises(Cancelled):
            made.add(nested, job=job)
        assert made.names() == ["all.zip/mails/leak.eml/form.zip/deep/notes.txt"]
        made.documents._insert = kept  # type: ignore[method-assign]
        assert (made.add(nested).added, len(made.names())) == (2, 3)


def test_depth_number_and_size_are_bounded(tmp_path: Path) -> None:
    data = ENDING
    for level in range(6):
        data = packed.zipped({f"{level}.zip" if level else "a.txt": data, f"{level}.md": b"Words of %d." % level})
    (tmp_path / "deep.zip").write_bytes(data)
    with Workspace(tmp_path) as made:
        done = made.add(tmp_path / "deep.zip")
        (refusal, *_) = done.refused
        assert "inside of 4 files, which is too deep" in refusal.reason
        assert done.added == 3
    budget = Budget(files=2, size=10)
    assert [budget.take(size) for size in (4, 4, 1)] == [True, True, False]
    assert not Budget(size=10).take(11)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.txt", "h/a.txt"),
        ("../../etc/passwd", "h/etc/passwd"),
        ("C:\\x\\..\\y.txt", "h/C:/x/y.txt"),
        ("a\nb\x1b[2J\u202e.txt", "h/a b [2J .txt"),
        ("", "h/file"),
        ("taken.txt", "h/taken (3).txt"),
        ("taken", "h/taken (2)"),
    ],
)
def test_names_lead_nowhere_else_and_are_taken_once(name: str, path: str) -> None:
    assert _name_inside("h", name, {"h/taken.txt", "h/taken (2).txt", "h/taken"}) == path


def test_a_password_that_was_given_opens_what_is_inside_too(tmp_path: Path) -> None:
    locked = pdf([(72, 100, "Words", 10)], password="secret")
    (tmp_path / "a.zip").write_bytes(packed.zipped({"locked.pdf": locked}))
    with Workspace(tmp_path) as made:
        request = AddDocuments(collection="manuals", paths=(str(tmp_path / "a.zip"),))
        assert made.documents.add(request, Job("Add")).added == 0
        assert made.documents.add(request, Job("Add"), ("wrong", "secret")).added == 1
        with made.vault.read() as reader:
            assert all("secret" not in f"{entry.about} {entry.reason}" for entry in reader.log(limit=100))
