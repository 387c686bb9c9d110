"""Two documents side by side as a file: all of it, signs that don't rest on colour, nothing that runs, and a line in the log."""

from pathlib import Path

import pytest

from core.documents.comparing import Comparison, Piece, Row, differences
from core.documents.comparison_report import as_html, as_text, export
from core.errors import BadInput, NotFound
from core.records import Digest
from core.vault.roles import Act
from core.vault.vault import Vault


def piece(text: str, place: str = "") -> Piece:
    return Piece(page=3, start=0, place=place, text=text)


FOUND = Comparison(
    first=Digest("a" * 64),
    first_name="old.txt",
    second=Digest("b" * 64),
    second_name="new <script>.txt",
    embedder=Digest("c" * 64),
    rows=(
        Row(
            kind="changed",
            first=piece("Checked every six months.", "line 1"),
            second=piece("Checked every twelve months."),
            likeness=0.9,
            words=differences("Checked every six months.", "Checked every twelve months."),
        ),
        Row(kind="same", first=piece("The drum is blue."), second=piece("The drum is blue."), likeness=1.0),
        Row(kind="first", first=piece("<img src=x onerror=alert(1)>"), second=None, likeness=0.0),
        Row(kind="second", first=None, second=piece("Ladders & locks."), likeness=0.0),
    ),
)


def test_text_has_every_passage_with_signs() -> None:
    said = as_text(FOUND)
    assert "Passages: 1 same, 1 changed, 0 moved, 1 only in the first, 1 only in the second." in said
    assert "Changed: line 1 → page 3\nChecked every [-six-] {+twelve+} months." in said
    assert "[-<img src=x onerror=alert(1)>-]" in said
    assert "{+Ladders & locks.+}" in said
    assert "The drum is blue." in said
    assert "The drum is blue." not in as_text(FOUND, every=False)


def test_the_page_marks_by_elements_and_holds_nothing_that_runs() -> None:
    page = as_html(FOUND)
    assert "Checked every <del>six</del> months." in page
    assert "Checked every <ins>twelve</ins> months." in page
    assert "<del>&lt;img src=x onerror=alert(1)&gt;</del>" in page
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<tr>") == 1 + len(FOUND.rows)
    assert as_html(FOUND, every=False).count("<tr>") == len(FOUND.rows)


def test_an_export_is_logged_with_its_file_and_a_failed_one_isnt(vault: Vault, tmp_path: Path) -> None:
    export(vault, FOUND, tmp_path / "found.html")
    assert (tmp_path / "found.html").read_text(encoding="utf-8") == as_html(FOUND)
    with pytest.raises(BadInput):
        export(vault, FOUND, tmp_path / "found.pdf")
    with pytest.raises(NotFound):
        export(vault, FOUND, tmp_path / "nowhere" / "found.txt")
    with vault.read() as reader:
        entries = [one for one in reader.log() if one.act == Act.EXPORT_DOCUMENT]
    assert [one.about for one in entries] == ["old.txt and new <script>.txt, compared, to found.html"]
